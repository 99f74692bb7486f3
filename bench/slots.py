"""How fast free times and whole series are found, beside the plain way to do it.

Run `python -m bench.slots`. The plain way checks every time of the grid against every busy time;
it must give the same times. Only ratios and the targets mean anything on another machine.
"""

from __future__ import annotations

import random  # noqa: TID251 - one seed: the same made-up calendar in every run
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from functools import partial
from itertools import chain, islice
from statistics import median, quantiles
from zoneinfo import ZoneInfo

from flows import series, slots
from flows.plan import Plan
from flows.protocol import Spacing
from flows.slots import CalendarView, OpeningHours, Slot, Timetable
from flows.typed_times import parse_when

MONDAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOURS = tuple(
    OpeningHours(weekday, clock_time(opens), clock_time(closes))
    for weekday in range(5)
    for opens, closes in ((9, 13), (14, 18))
)
REPEATS = 15


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table, in milliseconds of processor time, which neighbours disturb least."""

    what: str
    p50: float
    p95: float
    target: float  # for p95
    plain: float  # the plain way, 0 where there is none


def a_view(practitioners: int, days: int, booked: float, step: int) -> CalendarView:
    """A clinic of which about the share `booked` of all working hours is taken at random."""
    chance = random.Random(7)
    timetables = []
    for number in range(practitioners):
        busy = []
        for on in (MONDAY + timedelta(days=day) for day in range(days)):
            for hour in range(9, 18):
                if chance.random() < booked:
                    start = datetime.combine(on, clock_time(hour, chance.choice((0, 15, 30))), UTC)
                    busy.append((start, start + timedelta(minutes=60)))
        timetables.append(Timetable(f"p{number}", HOURS, busy=tuple(busy)))
    return CalendarView(
        zone="Europe/London",
        timetables=tuple(timetables),
        closed_on=frozenset(MONDAY + timedelta(days=day) for day in range(40, 54)),
        duration=timedelta(minutes=45),
        buffer_before=timedelta(minutes=5),
        buffer_after=timedelta(minutes=10),
        step=timedelta(minutes=step),
        opens_at=NOW + timedelta(hours=24),
        closes_at=NOW + timedelta(days=days),
    )


def a_plan(sessions: int) -> Plan:
    """A course from the first day on, three to six weeks apart."""
    spacing = Spacing(21, 28, 42)
    return Plan(sessions, 3, 6, spacing, (1, 3), 7, MONDAY, (), MONDAY, MONDAY)


def listing(view: CalendarView, days: int) -> list[Slot]:
    """Every free time of every practitioner."""
    until_on = MONDAY + timedelta(days=days - 1)
    return [
        slot
        for timetable in view.timetables
        for slot in slots.free_slots(view, timetable, MONDAY, until_on)
    ]


def plain_listing(view: CalendarView, days: int) -> list[Slot]:
    """The same by checking each time of the grid against each busy time."""
    zone, found = ZoneInfo(view.zone), []
    for timetable in view.timetables:
        for on in (MONDAY + timedelta(days=day) for day in range(days)):
            for hours in timetable.hours:
                if hours.weekday != on.weekday() or on in view.closed_on:
                    continue
                local = datetime.combine(on, hours.opens, zone)
                closes = datetime.combine(on, hours.closes, zone)
                while local + view.duration <= closes:
                    start = local.astimezone(UTC)
                    end = start + view.duration
                    low, high = start - view.buffer_before, end + view.buffer_after
                    taken = [1 for begins, ends in timetable.busy if begins < high and low < ends]
                    if not taken and view.opens_at <= start <= view.closes_at:
                        found.append(Slot(start, end, timetable.practitioner))
                    local += view.step
    return found


def first_times(view: CalendarView, count: int) -> list[Slot]:
    """The first few times of one practitioner: stops early."""
    found = slots.free_slots(view, view.timetables[0], MONDAY, date(2027, 1, 1))
    return list(islice(found, count))


def timed(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    began = time.process_time()
    action()
    return (time.process_time() - began) * 1000


def measure(what: str, action: Callable[[], object], target: float, plain: float = 0) -> Row:
    """Run an action a few times; the first run, which fills caches, is not counted."""
    action()
    took = [timed(action) for _ in range(REPEATS)]
    return Row(what, median(took), quantiles(took, n=20)[-1], target, plain)


def listing_rows() -> Iterator[Row]:
    """Lists of times, which must be the same as the plain way gives."""
    for practitioners, days, target in ((2, 60, 20), (10, 84, 50)):
        view = a_view(practitioners, days, booked=0.4, step=15)
        assert listing(view, days) == plain_listing(view, days)
        plain = timed(partial(plain_listing, view, days))
        what = f"all times, {days} days x {practitioners} practitioners"
        yield measure(what, partial(listing, view, days), target, plain)
    view = a_view(2, 300, booked=0.4, step=15)
    yield measure("first 8 times", partial(first_times, view, 8), target=5)
    yield measure("free days of a week", partial(slots.free_days, view, MONDAY, 7), target=10)
    yield measure("3 consultations", partial(series.single_offers, view, MONDAY), target=50)


def series_rows() -> Iterator[Row]:
    """Series of six in an empty, a half full and a nearly full year of two practitioners."""
    plan = a_plan(6)
    for name, booked in (("empty", 0.0), ("half full", 0.5), ("nearly full", 0.9)):
        view = a_view(2, 300, booked, step=30)
        best = series.offers(view, plan)[0]
        lost = best.slots[1]
        changed = replace(view, patient_busy=((lost.starts_at, lost.ends_at),))
        offers = partial(series.offers, view, plan)
        chosen = partial(series.from_first, view, plan, best.slots[0])
        repaired = partial(series.repair, changed, plan, best)
        yield measure(f"3 offers of 6 sessions, {name}", offers, target=50)
        yield measure(f"series from a chosen time, {name}", chosen, target=150)
        yield measure(f"repair of 6 sessions, {name}", repaired, target=150)


def typed_rows() -> Iterator[Row]:
    """Typed wishes: our own phrases, dateparser's, and neither's."""
    for text in ("next Friday afternoon", "12 June at 5", "my skin is bad"):
        yield measure(f"typed: {text!r}", partial(parse_when, text, "en", NOW), target=20)


def main() -> None:
    """Print the table."""
    print(f"{'milliseconds':46} {'p50':>8} {'p95':>8} {'target':>8} {'plain':>8} {'ratio':>7}")
    for row in chain(listing_rows(), series_rows(), typed_rows()):
        peer = f"{row.plain:8.0f} {row.p50 / row.plain:7.4f}" if row.plain else ""
        missed = " MISSED" if row.p95 > row.target else ""
        print(f"{row.what:46} {row.p50:8.2f} {row.p95:8.2f} {row.target:8.0f} {peer}{missed}")


if __name__ == "__main__":
    main()
