"""One clinic's day as its staff see it: who comes when, to whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Row, and_, func, or_, select
from sqlalchemy.orm import aliased

from storage import leads, pauses
from storage.models import Appointment, Lead, Patient, Practitioner, Service

#: States that a sheet shows; a cancelled time is free again and shown nowhere.
SHOWN = ("held", "pending", "booked", "arrived", "fulfilled", "noshow", "blocked")


@dataclass(frozen=True, slots=True)
class Visit:
    """One appointment, or time off. Names and numbers are no part of its `repr`."""

    uid: str
    version: int
    practitioner: str  # slug
    service: str  # the service's name; empty for time off
    starts_at: datetime
    ends_at: datetime
    state: str
    number: int
    sessions: int  # how many the series has
    code: str
    is_walk_in: bool
    lead_id: int | None
    series_id: str
    hold_until: datetime | None
    blocks_from: datetime  # with the buffer before
    blocks_until: datetime  # with the buffer after
    is_paused: bool  # the patient said that something has changed, and nobody has looked
    patient: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Column:
    """One practitioner's day."""

    slug: str
    name: str
    visits: tuple[Visit, ...]


def sheet(
    connection: Connection, clinic_id: int, from_at: datetime, until_at: datetime, now: datetime
) -> list[Column]:
    """Return the appointments that touch `[from_at, until_at)`, a column a practitioner.

    Someone who has left is there as long as patients are booked with them. Holds that ended are
    left out.
    """
    visits = _visits(connection, clinic_id, from_at, until_at, now)
    people = connection.execute(
        select(Practitioner.id, Practitioner.slug, Practitioner.name, Practitioner.is_active)
        .where(Practitioner.clinic_id == clinic_id)
        .order_by(Practitioner.position, Practitioner.slug)
    ).all()
    return [
        Column(
            row.slug, row.name, tuple(visit for visit in visits if visit.practitioner == row.slug)
        )
        for row in people
        if row.is_active or any(visit.practitioner == row.slug for visit in visits)
    ]


def services(connection: Connection, clinic_id: int) -> list[tuple[str, str, int]]:
    """Return what a clinic does: code, name, minutes."""
    statement = (
        select(Service.code, Service.name, Service.minutes)
        .where(Service.clinic_id == clinic_id)
        .order_by(Service.id)
    )
    return [(row.code, row.name, row.minutes) for row in connection.execute(statement)]


def _visits(
    connection: Connection, clinic_id: int, from_at: datetime, until_at: datetime, now: datetime
) -> list[Visit]:
    of_series = aliased(Appointment)
    sessions = (
        select(func.count())
        .where(
            of_series.series_id == Appointment.series_id,
            of_series.clinic_id == clinic_id,
            of_series.state.not_in(("cancelled", "blocked")),
        )
        .scalar_subquery()
    )
    statement = (
        select(Appointment, Practitioner.slug, Service.name.label("service_name"))
        .add_columns(Patient.first_name, Patient.phone, Lead.id.label("lead_id"))
        .add_columns(sessions.label("sessions"))
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .outerjoin(
            Service,
            and_(Service.clinic_id == clinic_id, Service.code == Appointment.service),
        )
        .outerjoin(Patient, Patient.chat_id == Appointment.chat_id)
        .outerjoin(Lead, leads.of_visits(clinic_id))
        .where(
            Appointment.clinic_id == clinic_id,
            Appointment.starts_at < until_at,
            Appointment.ends_at > from_at,
            Appointment.state.in_(SHOWN),
            or_(Appointment.state != "held", Appointment.hold_until > now),
        )
        .order_by(Appointment.starts_at, Appointment.uid)
    )
    return [_visit(row) for row in connection.execute(statement)]


def _visit(row: Row[*tuple[object, ...]]) -> Visit:
    return Visit(
        uid=row.uid,
        version=row.version,
        practitioner=row.slug,
        service="" if row.state == "blocked" else row.service_name or row.service,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        state=row.state,
        number=row.number,
        sessions=row.sessions,
        code=row.code,
        is_walk_in=bool(row.walk_in_name),
        lead_id=row.lead_id,
        series_id=row.series_id,
        hold_until=row.hold_until,
        blocks_from=row.blocks_from,
        blocks_until=row.blocks_until,
        is_paused=pauses.waits_for_a_look(row),
        patient=row.first_name or row.walk_in_name or "",
        phone=row.phone or row.walk_in_phone or "",
        note=row.note or "",
    )


def practitioners(connection: Connection, clinic_id: int) -> list[tuple[str, str]]:
    """Return who treats at a clinic now: slug and name."""
    statement = (
        select(Practitioner.slug, Practitioner.name)
        .where(Practitioner.clinic_id == clinic_id, Practitioner.is_active)
        .order_by(Practitioner.position, Practitioner.slug)
    )
    return [(row.slug, row.name) for row in connection.execute(statement)]


def patient_of(connection: Connection, clinic_id: int, uid: str) -> str:
    """Return what the patient of an appointment is called; empty when there is no such one."""
    row = connection.execute(
        select(Patient.first_name, Appointment.walk_in_name)
        .select_from(Appointment)
        .outerjoin(Patient, Patient.chat_id == Appointment.chat_id)
        .where(Appointment.uid == uid, Appointment.clinic_id == clinic_id)
    ).one_or_none()
    return (row.first_name or row.walk_in_name or "") if row else ""
