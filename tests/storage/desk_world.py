"""Leads, staff and messages for tests of the desk."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from flows.conversation import Answer, Conversation
from flows.effects import Effect, HandOffLead, LeadKind, MessageToClinic
from flows.protocol import Outcome
from storage import clinics, staff, turns
from storage.database import Database
from storage.models import Clinic, Lead
from tests.builders import NOW, a_conversation, a_decision, a_turn, open_all_year

KINDS = {
    Outcome.ELIGIBLE: LeadKind.ELIGIBLE,
    Outcome.REVIEW: LeadKind.REVIEW,
    Outcome.DEFERRED: LeadKind.DEFERRED,
    Outcome.URGENT: LeadKind.URGENT,
}


@dataclass(frozen=True, slots=True)
class Desk:
    """A clinic with two people, beside another clinic with one."""

    database: Database
    clinic_id: int
    ann: int
    bo: int
    other_clinic_id: int
    stranger: int

    async def says(self, chat_id: int, *effects: Effect, **changes: Any) -> None:
        """Let a patient's next turn have these effects."""
        now, said = changes.pop("now", NOW), changes.pop("said", "")
        before = await self.database.read(_revision, chat_id)
        conversation = a_conversation(chat_id, **changes)
        turn = a_turn(*effects, before=before, conversation=conversation)
        log = json.dumps({"event": "Typed", "text": said})
        outcome = await self.database.write(turns.commit, replace(turn, now=now, event_log=(log,)))
        assert outcome == turns.Committed()

    async def lead(
        self,
        chat_id: int = 7,
        outcome: Outcome = Outcome.ELIGIBLE,
        score: int | None = 80,
        **changes: Any,
    ) -> int:
        """Hand a patient with this verdict over, and return the lead."""
        changes.setdefault("answers", {"area": Answer(("face",))})
        handed = HandOffLead(KINDS[outcome], score)
        await self.says(chat_id, a_decision(outcome), handed, **changes)
        return await self.database.read(_lead, chat_id)

    async def writes(self, chat_id: int, text: str, now: datetime = NOW) -> None:
        """Let a patient write to the clinic."""
        await self.says(chat_id, MessageToClinic(text), now=now, said=text)


def _revision(connection: Connection, chat_id: int) -> int | None:
    known = turns.conversations.load(connection, chat_id)
    return known.conversation.revision if known else None


def _lead(connection: Connection, chat_id: int) -> int:
    return connection.execute(select(Lead.id).where(Lead.chat_id == chat_id)).scalar_one()


def _clinic(connection: Connection, slug: str) -> int:
    return connection.execute(select(Clinic.id).where(Clinic.slug == slug)).scalar_one()


async def a_desk(database: Database) -> Desk:
    """Put the demo's clinics and their people into a database."""
    await database.write(clinics.import_clinic, open_all_year(), "demo_clinic.toml")
    ann = await database.write(staff.add, "willow", "Ann", "owner", NOW)
    bo = await database.write(staff.add, "willow", "Bo", "staff", NOW)
    stranger = await database.write(staff.add, "harbour", "Cy", "owner", NOW)
    willow, harbour = [await database.read(_clinic, slug) for slug in ("willow", "harbour")]
    return Desk(database, willow, ann, bo, harbour, stranger)


def of_harbour(chat_id: int) -> Conversation:
    """Return a conversation with the other clinic."""
    return a_conversation(chat_id, clinic="harbour")
