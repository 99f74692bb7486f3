"""Series against every possible one: brute force on small calendars, gaps over a whole year."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time, timedelta
from itertools import pairwise, product

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flows import series, slots
from flows.conversation import Offer
from flows.plan import Plan
from flows.protocol import Spacing
from flows.slots import CalendarView, DayOverride, Slot, Timetable
from tests.flows.calendars import (
    LONDON,
    MONDAY,
    WEEKDAYS,
    a_plan,
    a_view,
    at,
    days_after,
    gaps,
    local_days,
)


def brute_cost(offer: tuple[Slot, ...], plan: Plan) -> int:
    starts = [slots.local_start(slot, LONDON) for slot in offer]
    total = 0
    for before, start in pairwise(starts):
        total += 60 * abs((start.date() - before.date()).days - plan.spacing.preferred_days)
        total += 120 if start.weekday() != starts[0].weekday() else 0
        here, there = start.hour * 60 + start.minute, starts[0].hour * 60 + starts[0].minute
        total += abs(here - there)
    return total


def every_series(view: CalendarView, plan: Plan) -> Iterator[tuple[Slot, ...]]:
    end = slots.local(view.closes_at, LONDON).date()
    for timetable in view.timetables:
        free = [
            slot
            for slot in slots.free_slots(view, timetable, plan.starts_on, end)
            if series.allowed(plan, slots.local_start(slot, LONDON).date())
        ]
        for chosen in product(free, repeat=plan.sessions):
            spans = gaps(Offer(chosen))
            if all(plan.spacing.min_days <= days <= plan.spacing.max_days for days in spans):
                yield chosen


@st.composite
def small_calendars(draw: st.DrawFn) -> tuple[CalendarView, Plan]:
    """Up to two practitioners with a few times on some of twelve days round a clock change."""
    first = draw(st.sampled_from([date(2026, 3, 24), date(2026, 10, 20), date(2026, 5, 1)]))
    days = days_after(first, *range(12))
    hour = st.sampled_from([8, 9, 12, 16])
    timetables = []
    for name in ["amy", "bea"][: draw(st.integers(1, 2))]:
        overrides = {}
        for on in draw(st.sets(st.sampled_from(days), max_size=8)):
            hours = sorted(draw(st.sets(hour, min_size=1, max_size=2)))
            overrides[on] = DayOverride(on, tuple((time(h), time(h + 1)) for h in hours))
        timetables.append(Timetable(name, (), tuple(overrides.values())))
    shortest = draw(st.integers(1, 4))
    preferred = shortest + draw(st.integers(0, 2))
    spacing = Spacing(shortest, preferred, preferred + draw(st.integers(0, 3)))
    plan = a_plan(
        draw(st.integers(1, 3)),
        spacing,
        starts_on=draw(st.sampled_from(days[:4])),
        avoid=tuple(
            (on, on + timedelta(days=1)) for on in draw(st.lists(st.sampled_from(days), max_size=1))
        ),
        weekdays=draw(st.sampled_from([None, frozenset(range(5)), frozenset([0, 1, 2])])),
    )
    view = a_view(
        *timetables,
        closed_on=frozenset(draw(st.sets(st.sampled_from(days), max_size=2))),
        opens_at=at(first, 0),
        closes_at=at(first, 0) + timedelta(days=14),
    )
    return view, plan


@settings(max_examples=150, deadline=None)
@given(small_calendars())
def test_offers_are_found_whenever_a_series_exists_and_begin_on_the_first_possible_day(
    case: tuple[CalendarView, Plan],
) -> None:
    view, plan = case
    possible = list(every_series(view, plan))

    found = series.offers(view, plan)

    assert bool(found) == bool(possible)
    for offer in found:
        assert offer.slots in possible
    if found:
        first_days = [local_days(Offer(chosen))[0] for chosen in possible]
        assert local_days(found[0])[0] == min(first_days)


@settings(max_examples=150, deadline=None)
@given(small_calendars())
def test_every_offer_is_the_cheapest_series_from_its_first_time(
    case: tuple[CalendarView, Plan],
) -> None:
    view, plan = case
    cheapest: dict[Slot, int] = {}
    for chosen in every_series(view, plan):
        cost = brute_cost(chosen, plan)
        cheapest[chosen[0]] = min(cost, cheapest.get(chosen[0], cost))

    found = [series.from_first(view, plan, first) for first in cheapest]

    assert [brute_cost(offer.slots, plan) for offer in found if offer] == list(cheapest.values())
    for offer in series.offers(view, plan):
        assert brute_cost(offer.slots, plan) == cheapest[offer.slots[0]]


@settings(max_examples=150, deadline=None)
@given(small_calendars(), st.data())
def test_a_repair_keeps_the_most_times_and_moves_the_others_least(
    case: tuple[CalendarView, Plan], data: st.DataObject
) -> None:
    view, plan = case
    possible = list(every_series(view, plan))
    assume(possible)
    wanted = data.draw(st.sampled_from(possible))
    lost = data.draw(st.sampled_from(wanted))
    taken = tuple(
        replace(timetable, busy=((lost.starts_at, lost.ends_at),))
        if timetable.practitioner == lost.practitioner
        else timetable
        for timetable in view.timetables
    )
    view = replace(view, timetables=taken)

    repaired = series.repair(view, plan, Offer(wanted))

    left = [s for s in every_series(view, plan) if s[0].practitioner == lost.practitioner]
    left = left or list(every_series(view, plan))
    assert (repaired is not None) == bool(left)
    if repaired:
        assert repaired.slots in left
        best = min(move_cost(candidate, wanted) for candidate in left)
        assert move_cost(repaired.slots, wanted) == best
        assert len(repaired.changed) == best[0]


def move_cost(series_: tuple[Slot, ...], wanted: tuple[Slot, ...]) -> tuple[int, int]:
    distance = 0
    for new, old in zip(series_, wanted, strict=True):
        here, there = slots.local_start(new, LONDON), slots.local_start(old, LONDON)
        distance += 1440 * abs((here.date() - there.date()).days)
        distance += abs((here.hour - there.hour) * 60 + here.minute - there.minute)
    return sum(new != old for new, old in zip(series_, wanted, strict=True)), distance


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 250),
    st.integers(3, 6),
    st.sets(st.integers(0, 299), max_size=40),
    st.sampled_from([0, 100, 200]),
)
def test_gaps_hold_over_clock_changes_and_long_closures(
    seed: int, sessions: int, closed: set[int], holiday: int
) -> None:
    """Offers, chosen firsts and repairs of a year: gaps inside the window, no forbidden day."""
    closed_on = frozenset(days_after(MONDAY, *closed, *range(holiday, holiday + 14)))
    taken = (at(MONDAY, 9) + timedelta(hours=7 * number + seed) for number in range(400))
    busy = tuple((start, start + timedelta(hours=3)) for start in taken)
    view = a_view(Timetable("amy", WEEKDAYS, busy=busy), closed_on=closed_on)
    plan = a_plan(sessions, avoid=((date(2026, 6, 1), date(2026, 6, 12)),))

    found = series.offers(view, plan)

    for offer in found:
        assert all(21 <= days <= 42 for days in gaps(offer))
        assert len(offer.slots) == sessions
        assert not closed_on.intersection(local_days(offer))
        assert all(series.allowed(plan, day) for day in local_days(offer))
