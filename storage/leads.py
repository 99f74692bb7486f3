"""Patients handed to a clinic: who they are and how to reach them, without a health answer."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, and_, select

from flows.conversation import Conversation
from flows.effects import HandOffLead, LeadKind
from storage import decisions, upserts
from storage.faults import StorageError
from storage.models import Appointment, Clinic, Lead, Patient
from storage.program import which_clinic

NEW = "new"  # nobody has dealt with the lead yet

_TO_BE_KEPT = ("pending", "booked", "arrived", "fulfilled")


class UnknownClinic(StorageError):
    """No clinic has this slug."""


@dataclass(frozen=True, slots=True)
class LeadRow:
    """A lead as the clinic's staff see it in a list.

    Name and phone number are for the staff's eyes: they are no part of its `repr`.
    """

    id: int
    clinic: str | None  # slug; None: the patient had not chosen one
    zone: str | None  # the clinic's IANA zone, to show the times in
    kind: str
    verdict: str | None
    score: int | None
    recheck_on: date | None
    wants_person_at: datetime | None  # asked to talk to a person, aware UTC
    booked: tuple[datetime, ...]  # starts of appointments to be kept, aware UTC
    code: str
    campaign: str | None
    status: str
    created_at: datetime
    first_name: str = field(default="", repr=False)
    phone: str | None = field(default=None, repr=False)  # None: may be reached in Telegram alone

    @property
    def wants_person(self) -> bool:
        """Say whether the patient asked to talk to a person."""
        return self.wants_person_at is not None


def hand_off(
    connection: Connection, conversation: Conversation, effect: HandOffLead, now: datetime
) -> None:
    """Create or update the lead of the conversation's run, with the run's last verdict.

    Asking for a person is noted on the lead there is; it does not undo what else is known.
    """
    decision = decisions.latest(connection, conversation.chat_id, conversation.run)
    clinic_id = connection.execute(
        select(Clinic.id).where(Clinic.slug == conversation.clinic)
    ).scalar()
    current: dict[str, object] = {
        "clinic_id": clinic_id,
        "kind": effect.kind,
        "verdict": decision.outcome if decision else None,
        "score": effect.score,
        "recheck_on": effect.recheck_on,
        "campaign": conversation.campaign,
        "updated_at": now,
    }
    changes = current
    if effect.kind is LeadKind.PERSON:
        changes = {"wants_person_at": now, "updated_at": now}
        current = {**current, **changes}
    connection.execute(
        upserts.insert(connection.dialect.name, Lead)
        .values(
            chat_id=conversation.chat_id,
            run=conversation.run,
            status=NEW,
            created_at=now,
            **current,
        )
        .on_conflict_do_update(index_elements=["chat_id", "run"], set_=changes)
    )


def of_visits(clinic_id: int) -> ColumnElement[bool]:
    """Return what joins an appointment to its lead, which no other clinic may see."""
    return and_(
        Lead.chat_id == Appointment.chat_id,
        Lead.run == Appointment.run,
        Lead.clinic_id == clinic_id,
    )


def all_leads(connection: Connection, clinic_slug: str | None = None) -> list[LeadRow]:
    """Return leads: urgent ones, then those who wait for a person, then the rest, newest first.

    Of one clinic when its slug is given, or UnknownClinic.
    """
    statement = (
        select(Lead, Clinic.slug, Clinic.zone, Patient.first_name, Patient.phone)
        .select_from(Lead)
        .join(Patient, Patient.chat_id == Lead.chat_id)
        .outerjoin(Clinic, Clinic.id == Lead.clinic_id)
        .order_by(Lead.created_at.desc(), Lead.id.desc())
    )
    if clinic_slug is not None:
        _require_clinic(connection, clinic_slug)
        statement = statement.where(Clinic.slug == clinic_slug)
    booked = _booked(connection)
    rows = [
        LeadRow(
            id=row.id,
            clinic=row.slug,
            zone=row.zone,
            kind=row.kind,
            verdict=row.verdict,
            score=row.score,
            recheck_on=row.recheck_on,
            wants_person_at=row.wants_person_at,
            booked=tuple(start for start, _ in booked[row.chat_id, row.run]),
            code=next((code for _, code in booked[row.chat_id, row.run]), ""),
            campaign=row.campaign,
            status=row.status,
            created_at=row.created_at,
            first_name=row.first_name,
            phone=row.phone,
        )
        for row in connection.execute(statement)
    ]
    return sorted(rows, key=_turn)


def _turn(row: LeadRow) -> int:
    """Return whose turn it is: the lower, the sooner somebody should look."""
    if row.kind == LeadKind.URGENT:
        return 0
    return 1 if row.wants_person else 2


def _require_clinic(connection: Connection, slug: str) -> None:
    known = list(connection.execute(select(Clinic.slug)).scalars())
    if slug not in known:
        raise UnknownClinic(which_clinic(known, slug))


def _booked(connection: Connection) -> dict[tuple[int, int], list[tuple[datetime, str]]]:
    by_run: dict[tuple[int, int], list[tuple[datetime, str]]] = defaultdict(list)
    for row in connection.execute(
        select(Appointment.chat_id, Appointment.run, Appointment.starts_at, Appointment.code)
        .where(Appointment.state.in_(_TO_BE_KEPT))
        .order_by(Appointment.starts_at)
    ):
        by_run[row.chat_id, row.run].append((row.starts_at, row.code))
    return by_run
