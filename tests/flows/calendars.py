"""Calendars, plans and slots for tests of series."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from flows import slots
from flows.conversation import Offer
from flows.plan import Plan
from flows.protocol import Spacing
from flows.slots import CalendarView, DayOverride, OpeningHours, Slot, Timetable

LONDON = "Europe/London"
MONDAY = date(2026, 3, 2)
FOUR_WEEKS = Spacing(21, 28, 42)
WEEKDAYS = tuple(OpeningHours(weekday, time(9), time(18)) for weekday in range(5))


def at(on: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(on, time(hour, minute), UTC)


def a_view(*timetables: Timetable, days: int = 300, **changes: object) -> CalendarView:
    """A London clinic from Monday 2 March 2026: one-hour sessions every hour, weekdays 9-18."""
    view = CalendarView(
        zone=LONDON,
        timetables=timetables or (Timetable("amy", WEEKDAYS),),
        closed_on=frozenset(),
        duration=timedelta(hours=1),
        buffer_before=timedelta(0),
        buffer_after=timedelta(0),
        step=timedelta(hours=1),
        opens_at=at(MONDAY, 0),
        closes_at=at(MONDAY, 0) + timedelta(days=days),
    )
    return replace(view, **changes)  # type: ignore[arg-type]


def a_plan(sessions: int = 4, spacing: Spacing = FOUR_WEEKS, **changes: object) -> Plan:
    plan = Plan(
        sessions=sessions,
        at_least=sessions,
        at_most=sessions,
        spacing=spacing,
        downtime_days=(1, 3),
        minor_days=7,
        starts_on=MONDAY,
        proposed_on=(),
        review_on=date(2026, 12, 1),
        refresher_on=date(2027, 6, 1),
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


def open_on(*days: date, name: str = "amy", hours: tuple[int, int] = (9, 10)) -> Timetable:
    """A practitioner who works on these days only, at these hours."""
    window = ((time(hours[0]), time(hours[1])),)
    return Timetable(name, (), tuple(DayOverride(on, window) for on in days))


def local_days(offer: Offer) -> list[date]:
    return [slots.local_start(slot, LONDON).date() for slot in offer.slots]


def gaps(offer: Offer) -> list[int]:
    return [(after - before).days for before, after in pairwise(local_days(offer))]


def clocks(offer: Offer) -> list[str]:
    return [f"{slots.local_start(slot, LONDON):%a %H:%M}" for slot in offer.slots]


def days_after(first: date, *numbers: int) -> list[date]:
    return [first + timedelta(days=number) for number in numbers]


def slot_on(on: date, hour: int = 9, name: str = "amy") -> Slot:
    """A one-hour slot before summer time begins or after it ends."""
    return Slot(at(on, hour), at(on, hour + 1), name)
