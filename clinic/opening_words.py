"""Opening times as people type them: "9-13, 14-17:30", "weekdays 9-5pm; Sat 10-14", "closed"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from storage.clinic_file import WEEKDAYS

_TIME = r"(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm)?"
_SPAN = re.compile(rf"{_TIME}\s*(?:-|–|—|to|until)\s*{_TIME}", flags=re.IGNORECASE)
_CLOSED = {"", "-", "–", "closed", "none", "off"}
_DAY = r"(mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?"
_DAYS = re.compile(rf"{_DAY}(?:\s*(?:-|–|to)\s*{_DAY})?", flags=re.IGNORECASE)
#: After the times of some days others may begin: "Mon-Fri 9-17, Sat 10-14".
_NEXT_DAYS = re.compile(rf"(?:[\s,&+]|\band\b)+(?={_DAY})", flags=re.IGNORECASE)
#: Nobody opens between 1 and 6 in the night, nor begins at 8 in the evening: 2-6 is the afternoon.
_EARLIEST, _LATEST = "06:00", "07:59"
#: Words for several days, and the days that are meant.
_SEVERAL = (
    (re.compile(r"\bweekdays?\b", flags=re.IGNORECASE), "Mon-Fri"),
    (re.compile(r"\bweekends?\b", flags=re.IGNORECASE), "Sat-Sun"),
    (re.compile(r"\b(?:daily|every ?day)\b", flags=re.IGNORECASE), "Mon-Sun"),
)


def spans(text: str) -> list[str]:
    """Return a day's times as a clinic file says them; what is not understood stays as it is."""
    if text.strip().casefold() in _CLOSED:
        return []
    parts = re.split(r"\s*(?:,|;|\+|&|\band\b)\s*", text.strip())
    return _in_order([part for part in parts if part])


def week(text: str) -> dict[str, list[str]]:
    """Return the times by weekday of "Mon-Fri 9-13 14-18; Sat 10-14".

    Raises ValueError, which says in a sentence what to write.
    """
    hours: dict[str, list[str]] = {}
    for line in re.split(r"[;\n]", text):
        left = line.strip(" ,")
        while left:
            days, rest = _days(left)
            others = _NEXT_DAYS.search(rest)
            typed, left = (rest[: others.start()], rest[others.end() :]) if others else (rest, "")
            hours |= dict.fromkeys(days, _times(days, typed.strip(" ,")))
    return {day: hours[day] for day in WEEKDAYS if hours.get(day)}


def _times(days: Sequence[str], typed: str) -> list[str]:
    """Return the times of some days. Raises ValueError for what is neither times nor closed."""
    found = _in_order([each[0] for each in _SPAN.finditer(typed)])
    left = re.sub(r"[\s,&+]|\band\b", "", _SPAN.sub("", typed))
    if left.casefold() not in _CLOSED or (not found and not left):
        whose = ", ".join(day.title() for day in days)
        raise ValueError(f"the times of {whose} must look like 9-13, 14-17:30, got {typed!r}")
    return found


def say(times: Sequence[str]) -> str:
    """Return a day's times as `spans` reads them."""
    return ", ".join(times)


def say_week(hours: dict[str, list[str]]) -> str:
    """Return a week's times as `week` reads them, one line for days that are alike."""
    runs: list[tuple[str, str, list[str]]] = []
    for day in WEEKDAYS:
        times = hours.get(day, [])
        if runs and runs[-1][2] == times and _follows(runs[-1][1], day):
            runs[-1] = (runs[-1][0], day, times)
        else:
            runs.append((day, day, times))
    return "; ".join(
        f"{first.title()}{'' if first == last else f'-{last.title()}'} {say(times)}"
        for first, last, times in runs
        if times
    )


def _follows(before: str, day: str) -> bool:
    return WEEKDAYS.index(day) == WEEKDAYS.index(before) + 1


def _days(line: str) -> tuple[list[str], str]:
    """Return the days that a line begins with, and the rest of it."""
    days: list[str] = []
    rest = line
    for several, meant in _SEVERAL:
        rest = several.sub(meant, rest)
    while found := _DAYS.match(rest):
        first = WEEKDAYS.index(found[1].lower())
        last = WEEKDAYS.index((found[2] or found[1]).lower())
        days += [
            WEEKDAYS[day % 7] for day in range(first, (last if last >= first else last + 7) + 1)
        ]
        rest = rest[found.end() :].lstrip(" ,&+:")
        rest = re.sub(rf"^and\s+(?={_DAY})", "", rest, flags=re.IGNORECASE)
    if not days:
        raise ValueError(f"a line must begin with its days, such as Mon-Fri 9-17, got {line!r}")
    return days, rest


def _in_order(parts: Sequence[str]) -> list[str]:
    """Return a day's times as a clinic file says them, each read as later than the one before."""
    said: list[str] = []
    for part in parts:
        said.append(_span(part, said[-1][-5:] if said else ""))
    return said


def _span(text: str, after: str) -> str:
    found = _SPAN.fullmatch(text.strip())
    if not found:
        return text.strip()
    (hour, minute, half), (until, until_minute, until_half) = found.groups()[:3], found.groups()[3:]
    if until_half and not half and int(hour) < 12:
        half = "am" if int(hour) > int(until) % 12 or until_half.lower() == "am" else until_half
    opens = _clock(hour, minute, half)
    closes = _clock(until, until_minute, until_half)
    if not opens or not closes:
        return text.strip()
    is_by_24 = not half and int(hour) > 12  # then 9 is no evening: 17-9 is told as it stands
    is_loose = _is_loose(hour, half)
    is_loose_end = _is_loose(until, until_half) and not is_by_24
    if is_loose and opens < max(after, _EARLIEST) and opens <= _LATEST:
        later = _afternoon(opens)
        if (end := _end(closes, later, is_loose=is_loose_end)) > later:
            return f"{later}-{end}"
    return f"{opens}-{_end(closes, opens, is_loose=is_loose_end)}"


def _end(closes: str, opens: str, *, is_loose: bool) -> str:
    later = _afternoon(closes)
    return later if is_loose and closes <= opens < later else closes


def _clock(hour: str, minute: str | None, half: str | None) -> str:
    """Return a time as HH:MM; empty when there is no such one."""
    number = int(hour)
    if half and number > 12:  # some say 13pm
        return f"{number}:{minute or '00'}" if half.lower() == "pm" and number < 24 else ""
    if half:
        number = number % 12 + (12 if half.lower() == "pm" else 0)
    return f"{number:02d}:{minute or '00'}"


def _is_loose(hour: str, half: str | None) -> bool:
    """Say whether an hour may be meant for the afternoon: 2 may, and 02, 14 and 2am may not."""
    return not half and not hour.startswith("0") and int(hour) < 12


def _afternoon(clock: str) -> str:
    return f"{int(clock[:2]) + 12}{clock[2:]}"
