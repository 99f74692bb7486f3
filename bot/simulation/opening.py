"""How much of their opening hours the clinics used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta

from flows.slots import Timetable
from storage import calendar_store
from storage.accounts import VisitLine
from storage.database import Database


async def used_share(
    database: Database, visits: Sequence[VisitLine], begins_at: datetime
) -> float | None:
    """Return the share of each clinic's hours, from its first to its last visit, that was used.

    A visit counts with its buffers. None when nobody came.
    """
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
    return used / open_for if open_for else None


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
