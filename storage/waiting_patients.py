"""Who waits for something earlier, as the clinic's people see it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from storage import leads
from storage.models import (
    Appointment,
    Lead,
    Patient,
    Practitioner,
    WaitlistEntry,
    WaitlistOffer,
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A freed time that a waiting patient was asked about."""

    starts_at: datetime
    until_at: datetime  # when somebody else is asked
    state: str  # offered, accepted, declined, expired or gone


@dataclass(frozen=True, slots=True)
class WaitingPatient:
    """A patient, the visit that is to be sooner, and what was offered."""

    uid: str  # of the visit
    lead_id: int | None
    practitioner: str  # name
    starts_at: datetime  # of the visit
    since: datetime
    stopped_at: datetime | None  # wants no messages: nothing is offered by itself
    unreachable_at: datetime | None
    offers: tuple[Offer, ...]  # the newest first
    patient: str = field(repr=False)  # first name; may be empty


def read(connection: Connection, clinic_id: int, now: datetime) -> tuple[WaitingPatient, ...]:
    """Return who waits at a clinic for a visit that is still to come, the longest first."""
    rows = connection.execute(
        select(
            WaitlistEntry.id,
            WaitlistEntry.uid,
            WaitlistEntry.created_at,
            Appointment.starts_at,
            Practitioner.name,
            Patient.first_name,
            Patient.stopped_at,
            Patient.unreachable_at,
            Lead.id.label("lead_id"),
        )
        .join(Appointment, Appointment.uid == WaitlistEntry.uid)
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .join(Patient, Patient.chat_id == WaitlistEntry.chat_id)
        .outerjoin(Lead, leads.of_visits(clinic_id))
        .where(
            WaitlistEntry.clinic_id == clinic_id,
            WaitlistEntry.ended_at.is_(None),
            Appointment.state.in_(("pending", "booked")),
            Appointment.starts_at > now,
        )
        .order_by(WaitlistEntry.created_at, WaitlistEntry.id)
    ).all()
    offers = _offers(connection, [row.id for row in rows])
    return tuple(
        WaitingPatient(
            uid=row.uid,
            lead_id=row.lead_id,
            practitioner=row.name,
            starts_at=row.starts_at,
            since=row.created_at,
            stopped_at=row.stopped_at,
            unreachable_at=row.unreachable_at,
            offers=tuple(offers[row.id]),
            patient=row.first_name,
        )
        for row in rows
    )


def _offers(connection: Connection, entries: Sequence[int]) -> dict[int, list[Offer]]:
    made: dict[int, list[Offer]] = defaultdict(list)
    for row in connection.execute(
        select(WaitlistOffer)
        .where(WaitlistOffer.entry_id.in_(entries))
        .order_by(WaitlistOffer.offered_at.desc(), WaitlistOffer.id.desc())
    ):
        made[row.entry_id].append(Offer(row.starts_at, row.until_at, row.state))
    return made
