"""Time off as staff write it: "Friday", "12 June 9-13", "from 3pm", "24-28 December". Pure."""

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
_NOON = re.compile(r"\b(?:noon|midday)\b", re.IGNORECASE)
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*"
#: A day that begins or ends early: "from 3pm", "until 11". Not "after 12 June", which is a date.
_BOUND = re.compile(
    rf"\b(from|after|until|till|before|by) {_CLOCK}(?![\w/:.-]| {_MONTH}\b)", re.IGNORECASE
)
_TO = r"(?: ?[–—] ?| - | (?:to|until|till) )"
_DAYS = re.compile(rf"(?:from )?(?P<first>.+?){_TO}(?P<last>.+)", re.IGNORECASE)
#: Days of one month: "24-28 December". The month is the last day's.
_OF_MONTH = re.compile(
    rf"(?:from )?(?P<first>\d{{1,2}})(?:st|nd|rd|th)?(?: ?- ?|{_TO})"
    rf"(?P<last>\d{{1,2}})(?:st|nd|rd|th)?(?P<month> {_MONTH}(?: \d{{4}})?)",
    re.IGNORECASE,
)
_WEEK = re.compile(r"(?:the )?(?:whole )?(this|next) week", re.IGNORECASE)
_MIDNIGHT = 24 * 60

_A_DAY = timedelta(days=1)

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
    text = _NOON.sub("12:00", " ".join(text.split()))
    if days := _days(text.strip(" ,."), locale, local.date()):
        return _instant(days[0], 0, zone), _instant(days[1], _MIDNIGHT, zone)
    for pattern, minutes_of in ((_RANGE, _range), (_BOUND, _bound)):
        if found := pattern.search(text):
            minutes = minutes_of(found)
            rest = f"{text[: found.start()]} {text[found.end() :]}".strip(" ,")
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


def _days(text: str, locale: str, today: date) -> tuple[date, date] | None:
    """Return the first and the last of several days; None when the words name no such."""
    if week := _WEEK.fullmatch(text):
        monday = today + timedelta(days=7 - today.weekday())
        is_next = week[1].lower() == "next"
        return (monday, monday + timedelta(days=6)) if is_next else (today, monday - _A_DAY)
    found = _OF_MONTH.fullmatch(text)
    if found and int(found["first"]) < int(found["last"]):
        return _between(found["first"] + found["month"], found["last"] + found["month"], today)
    if found := _DAYS.fullmatch(text):
        return _between(found["first"], found["last"], today, locale)
    return None


def _between(first: str, last: str, today: date, locale: str = "en") -> tuple[date, date] | None:
    """Return both days. "Monday to Wednesday" is read on a Tuesday too: Wednesday follows."""
    start = typed_times.parse_date(first, locale, today)
    if start is None:
        return None
    ends = (typed_times.parse_date(last, locale, day) for day in (today, start))
    end = next((on for on in ends if on is not None and on > start), None)
    return None if end is None else (start, end)


def _bound(found: re.Match[str]) -> tuple[int, int] | None:
    word, hour, minute, half = found.groups()
    at = _minutes(hour, minute, half)
    if at is None:
        return None
    start, end = (at, _MIDNIGHT) if word.lower() in ("from", "after") else (0, at)
    return (start, end) if start < end else None


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
