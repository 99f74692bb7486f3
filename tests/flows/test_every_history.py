"""What holds of nudges whatever a patient's history is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given

from flows.follow_up import History, NudgeKind, Sent, Silence
from flows.nudges import Standing, last_look, next_nudge, outlook
from flows.quiet_hours import APART, NIGHT
from tests.flows.histories import histories, moments, played

#: Kinds that are about one appointment.
ABOUT_VISITS = {
    NudgeKind.PREPARE_WEEK,
    NudgeKind.PREPARE_DAY,
    NudgeKind.REMINDER,
    NudgeKind.TODAY,
    NudgeKind.AFTERCARE,
    NudgeKind.CHECK_IN_FIRST,
    NudgeKind.CHECK_IN_SECOND,
}


@given(histories(), moments)
def test_what_is_next_is_still_called_for_when_it_is_sent(history: History, now: datetime) -> None:
    nudge = next_nudge(history, now)

    if nudge is not None:
        sent = (*history.sent, Sent(nudge.kind, nudge.ref, now))
        later = replace(history, sent=sent)
        assert last_look(later, nudge.kind, nudge.ref, nudge.uid) is Standing.WAITING


@given(histories(), moments)
def test_what_is_next_is_never_in_the_past_nor_at_night_nor_too_late(
    history: History, now: datetime
) -> None:
    nudge = next_nudge(history, now)

    if nudge is not None:
        assert now <= nudge.due_at <= nudge.not_after
        assert NIGHT.until(nudge.due_at, history.zone) is None
        assert not history.silences
        assert nudge.kind not in history.stopped_kinds


@given(histories(), moments)
def test_at_most_one_is_due_and_none_comes_twice_or_too_soon(
    history: History, now: datetime
) -> None:
    silent = replace(history, last_wrote_at=None)
    told = played(silent, now, now + timedelta(days=700))

    names = [(each.kind, each.ref) for each in told]
    assert len(set(names)) == len(names)
    assert all(later.due_at - sooner.due_at >= APART for sooner, later in pairwise(told))


@given(histories(), moments)
def test_without_an_appointment_nothing_is_said_about_it_and_nothing_more_about_others(
    history: History, now: datetime
) -> None:
    def said(of: History) -> set[tuple[str, str]]:
        waiting = (each.nudge for each in outlook(of, now) if each.standing is Standing.WAITING)
        return {(each.kind, each.ref) for each in waiting if each.kind in ABOUT_VISITS}

    for visit in history.visits:
        without = replace(history, visits=tuple(v for v in history.visits if v is not visit))
        assert said(without) <= {each for each in said(history) if each[1] != visit.ref}


@given(histories(), moments)
def test_a_stop_never_adds_a_nudge(history: History, now: datetime) -> None:
    every = frozenset(NudgeKind)

    assert next_nudge(replace(history, silences=frozenset({Silence.STOPPED})), now) is None
    assert next_nudge(replace(history, stopped_kinds=every), now) is None
