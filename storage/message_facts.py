"""What the words of a waiting message are made of, read right before it is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, select

from flows.clinics import Clinic as ClinicProfile
from flows.conversation import BookedSession, Conversation
from flows.slots import Slot
from storage import clinics, conversations
from storage.models import Appointment, Clinic, Practitioner, Thread, ThreadMessage

_EXPECTED = ("pending", "booked", "arrived")

_OF_PATIENT = (
    select(Appointment, Practitioner.slug, Practitioner.name, Clinic.slug.label("clinic"))
    .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
    .join(Clinic, Clinic.id == Appointment.clinic_id)
    .where(Appointment.chat_id == bindparam("chat"))
    .order_by(Appointment.starts_at)
)
_VISIT = _OF_PATIENT.where(Appointment.uid == bindparam("uid"))
_EXPECTED_OF_SERIES = _OF_PATIENT.where(
    Appointment.series_id == bindparam("series"), Appointment.state.in_(_EXPECTED)
)


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """One appointment, and what else is expected of its series."""

    conversation: Conversation  # as it is stored, in the appointment's clinic
    clinic: ClinicProfile
    session: BookedSession
    practitioner: str  # the name patients know
    service: str  # code
    code: str  # booking code
    expected: tuple[BookedSession, ...]  # of the same series, in order


@dataclass(frozen=True, slots=True)
class ReplyFacts:
    """What staff wrote to a patient. The words are no part of its `repr`."""

    conversation: Conversation
    clinic: ClinicProfile
    body: str = field(repr=False)


def of_visit(connection: Connection, chat_id: int, uid: str) -> VisitFacts | None:
    """Return what a message about this patient's appointment may say; None when it is gone."""
    rows = connection.execute(_VISIT, {"chat": chat_id, "uid": uid}).all()
    if not rows:
        return None
    visit = rows[0]
    of_series = {"chat": chat_id, "series": visit.series_id}
    expected = connection.execute(_EXPECTED_OF_SERIES, of_series)
    return VisitFacts(
        conversation=_conversation(connection, chat_id, visit.clinic),
        clinic=clinics.load_all(connection)[visit.clinic],
        session=_session(visit),
        practitioner=visit.name,
        service=visit.service,
        code=visit.code or "",
        expected=tuple(_session(row) for row in expected),
    )


def of_reply(connection: Connection, chat_id: int, message_id: int) -> ReplyFacts | None:
    """Return what staff wrote; None when it was deleted meanwhile."""
    row = connection.execute(
        select(ThreadMessage.body, Clinic.slug)
        .join(Thread, Thread.id == ThreadMessage.thread_id)
        .join(Clinic, Clinic.id == Thread.clinic_id)
        .where(
            ThreadMessage.id == message_id,
            ThreadMessage.author == "staff",
            Thread.chat_id == chat_id,
        )
    ).one_or_none()
    if row is None:
        return None
    clinic = clinics.load_all(connection)[row.slug]
    return ReplyFacts(_conversation(connection, chat_id, row.slug), clinic, row.body)


def _session(row: Any) -> BookedSession:
    slot = Slot(row.starts_at, row.ends_at, row.slug)
    return BookedSession(row.uid, slot, row.number, row.sequence)


def _conversation(connection: Connection, chat_id: int, clinic: str) -> Conversation:
    loaded = conversations.load(connection, chat_id)
    if loaded is None:
        return Conversation(chat_id, "", clinic=clinic)
    known = loaded.conversation
    return known if known.clinic == clinic else _elsewhere(known, clinic)


def _elsewhere(known: Conversation, clinic: str) -> Conversation:
    """The patient has gone on to another clinic; only language and revision still count."""
    return Conversation(
        known.chat_id, known.state, known.revision, known.run, known.locale, clinic=clinic
    )
