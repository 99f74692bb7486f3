"""Clinics that share a patient: what one of them erases, another one keeps."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from flows.conversation import Stage
from flows.effects import HandOffLead, LeadKind
from storage import conversations, desk, erasure, outbox, turns
from storage.database import Database
from storage.models import Appointment, FollowUp, Lead, Outbox
from storage.outbox_policy import Kind
from tests.builders import NOW, a_conversation, a_decision, a_turn
from tests.storage import persons
from tests.storage.persons import ADA, HARBOUR, WILLOW, Person

#: Tables that keep something of a chat as long as one clinic does.
KEPT = {"patients", "conversations", "events", "leads", "decisions", "follow_ups", "outbox"}


@pytest.fixture
async def ada(database: Database) -> Person:
    """Let Ada go on from Willow, where a visit is to come, to Harbour, which writes to her."""
    await persons.open_house(database)
    known = await persons.meet(database, ADA, day=1)
    there = a_conversation(ADA, clinic="harbour", run=2, first_name="Ada")
    handed_off = HandOffLead(LeadKind.ELIGIBLE, 80)
    turn = a_turn(a_decision(), handed_off, conversation=there, before=1, update_id=9)
    assert await database.write(turns.commit, turn) == turns.Committed()
    payload = {"nudge": "recheck", "ref": "2", "uid": ""}
    nudge = outbox.Message("harbours", Kind.NUDGE, NOW, ADA, payload=payload)
    assert await database.write(outbox.enqueue, nudge, NOW)
    return known


def lead_at(connection: Connection, clinic_id: int) -> tuple[int, int] | None:
    leads = select(Lead.id, Lead.run).where(Lead.clinic_id == clinic_id)
    row = connection.execute(leads).one_or_none()
    return None if row is None else (row.id, row.run)


def state_of(connection: Connection, uid: str) -> str:
    return connection.execute(select(Appointment.state).where(Appointment.uid == uid)).scalar_one()


def keys(connection: Connection) -> list[str]:
    mine = select(Outbox.key).where(Outbox.chat_id == ADA).order_by(Outbox.id)
    return list(connection.execute(mine).scalars())


async def runs(database: Database) -> set[Any]:
    return {row[1:3] for row in (await database.read(persons.rows))["decisions"]}


async def test_what_another_clinic_keeps_stays(database: Database, ada: Person) -> None:
    told = await database.read(erasure.foresee, WILLOW, ada.lead_id, NOW)
    before = await database.read(conversations.load, ADA)

    await persons.erase(database, WILLOW, 1, ada.lead_id, NOW)

    assert told is not None
    assert told.is_elsewhere
    assert await database.read(lead_at, WILLOW) is None
    assert await database.read(lead_at, HARBOUR) is not None
    assert await database.read(conversations.load, ADA) == before
    assert await runs(database) == {(ADA, 2)}
    assert await database.read(keys) == ["harbours"]
    assert await database.read(state_of, ada.to_come) == "cancelled"
    left = persons.traces(await database.read(persons.rows), ADA)
    assert {*left} == KEPT | {"inbox"}  # an update that was put aside is the chat's


async def test_another_clinic_that_heard_of_a_recall_does_not_hear_of_it_again(
    database: Database, ada: Person
) -> None:
    there = await database.read(lead_at, HARBOUR)
    assert there is not None
    told = {"recall_told_at": NOW, "recall_lead_id": there[0]}
    tells = update(FollowUp).where(FollowUp.chat_id == ADA).values(told)
    await database.write(lambda connection: connection.execute(tells) and None)

    await persons.erase(database, WILLOW, 1, ada.lead_id, NOW)

    known = select(FollowUp.recall_lead_id).where(FollowUp.chat_id == ADA)
    assert await database.read(lambda connection: connection.execute(known).scalar()) == there[0]


async def test_a_chat_that_is_shared_goes_back_to_its_beginning(
    database: Database, ada: Person
) -> None:
    lead = await database.read(lead_at, HARBOUR)
    assert lead is not None
    before = await database.read(keys)

    await persons.erase(database, HARBOUR, None, lead[0], NOW)

    loaded = await database.read(conversations.load, ADA)
    assert loaded is not None
    fresh = loaded.conversation
    assert (fresh.state, fresh.run, fresh.clinic) == (Stage.CHOOSE_CLINIC, 3, None)
    assert (fresh.answers, loaded.shown_revision) == ({}, fresh.revision)
    assert await database.read(lead_at, WILLOW) == (ada.lead_id, 1)
    assert await database.read(state_of, ada.to_come) == "booked"
    assert await database.read(desk.thread_of_lead, WILLOW, ada.lead_id) is not None
    assert await runs(database) == {(ADA, 1)}
    assert await database.read(keys) == [key for key in before if key != "harbours"]


async def test_the_patients_own_word_erases_at_every_clinic(
    database: Database, ada: Person
) -> None:
    done = await database.write(erasure.erase_chat, ADA, NOW)

    assert (len(done.leads), done.cancelled) == (2, (ada.to_come,))
    assert persons.traces(await database.read(persons.rows), ADA) == {}
