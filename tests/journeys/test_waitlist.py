"""Something earlier frees up: the offer is taken, or it passes on to the next who waits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.worker import Terms, Worker
from flows.conversation import BookedSession, Stage
from flows.quiet_hours import NIGHT
from storage import waitlist
from tests.journeys.guide import Guide
from tests.journeys.test_staff import Clinic, worker_parts
from tests.journeys.world import World


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

    await omar.patient.sees("somebody else was faster")
    assert (await visit(omar)).slot == kept
