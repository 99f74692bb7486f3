from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from flows.follow_up import History, NudgeKind, Sent, Silence, Visit, VisitState
from flows.nudge_rules import candidates
from flows.nudges import Nudge, Standing, last_look, next_nudge, outlook
from flows.quiet_hours import APART
from tests.flows.histories import (
    COURSE,
    LONDON,
    VISIT_AT,
    a_history,
    a_series,
    a_visit,
    played,
)

BEFORE = VISIT_AT - timedelta(days=30)
LATER = VISIT_AT + timedelta(days=900)


def on_the_wall(nudges: list[Nudge]) -> list[str]:
    zone = ZoneInfo(LONDON)
    return [f"{each.kind} {each.due_at.astimezone(zone):%a %d %b %H:%M}" for each in nudges]


def test_one_visit_is_accompanied_from_a_week_before_to_three_days_after() -> None:
    history = a_history(a_visit(), course=None)

    assert on_the_wall(played(history, BEFORE, LATER)) == [
        "prepare_week Thu 08 Jan 13:00",
        "reminder Tue 13 Jan 13:00",
        "prepare_day Wed 14 Jan 13:00",
        "aftercare Thu 15 Jan 19:00",  # a third reminder would put it off till the morning
        "check_in_first Fri 16 Jan 17:00",
        "check_in_second Sun 18 Jan 17:00",
    ]


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        (9, ["today Thu 15 Jan 08:00", "aftercare Thu 15 Jan 20:00"]),
        (11, ["today Thu 15 Jan 08:00", "aftercare Thu 15 Jan 20:00"]),
        (12, ["aftercare Thu 15 Jan 19:00"]),
        (18, ["aftercare Thu 15 Jan 20:00"]),
        (20, ["today Thu 15 Jan 17:00", "aftercare Fri 16 Jan 08:00"]),
    ],
)
def test_a_third_reminder_comes_where_it_does_not_put_the_aftercare_off(
    hour: int, expected: list[str]
) -> None:
    history = a_history(a_visit(VISIT_AT.replace(hour=hour)), course=None)

    told = [line for line in on_the_wall(played(history, BEFORE, LATER)) if "check" not in line]

    assert told[3:] == expected


def test_who_has_confirmed_gets_no_third_reminder() -> None:
    at_nine = a_visit(VISIT_AT.replace(hour=9), is_confirmed=True)

    assert on_the_wall(played(a_history(at_nine, course=None), BEFORE, LATER))[3:5] == [
        "aftercare Thu 15 Jan 19:00",
        "check_in_first Fri 16 Jan 17:00",
    ]


def test_whoever_got_no_reminder_before_gets_one_on_the_day() -> None:
    stopped = frozenset({NudgeKind.REMINDER, NudgeKind.PREPARE_DAY, NudgeKind.PREPARE_WEEK})
    history = a_history(a_visit(), course=None, stopped_kinds=stopped)

    assert on_the_wall(played(history, BEFORE, LATER))[:2] == [
        "today Thu 15 Jan 10:00",
        "aftercare Fri 16 Jan 08:00",  # twelve hours apart, and not at night
    ]


def test_a_whole_course_ends_with_a_look_back_and_a_refresher_a_year_later() -> None:
    told = played(a_history(*a_series(is_confirmed=True)), BEFORE, LATER)

    assert on_the_wall(told)[-2:] == [
        "series_review Thu 02 Jul 10:00",
        "refresher Fri 09 Apr 10:00",
    ]
    assert sum(each.kind is NudgeKind.REFRESHER for each in told) == 1


def test_the_refresher_of_a_leap_day_comes_on_the_last_of_february() -> None:
    visit = a_visit(datetime(2028, 2, 29, 12, tzinfo=UTC), state=VisitState.FULFILLED)
    history = a_history(visit)
    course = replace(history.course, sessions=1) if history.course else None

    *_, refresher = candidates(replace(history, course=course))

    assert refresher.due_at == datetime(2029, 2, 28, 10, tzinfo=UTC)


def test_the_refresher_closes_itself_when_a_later_visit_is_booked() -> None:
    course = a_series()
    again = a_visit(VISIT_AT + timedelta(days=300), 1, uid="s2-1", series_id="s2")

    kinds = {each.kind for each in candidates(a_history(*course, again))}

    assert NudgeKind.SERIES_REVIEW in kinds
    assert NudgeKind.REFRESHER not in kinds


def test_a_course_ends_with_its_last_session_once_none_is_missing() -> None:
    *first, last = a_series()
    missed = replace(last, state=VisitState.NOSHOW)
    made_up = replace(last, uid="s1-4b", starts_at=last.starts_at + timedelta(days=7))

    assert a_history().end_of(COURSE) is None
    assert a_history(*first).end_of(COURSE) is None
    assert a_history(last, *first).end_of(COURSE) == last
    assert a_history(*first, missed).end_of(COURSE) is None
    assert a_history(*first, missed, made_up).end_of(COURSE) == made_up


def test_a_session_that_was_not_booked_is_named_a_week_before_it_may_take_place() -> None:
    told = played(a_history(*a_series(2, state=VisitState.FULFILLED)), BEFORE, LATER)

    assert on_the_wall(told)[-1] == "next_session Thu 05 Mar 10:00"
    assert told[-1].ref == "series:s1:3"


@pytest.mark.parametrize("state", [VisitState.HELD, VisitState.PENDING])
def test_a_session_that_waits_for_an_answer_is_not_missing(state: VisitState) -> None:
    first, second = a_series(2)
    history = a_history(replace(first, state=VisitState.FULFILLED), replace(second, state=state))

    assert NudgeKind.NEXT_SESSION not in {each.kind for each in candidates(history)}


def test_nothing_more_is_offered_after_a_cancellation() -> None:
    first, second = a_series(2)
    history = a_history(
        replace(first, state=VisitState.FULFILLED),
        replace(second, state=VisitState.CANCELLED),
        cancelled_at=first.ends_at + timedelta(days=2),
        is_open=True,
        last_step_at=first.ends_at + timedelta(days=2),
        recheck_on=date(2026, 6, 1),
    )

    assert {each.kind for each in candidates(history)} == {
        NudgeKind.AFTERCARE,
        NudgeKind.CHECK_IN_FIRST,
        NudgeKind.CHECK_IN_SECOND,
    }


def test_a_missed_visit_is_spoken_of_once_and_not_when_it_was_booked_again() -> None:
    missed = a_visit(state=VisitState.NOSHOW)
    again = a_visit(VISIT_AT + timedelta(days=7), uid="s1-1b")

    assert on_the_wall(played(a_history(missed, course=None), VISIT_AT, LATER)) == [
        "missed Fri 16 Jan 10:00"
    ]
    assert NudgeKind.MISSED not in {each.kind for each in candidates(a_history(missed, again))}


def test_a_missed_visit_is_spoken_of_until_the_course_has_all_its_times() -> None:
    first, second, third, fourth = a_series()
    gone = replace(second, state=VisitState.NOSHOW)
    rest = replace(fourth, uid="s1-5", number=5, starts_at=fourth.starts_at + timedelta(days=28))
    after = (first, gone, third, fourth)

    def kinds(*visits: Visit) -> set[NudgeKind]:
        return {each.kind for each in candidates(a_history(*visits))}

    assert NudgeKind.MISSED in kinds(*after)
    assert NudgeKind.MISSED not in kinds(*after, rest)
    assert NudgeKind.MISSED not in kinds(*after, replace(rest, state=VisitState.PENDING))
    assert NudgeKind.MISSED in kinds(gone, replace(rest, series_id="s2"))


def test_a_missed_consultation_is_spoken_of_until_there_is_a_new_one() -> None:
    gone = a_visit(state=VisitState.NOSHOW, is_treatment=False)
    again = a_visit(VISIT_AT + timedelta(days=3), uid="s2-1", series_id="s2", is_treatment=False)

    kinds = [
        {each.kind for each in candidates(a_history(*visits))} for visits in ([gone], [gone, again])
    ]

    assert [NudgeKind.MISSED in each for each in kinds] == [True, False]


def test_when_the_last_visit_is_missed_only_that_is_spoken_of() -> None:
    *first, last = a_series(state=VisitState.FULFILLED)
    history = a_history(*first, replace(last, state=VisitState.NOSHOW))

    kinds = [each.kind for each in played(history, BEFORE, LATER)]

    assert (kinds[-1], NudgeKind.NEXT_SESSION in kinds) == (NudgeKind.MISSED, False)


def test_what_was_missed_long_ago_and_not_made_up_for_is_the_next_session() -> None:
    first, second, third, fourth = a_series(state=VisitState.FULFILLED)
    history = a_history(first, replace(second, state=VisitState.NOSHOW), third, fourth)

    assert on_the_wall(played(history, BEFORE, LATER))[-1] == "next_session Thu 30 Apr 10:00"


def test_the_refresher_closes_itself_when_it_is_declined() -> None:
    history = a_history(*a_series(state=VisitState.FULFILLED))

    kinds = [
        [each.kind for each in candidates(replace(history, declined=series))]
        for series in ("s0", "s1")
    ]

    assert [NudgeKind.REFRESHER in each for each in kinds] == [True, False]
    assert all(NudgeKind.SERIES_REVIEW in each for each in kinds)


def test_unfinished_answers_are_recalled_twice_and_then_never() -> None:
    history = a_history(is_open=True, last_step_at=VISIT_AT)

    assert on_the_wall(played(history, VISIT_AT, LATER)) == [
        "unfinished_soon Fri 16 Jan 09:00",
        "unfinished_later Sun 18 Jan 13:00",
    ]


@pytest.mark.parametrize(
    "history",
    [
        a_history(is_open=False, last_step_at=VISIT_AT),
        a_history(is_open=True, last_step_at=VISIT_AT, hold_until=VISIT_AT + timedelta(minutes=9)),
        a_history(a_visit(), is_open=True, last_step_at=VISIT_AT),
    ],
    ids=["nothing open", "times held", "booked"],
)
def test_who_has_nothing_unfinished_is_not_recalled(history: History) -> None:
    assert not [each for each in candidates(history) if each.kind.startswith("unfinished")]


def test_a_hold_is_spoken_of_three_minutes_before_its_end() -> None:
    until = VISIT_AT + timedelta(minutes=10)
    history = a_history(is_open=True, last_step_at=VISIT_AT, hold_until=until)

    nudge = next_nudge(history, VISIT_AT)

    assert nudge is not None
    assert (nudge.kind, until - nudge.due_at) == (NudgeKind.HOLD_ENDS, timedelta(minutes=3))


def test_who_had_to_wait_is_asked_again_on_the_day() -> None:
    history = a_history(recheck_on=date(2026, 3, 30))  # the day after the clocks change

    assert on_the_wall(played(history, VISIT_AT, LATER)) == ["recheck Mon 30 Mar 10:00"]


def test_who_has_to_wait_once_more_is_asked_once_more() -> None:
    history = a_history(recheck_on=date(2026, 3, 30))
    (first,) = played(history, VISIT_AT, LATER)
    sent = (Sent(first.kind, first.ref, first.due_at),)

    again = replace(history, recheck_on=date(2026, 4, 27), sent=sent)

    assert on_the_wall(played(again, first.due_at, LATER)) == ["recheck Mon 27 Apr 10:00"]


def test_what_should_have_been_said_before_booking_is_not_made_up_for() -> None:
    chosen_at = VISIT_AT - timedelta(hours=40)
    visit = a_visit(chosen_at=chosen_at, screened_at=chosen_at - timedelta(hours=1))

    told = played(a_history(visit, course=None), chosen_at, VISIT_AT)

    assert [each.kind for each in told] == [NudgeKind.PREPARE_DAY]


def test_a_moved_visit_is_spoken_of_anew() -> None:
    told = played(a_history(a_visit(), course=None), BEFORE, VISIT_AT - timedelta(days=1, hours=1))
    sent = tuple(Sent(each.kind, each.ref, each.due_at) for each in told)
    moved = a_visit(VISIT_AT + timedelta(days=20), version=1)

    again = played(a_history(moved, course=None, sent=sent), VISIT_AT, VISIT_AT + 19 * APART * 2)

    assert [each.kind for each in again][:2] == [NudgeKind.PREPARE_WEEK, NudgeKind.REMINDER]


def test_a_consultation_needs_no_preparation_and_no_aftercare() -> None:
    history = a_history(a_visit(is_treatment=False), course=None)

    assert {each.kind for each in candidates(history)} == {NudgeKind.REMINDER, NudgeKind.TODAY}


@pytest.mark.parametrize("silence", list(Silence))
def test_whoever_wants_silence_gets_it(silence: Silence) -> None:
    history = a_history(a_visit(), silences=frozenset({silence}))

    assert next_nudge(history, BEFORE) is None
    assert {each.why for each in outlook(history, BEFORE)} == {silence}


def test_one_kind_of_message_can_be_stopped() -> None:
    history = a_history(a_visit(), stopped_kinds=frozenset({NudgeKind.PREPARE_WEEK}), course=None)

    assert played(history, BEFORE, LATER)[0].kind is NudgeKind.REMINDER
    assert outlook(history, BEFORE)[0].standing is Standing.UNWANTED


def test_a_patient_who_wrote_may_be_written_to_sooner() -> None:
    told = (Sent("today", "x", VISIT_AT - timedelta(hours=3)),)
    history = a_history(a_visit(is_confirmed=True), course=None, sent=told)
    wrote = replace(history, last_wrote_at=VISIT_AT - timedelta(hours=2))

    silent, answered = next_nudge(history, VISIT_AT), next_nudge(wrote, VISIT_AT)

    assert silent is not None
    assert answered is not None
    assert (silent.due_at - answered.due_at) == timedelta(hours=13)


def test_nobody_talks_into_a_conversation() -> None:
    wrote_at = VISIT_AT - timedelta(days=2, minutes=20)
    history = a_history(a_visit(), course=None, last_wrote_at=wrote_at)

    nudge = next_nudge(history, wrote_at)

    assert nudge is not None
    assert (nudge.kind, nudge.due_at) == (NudgeKind.REMINDER, wrote_at + timedelta(hours=1))


def test_what_is_too_late_is_missed_and_not_sent() -> None:
    history = a_history(a_visit(), course=None)
    standings = {each.nudge.kind: each.standing for each in outlook(history, VISIT_AT)}

    assert standings[NudgeKind.REMINDER] is Standing.MISSED
    assert standings[NudgeKind.AFTERCARE] is Standing.WAITING


def test_a_message_that_waited_is_sent_only_while_it_is_still_called_for() -> None:
    visit = a_visit()
    uid, ref = visit.uid, visit.ref
    unwanted = frozenset({NudgeKind.REMINDER})
    cases = {
        Standing.WAITING: a_history(visit),
        Standing.SILENT: a_history(visit, silences=frozenset({Silence.RED_FLAG})),
        Standing.PAUSED: a_history(replace(visit, is_paused=True)),
        Standing.UNWANTED: a_history(visit, stopped_kinds=unwanted),
        Standing.MISSED: a_history(replace(visit, version=1)),
    }

    found = {last_look(history, "reminder", ref, uid): history for history in cases.values()}

    assert found == cases
    assert last_look(a_history(visit), "waitlist_offer", "offer", uid) is Standing.WAITING
