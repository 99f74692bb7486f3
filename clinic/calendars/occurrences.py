"""Calendar entries read as the times they take: pure, from text to spans.

Recurrences with their exceptions and moved instances are laid out; what is transparent or
cancelled takes no time; an entry for whole days takes them in the calendar's zone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events  # type: ignore[import-untyped]
from icalendar import Calendar, Event

from clinic.calendars.faults import Unreadable
from storage.calendar_readings import Span

#: No entry that a person made is longer.
_LONGEST_TEXT = 1_000_000

#: What a rule may come to on one day; more would only keep the program busy.
_MOST_A_DAY = 96

#: What the rules of an entry may come to by the end of the window: they are counted from their
#: start on, and this many take about a second.
_MOST_IN_ALL = 200_000

_REPEATING = ("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """From when until when the times are wanted, aware."""

    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Contents:
    """What one resource of a calendar says."""

    uid: str
    busy: tuple[Span, ...]  # within the window, in order, none touching the next from within
    first: Span | None  # of an entry that happens once, free or not
    sequence: int
    is_called_off: bool
    repeats: bool  # made up of instances, be it only one


def contents(text: str, zone: ZoneInfo, window: Window) -> Contents:
    """Read one resource. Raises Unreadable."""
    if len(text) > _LONGEST_TEXT:
        raise Unreadable
    try:
        calendar = Calendar.from_ical(text)
        events = list(calendar.walk("VEVENT"))
        _refuse_endless(events, zone, window)
        main = next((event for event in events if "RECURRENCE-ID" not in event), None)
        named = main or next(iter(events), None)
        return Contents(
            uid="" if named is None else str(named.get("UID", "")),
            busy=_busy(calendar, zone, window) if events else (),
            first=None if main is None else _span(main, zone),
            sequence=int(main.get("SEQUENCE", 0)) if main is not None else 0,
            is_called_off=main is not None and _is_called_off(main),
            repeats=any(name in event for event in events for name in _REPEATING),
        )
    except Exception:  # noqa: BLE001 - whatever a parser stumbles over, the entry is not understood
        raise Unreadable from None


def _busy(calendar: Any, zone: ZoneInfo, window: Window) -> tuple[Span, ...]:
    # Whole days and times without a zone are found by their wall clock, so a day more is asked for.
    found = recurring_ical_events.of(calendar).between(
        window.from_at.astimezone(zone) - _DAY, window.until_at.astimezone(zone) + _DAY
    )
    spans = (_span(event, zone) for event in found if _takes_time(event))
    return merged(
        span
        for span in spans
        if span is not None and span.ends_at > window.from_at and span.starts_at < window.until_at
    )


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the same time without overlaps, in order."""
    together: list[Span] = []
    for span in sorted(spans):
        if together and span.starts_at < together[-1].ends_at:
            last = together.pop()
            span = Span(last.starts_at, max(last.ends_at, span.ends_at))
        together.append(span)
    return tuple(together)


def _takes_time(event: Event) -> bool:
    return str(event.get("TRANSP", "OPAQUE")).upper() != "TRANSPARENT" and not _is_called_off(event)


def _is_called_off(event: Any) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def _span(event: Any, zone: ZoneInfo) -> Span | None:
    """Return when an entry is; None when it takes no time."""
    starts, ends = event.start, event.end
    span = Span(_instant(starts, zone), _instant(ends, zone))
    return span if span.starts_at < span.ends_at else None


def _instant(at: date | datetime, zone: ZoneInfo) -> datetime:
    if not isinstance(at, datetime):
        at = datetime.combine(at, time(), zone)
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone)
    return at.astimezone(UTC)


def _refuse_endless(events: Iterable[Any], zone: ZoneInfo, window: Window) -> None:
    """Raise Unreadable for rules that no person makes and no program lays out in time."""
    in_all = 0
    for event in events:
        rules = event.get("RRULE", [])
        for rule in rules if isinstance(rules, list) else [rules]:
            a_day = _a_day(rule)
            if a_day > _MOST_A_DAY:
                raise Unreadable
            in_all += a_day * max(0, (window.until_at - _instant(event.start, zone)).days)
    if in_all > _MOST_IN_ALL:
        raise Unreadable


def _a_day(rule: Any) -> int:
    frequency = str(rule.get("FREQ", ["DAILY"])[0]).upper()
    if frequency in {"SECONDLY", "MINUTELY"}:
        return _MOST_A_DAY + 1
    ends = "COUNT" in rule or "UNTIL" in rule
    if frequency == "HOURLY" and not ends:
        return _MOST_A_DAY + 1
    times = 24 if frequency == "HOURLY" else max(1, len(rule.get("BYHOUR", ())))
    for part in ("BYMINUTE", "BYSECOND"):
        times *= max(1, len(rule.get(part, ())))
    return times
