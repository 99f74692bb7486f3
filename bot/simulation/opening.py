"""How much of their opening hours the clinics used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flows.slots import Timetable
from storage import calendar_store
from storage.accounts import VisitLine
from storage.database import Database


@dataclass(frozen=True, slots=True)
class Hours:
    """How long clinics were open, and for how much of it somebody was treated."""

    used: timedelta
    open: timedelta

    def __add__(self, other: Hours) -> Hours:
        return Hours(self.used + other.used, self.open + other.open)

    @property
    def share(self) -> float | None:
        """Return how much was used; None when nobody came."""
        return self.used / self.open if self.open else None


async def hours(database: Database, visits: Sequence[VisitLine], begins_at: datetime) -> Hours:
    """Return each clinic's hours from its first to its last visit. A visit counts with buffers."""
    kept = [visit for visit in visits if visit.state == "fulfilled"]
    open_for = timedelta(0)
    for clinic_id in {visit.clinic_id for visit in kept}:
        days = [visit.starts_at.date() for visit in kept if visit.clinic_id == clinic_id]
        first, last = min(days), max(days)
        people, closed_on = await database.read(
            calendar_store.hours, clinic_id, first, last, begins_at
        )
        open_for += _open_for(people, closed_on, first, last)
    used = sum((visit.blocks_until - visit.blocks_from for visit in kept), timedelta(0))
    return Hours(used, open_for)


def _open_for(
    people: Sequence[Timetable], closed_on: Collection[date], first: date, last: date
) -> timedelta:
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    weekdays = Counter(day.weekday() for day in days if day not in closed_on)
    minutes = sum(
        weekdays[hours.weekday] * (_minute(hours.closes) - _minute(hours.opens))
        for person in people
        for hours in person.hours
    )
    return timedelta(minutes=minutes)


def _minute(clock: time) -> int:
    return 60 * clock.hour + clock.minute
