"""All that a database says became of its patients, read at once, to be checked as a whole."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from flows.plan import Plan
from storage import documents, nudge_work
from storage.faults import StorageError
from storage.models import (
    STATES,
    Appointment,
    Clinic,
    Conversation,
    Decision,
    Inbox,
    Outbox,
    Practitioner,
)
from storage.outbox_policy import Kind


@dataclass(frozen=True, slots=True)
class VisitLine:
    """One appointment as it ended up. Times are aware UTC."""

    uid: str
    version: int
    chat_id: int | None  # None: of nobody who writes
    clinic_id: int
    zone: str
    practitioner_id: int
    service: str
    series_id: str
    number: int
    run: int
    starts_at: datetime
    ends_at: datetime
    blocks_from: datetime
    blocks_until: datetime
    state: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class MessageLine:
    """One message of the outbox; `nudge` and `ref` are empty unless it is a nudge."""

    message_id: int | None  # Telegram's; None: it never arrived
    kind: Kind
    chat_id: int | None
    state: str
    nudge: str
    ref: str
    uid: str  # of the appointment it is about, if any
    may_outlive: bool  # it may be sent although that appointment no longer stands
    created_at: datetime
    by_staff: bool = False  # a nudge that somebody of the clinic sent


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """One verdict, with the plan that came of it."""

    chat_id: int
    run: int
    outcome: str
    recheck_on: date | None
    plan: Plan | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """Everything together, each in order of time."""

    zones: dict[int, str]  # IANA zone of each chat's clinic
    agreed: frozenset[int]  # chats that agreed to be asked
    refreshing: frozenset[tuple[int, int]]  # (chat, run) that are a look a year later
    visits: tuple[VisitLine, ...]
    messages: tuple[MessageLine, ...]
    verdicts: tuple[VerdictLine, ...]
    unanswered: tuple[int, ...]  # chats whose last turn was never shown
    put_aside: int  # updates that could not be dealt with


class NotEmpty(StorageError):
    """A database that is to be filled from nothing has patients."""


def require_empty(connection: Connection) -> None:
    """Refuse a database in which somebody real may be; raises NotEmpty."""
    if connection.execute(select(func.count()).select_from(Conversation)).scalar_one():
        raise NotEmpty("the database must be empty, but it has patients: name another one")


def read(connection: Connection) -> Account:
    """Return the account of a whole database: for a simulation's, not for a clinic's of years."""
    chats = connection.execute(
        select(Conversation, Clinic.zone).outerjoin(Clinic, Clinic.slug == Conversation.clinic)
    ).all()
    known = [documents.read_conversation(row.document) for row in chats]
    parked = select(func.count()).where(Inbox.state == "parked")
    return Account(
        zones={row.chat_id: row.zone or "UTC" for row in chats},
        agreed=frozenset(
            each.chat_id for each in known if each.answers and each.state != "no_consent"
        ),
        refreshing=frozenset((each.chat_id, each.run) for each in known if each.is_refresher),
        visits=visits(connection),
        messages=_messages(connection),
        verdicts=_verdicts(connection),
        unanswered=tuple(row.chat_id for row in chats if row.shown_revision != row.revision),
        put_aside=connection.execute(parked).scalar_one(),
    )


def visits(
    connection: Connection,
    since: datetime | None = None,
    until: datetime | None = None,
    states: Collection[str] = frozenset(STATES) - {"blocked", "held"},
) -> tuple[VisitLine, ...]:
    """Return the appointments in these states that begin in `[since, until)`, in order of time."""
    statement = (
        select(Appointment, Clinic.zone)
        .join(Clinic, Clinic.id == Appointment.clinic_id)
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .where(Appointment.state.in_(sorted(states)))
        .order_by(Appointment.starts_at, Appointment.uid)
    )
    if since is not None:
        statement = statement.where(Appointment.starts_at >= since)
    if until is not None:
        statement = statement.where(Appointment.starts_at < until)
    names = VisitLine.__dataclass_fields__
    return tuple(
        VisitLine(**{name: getattr(row, name) for name in names})
        for row in connection.execute(statement)
    )


def _messages(connection: Connection) -> tuple[MessageLine, ...]:
    found = connection.execute(
        select(
            Outbox.key,
            Outbox.message_id,
            Outbox.kind,
            Outbox.chat_id,
            Outbox.state,
            Outbox.payload,
            Outbox.ref_type,
            Outbox.ref_id,
            Outbox.created_at,
        ).order_by(Outbox.created_at, Outbox.id)
    )
    lines = []
    for row in found:
        payload = json.loads(row.payload)
        lines.append(
            MessageLine(
                message_id=row.message_id,
                kind=Kind(row.kind),
                chat_id=row.chat_id,
                state=row.state,
                nudge=str(payload.get("nudge", "")),
                ref=str(payload.get("ref", "")),
                uid=str(payload.get("uid", "")) or row.ref_id,
                may_outlive=row.kind != Kind.NUDGE.value and row.ref_type != "appointment",
                created_at=row.created_at,
                by_staff=nudge_work.BY_STAFF in row.key,
            )
        )
    return tuple(lines)


def _verdicts(connection: Connection) -> tuple[VerdictLine, ...]:
    rows = connection.execute(
        select(
            Decision.chat_id,
            Decision.run,
            Decision.outcome,
            Decision.verdict,
            Decision.plan,
            Decision.at,
        ).order_by(Decision.at, Decision.id)
    )
    return tuple(
        VerdictLine(
            row.chat_id,
            row.run,
            row.outcome,
            documents.read_verdict(row.verdict).recheck_on,
            documents.read_plan(row.plan) if row.plan else None,
            row.at,
        )
        for row in rows
    )
