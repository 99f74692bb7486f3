"""Days and times that patients type: "tomorrow at 5", "next Friday afternoon", "12 June".

Everything is counted from the day given; neither the clock nor the machine's zone is used
(dateparser is always handed a base day and UTC). Phrases with weekdays, parts of the day and clock
times are understood in English; dates, in every language that dateparser knows. Words that are
left over mean that the text says something else, and something else is not guessed at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import dateparser
from dateparser.data.languages_info import language_order

from flows.slots import part_of


@dataclass(frozen=True, slots=True)
class When:
    """What a patient said about a time; something is always set. All on the clinic's clock."""

    on: date | None  # local day
    part: str = ""  # morning, afternoon, evening: as said, or as the clock time implies
    at: time | None = None  # wall-clock time


_LONGEST = 80  # characters; a longer text is a story, not a date

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT_WEEKDAYS = {
    "mon": 0, "tue": 1, "tues": 1, "wed": 2, "weds": 2, "thu": 3, "thur": 3, "thurs": 3,
    "fri": 4, "sat": 5, "sun": 6,
}  # fmt: skip
_WEEKDAY_NUMBERS = _SHORT_WEEKDAYS | {name: number for number, name in enumerate(_WEEKDAYS)}
_WEEKDAY = "|".join(sorted(_WEEKDAY_NUMBERS, key=len, reverse=True))
_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip

#: Words that add nothing to a wish for a time. What is neither here nor understood stops it.
_FILLER = re.compile(
    "i|id|im|ill|would|like|love|want|prefer|could|can|we|do|you|have|is|are|there|be|its|my|the"
    "|of|on|at|for|me|us|to|come|please|pls|thanks|thank|ok|okay|yes|hi|hello|hey|book"
    "|appointment|slot|session|times?|any|anytime|some|sometime|something|maybe|perhaps|works?"
    "|suits|best|good|great|better|fine|free|available|possible|if|how|about|what|wedding|event"
    "|party|holiday|birthday|date|day"
)
#: Words with which a date is no longer one day.
_REFUSED = re.compile(
    r"\b(?:or|and|not|no|except|before|after|until|till|since|between|from|by|ago|last|past|every"
    r"|never|cant|cannot|dont|couple|few)\b"
)

_PARTS = (
    (re.compile(r"\b(?:after lunch|lunch ?time|(?:in the )?afternoons?)\b"), "afternoon"),
    (re.compile(r"\b(?:after (?:work|school)|(?:in the )?evenings?|at night)\b"), "evening"),
    (re.compile(r"\b(?:in the )?mornings?\b"), "morning"),
)
#: Other ways to say a clock time, rewritten before it is looked for.
_SAYINGS = (
    (re.compile(r"\b(?:noon|midday)\b"), "12:00"),
    (re.compile(r"\bhalf past (\d{1,2})\b"), r"\1:30"),
    (re.compile(r"\bquarter past (\d{1,2})\b"), r"\1:15"),
    (re.compile(r"\bto ?night\b"), "this evening"),
    (re.compile(r"\b(\d{1,2}) (?=in the (?:morning|afternoon|evening))"), r"at \1 "),
)
_LEAD = r"(?:\b(?P<bound>after|from|before|by) |\b(?:at|around|about) |@ ?)"
_CLOCKS = (
    re.compile(  # 10:30, 5pm, 5.30 pm, 5 oclock
        _LEAD + r"?\b(?P<hour>\d{1,2})(?::(?P<minute>\d\d)(?!\d)(?: ?(?P<half>[ap]m)\b)?"
        r"|(?:[.](?P<minute2>\d\d))? ?(?P<half2>[ap]m)\b| ?oclock\b)"
    ),
    re.compile(  # a bare number is an hour only after such a word: at 5, after 3, at 5.30
        _LEAD + r"(?P<hour>\d{1,2})(?:[.](?P<minute>\d\d))?(?![\w/.-]| (?:" + _MONTH + r")\b)"
    ),
)
_DAY_OF_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)")
_SPAN = re.compile(r"in (\w+) (day|week|fortnight|month)s?")
_NAMED_DAY = re.compile(
    rf"(?:(?P<lead>next|this coming|this|coming|a) )?(?P<day>{_WEEKDAY})"
    r"(?: (?P<tail>next week|week))?"
)
_WEEK_FIRST = re.compile(rf"^(?:a )?(week|next week) ({_WEEKDAY})$")
_DATED_DAY = re.compile(rf"(?P<day>{_WEEKDAY}) (?P<date>.*\d.*)")
_NUMERIC = re.compile(r"(\d{1,2})[/.-](\d{1,2})\b")
#: With dots or dashes, only a full date is one: 5.30 is rather a time, and 1-2 a range.
_WRITTEN = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}/\d{1,2}(?:/(?:\d\d){1,2})?"
    r"|\d{1,2}([.-])\d{1,2}\1(?:\d\d){1,2}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)? (?:{_MONTH})(?: \d{{4}})?"
    rf"|(?:{_MONTH}) \d{{1,2}}(?:st|nd|rd|th)?(?: \d{{4}})?"
)


def parse_date(text: str, locale: str, today: date) -> date | None:
    """Return the one day that the words name, None when they do not name exactly one.

    A day without its year is the next such day after today; a date with its year may lie in the
    past. Numbers are read day first, except in locale `en_US`. "Friday" and "this Friday" are the
    coming one; "next Friday" is the Friday of the next week, Monday to Sunday, so said on a
    Wednesday it is nine days away.
    """
    words = _plain(text)
    return _day(words, locale, today) if len(words) <= _LONGEST else None


def parse_when(text: str, locale: str, now_local: datetime) -> When | None:
    """Return the day, part of the day and clock time named; None when the words say more.

    `now_local` is the clinic's wall clock. Days are read as by `parse_date`. An hour from 1 to 7
    without "am" is in the afternoon, as clinics open by day; "after 3" names the part of the day,
    not a time. A bare number is nothing: it may be a day, an hour or an answer.
    """
    words = _plain(text)
    if len(words) > _LONGEST:
        return None
    for pattern, plain in _SAYINGS:
        words = pattern.sub(plain, words)
    words, part = _take_part(words)
    taken = _take_clock(words, part)
    if taken is None:
        return None
    words, when = taken
    if words == "this":
        words = "today"
    if not _meaningful(words):
        return when if when.part else None
    on = _day(words, locale, now_local.date())
    return None if on is None else replace(when, on=on)


def _plain(text: str) -> str:
    """Lower-case words with the marks that dates and times need, and no others."""
    text = re.sub(r"['’`]", "", text.casefold())
    text = re.sub(r"\b([ap])[.]m\b", r"\1m", text)
    text = re.sub(r"[^\w\s:/.@-]", " ", text)
    return " ".join(filter(None, (word.strip(".-:") for word in text.split())))


def _meaningful(words: str) -> str:
    return " ".join(word for word in words.split() if not _FILLER.fullmatch(word))


def _take_part(words: str) -> tuple[str, str]:
    for pattern, part in _PARTS:
        rest, found = pattern.subn(" ", words)
        if found:
            return " ".join(rest.split()), part
    return words, ""


def _take_clock(words: str, part: str) -> tuple[str, When] | None:
    """Return the words without the clock time, and the time; None when it is no time of day."""
    for pattern in _CLOCKS:
        if found := pattern.search(words):
            named = found.groupdict()
            at = _clock(named, part)
            if at is None or (named["bound"] in ("before", "by") and at > time(12)):
                return None
            rest = f"{words[: found.start()]} {words[found.end() :]}"
            return " ".join(rest.split()), _bounded(at, named["bound"], part)
    return words, When(None, part)


def _clock(named: dict[str, str | None], part: str) -> time | None:
    hour = int(named["hour"] or 0)
    minute = int(named["minute"] or named.get("minute2") or 0)
    half = named.get("half") or named.get("half2")
    if hour > (12 if half else 23) or minute > 59 or hour == 0:
        return None
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    elif (hour <= 7 and part != "morning") or (hour < 12 and part == "evening"):
        hour += 12
    return time(hour, minute)


def _bounded(at: time, bound: str | None, part: str) -> When:
    if bound in ("before", "by"):
        return When(None, part or "morning")
    return When(None, part or part_of(at.hour * 3600), None if bound else at)


def _day(words: str, locale: str, today: date) -> date | None:
    """Return the one day that is all the words name."""
    words = words.replace("day after tomorrow", "in 2 days")
    if _REFUSED.search(words):
        return None
    words = _WEEK_FIRST.sub(r"\2 \1", _meaningful(words))
    if words in ("today", "tomorrow"):
        return today + timedelta(days=words == "tomorrow")
    if span := _SPAN.fullmatch(words):
        return _after(span[1], span[2], today)
    if named := _NAMED_DAY.fullmatch(words):
        return _weekday(named["lead"] or "", named["day"], named["tail"] or "", today)
    if number := _DAY_OF_MONTH.fullmatch(words):
        ahead = (today + timedelta(days=days) for days in range(1, 63))
        return next((on for on in ahead if on.day == int(number[1])), None)
    if dated := _DATED_DAY.fullmatch(words):
        on = _day(dated["date"], locale, today)
        return on if on and on.weekday() == _WEEKDAY_NUMBERS[dated["day"]] else None
    return _written(words, locale, today)


def _after(many: str, unit: str, today: date) -> date | None:
    number = int(many) if many.isdecimal() else _NUMBERS.get(many)
    if number is None:
        return None
    if unit == "fortnight":
        number, unit = 2 * number, "week"
    return _parsed(f"in {number} {unit}s", "en", "DMY", today)


def _weekday(lead: str, name: str, tail: str, today: date) -> date | None:
    number = _WEEKDAY_NUMBERS[name]
    if lead == "next" and tail:
        return None
    if lead == "next" or tail == "next week":
        return today + timedelta(days=7 - today.weekday() + number)
    coming = today + timedelta(days=(number - today.weekday() - 1) % 7 + 1)
    return coming + timedelta(days=7 if tail else 0)


def _written(words: str, locale: str, today: date) -> date | None:
    """Read a written date: in English of a known shape, else whatever dateparser knows."""
    language = re.split("[-_]", locale)[0].lower()
    month_first = locale.replace("-", "_") == "en_US"
    english = language == "en" or language not in language_order
    if not words or words.isdigit() or (english and not _WRITTEN.fullmatch(words)):
        return None
    on = _parsed(words, "en" if english else language, "MDY" if month_first else "DMY", today)
    numbers = _NUMERIC.match(words)
    if on is None or numbers is None:
        return on
    # Where this order cannot be right, dateparser tries another one: 6/30 would be 30 June.
    first, second = (on.month, on.day) if month_first else (on.day, on.month)
    return on if (first, second) == (int(numbers[1]), int(numbers[2])) else None


def _parsed(words: str, language: str, order: str, today: date) -> date | None:
    # The base has no time of day of its own, so that dateparser keeps one set of settings a day.
    base = datetime.combine(today, time(12), UTC).replace(tzinfo=None)
    found = dateparser.parse(
        words,
        languages=[language],
        settings={
            "RELATIVE_BASE": base,
            "TIMEZONE": "UTC",
            "DATE_ORDER": order,
            "PREFER_DATES_FROM": "future",
            "PARSERS": ["relative-time", "absolute-time"],
            "RETURN_AS_TIMEZONE_AWARE": False,
        },
    )
    return found.date() if found else None
