"""Time off as staff write it: "tomorrow 14:00-18:00", "Friday", "12 June 9-13". Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flows import typed_times
from flows.clinics import Clinic

_EVERYONE = re.compile(r"\b(?:everyone|everybody|all of us|all)\b", re.IGNORECASE)
_CLOCK = r"(\d{1,2})(?:[:.](\d\d))? ?([ap]m)?"
#: Not inside a date such as 2026-11-24.
_RANGE = re.compile(
    rf"(?:\bfrom )?(?<![\d.:/-]){_CLOCK} ?(?:-|–|—|\bto\b|\buntil\b|\btill\b) ?"
    rf"{_CLOCK}(?![\d./:-])",
    re.IGNORECASE,
)
_MIDNIGHT = 24 * 60

#: From which minute of the day until which, by the word for it.
_PARTS = {
    "morning": (0, 12 * 60),
    "afternoon": (12 * 60, _MIDNIGHT),
    "evening": (17 * 60, _MIDNIGHT),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who treats patients at a clinic."""

    clinic_id: int
    slug: str
    name: str


def people_of(clinic_id: int, clinic: Clinic) -> tuple[Person, ...]:
    """Return who treats patients at a clinic."""
    return tuple(Person(clinic_id, slug, name) for slug, name in clinic.practitioners)


def named(text: str, people: Sequence[Person]) -> tuple[str, tuple[Person, ...]]:
    """Return the text without the people it names, and these; none when it names nobody."""
    if _EVERYONE.search(text):
        return _EVERYONE.sub(" ", text), tuple(people)
    found = []
    for person in people:
        names = sorted({person.name, person.name.split()[0], person.slug}, key=len, reverse=True)
        pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b", re.IGNORECASE)
        if pattern.search(text):
            text = pattern.sub(" ", text)
            found.append(person)
    return text, tuple(found)


def read(text: str, locale: str, now: datetime, zone: str) -> tuple[datetime, datetime] | None:
    """Return from when until when, aware UTC; None when the words say something else."""
    local = now.astimezone(ZoneInfo(zone))
    ranged = _RANGE.search(text)
    if ranged is not None:
        minutes = _range(ranged)
        rest = f"{text[: ranged.start()]} {text[ranged.end() :]}".strip(" ,")
        on = typed_times.parse_date(rest, locale, local.date()) if rest else local.date()
        return None if on is None or minutes is None else _span(on, minutes, zone)
    when = typed_times.parse_when(text, locale, local)
    if when is None or (when.on is None and not when.part and when.at is None):
        return None
    whole = (0, _MIDNIGHT)
    if when.at is not None:
        whole = (when.at.hour * 60 + when.at.minute, _MIDNIGHT)
    elif when.part:
        whole = _PARTS[when.part]
    return _span(when.on or local.date(), whole, zone)


def _range(found: re.Match[str]) -> tuple[int, int] | None:
    hour, minute, half, until_hour, until_minute, until_half = found.groups()
    end = _minutes(until_hour, until_minute, until_half)
    start = _minutes(hour, minute, half or _half_like(hour, until_hour, until_half))
    return None if start is None or end is None or start >= end else (start, end)


def _half_like(hour: str, until_hour: str, until_half: str | None) -> str | None:
    """In "2-5pm" both are in the afternoon, in "9-5pm" only the second."""
    return until_half if until_half and int(hour) < int(until_hour) % 12 else None


def _minutes(hour_text: str, minute_text: str | None, half: str | None) -> int | None:
    hour, minute = int(hour_text), int(minute_text or 0)
    if half:
        hour = hour % 12 + (12 if half.lower() == "pm" else 0) if hour <= 12 else 99
    elif hour <= 7 and not hour_text.startswith("0"):  # clinics open by day
        hour += 12
    total = hour * 60 + minute
    return total if minute < 60 and total <= _MIDNIGHT else None


def _span(on: date, minutes: tuple[int, int], zone: str) -> tuple[datetime, datetime]:
    return _instant(on, minutes[0], zone), _instant(on, minutes[1], zone)


def _instant(on: date, minutes: int, zone: str) -> datetime:
    days, rest = divmod(minutes, _MIDNIGHT)
    clock = time(rest // 60, rest % 60)
    return datetime.combine(on + timedelta(days=days), clock, ZoneInfo(zone)).astimezone(UTC)
