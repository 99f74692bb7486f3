"""Free times from opening hours, closures and busy times; time-zone and DST arithmetic.

Inside, time is whole UTC seconds since 1970 and half-open; a busy time becomes the range of
start times it forbids, so that a day is listed by stepping over a few merged ranges.
A view is trusted between its `opens_at` and `closes_at`, and nothing outside is offered.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = EPOCH.toordinal()
SECOND = timedelta(seconds=1)
DAY = 86_400

#: Parts of the day by local wall clock, in seconds after midnight, half-open.
PARTS: Mapping[str, tuple[int, int]] = {
    "morning": (0, 12 * 3600),
    "afternoon": (12 * 3600, 17 * 3600),
    "evening": (17 * 3600, DAY),
}


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


@dataclass(frozen=True, slots=True)
class DayStarts:
    """One practitioner's free start times on one local day, soonest first.

    `starts[i]` is in UTC seconds since 1970; `walls[i]` is the same instant on the clinic's
    clock, in seconds after midnight.
    """

    on: date
    starts: tuple[int, ...]
    walls: tuple[int, ...]


def free_slots(
    view: CalendarView, timetable: Timetable, from_on: date, until_on: date
) -> Iterator[Slot]:
    """Yield one practitioner's bookable times of these local days (inclusive), soonest first.

    Lazy: a caller that needs only the first few pays for the first few days.
    """
    for day in free_starts(view, timetable, from_on, until_on):
        for start in day.starts:
            yield slot_at(view, timetable.practitioner, start)


def free_starts(
    view: CalendarView, timetable: Timetable, from_on: date, until_on: date
) -> Iterator[DayStarts]:
    """Yield the days (inclusive) that have a bookable time, as integers for fast searching.

    A start is bookable when the service lies inside opening hours, the buffers round it are free
    of `busy`, the service itself is free of the patient's own appointments, and it lies in
    `[opens_at, closes_at]`. Closures win over overrides; a wall-clock time that DST skips is left
    out, and one that DST repeats means its first occurrence.
    """
    rules = _Rules.of(view, timetable)
    first = max(from_on, local(view.opens_at, view.zone).date())
    last = min(until_on, local(view.closes_at, view.zone).date())
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        on = date.fromordinal(ordinal)
        windows = () if on in view.closed_on else rules.windows(on)
        found = [pair for window in windows for pair in rules.starts(on, window)]
        if found:
            starts, walls = zip(*found, strict=True)
            yield DayStarts(on, starts, walls)


def free_days(view: CalendarView, from_on: date, days: int) -> tuple[tuple[date, int], ...]:
    """Return the free ones of `days` local days from `from_on`: day, number of start times.

    A time at which several practitioners are free counts once; days without times are left out.
    """
    until_on = from_on + timedelta(days=days - 1)
    times: dict[date, set[int]] = {}
    for timetable in view.timetables:
        for day in free_starts(view, timetable, from_on, until_on):
            times.setdefault(day.on, set()).update(day.starts)
    return tuple((on, len(times[on])) for on in sorted(times))


def free_on(
    view: CalendarView, on: date, part: str = "", *, preferred: str = ""
) -> tuple[Slot, ...]:
    """Return one slot for each start time of a local day, or of one part of it.

    Where several practitioners are free, the `preferred` one is taken, else the least busy one
    of that day, else the first by slug.
    """
    opens, closes = PARTS[part] if part else (0, DAY)
    chosen: dict[int, str] = {}
    for timetable in by_preference(view, on, preferred):
        for day in free_starts(view, timetable, on, on):
            for start, wall in zip(day.starts, day.walls, strict=True):
                if opens <= wall < closes:
                    chosen.setdefault(start, timetable.practitioner)
    return tuple(slot_at(view, chosen[start], start) for start in sorted(chosen))


def part_of(wall: int) -> str:
    """Return the part of the day of a wall-clock time in seconds after midnight."""
    return next(part for part, (_, closes) in PARTS.items() if wall < closes)


def hours_on(timetable: Timetable, on: date) -> tuple[tuple[time, time], ...]:
    """Return when a practitioner works on a local day that is not closed."""
    for override in timetable.overrides:
        if override.on == on:
            return override.hours
    return tuple((row.opens, row.closes) for row in timetable.hours if row.weekday == on.weekday())


def is_open(timetable: Timetable, slot: Slot, zone: str) -> bool:
    """Say whether a practitioner's hours cover a slot, by the clock of an IANA zone.

    Closures, busy times and buffers do not count.
    """
    start, end = local_start(slot, zone), local(slot.ends_at, zone)
    on = start.date()
    begins, ends = _wall(start.time()), _wall(end.time()) + (end.date() - on).days * DAY
    windows = _wall_windows(hours_on(timetable, on))
    return any(opens <= begins and ends <= closes for opens, closes in windows)


def local(instant: datetime, zone: str) -> datetime:
    """Return an aware instant on the clock of an IANA zone."""
    return instant.astimezone(ZoneInfo(zone))


def local_start(slot: Slot, zone: str) -> datetime:
    """Return when a slot starts on the clock of an IANA zone."""
    return local(slot.starts_at, zone)


def slot_at(view: CalendarView, practitioner: str, start: int) -> Slot:
    """Return the slot of the view's service that starts at this UTC second."""
    starts_at = EPOCH + start * SECOND
    return Slot(starts_at, starts_at + view.duration, practitioner)


def by_preference(view: CalendarView, on: date, preferred: str = "") -> list[Timetable]:
    """Order practitioners for a local day: the preferred one, the least busy, then by slug."""
    midnight = datetime.combine(on, time.min, ZoneInfo(view.zone))
    # The sum is on the wall clock, so that the day has 23 or 25 hours when the clocks change.
    from_, until = midnight.astimezone(UTC), (midnight + timedelta(days=1)).astimezone(UTC)

    def rank(timetable: Timetable) -> tuple[bool, timedelta, str]:
        booked = (min(end, until) - max(start, from_) for start, end in timetable.busy)
        worked = sum((part for part in booked if part > timedelta(0)), timedelta(0))
        return timetable.practitioner != preferred, worked, timetable.practitioner

    return sorted(view.timetables, key=rank)


@dataclass(frozen=True, slots=True)
class _Rules:
    """One timetable prepared for listing: everything in whole seconds."""

    zone: ZoneInfo
    weekly: tuple[tuple[tuple[int, int], ...], ...]  # by weekday, wall-clock seconds
    dated: Mapping[date, tuple[tuple[int, int], ...]]
    duration: int
    step: int
    earliest: int
    latest: int
    blocked_from: list[int]  # start times in [blocked_from[i], blocked_until[i]) are forbidden
    blocked_until: list[int]

    @classmethod
    def of(cls, view: CalendarView, timetable: Timetable) -> _Rules:
        blocked = _merged(_forbidden_starts(view, timetable))
        weekly: list[list[tuple[time, time]]] = [[] for _ in range(7)]
        for row in timetable.hours:
            weekly[row.weekday].append((row.opens, row.closes))
        return cls(
            zone=ZoneInfo(view.zone),
            weekly=tuple(_wall_windows(hours) for hours in weekly),
            dated={override.on: _wall_windows(override.hours) for override in timetable.overrides},
            duration=view.duration // SECOND,
            step=view.step // SECOND,
            earliest=_seconds_up(view.opens_at),
            latest=_seconds(view.closes_at),
            blocked_from=[start for start, _ in blocked],
            blocked_until=[end for _, end in blocked],
        )

    def windows(self, on: date) -> tuple[tuple[int, int], ...]:
        dated = self.dated.get(on)
        return self.weekly[on.weekday()] if dated is None else dated

    def starts(self, on: date, window: tuple[int, int]) -> Iterable[tuple[int, int]]:
        """List (start in UTC seconds, wall-clock seconds) of one opening window."""
        midnight = _even_midnight(self.zone.key, on.toordinal())
        if midnight is None:
            return self._starts_over_a_change(on, window)
        first, last = window[0] + midnight, window[1] + midnight - self.duration
        if self.earliest > first:
            first += -(-(self.earliest - first) // self.step) * self.step
        last = min(last, self.latest)
        return [(start, start - midnight) for start in self._unblocked(first, last)]

    def _unblocked(self, first: int, last: int) -> Iterator[int]:
        index = bisect_right(self.blocked_until, first)
        start = first
        while start <= last:
            if index == len(self.blocked_from) or self.blocked_from[index] > last:
                yield from range(start, last + 1, self.step)
                return
            yield from range(start, self.blocked_from[index], self.step)
            passed = self.blocked_until[index] - start
            start += max(0, -(-passed // self.step)) * self.step
            index += 1

    def _starts_over_a_change(self, on: date, window: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """Convert one by one on the two days a year when the clocks change."""
        midnight = datetime.combine(on, time.min, self.zone)
        closes = midnight + window[1] * SECOND
        # A closing time that exists twice or never is read as the earlier instant.
        closes_at = min(_seconds(closes), _seconds(closes.replace(fold=1)))
        for wall in range(window[0], window[1], self.step):
            clock = midnight + wall * SECOND
            start = _seconds(clock)
            there = clock.astimezone(UTC).astimezone(self.zone)
            exists = there.replace(tzinfo=None) == clock.replace(tzinfo=None)
            if exists and start + self.duration <= closes_at and self._is_open(start):
                yield start, wall

    def _is_open(self, start: int) -> bool:
        index = bisect_right(self.blocked_until, start)
        blocked = index < len(self.blocked_from) and self.blocked_from[index] <= start
        return self.earliest <= start <= self.latest and not blocked


def _forbidden_starts(view: CalendarView, timetable: Timetable) -> Iterator[tuple[int, int]]:
    """Turn each busy time into the half-open range of starts that would touch it."""
    duration = view.duration // SECOND
    before, after = view.buffer_before // SECOND, view.buffer_after // SECOND
    for start, end in timetable.busy:
        yield _seconds(start) - duration - after + 1, _seconds_up(end) + before
    for start, end in view.patient_busy:
        yield _seconds(start) - duration + 1, _seconds_up(end)


def _merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _wall_windows(hours: Iterable[tuple[time, time]]) -> tuple[tuple[int, int], ...]:
    """Join touching hours, so that a service may run over the seam."""
    return tuple(_merged((_wall(opens), _wall(closes)) for opens, closes in hours))


def _wall(clock: time) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second


def _seconds(instant: datetime) -> int:
    return (instant - EPOCH) // SECOND


def _seconds_up(instant: datetime) -> int:
    return -((EPOCH - instant) // SECOND)


@lru_cache(maxsize=8192)
def _even_midnight(zone: str, ordinal: int) -> int | None:
    """Return the UTC second of a local midnight; None when the clocks change on that day."""
    midnight = datetime.combine(date.fromordinal(ordinal), time.min, ZoneInfo(zone))
    offset = midnight.utcoffset()
    if offset is None or offset != (midnight + timedelta(days=1)).utcoffset():
        return None
    return (ordinal - EPOCH_DAY) * DAY - offset // SECOND
