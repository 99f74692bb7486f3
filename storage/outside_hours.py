"""Visits to come that the opening hours do not cover, as after a change of the hours.

A visit is never moved by itself: whoever changed the hours is told of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select

from flows import slots
from flows.slots import Slot
from storage import calendar_store
from storage.models import Appointment, Clinic, Practitioner


@dataclass(frozen=True, slots=True)
class Outside:
    """One such visit. Nothing of the patient."""

    uid: str
    slot: Slot
    name: str  # the practitioner's


def read(connection: Connection, clinic_id: int, now: datetime) -> tuple[Outside, ...]:
    """Return a clinic's visits outside the hours, the soonest first.

    Closed days, public holidays and practitioners who have left count as no hours. Time off does
    not: it cannot lie over a visit.
    """
    visits = _visits(connection, clinic_id, now)
    if not visits:
        return ()
    zone = connection.execute(select(Clinic.zone).where(Clinic.id == clinic_id)).scalar_one()
    here = ZoneInfo(zone)
    first, last = (visits[end].starts_at.astimezone(here).date() for end in (0, -1))
    people, closed_on = calendar_store.hours(connection, clinic_id, first, last, now, as_set=True)
    by_slug = {each.practitioner: each for each in people}
    found = []
    for row in visits:
        slot = Slot(row.starts_at, row.ends_at, row.slug)
        own = by_slug.get(row.slug)
        is_closed = slots.local_start(slot, zone).date() in closed_on
        if is_closed or own is None or not slots.is_open(own, slot, zone):
            found.append(Outside(row.uid, slot, row.name))
    return tuple(found)


def _visits(
    connection: Connection, clinic_id: int, now: datetime
) -> list[Row[tuple[str, datetime, datetime, str, str]]]:
    return list(
        connection.execute(
            select(
                Appointment.uid,
                Appointment.starts_at,
                Appointment.ends_at,
                Practitioner.slug,
                Practitioner.name,
            )
            .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
            .where(
                Appointment.clinic_id == clinic_id,
                Appointment.state.in_(("pending", "booked")),
                Appointment.starts_at > now,
            )
            .order_by(Appointment.starts_at, Appointment.uid)
        )
    )
