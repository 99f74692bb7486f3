"""Whom somebody might call follows from the history, and so does what may be sent by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from flows.follow_up import Course, History, NudgeKind, Silence, Visit, VisitState
from flows.protocol import Spacing
from flows.recalls import Recall, Why, by_hand, recall

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
COURSE = Course("s", 2, Spacing(28, 28, 42), review_weeks=12, refresher_months=12)
DAY = timedelta(days=1)


def a_visit(
    days: float, state: VisitState = VisitState.BOOKED, number: int = 1, **changes: object
) -> Visit:
    at = NOW + timedelta(days=days)
    visit = Visit(f"s-{number}", "s", number, at, at + timedelta(hours=1), state)
    return replace(visit, **changes)  # type: ignore[arg-type]  # tests name real fields


def a_history(*visits: Visit, **changes: object) -> History:
    return replace(History("UTC", visits=visits, course=COURSE), **changes)  # type: ignore[arg-type]


def test_a_missed_visit_is_a_reason_from_the_next_morning_on() -> None:
    missed = a_visit(-3, VisitState.NOSHOW)

    assert recall(a_history(missed)) == Recall(Why.MISSED, datetime(2026, 2, 28, 10, 0, tzinfo=UTC))


def test_a_course_without_its_next_time_is_a_reason_and_a_year_later_too() -> None:
    once = a_history(a_visit(-30, VisitState.FULFILLED))
    twice = a_history(a_visit(-60, VisitState.FULFILLED), a_visit(-30, number=2))
    found = [recall(history) for history in (once, twice)]

    assert [each.why for each in found if each] == [Why.NEXT_SESSION, Why.REFRESHER]


def test_who_said_no_to_a_yearly_look_is_left_in_peace() -> None:
    done = a_history(a_visit(-430, VisitState.FULFILLED), a_visit(-400, number=2))
    said_no = replace(done, declined="s")

    assert [each.kind for each in by_hand(done, NOW)] == [
        NudgeKind.SERIES_REVIEW,
        NudgeKind.REFRESHER,
    ]
    assert [each.kind for each in by_hand(said_no, NOW)] == [NudgeKind.SERIES_REVIEW]
    assert (recall(done), recall(said_no)) == (
        Recall(Why.REFRESHER, datetime(2026, 1, 26, 10, tzinfo=UTC)),
        None,
    )


def test_a_day_to_wait_for_is_told_before_it_comes() -> None:
    found = recall(a_history(recheck_on=date(2026, 5, 1), course=None))

    assert found == Recall(Why.RECHECK, datetime(2026, 5, 1, 10, 0, tzinfo=UTC))


def test_whoever_stopped_before_booking_is_a_reason_after_both_nudges() -> None:
    found = recall(History("UTC", is_open=True, last_step_at=NOW))

    assert found == Recall(Why.UNFINISHED, NOW + 5 * DAY)


def test_a_low_rating_comes_before_everything_else() -> None:
    missed = a_visit(-3, VisitState.NOSHOW)

    assert recall(a_history(missed, unhappy_at=NOW)) == Recall(Why.UNHAPPY, NOW)


@pytest.mark.parametrize("silence", [Silence.STOPPED, Silence.RED_FLAG, Silence.WITHDRAWN])
def test_nobody_who_must_not_be_asked_is_on_the_list(silence: Silence) -> None:
    missed = a_visit(-3, VisitState.NOSHOW)
    silent = a_history(missed, silences=frozenset({silence}), unhappy_at=NOW)

    assert recall(silent) is None


def test_what_they_stopped_is_no_reason() -> None:
    missed = a_visit(-3, VisitState.NOSHOW)

    assert recall(a_history(missed, stopped_kinds=frozenset({NudgeKind.MISSED}))) is None


def test_only_what_makes_sense_now_may_be_sent_by_hand() -> None:
    ahead, done = a_visit(2, number=2), a_visit(-5, VisitState.FULFILLED)
    kinds = [nudge.kind for nudge in by_hand(a_history(done, ahead), NOW)]

    assert set(kinds) == {
        NudgeKind.PREPARE_WEEK,
        NudgeKind.PREPARE_DAY,
        NudgeKind.REMINDER,
        NudgeKind.AFTERCARE,
        NudgeKind.CHECK_IN_FIRST,
        NudgeKind.CHECK_IN_SECOND,
    }
    assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize(
    ("days", "kinds"),
    [
        (20, set()),
        (8, {NudgeKind.PREPARE_WEEK}),
        (3, {NudgeKind.PREPARE_WEEK, NudgeKind.REMINDER}),
        (2, {NudgeKind.PREPARE_WEEK, NudgeKind.REMINDER, NudgeKind.PREPARE_DAY}),
        (0.5, {NudgeKind.PREPARE_WEEK, NudgeKind.REMINDER, NudgeKind.PREPARE_DAY}),
        (0.04, set()),
    ],
)
def test_what_is_said_before_a_visit_is_sent_by_hand_a_day_ahead_of_its_time_at_most(
    days: float, kinds: set[NudgeKind]
) -> None:
    found = by_hand(a_history(a_visit(days), course=None), NOW)

    assert {nudge.kind for nudge in found} == kinds
    assert all(nudge.not_after <= NOW + timedelta(days=days) for nudge in found)


def test_nothing_may_be_sent_by_hand_into_a_silence() -> None:
    history = a_history(a_visit(3), silences=frozenset({Silence.PAUSED}))

    assert by_hand(history, NOW) == ()


def test_nothing_may_be_sent_by_hand_about_a_visit_that_waits_for_a_look() -> None:
    assert by_hand(a_history(a_visit(2, is_paused=True)), NOW) == ()


def test_nobody_is_asked_again_before_the_day_that_was_named() -> None:
    history = a_history(recheck_on=date(2026, 5, 1), course=None)

    assert by_hand(history, NOW) == ()
    assert [each.kind for each in by_hand(history, NOW + 90 * DAY)] == [NudgeKind.RECHECK]
