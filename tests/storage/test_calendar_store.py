"""The view of a calendar holds all that offering a time needs, and nothing that ended."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from flows.slots import CalendarView, DayOverride
from storage import calendar_store, clerks, clinics, staff_bookings, time_off, turns
from storage.database import Database
from storage.faults import StorageError
from storage.staff_bookings import WalkIn
from storage.time_off import TimeOff
from tests.builders import (
    MONDAY,
    NOW,
    a_confirmation,
    a_conversation,
    a_decision,
    a_hold,
    a_slot,
    a_turn,
)
from tests.storage.clerical import a_desk
from tests.storage.test_clinic_file import EXTRAS

DAY = date(2026, 3, 9)
WITH_BUFFER = (MONDAY, MONDAY + timedelta(minutes=75))


async def look(
    database: Database,
    first: date = DAY,
    last: date = DAY,
    *,
    chat: int = 99,
    now: datetime = NOW,
    clinic: str = "willow",
    **ignore: str,
) -> CalendarView:
    return await database.read(
        calendar_store.view, clinic, "treatment", first, last, now, chat, **ignore
    )


async def test_a_view_holds_the_service_and_the_booking_window(willow: Database) -> None:
    view = await look(willow, first=NOW.date(), last=NOW.date() + timedelta(days=400))

    assert (view.zone, view.duration) == ("Europe/London", timedelta(hours=1))
    assert (view.buffer_before, view.buffer_after) == (timedelta(0), timedelta(minutes=15))
    assert (view.opens_at, view.closes_at) == (
        NOW + timedelta(hours=24),
        NOW + timedelta(days=300),
    )
    assert [timetable.practitioner for timetable in view.timetables] == ["amara", "rowan"]


async def test_nothing_is_offered_beyond_the_days_that_were_read(willow: Database) -> None:
    first, last = date(2026, 5, 4), date(2026, 5, 10)
    view = await look(willow, first=first, last=last)

    assert view.opens_at == datetime(2026, 5, 3, 23, 0, tzinfo=UTC)  # midnight in London
    assert view.closes_at == datetime(2026, 5, 10, 23, 0, tzinfo=UTC)


async def test_an_appointment_is_busy_with_its_buffer(willow: Database) -> None:
    await willow.write(turns.commit, a_turn(a_decision(), a_confirmation(a_slot())))

    view = await look(willow)

    assert [timetable.busy for timetable in view.timetables] == [(WITH_BUFFER,), ()]
    assert view.patient_busy == ()


async def test_the_patients_own_appointment_is_known_as_theirs(willow: Database) -> None:
    await willow.write(turns.commit, a_turn(a_decision(), a_confirmation(a_slot())))

    view = await look(willow, chat=7, clinic="harbour")

    assert view.patient_busy == ((MONDAY, MONDAY + timedelta(hours=1)),)


@pytest.mark.parametrize(("minutes", "is_busy"), [(9, True), (10, False)])
async def test_a_hold_is_busy_until_it_ends(willow: Database, minutes: int, is_busy: bool) -> None:
    await willow.write(turns.commit, a_turn(a_decision(), a_hold(a_slot())))

    view = await look(willow, now=NOW + timedelta(minutes=minutes))

    assert bool(view.timetables[0].busy) is is_busy


@pytest.mark.parametrize("ignore", [{"ignore_series": "series"}, {"ignore_uid": "series-1"}])
async def test_what_the_patient_is_changing_does_not_stand_in_the_way(
    willow: Database, ignore: dict[str, str]
) -> None:
    await willow.write(turns.commit, a_turn(a_decision(), a_hold(a_slot())))

    own = await look(willow, chat=7, **ignore)
    others = await look(willow, chat=8, **ignore)

    assert (own.timetables[0].busy, own.patient_busy) == ((), ())
    assert others.timetables[0].busy == (WITH_BUFFER,)


async def test_what_was_cancelled_or_is_far_away_is_left_out(willow: Database) -> None:
    far = a_slot(MONDAY + timedelta(days=28))
    await willow.write(turns.commit, a_turn(a_decision(), a_confirmation(far)))

    assert (await look(willow)).timetables[0].busy == ()


async def test_public_holidays_of_the_clinics_country_are_closed(willow: Database) -> None:
    await willow.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")
    spring = (date(2026, 4, 1), date(2026, 4, 30))

    london = await look(willow, *spring)
    lisbon = await look(willow, *spring, clinic="harbour")

    assert london.closed_on == {date(2026, 4, 3), date(2026, 4, 6)}  # Good Friday, Easter Monday
    assert date(2026, 4, 25) in lisbon.closed_on  # Freedom Day
    assert date(2026, 4, 6) not in lisbon.closed_on


async def test_holidays_are_known_across_the_turn_of_the_year(willow: Database) -> None:
    await willow.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")

    view = await look(willow, date(2026, 12, 24), date(2027, 1, 2))

    assert {date(2026, 12, 25), date(2027, 1, 1)} <= view.closed_on


async def test_closures_and_single_days_are_part_of_the_view(willow: Database) -> None:
    text = clinics.demo_text() + EXTRAS
    await willow.write(clinics.import_clinic, text, "mine.toml")

    view = await look(willow, date(2026, 12, 24), date(2026, 12, 31), clinic="harbour")

    closed = {date(2026, 12, 25), *(date(2026, 12, day) for day in (27, 28, 29, 30))}
    assert view.closed_on == closed
    assert view.timetables[0].overrides == (
        DayOverride(date(2026, 12, 24), ((time(9), time(12)),)),
        DayOverride(date(2026, 12, 31), ()),
    )


async def test_an_unknown_clinic_or_service_is_refused(willow: Database) -> None:
    with pytest.raises(StorageError, match="clinic 'nowhere' has no service 'treatment'"):
        await look(willow, clinic="nowhere")


async def test_the_agenda_lists_appointments_in_order(willow: Database) -> None:
    later = a_slot(MONDAY + timedelta(hours=4))
    await willow.write(turns.commit, a_turn(a_decision(), a_confirmation(later)))
    bo = a_conversation(8, first_name="Bo")
    hold = a_hold(a_slot(), series="bo")
    await willow.write(turns.commit, a_turn(a_decision(), hold, conversation=bo))

    until = datetime(2026, 3, 10, tzinfo=UTC)
    rows = await willow.read(calendar_store.agenda, "willow", NOW, until)

    assert [(row.patient, row.state, row.code) for row in rows] == [
        ("Bo", "held", ""),
        ("Ada", "booked", "AB12"),
    ]
    assert await willow.read(calendar_store.agenda, "harbour", NOW, until) == []


async def test_somebody_without_a_chat_does_not_stand_in_their_own_way(willow: Database) -> None:
    desk = await a_desk(willow)
    guest = WalkIn("guest", "treatment", a_slot(), "WK12", "Bo")
    await willow.write(staff_bookings.walk_in, desk.clerk, guest)

    taken = await look(willow, chat=clerks.NO_CHAT)
    free = await look(willow, chat=clerks.NO_CHAT, ignore_uid="guest")

    assert (taken.timetables[0].busy, free.timetables[0].busy) == ((WITH_BUFFER,), ())


async def test_hours_are_told_without_a_service_and_without_appointments(willow: Database) -> None:
    await willow.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")
    desk = await a_desk(willow)
    off = TimeOff("off", "amara", MONDAY, MONDAY + timedelta(hours=1))
    await willow.write(time_off.block, desk.clerk, off)

    people, closed_on = await willow.read(
        calendar_store.hours, desk.clerk.clinic_id, DAY, date(2026, 4, 3), NOW
    )

    assert [(one.practitioner, one.busy) for one in people] == [("amara", ()), ("rowan", ())]
    assert people[0].hours[0].opens == time(9)
    assert closed_on == {date(2026, 4, 3)}  # Good Friday
