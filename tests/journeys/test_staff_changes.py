"""What staff change in the calendar reaches the patient's chat, and the chat goes on from there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from flows.clinics import BookingMode
from flows.conversation import BookedSession, Stage
from storage import lead_bookings, staff_bookings
from storage.clerks import Seen
from storage.lead_bookings import ToBook
from tests.journeys.guide import Guide
from tests.journeys.test_staff import Clinic, book, clinic  # noqa: F401 - a fixture
from tests.storage.clerical import Desk, a_desk

WEEK = timedelta(days=7)


@pytest.fixture
async def desk(clinic: Clinic) -> Desk:  # noqa: F811 - the fixture
    return await a_desk(clinic.here.database, now=clinic.here.clock.now())


async def sessions(guide: Guide) -> tuple[BookedSession, ...]:
    return (await guide.conversation()).booking.sessions


async def test_a_moved_visit_is_told_and_shown(clinic: Clinic, desk: Desk) -> None:  # noqa: F811
    maya = await clinic.here.meets("Maya")
    await book(maya)
    last = (await sessions(maya))[-1]
    later = replace(
        last.slot, starts_at=last.slot.starts_at + WEEK, ends_at=last.slot.ends_at + WEEK
    )

    await desk.does(staff_bookings.move, last.uid, later)
    await clinic.sends()

    told = await maya.patient.sees("Your visit has a new time")
    assert f"{later.starts_at:%-d %b %Y, %H:%M}" in told.text
    assert await maya.taps("My visits") == Stage.BOOKED
    await maya.patient.sees(f"{later.starts_at:%-d %b %Y, %H:%M}")


async def test_after_a_cancelled_series_the_patient_finds_a_new_time(
    clinic: Clinic,  # noqa: F811
    desk: Desk,
) -> None:
    maya = await clinic.here.meets("Maya")
    await book(maya)
    seen = tuple([await desk.seen(each.uid) for each in await sessions(maya)])
    await desk.database.write(staff_bookings.cancel_series, desk.clerk, seen)
    await clinic.sends()

    await maya.patient.sees("are cancelled")
    assert await maya.taps("Find a new time") == Stage.PICK_DAY
    await maya.patient.sees("Which day suits you?")


async def test_a_request_is_confirmed_and_no_longer_one(clinic: Clinic, desk: Desk) -> None:  # noqa: F811
    await clinic.here.books(BookingMode.REQUEST)
    clinic.here.moves_clock(minutes=2)
    maya = await clinic.here.meets("Maya")
    await maya.answers()
    await maya.taps("All correct")
    await maya.taps("Book all")
    await maya.taps("Here in Telegram")
    assert (await maya.conversation()).booking.pending
    seen = tuple([await desk.seen(each.uid) for each in await sessions(maya)])

    await desk.database.write(staff_bookings.confirm_series, desk.clerk, seen)
    await clinic.sends()

    await maya.patient.sees("Your visits are confirmed")
    await maya.taps("My visits")
    await maya.patient.sees("Your visits")


async def test_a_patient_reads_all_about_visits_that_staff_booked_and_gets_the_file(
    clinic: Clinic,  # noqa: F811
    desk: Desk,
) -> None:
    maya = await clinic.here.meets("Maya")
    await maya.answers()
    await maya.taps("All correct")
    offer = (await maya.conversation()).booking.offers[0]
    now = clinic.here.clock.now()
    seen = await desk.database.read(lead_bookings.look, desk.clerk.clinic_id, 1, now)
    assert isinstance(seen, ToBook)

    await desk.database.write(lead_bookings.book, desk.clerk, seen, offer, "0123456789abcdef" * 2)
    await clinic.sends()

    told = await maya.patient.sees("Visits are booked for you.")
    assert "Willow Skin Clinic has booked visits for you" in told.text
    assert f"{offer.slots[-1].starts_at:%-d %b %Y, %H:%M}" in told.text
    assert told.labels == ("Add to calendar", "My visits", "Talk to a person")
    await maya.taps("Add to calendar")
    file = await maya.patient.downloads(await maya.patient.sees_document())
    assert file.count(b"BEGIN:VEVENT") == len(offer.slots)


async def test_a_patient_in_the_middle_of_a_change_is_brought_back(
    clinic: Clinic,  # noqa: F811
    desk: Desk,
) -> None:
    maya = await clinic.here.meets("Maya")
    await book(maya)
    first = (await sessions(maya))[0]
    await maya.taps("Cancel")

    await desk.does(staff_bookings.cancel, first.uid)

    conversation = await maya.conversation()
    assert conversation.state == Stage.BOOKED
    assert first.uid not in [each.uid for each in conversation.booking.sessions]
    assert Seen(first.uid, 2) == await desk.seen(first.uid)
