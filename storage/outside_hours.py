"""Times that the opening hours do not cover, as after a change of the hours.

A visit is never moved by itself: whoever changed the hours is told of these. A patient who still
has such a time on the screen cannot book it.

Closed days, public holidays and practitioners who have left count as no hours. Time off does not:
it cannot lie over a visit.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from flows import slots
from flows.slots import Slot
from storage import calendar_store
from storage.models import Appointment, Clinic, Practitioner


@dataclass(frozen=True, slots=True)
class Outside:
    """One visit to come at such a time. Nothing of the patient."""

    uid: str
    slot: Slot
    name: str  # the practitioner's


def read(connection: Connection, clinic_id: int, now: datetime) -> tuple[Outside, ...]:
    """Return a clinic's visits to come outside the hours, the soonest first."""
    visits = _visits(connection, clinic_id, now)
    if not visits:
        return ()
    slot_of = {row.uid: Slot(row.starts_at, row.ends_at, row.slug) for row in visits}
    clinic = connection.execute(select(Clinic).where(Clinic.id == clinic_id)).one()
    outside = of_these(connection, clinic, slot_of.values())
    return tuple(
        Outside(row.uid, slot_of[row.uid], row.name)
        for row in visits
        if slot_of[row.uid] in outside
    )


def of_these(connection: Connection, clinic: Row[Any], wanted: Collection[Slot]) -> frozenset[Slot]:
    """Return which of some times lie outside the hours as the clinic set them now."""
    on = {slot: slots.local_start(slot, clinic.zone).date() for slot in wanted}
    days = set(on.values())
    people = calendar_store.hours_as_set(connection, clinic.id, min(days), max(days))
    closed_on = calendar_store.closed_on(connection, clinic, days)

    def is_inside(slot: Slot) -> bool:
        own = people.get(slot.practitioner)
        return own is not None and slots.is_open(own, slot, clinic.zone)

    return frozenset(slot for slot, day in on.items() if day in closed_on or not is_inside(slot))


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
