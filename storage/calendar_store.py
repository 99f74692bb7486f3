"""The clinic's calendar as a value to offer times from, and as a list for staff to read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays
from sqlalchemy import ColumnElement, Connection, Row, and_, false, not_, or_, select

from flows.slots import CalendarView, DayOverride, OpeningHours, Timetable
from storage import external_busy, models
from storage.faults import StorageError
from storage.models import (
    OCCUPYING,
    Appointment,
    Clinic,
    Closure,
    Patient,
    Practitioner,
    Service,
)

#: No appointment with its buffers is longer, so busy times are read this much further.
_REACH = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Range:
    """The local days that are looked at, both inclusive, and from when."""

    now: datetime
    zone: ZoneInfo
    from_on: date
    until_on: date

    @property
    def each(self) -> tuple[date, ...]:
        """Every one of the days."""
        count = (self.until_on - self.from_on).days + 1
        return tuple(self.from_on + timedelta(days=n) for n in range(count))

    @property
    def from_at(self) -> datetime:
        """The first instant whose busy times matter."""
        return datetime.combine(self.from_on, time(), self.zone) - _REACH

    @property
    def until_at(self) -> datetime:
        """The instant from which on busy times do not matter."""
        return datetime.combine(self.until_on, time(), self.zone) + 2 * _REACH


@dataclass(frozen=True, slots=True)
class AgendaRow:
    """One appointment as staff see it."""

    uid: str
    series_id: str
    number: int
    service: str
    practitioner: str  # slug
    starts_at: datetime
    ends_at: datetime
    state: str
    hold_until: datetime | None
    code: str
    patient: str  # first name, or what staff wrote down; empty for time off


def view(  # noqa: PLR0913 - a look at a calendar has this many sides
    connection: Connection,
    clinic_slug: str,
    service: str,
    from_on: date,
    until_on: date,
    now: datetime,
    chat_id: int,
    *,
    ignore_series: str = "",
    ignore_uid: str = "",
) -> CalendarView:
    """Return what is needed to offer times of `service` on local days, both inclusive.

    Holds that ended do not count. The patient's own series `ignore_series` and appointment
    `ignore_uid` are left out, so that they do not stand in the patient's way; so is `ignore_uid` of
    somebody without a chat.
    """
    clinic = connection.execute(
        select(Clinic, Service.minutes, Service.before_minutes, Service.after_minutes)
        .add_columns(Service.step_minutes)
        .join(Service, Service.clinic_id == Clinic.id)
        .where(Clinic.slug == clinic_slug, Service.code == service)
    ).one_or_none()
    if clinic is None:
        raise StorageError(f"clinic {clinic_slug!r} has no service {service!r}")
    zone = ZoneInfo(clinic.zone)
    days = _Range(now, zone, from_on, until_on)
    # Rows without a chat must be true or false here: NOT of an unknown would leave them out.
    own = or_(
        and_(
            Appointment.chat_id.is_not(None),
            Appointment.chat_id == chat_id,
            or_(Appointment.series_id == ignore_series, Appointment.uid == ignore_uid),
        ),
        and_(Appointment.chat_id.is_(None), Appointment.uid == ignore_uid),
    )
    occupied = and_(
        Appointment.state.in_(OCCUPYING),
        or_(Appointment.state != "held", Appointment.hold_until > now),
        Appointment.blocks_from < days.until_at,
        Appointment.blocks_until > days.from_at,
        not_(own),
    )
    return CalendarView(
        zone=clinic.zone,
        timetables=_timetables(connection, clinic.id, days, occupied),
        closed_on=closed_on(connection, clinic, days.each),
        duration=timedelta(minutes=clinic.minutes),
        buffer_before=timedelta(minutes=clinic.before_minutes),
        buffer_after=timedelta(minutes=clinic.after_minutes),
        step=timedelta(minutes=clinic.step_minutes),
        # Beyond the days read here nothing is known, so nothing may be offered there.
        opens_at=max(
            now + timedelta(minutes=clinic.notice_minutes),
            datetime.combine(from_on, time(), zone).astimezone(UTC),
        ),
        closes_at=min(
            now + timedelta(days=clinic.horizon_days),
            datetime.combine(until_on + timedelta(days=1), time(), zone).astimezone(UTC),
        ),
        patient_busy=_patient_busy(connection, chat_id, occupied),
    )


def hours(
    connection: Connection, clinic_id: int, from_on: date, until_on: date, now: datetime
) -> tuple[tuple[Timetable, ...], frozenset[date]]:
    """Return when practitioners work on local days, both inclusive, and the days that are closed.

    `busy` holds what their own calendars say, and no appointment. Raises for no such clinic.
    """
    clinic = connection.execute(select(Clinic).where(Clinic.id == clinic_id)).one()
    days = _Range(now, ZoneInfo(clinic.zone), from_on, until_on)
    people = _timetables(connection, clinic_id, days, false())
    return people, closed_on(connection, clinic, days.each)


def hours_as_set(
    connection: Connection, clinic_id: int, from_on: date, until_on: date
) -> dict[str, Timetable]:
    """Return the hours of local days, both inclusive, as the clinic set them, by practitioner.

    Whoever has left has none. Nothing is `busy`, and nobody's own calendar too old.
    """
    people = _people(connection, clinic_id)
    ids = [person.id for person in people]
    weekly = _weekly(connection, ids)
    overrides = _overrides(connection, ids, from_on, until_on)
    return {
        person.slug: Timetable(person.slug, tuple(weekly[person.id]), overrides[person.id])
        for person in people
    }


def agenda(
    connection: Connection, clinic_slug: str, from_at: datetime, until_at: datetime
) -> list[AgendaRow]:
    """Return the appointments that touch `[from_at, until_at)`, in order of time."""
    statement = (
        select(Appointment, Practitioner.slug, Patient.first_name)
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .join(Clinic, Clinic.id == Appointment.clinic_id)
        .outerjoin(Patient, Patient.chat_id == Appointment.chat_id)
        .where(
            Clinic.slug == clinic_slug,
            Appointment.starts_at < until_at,
            Appointment.ends_at > from_at,
        )
        .order_by(Appointment.starts_at, Practitioner.slug, Appointment.uid)
    )
    return [
        AgendaRow(
            uid=row.uid,
            series_id=row.series_id,
            number=row.number,
            service=row.service,
            practitioner=row.slug,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            state=row.state,
            hold_until=row.hold_until,
            code=row.code,
            patient=row.first_name or row.walk_in_name or "",
        )
        for row in connection.execute(statement)
    ]


def _timetables(
    connection: Connection,
    clinic_id: int,
    days: _Range,
    occupied: ColumnElement[bool],
) -> tuple[Timetable, ...]:
    """Whose own calendar is too old to be relied on has no hours, where the clinic wants that."""
    people = _people(connection, clinic_id)
    ids = [person.id for person in people]
    weekly = _weekly(connection, ids)
    overrides = _overrides(connection, ids, days.from_on, days.until_on)
    busy = _busy(connection, ids, occupied)
    outside = external_busy.spans(connection, ids, days.from_at, days.until_at)
    shut = external_busy.shut(connection, ids, days.now)
    return tuple(
        Timetable(
            practitioner=person.slug,
            hours=() if person.id in shut else tuple(weekly[person.id]),
            overrides=() if person.id in shut else overrides[person.id],
            busy=tuple(sorted((*busy[person.id], *outside[person.id]))),
        )
        for person in people
    )


def _people(connection: Connection, clinic_id: int) -> Sequence[Row[int, str]]:
    return connection.execute(
        select(Practitioner.id, Practitioner.slug)
        .where(Practitioner.clinic_id == clinic_id, Practitioner.is_active)
        .order_by(Practitioner.position, Practitioner.slug)
    ).all()


def _weekly(connection: Connection, ids: Sequence[int]) -> dict[int, list[OpeningHours]]:
    table = models.OpeningHours
    weekly: dict[int, list[OpeningHours]] = defaultdict(list)
    for row in connection.execute(
        select(table).where(table.practitioner_id.in_(ids)).order_by(table.weekday, table.opens)
    ):
        weekly[row.practitioner_id].append(OpeningHours(row.weekday, row.opens, row.closes))
    return weekly


def _overrides(
    connection: Connection, ids: Sequence[int], from_on: date, until_on: date
) -> dict[int, tuple[DayOverride, ...]]:
    table = models.DayOverride
    days: dict[int, dict[date, list[tuple[time, time]]]] = defaultdict(dict)
    for row in connection.execute(
        select(table)
        .where(table.practitioner_id.in_(ids), table.on_date.between(from_on, until_on))
        .order_by(table.on_date, table.opens)
    ):
        spans = days[row.practitioner_id].setdefault(row.on_date, [])
        if row.opens is not None:
            spans.append((row.opens, row.closes))
    found = {
        one: tuple(DayOverride(on, tuple(spans)) for on, spans in dated.items())
        for one, dated in days.items()
    }
    return defaultdict(tuple, found)


def _busy(
    connection: Connection, ids: Sequence[int], occupied: ColumnElement[bool]
) -> dict[int, list[tuple[datetime, datetime]]]:
    busy: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for row in connection.execute(
        select(Appointment.practitioner_id, Appointment.blocks_from, Appointment.blocks_until)
        .where(Appointment.practitioner_id.in_(ids), occupied)
        .order_by(Appointment.blocks_from)
    ):
        busy[row.practitioner_id].append((row.blocks_from, row.blocks_until))
    return busy


def _patient_busy(
    connection: Connection, chat_id: int, occupied: ColumnElement[bool]
) -> tuple[tuple[datetime, datetime], ...]:
    """At whichever clinic: nobody can be in two places."""
    rows = connection.execute(
        select(Appointment.starts_at, Appointment.ends_at)
        .where(Appointment.chat_id == chat_id, occupied)
        .order_by(Appointment.starts_at)
    )
    return tuple((row.starts_at, row.ends_at) for row in rows)


def closed_on(connection: Connection, clinic: Row[Any], days: Collection[date]) -> frozenset[date]:
    """Return on which of some local days a clinic is closed to all."""
    closures = connection.execute(
        select(Closure.from_on, Closure.until_on).where(Closure.clinic_id == clinic.id)
    ).all()
    closed = {day for day in days for row in closures if row.from_on <= day <= row.until_on}
    if clinic.holidays_country:
        where = clinic.holidays_country, clinic.holidays_subdivision or None
        closed |= {day for day in days if day in _public_holidays(*where, day.year)}
    return frozenset(closed)


@lru_cache(maxsize=64)
def _public_holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    """Kept, because to work a year out takes longer than everything else about a booking."""
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))
