"""A lead with all that was decided and booked, as it leaves for the clinic's own systems.

Only exports, FHIR and channels that the clinic opened for answers read this; lists and cards use
`storage.leads`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, select

from flows.conversation import Answer
from flows.eligibility import Score, Verdict
from flows.events import Action
from flows.plan import Plan
from storage import documents, pauses
from storage.models import (
    Appointment,
    Clinic,
    Decision,
    Event,
    Intake,
    Lead,
    Patient,
    Photo,
    Practitioner,
    Service,
)

_Run = tuple[int, int]  # chat and run

#: When the patient last said yes to photos of a lead's run, of which some are kept.
_PHOTOS_AGREED = (
    select(func.max(Event.at))
    .where(
        Event.chat_id == Lead.chat_id,
        Event.run == Lead.run,
        Event.what.contains(f'"{Action.PHOTOS_YES.value}"', autoescape=True),
        exists().where(Photo.chat_id == Lead.chat_id, Photo.run == Lead.run),
    )
    .correlate(Lead)
    .scalar_subquery()
)


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A verdict with the answers that it was made from. Never print it."""

    id: int
    protocol: str  # key of the protocol's version
    outcome: str
    decided_on: date | None  # the clinic's local day
    at: datetime
    answers: Mapping[str, Answer] = field(repr=False)
    verdict: Verdict = field(repr=False)
    score: Score = field(repr=False)
    plan: Plan | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One appointment of a lead, whatever became of it."""

    uid: str
    series_id: str
    number: int
    service: str  # code
    service_name: str
    practitioner: str  # slug
    practitioner_name: str
    starts_at: datetime
    ends_at: datetime
    state: str
    code: str
    sequence: int
    version: int
    is_paused: bool  # the patient said that something has changed, and nobody has looked
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class LeadRecord:
    """A lead of a clinic. Name and phone number are no part of its `repr`."""

    id: int
    run: int
    clinic: str  # slug
    clinic_name: str
    zone: str
    kind: str
    verdict: str | None
    score: int | None
    recheck_on: date | None
    campaign: str | None
    wants_person_at: datetime | None
    status: str
    status_at: datetime | None
    declined_why: str | None
    created_at: datetime
    updated_at: datetime
    locale: str
    stopped_at: datetime | None  # wants no messages since then
    agreed_at: datetime | None  # to be asked health questions; None: not, or before that was noted
    photos_agreed_at: datetime | None  # to photos of this run; None: none is kept
    first_name: str = field(repr=False)
    phone: str | None = field(repr=False)
    decision: DecisionRecord | None
    sessions: tuple[SessionRecord, ...]


def read(connection: Connection, clinic_id: int, lead_id: int) -> LeadRecord | None:
    """Return one lead of a clinic; None when it has none of this number."""
    found = _read(connection, Lead.clinic_id == clinic_id, Lead.id == lead_id)
    return found[0] if found else None


def read_all(connection: Connection, clinic_id: int) -> list[LeadRecord]:
    """Return every lead of a clinic, the oldest first."""
    return _read(connection, Lead.clinic_id == clinic_id)


def is_there(connection: Connection, lead_id: int) -> bool:
    """Say whether a lead still exists: it may have been erased with its patient."""
    return connection.execute(select(Lead.id).where(Lead.id == lead_id)).scalar() is not None


def decision(connection: Connection, decision_id: int) -> DecisionRecord | None:
    """Return one decision as it was made; None when it was erased."""
    row = connection.execute(select(Decision).where(Decision.id == decision_id)).one_or_none()
    return None if row is None else _decision(row)


def _read(connection: Connection, *which: ColumnElement[bool]) -> list[LeadRecord]:
    rows = connection.execute(
        select(
            Lead,
            Clinic.slug,
            Clinic.name,
            Clinic.zone,
            Patient.first_name,
            Patient.phone,
            Patient.locale,
            Patient.stopped_at,
            Intake.agreed_at,
            _PHOTOS_AGREED.label("photos_agreed_at"),
        )
        .join(Clinic, Clinic.id == Lead.clinic_id)
        .join(Patient, Patient.chat_id == Lead.chat_id)
        .outerjoin(Intake, and_(Intake.chat_id == Lead.chat_id, Intake.run == Lead.run))
        .where(*which)
        .order_by(Lead.id)
    ).all()
    decisions, sessions = _decisions(connection, *which), _sessions(connection, *which)
    return [
        _lead(row, decisions.get((row.chat_id, row.run)), sessions[row.chat_id, row.run])
        for row in rows
    ]


def _lead(row: Any, made: DecisionRecord | None, sessions: Sequence[SessionRecord]) -> LeadRecord:
    return LeadRecord(
        id=row.id,
        run=row.run,
        clinic=row.slug,
        clinic_name=row.name,
        zone=row.zone,
        kind=row.kind,
        verdict=row.verdict,
        score=row.score,
        recheck_on=row.recheck_on,
        campaign=row.campaign,
        wants_person_at=row.wants_person_at,
        status=row.status,
        status_at=row.status_at,
        declined_why=row.declined_why,
        created_at=row.created_at,
        updated_at=row.updated_at,
        locale=row.locale,
        stopped_at=row.stopped_at,
        agreed_at=row.agreed_at,
        photos_agreed_at=row.photos_agreed_at,
        first_name=row.first_name,
        phone=row.phone,
        decision=made,
        sessions=tuple(sessions),
    )


def _decisions(connection: Connection, *which: ColumnElement[bool]) -> dict[_Run, DecisionRecord]:
    """Return the last decision of each lead's run."""
    last = (
        select(func.max(Decision.id))
        .join(Lead, and_(Lead.chat_id == Decision.chat_id, Lead.run == Decision.run))
        .where(*which)
        .group_by(Decision.chat_id, Decision.run)
    )
    rows = connection.execute(select(Decision).where(Decision.id.in_(last)))
    return {(row.chat_id, row.run): _decision(row) for row in rows}


def _decision(row: Any) -> DecisionRecord:
    return DecisionRecord(
        id=row.id,
        protocol=row.protocol,
        outcome=row.outcome,
        decided_on=row.decided_on,
        at=row.at,
        answers=documents.read_answers(row.answers),
        verdict=documents.read_verdict(row.verdict),
        score=documents.read_score(row.score),
        plan=documents.read_plan(row.plan) if row.plan else None,
    )


def _sessions(
    connection: Connection, *which: ColumnElement[bool]
) -> Mapping[_Run, list[SessionRecord]]:
    """Return each lead's appointments at the lead's clinic, in the order of their times."""
    found: Mapping[_Run, list[SessionRecord]] = defaultdict(list)
    rows = connection.execute(
        select(
            Appointment,
            Practitioner.slug,
            Practitioner.name,
            func.coalesce(Service.name, Appointment.service).label("service_name"),
        )
        .join(Lead, and_(Lead.chat_id == Appointment.chat_id, Lead.run == Appointment.run))
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .outerjoin(
            Service,
            and_(Service.clinic_id == Appointment.clinic_id, Service.code == Appointment.service),
        )
        .where(Appointment.clinic_id == Lead.clinic_id, *which)
        .order_by(Appointment.starts_at, Appointment.uid)
    )
    for row in rows:
        found[row.chat_id, row.run].append(
            SessionRecord(
                uid=row.uid,
                series_id=row.series_id,
                number=row.number,
                service=row.service,
                service_name=row.service_name,
                practitioner=row.slug,
                practitioner_name=row.name,
                starts_at=row.starts_at,
                ends_at=row.ends_at,
                state=row.state,
                code=row.code,
                sequence=row.sequence,
                version=row.version,
                is_paused=pauses.waits_for_a_look(row),
                created_at=row.created_at,
                updated_at=row.updated_at,
            )
        )
    return found
