"""Who waits for something earlier, with what was offered to them so far."""

from __future__ import annotations

from datetime import datetime

import pytest

from flows.effects import CancelSeries, DeclineOffer, LeaveWaitlist, StopMessages
from storage import waiting_patients
from storage.database import Database
from storage.waiting_patients import WaitingPatient
from tests.builders import MONDAY, NOW
from tests.storage.test_waitlist import ADA, BO, HOUR, WEEK, Waiting, two_wait

WILLOW, HARBOUR = 1, 2


@pytest.fixture
async def clinic(willow: Database) -> Waiting:
    """Return the clinic in which two wait."""
    return await two_wait(willow)


async def read(
    here: Waiting, clinic_id: int = WILLOW, now: datetime = NOW
) -> tuple[WaitingPatient, ...]:
    return await here.database.read(waiting_patients.read, clinic_id, now)


async def test_they_stand_in_the_order_in_which_they_are_asked(clinic: Waiting) -> None:
    bo, cy = await read(clinic)

    assert (bo.uid, bo.starts_at, bo.since, bo.offers) == ("8-1", MONDAY + 2 * WEEK, NOW, ())
    assert (cy.uid, cy.practitioner, cy.patient) == ("9-1", "Amara Osei", "Ada")
    assert cy.patient not in repr(cy)


async def test_what_was_offered_is_told_with_what_became_of_it(clinic: Waiting) -> None:
    await clinic.turn(ADA, CancelSeries("7"))
    await clinic.turn(BO, DeclineOffer("8-1"))

    bo, cy = await read(clinic)

    assert [(each.starts_at, each.state) for each in bo.offers] == [(MONDAY, "declined")]
    assert [(each.until_at, each.state) for each in cy.offers] == [(NOW + 2 * HOUR, "offered")]


async def test_who_waits_no_more_or_whose_visit_is_over_is_not_there(clinic: Waiting) -> None:
    await clinic.turn(BO, LeaveWaitlist("8-1"))

    assert [each.uid for each in await read(clinic)] == ["9-1"]
    assert await read(clinic, now=MONDAY + 3 * WEEK) == ()


async def test_who_wants_no_messages_is_marked(clinic: Waiting) -> None:
    await clinic.turn(BO, StopMessages())

    bo, cy = await read(clinic)
    assert (bo.stopped_at is not None, cy.stopped_at) == (True, None)


async def test_another_clinic_sees_nobody(clinic: Waiting) -> None:
    assert await read(clinic, HARBOUR) == ()
