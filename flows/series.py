"""Complete series of appointments: the best ones to offer, the nearest repair of a broken one.

Gaps between sessions are counted in the clinic's local days. All sessions of a series are with
one practitioner, and the weekday and hour of the first session are kept where that is possible.

The search is exact. With the first session fixed, the cost of a later session depends on its own
day alone (its weekday, its free time nearest to the first session's clock time), and the cost of
a gap on its length alone; so the cheapest chain of days is found by dynamic programming, and
each day contributes its best time. First days from which no series can be completed are ruled
out beforehand, all at once, with integers as sets of days.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from heapq import merge
from itertools import groupby, islice
from operator import add, or_

from flows.conversation import Offer
from flows.plan import Plan
from flows.protocol import Spacing
from flows.slots import (
    CalendarView,
    DayStarts,
    Slot,
    Timetable,
    by_preference,
    free_starts,
    local,
    local_start,
    part_of,
    slot_at,
)

#: Cost of a series in minutes of inconvenience: a minute for each minute that a session's clock
#: time is away from the first session's, and these.
DAY_OFF_PREFERRED = 60  # for each day that a gap is away from the preferred one
OTHER_WEEKDAY = 120  # for each session on another weekday than the first
#: Cost of a repair: no distance that others could save is worth moving one session more.
MOVED = 10_000_000
DAY_MOVED = 1440

#: How many days later an offer may begin for the sake of being unlike the ones before it.
SAME_DAY, SAME_WEEKDAY, SAME_PART = 14, 4, 6
FIRST_DAYS = 12  # free days considered for the first session of an offer
APART = 3600  # seconds between the first sessions of two offers on one day

NEVER = 1 << 60


def offers(view: CalendarView, plan: Plan, *, limit: int = 3) -> tuple[Offer, ...]:
    """Return the best complete series for up to `limit` different first times.

    The first one begins on the soonest day from which the whole series is possible; the others
    begin on other weekdays and at other parts of the day where the calendar allows. Sorted by
    first time. Empty when no complete series fits between notice and horizon.
    """
    diaries = {
        timetable.practitioner: _diary(view, timetable, plan) for timetable in view.timetables
    }
    firsts = [
        first
        for diary in diaries.values()
        for day in islice(_first_days(diary.days, plan), FIRST_DAYS)
        for first in _times(view, diary.practitioner, diary.days[day])
    ]
    return _spread(
        firsts, lambda first: _best_series(diaries[first.slot.practitioner], first, plan), limit
    )


def from_first(view: CalendarView, plan: Plan, first: Slot) -> Offer | None:
    """Return the best series that begins at `first`; None when there is none.

    Also None when `first` is not free (any more) or lies on a day that the plan rules out.
    """
    timetables = {timetable.practitioner: timetable for timetable in view.timetables}
    if first.practitioner not in timetables:
        return None
    diary = _diary(view, timetables[first.practitioner], plan)
    day = diary.days.get(local_start(first, view.zone).toordinal())
    times = _times(view, first.practitioner, day) if day else ()
    start = next((time for time in times if time.slot == first), None)
    series = _best_series(diary, start, plan) if start else None
    return series[1] if series else None


def first_only(view: CalendarView, plan: Plan, limit: int = 3) -> tuple[Offer, ...]:
    """Return single times for the first session, for a patient who wants to book just that."""
    return _spread_singles(view, plan.starts_on, lambda on: allowed(plan, on), limit)


def single_offers(view: CalendarView, from_on: date, limit: int = 3) -> tuple[Offer, ...]:
    """Return single times from a local day on, the soonest and some unlike it: consultations."""
    return _spread_singles(view, from_on, lambda _: True, limit)


def repair(view: CalendarView, plan: Plan, wanted: Offer) -> Offer | None:
    """Return the series nearest to `wanted` that is still free; None when there is none.

    As many times as possible stay, and the moved ones move by the least (whole days, then
    minutes on the clock). `changed` names the moved ones. Another practitioner is taken only
    when the wanted one has no series left, and then for every session.
    """
    wanted_name = wanted.slots[0].practitioner
    order = sorted(view.timetables, key=lambda timetable: timetable.practitioner)
    same = [timetable for timetable in order if timetable.practitioner == wanted_name]
    others = [timetable for timetable in order if timetable.practitioner != wanted_name]
    for group in (same, others):
        found = [
            _nearest_repair(_diary(view, timetable, plan), plan.spacing, wanted)
            for timetable in group
        ]
        possible = [series for series in found if series is not None]
        if possible:
            return min(possible, key=lambda series: series[0])[1]
    return None


def allowed(plan: Plan, on: date) -> bool:
    """Tell whether the plan lets a session fall on this local day."""
    if on < plan.starts_on or (plan.weekdays is not None and on.weekday() not in plan.weekdays):
        return False
    return not any(first <= on <= last for first, last in plan.avoid)


#: The best offer that begins at a time, and its cost; None when there is none.
_Best = Callable[["_Time"], tuple[int, Offer] | None]


@dataclass(frozen=True, slots=True)
class Diary:
    """One practitioner's free times by day ordinal, on the days that may be used."""

    view: CalendarView
    practitioner: str
    days: Mapping[int, DayStarts]

    def nearest(self, day: int, wall: int) -> tuple[int, int]:
        """Return (minutes away, index) of the day's time nearest to a clock time."""
        walls = self.days[day].walls
        index = bisect_left(walls, wall)
        if index == len(walls) or (index and wall - walls[index - 1] <= walls[index] - wall):
            index -= 1
        return abs(walls[index] - wall) // 60, index

    def slot(self, day: int, wall: int) -> Slot:
        """Return the day's time nearest to a clock time."""
        _, index = self.nearest(day, wall)
        return slot_at(self.view, self.practitioner, self.days[day].starts[index])

    def costs_of_moving(self, start: datetime) -> dict[int, int]:
        """Return for each day what it costs to move a session there from a local start."""
        wall = wall_of(start)
        return {
            day: MOVED + DAY_MOVED * abs(day - start.toordinal()) + self.nearest(day, wall)[0]
            for day in self.days
        }


@dataclass(frozen=True, slots=True)
class _Time:
    """A free time at which a series may begin."""

    slot: Slot
    day: int  # ordinal
    wall: int  # seconds after local midnight

    @property
    def unit(self) -> tuple[int, str]:
        return self.day, part_of(self.wall)


def diary(
    view: CalendarView, timetable: Timetable, from_on: date, may: Callable[[date], bool]
) -> Diary:
    """Return a practitioner's free times from a local day on, on the days that `may` be used."""
    until_on = local(view.closes_at, view.zone).date()
    found = free_starts(view, timetable, from_on, until_on)
    days = {day.on.toordinal(): day for day in found if may(day.on)}
    return Diary(view, timetable.practitioner, days)


def _diary(view: CalendarView, timetable: Timetable, plan: Plan) -> Diary:
    return diary(view, timetable, plan.starts_on, lambda on: allowed(plan, on))


def _times(view: CalendarView, practitioner: str, day: DayStarts) -> Iterator[_Time]:
    for start, wall in zip(day.starts, day.walls, strict=True):
        yield _Time(slot_at(view, practitioner, start), day.on.toordinal(), wall)


def _first_days(days: Iterable[int], plan: Plan) -> Iterator[int]:
    """Yield the days, in order, from which all sessions of the plan can be had."""
    ordered = sorted(days)
    if not ordered:
        return
    free = sum(1 << (day - ordered[0]) for day in ordered)
    possible = free
    gaps = range(plan.spacing.min_days, plan.spacing.max_days + 1)
    for _ in range(plan.sessions - 1):
        possible = free & reduce(or_, (possible >> gap for gap in gaps), 0)
    yield from (day for day in ordered if possible >> (day - ordered[0]) & 1)


def _best_series(diary: Diary, first: _Time, plan: Plan) -> tuple[int, Offer] | None:
    """Return the cheapest series from a first time, with its cost."""
    spacing, later = plan.spacing, plan.sessions - 1
    costs = {
        day: diary.nearest(day, first.wall)[0] + OTHER_WEEKDAY * ((day - first.day) % 7 != 0)
        for day in range(first.day + spacing.min_days, first.day + later * spacing.max_days + 1)
        if day in diary.days
    }
    gaps = range(spacing.min_days, spacing.max_days + 1)
    gap_costs = [DAY_OFF_PREFERRED * abs(gap - spacing.preferred_days) for gap in gaps]
    chain = cheapest_chain([{first.day: 0}, *[costs] * later], spacing, gap_costs)
    if chain is None:
        return None
    cost, days = chain
    return cost, Offer((first.slot, *(diary.slot(day, first.wall) for day in days[1:])))


def _nearest_repair(diary: Diary, spacing: Spacing, wanted: Offer) -> tuple[int, Offer] | None:
    """Return the series with the fewest and shortest moves, with its cost."""
    starts = [local_start(slot, diary.view.zone) for slot in wanted.slots]
    walls = [wall_of(start) for start in starts]
    layers: list[dict[int, int]] = []
    for slot, start, wall in zip(wanted.slots, starts, walls, strict=True):
        costs, own = diary.costs_of_moving(start), start.toordinal()
        if own in costs and diary.slot(own, wall) == slot:
            costs[own] = 0
        layers.append(costs)
    chain = cheapest_chain(layers, spacing, free_gaps(spacing))
    if chain is None:
        return None
    cost, days = chain
    slots = tuple(diary.slot(day, wall) for day, wall in zip(days, walls, strict=True))
    pairs = enumerate(zip(slots, wanted.slots, strict=True))
    return cost, Offer(slots, tuple(index for index, (new, old) in pairs if new != old))


def wall_of(start: datetime) -> int:
    """Return the seconds after midnight that a clock shows."""
    return start.hour * 3600 + start.minute * 60 + start.second


def free_gaps(spacing: Spacing) -> list[int]:
    """Return gap costs that prefer no gap to another."""
    return [0] * (spacing.max_days - spacing.min_days + 1)


def cheapest_chain(
    layers: Sequence[Mapping[int, int]], spacing: Spacing, gap_costs: Sequence[int]
) -> tuple[int, list[int]] | None:
    """Choose one day of each layer with every gap allowed, at the lowest total cost.

    `layers[k]` maps day ordinals to the cost of session `k` on them; `gap_costs` goes from the
    shortest gap to the longest. Of equal chains the one with the earliest days, last to first.
    """
    if not all(layers):
        return None
    shortest, longest = spacing.min_days, spacing.max_days
    by_day = gap_costs[::-1]  # the longest gap reaches back to the earliest day
    origin = min(layers[0]) - longest
    size = max(map(max, layers)) - origin + 1
    totals = [[NEVER] * size]
    for day, cost in layers[0].items():
        totals[0][day - origin] = cost
    first, last = min(layers[0]), max(layers[0])
    for layer in layers[1:]:
        before, total = totals[-1], [NEVER] * size
        first, last = first + shortest, last + longest
        for day, cost in layer.items():
            if first <= day <= last:
                reach = before[day - origin - longest : day - origin - shortest + 1]
                total[day - origin] = cost + min(map(add, reach, by_day))
        totals.append(total)
    lowest = min(totals[-1])
    if lowest >= NEVER:
        return None
    days = [totals[-1].index(lowest)]
    for before in totals[-2::-1]:
        reach = list(map(add, before[days[-1] - longest : days[-1] - shortest + 1], by_day))
        days.append(days[-1] - longest + reach.index(min(reach)))
    return lowest, [origin + day for day in reversed(days)]


def _spread(times: Sequence[_Time], best: _Best, limit: int) -> tuple[Offer, ...]:
    """Choose up to `limit` first times, soon and unlike each other, and their best offers."""
    left, chosen, found = times, list[_Time](), list[Offer]()
    while len(found) < limit and (choice := _next_choice(left, chosen, best)):
        first, offer = choice
        chosen.append(first)
        found.append(offer)
        left = [t for t in left if t.day != first.day or abs(t.wall - first.wall) >= APART]
    return tuple(sorted(found, key=lambda offer: offer.slots))


def _next_choice(
    times: Sequence[_Time], chosen: Sequence[_Time], best: _Best
) -> tuple[_Time, Offer] | None:
    """Return the cheapest offer of the part of a day that comes next, the soonest of equal ones."""
    penalties = {unit: _penalty(unit, chosen) for unit in {time.unit for time in times}}
    least = min(penalties.values(), default=0)
    lowest, choice = NEVER, None
    for time in sorted(times, key=lambda time: time.slot):
        if penalties[time.unit] == least and (offer := best(time)) and offer[0] < lowest:
            lowest, choice = offer[0], (time, offer[1])
        if lowest == 0:  # nothing is better than the same weekday, hour and spacing throughout
            break
    return choice


def _penalty(unit: tuple[int, str], chosen: Sequence[_Time]) -> int:
    """Return the day's number, later by as much as its like has been chosen already."""
    day, part = unit
    return (
        day
        + SAME_DAY * any(time.day == day for time in chosen)
        + SAME_WEEKDAY * any((time.day - day) % 7 == 0 for time in chosen)
        + SAME_PART * any(part_of(time.wall) == part for time in chosen)
    )


def _spread_singles(
    view: CalendarView, from_on: date, may: Callable[[date], bool], limit: int
) -> tuple[Offer, ...]:
    until_on = local(view.closes_at, view.zone).date()
    by_name = [_named_days(view, timetable, from_on, until_on) for timetable in view.timetables]
    by_day = groupby(merge(*by_name), key=lambda row: row[0])
    days = ((on, rows) for on, rows in by_day if may(on))
    times: list[_Time] = []
    for on, rows in islice(days, FIRST_DAYS):
        free = {name: day for _, name, day in rows}
        chosen: dict[datetime, _Time] = {}
        for timetable in by_preference(view, on):
            if timetable.practitioner in free:
                for time in _times(view, timetable.practitioner, free[timetable.practitioner]):
                    chosen.setdefault(time.slot.starts_at, time)
        times += chosen.values()
    return _spread(times, lambda time: (0, Offer((time.slot,))), limit)


def _named_days(
    view: CalendarView, timetable: Timetable, from_on: date, until_on: date
) -> Iterator[tuple[date, str, DayStarts]]:
    for day in free_starts(view, timetable, from_on, until_on):
        yield day.on, timetable.practitioner, day
