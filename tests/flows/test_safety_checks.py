"""Every patient is asked what is new before a visit, and who says so is looked at first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from flows.follow_up import NudgeKind, Sent, VisitState
from flows.nudges import Standing, outlook
from tests.flows.histories import VISIT_AT, a_history, a_series, a_visit, played

BEFORE = VISIT_AT - timedelta(days=30)
LATER = VISIT_AT + timedelta(days=900)


@pytest.mark.parametrize("ahead", [47, 30, 25, 24.5, 24, 20, 12, 5, 3, 2.5])
@pytest.mark.parametrize("old", [{"version": 1}, {"screened_at": VISIT_AT - timedelta(days=60)}])
def test_whoever_was_screened_long_before_is_asked_what_is_new_however_late_the_time_was_fixed(
    ahead: float, old: dict[str, object]
) -> None:
    chosen_at = VISIT_AT - timedelta(hours=ahead)
    history = a_history(a_visit(chosen_at=chosen_at, **old), course=None)

    told = played(history, chosen_at, VISIT_AT)

    asked = [each for each in told if each.kind is NudgeKind.REMINDER]
    assert len(asked) == 1
    assert chosen_at + timedelta(hours=1) <= asked[0].due_at <= VISIT_AT - timedelta(hours=1)
    assert told[0] == asked[0]


def test_the_safety_check_is_asked_once_also_of_a_visit_that_was_moved_twice() -> None:
    chosen_at = VISIT_AT - timedelta(hours=40)
    moved = a_visit(chosen_at=chosen_at, version=2)
    told = (Sent("reminder", moved.ref, chosen_at + timedelta(hours=1)),)

    again = played(a_history(moved, course=None, sent=told), chosen_at, VISIT_AT)

    assert NudgeKind.REMINDER not in {each.kind for each in again}


def test_a_paused_visit_is_not_spoken_of_and_the_rest_of_the_course_is() -> None:
    first, second = a_series(2)
    history = a_history(replace(first, is_paused=True), second)

    about = [each for each in outlook(history, BEFORE) if each.nudge.uid]

    assert {each.standing for each in about if each.nudge.uid == first.uid} == {Standing.PAUSED}
    assert {each.standing for each in about if each.nudge.uid == second.uid} == {Standing.WAITING}


@pytest.mark.parametrize("state", [VisitState.ARRIVED, VisitState.FULFILLED])
def test_who_came_although_something_had_changed_is_looked_after(state: VisitState) -> None:
    history = a_history(a_visit(is_paused=True, state=state), course=None)

    assert [each.kind for each in played(history, VISIT_AT, LATER)] == [
        NudgeKind.AFTERCARE,
        NudgeKind.CHECK_IN_FIRST,
        NudgeKind.CHECK_IN_SECOND,
    ]
