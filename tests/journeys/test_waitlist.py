"""Something earlier frees up: the offer is taken, or it passes on to the next who waits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.worker import Terms, Worker
from flows.conversation import BookedSession, Stage
from flows.quiet_hours import NIGHT
from flows.slots import Slot
from storage import staff_bookings, waitlist
from storage.staff_bookings import WalkIn
from tests.journeys.guide import Guide
from tests.journeys.test_staff import Clinic, book, worker_parts
from tests.journeys.world import World
from tests.patient import NotSeen
from tests.storage.clerical import Desk, a_desk

WEEK = timedelta(weeks=1)


@pytest.fixture
async def clinic(here: World) -> AsyncIterator[Clinic]:
    async with worker_parts(here) as deliveries:
        yield Clinic(here, deliveries)


async def sends(clinic: Clinic) -> None:
    """Let the worker send what is due."""
    terms = Terms(kinds=tuple(clinic.deliveries), quiet=NIGHT)
    worker = Worker(clinic.here.database, clinic._deliver, clinic.here.clock, lambda: "t", terms)
    while await worker.once():
        pass


async def visit(guide: Guide) -> BookedSession:
    (booked,) = (await guide.conversation()).booking.sessions
    return booked


async def on(here: World, name: str, day: str) -> Guide:
    """Return a patient with a first visit on a typed day, at eleven."""
    guide = await here.meets(name)
    await guide.answers(age="18_21")
    await guide.taps("All correct")
    await guide.says(f"{day} at 11:00")
    assert await guide.taps("Here in") == Stage.BOOKED
    return guide


@pytest.fixture
async def three(clinic: Clinic) -> tuple[Guide, Guide, Guide]:
    """Maya is booked soon; Noor and then Omar would like something earlier than theirs."""
    now = clinic.here.clock.now()
    days = [f"{now + timedelta(days=14 + 7 * week):%d %B}" for week in range(3)]
    names = ("Maya", "Noor", "Omar")
    pairs = zip(names, days, strict=True)
    maya, noor, omar = [await on(clinic.here, name, day) for name, day in pairs]
    for guide in (noor, omar):
        assert await guide.taps("Tell me if something earlier") == Stage.BOOKED
        await guide.patient.sees("we will ask you here first")
    return maya, noor, omar


async def test_an_earlier_time_is_offered_and_taken(
    clinic: Clinic, three: tuple[Guide, Guide, Guide]
) -> None:
    maya, noor, _ = three
    wanted = (await visit(maya)).slot

    await maya.follows("Cancel", "Yes, cancel it")
    await sends(clinic)
    await noor.patient.sees("Something earlier is free")

    assert await noor.taps("Yes, take it") == Stage.BOOKED
    assert (await visit(noor)).slot == wanted
    await noor.patient.sees("Your visit is moved")


async def test_an_offer_without_an_answer_passes_on(
    clinic: Clinic, three: tuple[Guide, Guide, Guide]
) -> None:
    maya, noor, omar = three
    wanted, kept = (await visit(maya)).slot, (await visit(noor)).slot
    await maya.follows("Cancel", "Yes, cancel it")
    await sends(clinic)
    await noor.patient.sees("Something earlier is free")

    clinic.here.moves_clock(hours=2, minutes=1)
    assert await clinic.here.database.write(waitlist.expire, clinic.here.clock.now()) == 1
    await sends(clinic)
    await omar.patient.sees("Something earlier is free")

    await noor.taps("Yes, take it")
    await noor.patient.sees("That time is no longer offered")
    assert (await visit(noor)).slot == kept
    await omar.taps("Yes, take it")
    assert (await visit(omar)).slot == wanted


async def test_a_no_passes_on_and_a_faster_patient_is_told_of_honestly(
    clinic: Clinic, three: tuple[Guide, Guide, Guide]
) -> None:
    maya, noor, omar = three
    wanted, kept = (await visit(maya)).slot, (await visit(omar)).slot
    await maya.follows("Cancel", "Yes, cancel it")
    await sends(clinic)
    await noor.patient.sees("Something earlier is free")
    await noor.taps("No, keep mine")
    await sends(clinic)
    await omar.patient.sees("Something earlier is free")

    await on(clinic.here, "Fast", f"{wanted.starts_at:%d %B}")
    await omar.taps("Yes, take it")

    await omar.patient.sees("that time has gone")
    assert (await visit(omar)).slot == kept


async def test_a_yes_after_a_no_moves_nothing(
    clinic: Clinic, three: tuple[Guide, Guide, Guide]
) -> None:
    maya, noor, omar = three
    wanted, kept = (await visit(maya)).slot, (await visit(noor)).slot
    await maya.follows("Cancel", "Yes, cancel it")
    await sends(clinic)
    offer = await noor.patient.sees("Something earlier is free")
    take = next(button for button in offer.buttons if button.text == "Yes, take it")
    await noor.taps("No, keep mine")

    await noor.presses(take)

    await noor.patient.sees("that time has gone")
    assert (await visit(noor)).slot == kept
    await sends(clinic)
    await omar.patient.sees("Something earlier is free")
    await omar.taps("Yes, take it")
    assert (await visit(omar)).slot == wanted


def sooner(slot: Slot, weeks: int) -> Slot:
    starts_at, ends_at = (at - weeks * WEEK for at in (slot.starts_at, slot.ends_at))
    return replace(slot, starts_at=starts_at, ends_at=ends_at)


async def waits_for_the_second(clinic: Clinic) -> tuple[Guide, Desk]:
    """Return a patient after the first session, five weeks before the second, and the staff."""
    noor = await clinic.here.meets("Noor")
    await book(noor)
    desk = await a_desk(clinic.here.database, now=clinic.here.clock.now())
    first, *others = (await noor.conversation()).booking.sessions
    moves = tuple([(await desk.seen(each.uid), sooner(each.slot, -1)) for each in others])
    await desk.database.write(staff_bookings.move_series, desk.clerk, moves)
    clinic.here.clock.move(first.slot.ends_at - clinic.here.clock.now())
    await noor.says("/my")
    assert await noor.taps("Tell me if something earlier") == Stage.BOOKED
    return noor, desk.at(clinic.here.clock.now())


async def second(guide: Guide) -> Slot:
    return (await guide.conversation()).booking.sessions[-3].slot


async def frees(clinic: Clinic, desk: Desk, slot: Slot) -> None:
    """Let staff write somebody in, and take it back."""
    uid = f"guest-{slot.starts_at:%d}"
    guest = WalkIn(uid, "treatment", slot, "WK23", "Bo")
    await desk.database.write(staff_bookings.walk_in, desk.clerk, guest)
    await desk.does(staff_bookings.cancel, uid)
    await sends(clinic)


async def test_a_middle_session_comes_earlier_as_far_as_the_gaps_allow(clinic: Clinic) -> None:
    noor, desk = await waits_for_the_second(clinic)
    slot = await second(noor)

    await frees(clinic, desk, sooner(slot, 2))
    with pytest.raises(NotSeen):
        await noor.patient.sees("Something earlier is free", within=0.5)

    await frees(clinic, desk, sooner(slot, 1))
    await noor.patient.sees("Something earlier is free")
    await noor.taps("Yes, take it")
    assert await second(noor) == sooner(slot, 1)


async def test_after_a_missed_session_the_next_may_come_nearer_to_it(clinic: Clinic) -> None:
    noor, desk = await waits_for_the_second(clinic)
    slot = await second(noor)
    uid = (await noor.conversation()).booking.sessions[-4].uid
    await desk.does(staff_bookings.mark_noshow, uid)

    await frees(clinic, desk, sooner(slot, 2))
    await noor.patient.sees("Something earlier is free")
    await noor.taps("Yes, take it")

    assert await second(noor) == sooner(slot, 2)
