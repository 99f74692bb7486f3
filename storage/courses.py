"""One appointment with the others of its series: what must be known to move or cancel it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from flows.follow_up import TREATING
from flows.plan import Plan
from flows.slots import Slot
from storage import documents, leads, pauses
from storage.clerks import Seen
from storage.models import Appointment, Decision, Lead, Patient, Practitioner, Service

#: What can still be moved or cancelled, before it begins.
TO_COME = ("pending", "booked")


@dataclass(frozen=True, slots=True)
class Session:
    """One appointment of a series, or time off."""

    uid: str
    version: int
    number: int
    state: str
    slot: Slot
    practitioner_name: str
    hold_until: datetime | None
    is_paused: bool  # the patient said that something has changed, and nobody has looked

    @property
    def seen(self) -> Seen:
        """Return what it looked like, for whoever changes it."""
        return Seen(self.uid, self.version)

    def can_change(self, now: datetime) -> bool:
        """Say whether it may still be moved or cancelled."""
        return self.state in TO_COME and self.slot.starts_at > now


@dataclass(frozen=True, slots=True)
class Course:
    """A series around one of its appointments. Nothing of the patient is part of its `repr`."""

    session: Session  # the one that was asked for
    sessions: tuple[Session, ...]  # of the series, in order; without cancelled ones
    series_id: str
    service: str  # code
    service_name: str
    code: str
    plan: Plan | None  # of the patient's last verdict in this run
    lead_id: int | None
    is_walk_in: bool
    chat_id: int | None = field(repr=False)
    patient: str = field(repr=False)
    phone: str = field(repr=False)
    note: str = field(repr=False)

    @property
    def treating(self) -> tuple[Session, ...]:
        """Return the sessions that count for gaps, in order."""
        return tuple(each for each in self.sessions if each.state in TREATING)

    @property
    def before(self) -> Session | None:
        """Return the session ahead of this one that counts for its gap."""
        ahead = [each for each in self.treating if each.number < self.session.number]
        return ahead[-1] if ahead else None

    @property
    def after(self) -> Session | None:
        """Return the session behind this one that counts for its gap."""
        behind = (each for each in self.treating if each.number > self.session.number)
        return next(behind, None)

    def later(self, now: datetime) -> tuple[Session, ...]:
        """Return the sessions after this one that may still be moved or cancelled."""
        return tuple(
            each
            for each in self.sessions
            if each.number > self.session.number and each.can_change(now)
        )


def find(connection: Connection, clinic_id: int, uid: str, now: datetime) -> Course | None:
    """Return an appointment of a clinic with its series; None when the clinic has no such one."""
    row = connection.execute(_asked_for(clinic_id, uid)).one_or_none()
    if row is None or (row.state == "held" and row.hold_until <= now):
        return None
    sessions = _series(connection, clinic_id, row) if row.state != "blocked" else ()
    return Course(
        session=_session(row),
        sessions=sessions,
        series_id=row.series_id,
        service=row.service,
        service_name=row.service_name or row.service,
        code=row.code,
        plan=_plan(connection, row),
        lead_id=row.lead_id,
        is_walk_in=bool(row.walk_in_name),
        chat_id=row.chat_id,
        patient=row.first_name or row.walk_in_name or "",
        phone=row.phone or row.walk_in_phone or "",
        note=row.note or "",
    )


def _asked_for(clinic_id: int, uid: str) -> Any:
    return (
        select(Appointment, Practitioner.slug, Practitioner.name.label("practitioner_name"))
        .add_columns(Service.name.label("service_name"))
        .add_columns(Patient.first_name, Patient.phone, Lead.id.label("lead_id"))
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .outerjoin(
            Service, and_(Service.clinic_id == clinic_id, Service.code == Appointment.service)
        )
        .outerjoin(Patient, Patient.chat_id == Appointment.chat_id)
        .outerjoin(Lead, leads.of_visits(clinic_id))
        .where(Appointment.uid == uid, Appointment.clinic_id == clinic_id)
    )


def _series(connection: Connection, clinic_id: int, row: Any) -> tuple[Session, ...]:
    """Return the sessions of the same patient and series."""
    has_chat = row.chat_id is not None
    whose = Appointment.chat_id == row.chat_id if has_chat else Appointment.uid == row.uid
    rows = connection.execute(
        select(Appointment, Practitioner.slug, Practitioner.name.label("practitioner_name"))
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .where(
            Appointment.clinic_id == clinic_id,
            Appointment.series_id == row.series_id,
            whose,
            or_(Appointment.state != "cancelled", Appointment.uid == row.uid),
        )
        .order_by(Appointment.number, Appointment.uid)
    )
    return tuple(_session(each) for each in rows)


def _plan(connection: Connection, row: Any) -> Plan | None:
    if row.chat_id is None:
        return None
    last = (
        select(func.max(Decision.id))
        .where(Decision.chat_id == row.chat_id, Decision.run == row.run)
        .scalar_subquery()
    )
    document = connection.execute(select(Decision.plan).where(Decision.id == last)).scalar()
    return documents.read_plan(document) if document else None


def _session(row: Any) -> Session:
    return Session(
        uid=row.uid,
        version=row.version,
        number=row.number,
        state=row.state,
        slot=Slot(row.starts_at, row.ends_at, row.slug),
        practitioner_name=row.practitioner_name,
        hold_until=row.hold_until,
        is_paused=pauses.waits_for_a_look(row),
    )
