from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows import slots
from flows.conversation import Offer
from flows.mending import mend
from flows.protocol import Spacing
from flows.slots import CalendarView, Slot, Timetable
from tests.flows.calendars import (
    FOUR_WEEKS,
    MONDAY,
    WEEKDAYS,
    a_view,
    at,
    clocks,
    days_after,
    gaps,
    local_days,
    open_on,
    slot_on,
)
from tests.flows.test_every_series import move_cost

DAYS = days_after(date(2026, 10, 20), *range(14))  # the clocks go back on 25 October


def wanted(*numbers: int, name: str = "amy") -> Offer:
    return Offer(tuple(slot_on(on, name=name) for on in days_after(MONDAY, *numbers)))


def test_later_sessions_that_keep_their_gap_stay() -> None:
    found = mend(a_view(), FOUR_WEEKS, slot_on(MONDAY), wanted(30, 56))

    assert found == wanted(30, 56)


def test_a_session_that_comes_too_soon_after_the_moved_one_follows_it_as_little_as_it_can() -> None:
    found = mend(a_view(), FOUR_WEEKS, slot_on(MONDAY), wanted(42, 56, 84))

    assert found is not None
    assert local_days(found) == days_after(MONDAY, 42, 63, 84)
    assert found.changed == (1,)


def test_several_later_sessions_follow_where_one_is_not_enough() -> None:
    found = mend(a_view(), Spacing(28, 28, 30), None, wanted(14, 28, 56))

    assert found is not None
    assert gaps(found) == [28, 28]
    assert found.changed == (1, 2)


def test_the_clock_time_is_kept_over_the_end_of_winter() -> None:
    found = mend(a_view(), FOUR_WEEKS, None, wanted(10, 21))

    assert found is not None
    assert clocks(found) == ["Thu 09:00", "Thu 09:00"]
    assert local_days(found)[1] == date(2026, 4, 2)  # in summer time


@pytest.mark.parametrize("day", [20, 43])
def test_a_choice_too_near_to_the_session_before_or_too_far_is_not_mended(day: int) -> None:
    assert mend(a_view(), FOUR_WEEKS, slot_on(MONDAY), wanted(day, 56)) is None


def test_there_is_no_repair_when_nothing_is_free_in_time() -> None:
    view = a_view(open_on(*days_after(MONDAY, 0, 14, 28, 80)))

    assert mend(view, FOUR_WEEKS, None, wanted(14, 28)) is None


def test_days_that_may_not_be_used_are_left_out() -> None:
    found = mend(a_view(), FOUR_WEEKS, None, wanted(0, 14), may=lambda on: on.weekday() == 4)

    assert found is not None
    assert clocks(found) == ["Mon 09:00", "Fri 09:00"]


def test_each_session_stays_with_its_practitioner() -> None:
    view = a_view(Timetable("amy", WEEKDAYS), Timetable("bea", WEEKDAYS))
    moved = Offer((wanted(14, name="bea").slots[0], wanted(28).slots[0]))

    found = mend(view, FOUR_WEEKS, None, moved)

    assert found is not None
    assert [slot.practitioner for slot in found.slots] == ["bea", "amy"]


def test_a_session_with_somebody_who_has_left_can_only_stay() -> None:
    stays, goes = wanted(21, name="zoe").slots[0], wanted(14, name="zoe").slots[0]
    chosen = wanted(0).slots[0]

    assert mend(a_view(), FOUR_WEEKS, None, Offer((chosen, stays))) == Offer((chosen, stays))
    assert mend(a_view(), FOUR_WEEKS, None, Offer((chosen, goes))) is None


@st.composite
def moves(draw: st.DrawFn) -> tuple[CalendarView, Spacing, Slot | None, Offer]:
    """A session that is moved before up to two later ones, in fourteen days with gaps."""
    free = sorted(draw(st.sets(st.sampled_from(DAYS), max_size=9)))
    view = a_view(
        open_on(*free, hours=(9, draw(st.integers(10, 12)))),
        opens_at=at(DAYS[0], 0),
        closes_at=at(DAYS[0], 0) + timedelta(days=14),
    )
    standing = sorted(draw(st.lists(st.sampled_from(DAYS), max_size=2, unique=True)))
    chosen = [draw(st.sampled_from(DAYS)), *standing]
    shortest = draw(st.integers(1, 4))
    spacing = Spacing(shortest, shortest, shortest + draw(st.integers(0, 4)))
    before = draw(st.sampled_from([None, *(slot_on(on) for on in DAYS[:6])]))
    return view, spacing, before, Offer(tuple(slot_on(on, 10) for on in chosen))


def every_way(
    view: CalendarView, spacing: Spacing, before: Slot | None, moved: Offer
) -> Iterator[tuple[Slot, ...]]:
    free = set(slots.free_slots(view, view.timetables[0], DAYS[0], DAYS[-1]))
    ahead = (before,) if before else ()
    for later in product(*({*free, slot} for slot in moved.slots[1:])):
        spans = gaps(Offer((*ahead, moved.slots[0], *later)))
        if all(spacing.min_days <= span <= spacing.max_days for span in spans):
            yield (moved.slots[0], *later)


@settings(max_examples=200, deadline=None)
@given(moves())
def test_the_gaps_hold_and_the_fewest_sessions_move_the_least(
    case: tuple[CalendarView, Spacing, Slot | None, Offer],
) -> None:
    view, spacing, before, moved = case
    possible = list(every_way(view, spacing, before, moved))

    found = mend(view, spacing, before, moved)

    assert (found is not None) == bool(possible)
    if found is not None:
        assert found.slots in possible
        best = min(move_cost(candidate, moved.slots) for candidate in possible)
        assert move_cost(found.slots, moved.slots) == best
        assert len(found.changed) == best[0]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 80), st.sets(st.integers(0, 299), max_size=60))
def test_gaps_hold_over_clock_changes_and_closures_of_a_year(day: int, closed: set[int]) -> None:
    view = replace(a_view(), closed_on=frozenset(days_after(MONDAY, *closed)))
    moved = wanted(day, 28, 56, 84, 112, 140)

    found = mend(view, FOUR_WEEKS, None, moved)

    if found is not None:
        assert all(21 <= span <= 42 for span in gaps(found))
        assert found.slots[0] == moved.slots[0]
