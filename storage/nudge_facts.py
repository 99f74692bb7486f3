"""What a nudge may say, read right before it is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, func, select

from flows import waiting
from flows.clinics import Clinic
from flows.conversation import BookedSession, Conversation
from flows.waiting import Offered
from storage import clinics, conversations, message_facts
from storage.models import Appointment


@dataclass(frozen=True, slots=True)
class NudgeFacts:
    """Whom a nudge is for, and the appointment or series that it is about."""

    conversation: Conversation
    clinic: Clinic
    ref: str = ""  # what its buttons name: the appointment's UID, or the series
    session: BookedSession | None = None
    practitioner: str = ""  # the name patients know
    number: int = 0  # of the session that comes next in the series
    sessions: int = 0  # booked, done or missed of the series
    hold_until: datetime | None = None
    offered: Offered | None = None  # a freed time that is earlier than the session


def load(connection: Connection, chat_id: int, uid: str, ref: str) -> NudgeFacts | None:
    """Return what a nudge to this chat may say; None when its patient or appointment is gone.

    `uid` is the appointment it is about, empty when it is about none; `ref` is the nudge's own.
    """
    if uid:
        facts = _of_visit(connection, chat_id, uid)
        offered = waiting.read(ref)
        return replace(facts, ref=ref, offered=offered) if facts and offered else facts
    loaded = conversations.load(connection, chat_id)
    if loaded is None or loaded.conversation.clinic is None:
        return None
    known = clinics.load_all(connection)
    clinic = known.get(loaded.conversation.clinic)
    if clinic is None:
        return None
    kind, _, rest = ref.partition(":")
    series_id = rest.partition(":")[0] if kind == "series" else ""
    done = _how_many(connection, chat_id, series_id)
    return NudgeFacts(
        loaded.conversation,
        clinic,
        ref=series_id,
        number=done + 1,
        sessions=done,
        hold_until=loaded.conversation.booking.hold_until,
    )


def _of_visit(connection: Connection, chat_id: int, uid: str) -> NudgeFacts | None:
    facts = message_facts.of_visit(connection, chat_id, uid)
    if facts is None:
        return None
    return NudgeFacts(facts.conversation, facts.clinic, uid, facts.session, facts.practitioner)


def _how_many(connection: Connection, chat_id: int, series_id: str) -> int:
    """Return how many visits patients count: a missed one keeps its place, a cancelled none."""
    kept = select(func.count()).where(
        Appointment.chat_id == chat_id,
        Appointment.series_id == series_id,
        Appointment.state.in_(("booked", "arrived", "fulfilled", "noshow")),
    )
    return connection.execute(kept).scalar_one()
