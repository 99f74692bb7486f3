"""What waits for a clinic's people, counted on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flows.effects import HandOffLead, LeadKind, MessageToClinic
from storage import asked_visits, desk, turns, waiting_work
from storage.database import Database
from storage.waiting_work import Waiting
from tests.builders import MONDAY, NOW, a_conversation, a_decision, a_slot, a_turn, four_weekly
from tests.storage.clerical import Desk, a_desk

NOTHING = Waiting(leads=0, asked=0, messages=0)


@pytest.fixture
async def staffed(willow: Database) -> Desk:
    return await a_desk(willow)


async def waiting(staffed: Desk, clinic_id: int | None = None) -> Waiting:
    own = clinic_id or staffed.clerk.clinic_id
    return await staffed.database.read(waiting_work.count, own, staffed.clerk.now)


async def test_a_series_is_one_request_while_one_of_its_visits_is_to_come(staffed: Desk) -> None:
    await staffed.books(*four_weekly(a_slot(), 3), pending=True)
    await staffed.books(a_slot(MONDAY + timedelta(hours=5)), chat_id=8)
    later = staffed.at(MONDAY + timedelta(weeks=9))

    assert (await waiting(staffed)).asked == 1
    assert (await waiting(later)).asked == 0
    (request,) = await staffed.database.read(
        asked_visits.unanswered, staffed.clerk.clinic_id, MONDAY
    )
    assert [each.uid for each in request.visits] == ["series-2", "series-3"]
    assert await waiting(staffed, clinic_id=staffed.clerk.clinic_id + 1) == NOTHING


async def test_a_new_lead_and_the_patient_s_last_word_wait(staffed: Desk) -> None:
    effects = (a_decision(), HandOffLead(LeadKind.ELIGIBLE, 80), MessageToClinic("Hello?"))
    turn = a_turn(*effects, conversation=a_conversation())
    assert await staffed.database.write(turns.commit, turn) == turns.Committed()
    clerk = staffed.clerk

    before = await waiting(staffed)
    await staffed.database.write(
        desk.answer, clerk.clinic_id, clerk.staff_id, 1, "Good morning!", NOW
    )

    assert before == Waiting(leads=1, asked=0, messages=1)
    assert await waiting(staffed) == Waiting(leads=1, asked=0, messages=0)
