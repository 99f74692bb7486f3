"""Free times from opening hours, closures and busy times; time-zone and DST arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A bookable time of one practitioner, `[starts_at, ends_at)` in aware UTC, without buffers."""

    starts_at: datetime
    ends_at: datetime
    practitioner: str  # slug, unique within the clinic


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Weekly hours of a practitioner: local wall-clock times, `weekday` 0 = Monday."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class DayOverride:
    """Hours that replace the weekly ones on one date; no hours means closed."""

    on: date
    hours: tuple[tuple[time, time], ...] = ()


@dataclass(frozen=True, slots=True)
class Timetable:
    """One practitioner's calendar over a range of days, as a value.

    `busy` holds `[from, until)` in aware UTC with the buffers of existing appointments included.
    """

    practitioner: str
    hours: tuple[OpeningHours, ...]
    overrides: tuple[DayOverride, ...] = ()
    busy: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class CalendarView:
    """What the dialogue may know of a clinic's calendar: everything needed to offer times."""

    zone: str  # IANA name of the clinic's zone
    timetables: tuple[Timetable, ...]
    closed_on: frozenset[date]  # clinic closures and public holidays, local dates
    duration: timedelta  # of the service asked for
    buffer_before: timedelta
    buffer_after: timedelta
    step: timedelta  # grid on which appointments may start, e.g. 30 minutes
    opens_at: datetime  # earliest bookable instant: now + minimum notice, aware UTC
    closes_at: datetime  # latest bookable instant: the horizon, aware UTC
    patient_busy: tuple[tuple[datetime, datetime], ...] = ()  # the patient's own appointments
