"""Places what a calendar holds on days: wall-clock hours, side by side where things overlap. Pure.

A place is a few class names of `static/calendar.css`, in steps of five minutes: the console's pages
carry no style of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flows.slots import Timetable, hours_on
from storage.calendar_sheet import CalendarSheet
from storage.day_sheet import Column, Visit

STEP = 5  # minutes
SHORTEST = 15  # minutes that the shortest entry is drawn with
BRIEF = 40  # minutes under which an entry is one line
FIRST_HOUR, LAST_HOUR = 8, 18  # shown even when nobody works then
MOST_LANES = 3


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes of a local day, `[starts, ends)`."""

    starts: int
    ends: int

    @property
    def place(self) -> str:
        """Return the class names of where this is drawn."""
        return f"h{self.starts // 60} m{self.starts % 60} u{self.ends // 60} v{self.ends % 60}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A visit or time off, or time taken in the practitioner's own calendar."""

    starts_at: datetime
    ends_at: datetime
    span: Span
    visit: Visit | None  # None: taken outside
    anchor: str  # its id on the page: on its first day that of the visit alone
    begins: str  # in words, of this day
    goes_on: str
    buffers: tuple[Span, ...] = ()
    lane: int = 0
    lanes: int = 1

    @property
    def kind(self) -> str:
        """Return the visit's state, or `outside`."""
        return self.visit.state if self.visit else "outside"

    @property
    def is_brief(self) -> bool:
        """Say whether there is room for one line only."""
        return self.span.ends - self.span.starts < BRIEF


@dataclass(frozen=True, slots=True)
class Strip:
    """One practitioner's local day."""

    on: date
    slug: str
    name: str
    opening: tuple[Span, ...]
    hours: tuple[tuple[time, time], ...]
    entries: tuple[Entry, ...]
    now: Span | None  # where the line of the current minute is; None on another day


@dataclass(frozen=True, slots=True)
class Grid:
    """Strips side by side over the same hours."""

    first_hour: int
    last_hour: int
    strips: tuple[Strip, ...]

    @property
    def labels(self) -> range:
        """Return the hours that are written beside the strips."""
        return range(self.first_hour, self.last_hour)

    def shows(self, entry: Entry) -> bool:
        """Say whether an entry lies within the hours that are drawn."""
        return entry.span.starts < self.last_hour * 60 and entry.span.ends > self.first_hour * 60


def grid(
    sheet: CalendarSheet, days: Sequence[date], people: Sequence[str], zone: str, now: datetime
) -> Grid:
    """Return the days of these practitioners, by slug: all days of the first one first."""
    columns = {column.slug: column for column in sheet.columns}
    timetables = {timetable.practitioner: timetable for timetable in sheet.timetables}
    strips = [
        _strip(columns[slug], timetables.get(slug), on, on in sheet.closed_on, (zone, now))
        for slug in people
        for on in days
    ]
    first, last = _hours_shown(strips)
    return Grid(first, last, tuple(_clipped(strip, first, last) for strip in strips))


def _strip(
    column: Column,
    timetable: Timetable | None,
    on: date,
    is_closed: bool,
    clock: tuple[str, datetime],
) -> Strip:
    here = ZoneInfo(clock[0])
    hours = () if is_closed or timetable is None else hours_on(timetable, on)
    outside = timetable.busy if timetable else ()
    found = [
        *(_entry(visit.starts_at, visit.ends_at, on, here, visit) for visit in column.visits),
        *(_entry(start, end, on, here, None) for start, end in outside),
    ]
    now = clock[1].astimezone(here)
    minute = now.hour * 60 + now.minute
    return Strip(
        on=on,
        slug=column.slug,
        name=column.name,
        opening=tuple(Span(_minutes(opens), _minutes(closes)) for opens, closes in hours),
        hours=hours,
        entries=tuple(_laned(entry for entry in found if entry)),
        now=Span(minute - minute % STEP, minute - minute % STEP) if now.date() == on else None,
    )


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _entry(
    starts_at: datetime, ends_at: datetime, on: date, here: ZoneInfo, visit: Visit | None
) -> Entry | None:
    span = _on_day(starts_at, ends_at, on, here)
    if span is None:
        return None
    buffers: tuple[Span | None, ...] = ()
    if visit and visit.state != "blocked":
        buffers = (
            _on_day(visit.blocks_from, starts_at, on, here),
            _on_day(ends_at, visit.blocks_until, on, here),
        )
    long_enough = replace(span, ends=min(24 * 60, max(span.ends, span.starts + SHORTEST)))
    anchor = f"visit-{visit.uid}" if visit else ""
    if starts_at.astimezone(here).date() < on:
        anchor += f"-{on}"
    drawn = tuple(each for each in buffers if each is not None)
    words = _words(starts_at, ends_at, on, here)
    return Entry(starts_at, ends_at, long_enough, visit, anchor, *words, drawn)


def _words(starts_at: datetime, ends_at: datetime, on: date, here: ZoneInfo) -> tuple[str, str]:
    """Return from when and until when, as far as it is on that day."""
    midnight = datetime.combine(on, time(), here)
    tomorrow = datetime.combine(on + timedelta(days=1), time(), here)
    starts, ends = starts_at.astimezone(here), ends_at.astimezone(here)
    if starts_at > midnight:
        return f"{starts:%H:%M}", f"–{ends:%H:%M}" if ends_at < tomorrow else " on"
    return (f"Until {ends:%H:%M}" if ends_at < tomorrow else "All day"), ""


def _on_day(starts_at: datetime, ends_at: datetime, on: date, here: ZoneInfo) -> Span | None:
    """Return the part of a time that lies on a local day; None when no part does."""
    midnight = datetime.combine(on, time(), here)
    tomorrow = datetime.combine(on + timedelta(days=1), time(), here)
    if not starts_at < ends_at or starts_at >= tomorrow or ends_at <= midnight:
        return None
    starts = 0 if starts_at <= midnight else _wall(starts_at, here)
    ends = 24 * 60 if ends_at >= tomorrow else _wall(ends_at, here)
    return Span(starts - starts % STEP, max(ends + -ends % STEP, starts - starts % STEP + STEP))


def _wall(at: datetime, here: ZoneInfo) -> int:
    clock = at.astimezone(here)
    return clock.hour * 60 + clock.minute


def _laned(entries: Iterable[Entry]) -> list[Entry]:
    """Put entries that overlap side by side; what overlaps in a chain shares one width."""
    done: list[Entry] = []
    cluster: list[Entry] = []
    until = 0
    for entry in sorted(entries, key=lambda each: (each.span.starts, -each.span.ends)):
        if entry.span.starts >= until:
            done += _spread(cluster)
            cluster = []
        cluster.append(entry)
        until = max(until, entry.span.ends)
    return done + _spread(cluster)


def _spread(cluster: Sequence[Entry]) -> list[Entry]:
    ends: list[int] = []
    placed = []
    for entry in cluster:
        free = [lane for lane, end in enumerate(ends) if end <= entry.span.starts]
        lane = free[0] if free else min(len(ends), MOST_LANES - 1)
        ends[lane : lane + 1] = [entry.span.ends]
        placed.append(replace(entry, lane=lane))
    return [replace(entry, lanes=len(ends)) for entry in placed]


def _hours_shown(strips: Sequence[Strip]) -> tuple[int, int]:
    """Return the hours that hold every visit and everybody's opening hours."""
    spans = [span for strip in strips for span in strip.opening]
    spans += [
        entry.span
        for strip in strips
        for entry in strip.entries
        if entry.visit and entry.visit.state != "blocked"
    ]
    first = min([FIRST_HOUR, *(span.starts // 60 for span in spans)])
    last = max([LAST_HOUR, *(-(-span.ends // 60) for span in spans)])
    return first, min(last, 24)


def _clipped(strip: Strip, first: int, last: int) -> Strip:
    """Keep what is drawn within the hours that are shown; what lies beyond is listed only."""

    def clip(span: Span) -> Span:
        if span.ends <= first * 60 or span.starts >= last * 60:
            return span
        return Span(max(span.starts, first * 60), min(span.ends, last * 60))

    shown = strip.now and first * 60 <= strip.now.starts < last * 60
    return replace(
        strip,
        entries=tuple(
            replace(
                entry,
                span=clip(entry.span),
                buffers=tuple(clip(each) for each in entry.buffers),
            )
            for entry in strip.entries
        ),
        now=strip.now if shown else None,
    )
