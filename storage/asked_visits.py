"""Visits that patients asked for and that nobody of the clinic has answered yet, by series."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from storage import leads
from storage.clerks import Seen
from storage.models import Appointment, Lead, Patient, Practitioner, Service

#: A visit to come blocks time from so long ago at most.
_LONGEST_BUFFER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """One visit that waits for a yes or a no."""

    uid: str
    version: int
    starts_at: datetime
    service: str  # the service's name
    practitioner: str  # name


@dataclass(frozen=True, slots=True)
class Request:
    """What one patient asked for at once. The name is no part of its `repr`."""

    visits: tuple[Asked, ...]  # in the order of their times, at least one
    lead_id: int | None
    patient: str = field(repr=False)

    @property
    def seen(self) -> tuple[Seen, ...]:
        """Return what the visits look like, for whoever answers."""
        return tuple(Seen(each.uid, each.version) for each in self.visits)


def unanswered(
    connection: Connection, clinic_id: int, now: datetime, lead_id: int | None = None
) -> list[Request]:
    """Return a clinic's requests for visits to come, the soonest first; of one lead, if named."""
    which = _to_come(clinic_id, now)
    if lead_id is not None:
        which = and_(which, Lead.id == lead_id)
    rows = connection.execute(
        select(Appointment, Practitioner.name.label("practitioner"))
        .add_columns(func.coalesce(Service.name, Appointment.service).label("service_name"))
        .add_columns(Patient.first_name, Lead.id.label("lead_id"))
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .outerjoin(
            Service, and_(Service.clinic_id == clinic_id, Service.code == Appointment.service)
        )
        .outerjoin(Patient, Patient.chat_id == Appointment.chat_id)
        .outerjoin(Lead, leads.of_visits(clinic_id))
        .where(which)
        .order_by(Appointment.series_id, Appointment.starts_at)
    )
    series = (_request(tuple(own)) for _, own in groupby(rows, key=lambda row: row.series_id))
    return sorted(series, key=lambda each: (each.visits[0].starts_at, each.visits[0].uid))


def count(connection: Connection, clinic_id: int, now: datetime) -> int:
    """Return how many requests a clinic has not answered."""
    statement = select(func.count(Appointment.series_id.distinct()))
    return connection.execute(statement.where(_to_come(clinic_id, now))).scalar_one()


def _to_come(clinic_id: int, now: datetime) -> ColumnElement[bool]:
    """Name practitioners and the blocked time too: along these there is an index."""
    own = select(Practitioner.id).where(Practitioner.clinic_id == clinic_id)
    return and_(
        Appointment.practitioner_id.in_(own),
        Appointment.blocks_from > now - _LONGEST_BUFFER,
        Appointment.clinic_id == clinic_id,
        Appointment.state == "pending",
        Appointment.starts_at > now,
    )


def _request(rows: Iterable[Any]) -> Request:
    own = list(rows)
    visits = tuple(
        Asked(row.uid, row.version, row.starts_at, row.service_name, row.practitioner)
        for row in own
    )
    return Request(visits, own[0].lead_id, own[0].first_name or "")
