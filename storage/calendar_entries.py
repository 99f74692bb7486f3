"""Appointments as a practitioner's own calendar may show them: no patient, no treatment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.orm import aliased

from storage.models import Appointment

#: What a calendar shows: not a hold, which is gone in minutes.
SHOWN = ("pending", "booked", "arrived", "blocked", "fulfilled", "noshow")

TIME_OFF = "blocked"


@dataclass(frozen=True, slots=True)
class Entry:
    """One appointment, or time off."""

    uid: str
    practitioner_id: int
    number: int  # 1-based within its series
    count: int  # sessions that the series has ever had
    code: str
    starts_at: datetime
    ends_at: datetime
    state: str
    sequence: int
    updated_at: datetime


def entries(connection: Connection, *which: ColumnElement[bool]) -> tuple[Entry, ...]:
    """Return appointments in order of time; holds are never among them."""
    other = aliased(Appointment)
    count = (
        select(func.count(func.distinct(other.number)))
        .where(other.series_id == Appointment.series_id, other.state != "held")
        .where(other.clinic_id == Appointment.clinic_id)
        .scalar_subquery()
    )
    rows = connection.execute(
        select(
            Appointment.uid,
            Appointment.practitioner_id,
            Appointment.number,
            count.label("count"),
            Appointment.code,
            Appointment.starts_at,
            Appointment.ends_at,
            Appointment.state,
            Appointment.sequence,
            Appointment.updated_at,
        )
        .where(Appointment.state != "held", *which)
        .order_by(Appointment.starts_at, Appointment.uid)
    )
    return tuple(Entry(**row._mapping) for row in rows)
