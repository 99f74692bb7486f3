"""What a history no longer calls for, and what it newly calls for, once one event is taken out.

Why some events must be able to add a nudge by their absence, and which, is told in
docs/decisions/0010-removing-an-event.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.follow_up import History, NudgeKind, Sent, Visit, VisitState
from flows.nudge_rules import candidates
from tests.flows.histories import VISIT_AT, a_history, a_series, a_visit, histories

_UNFINISHED = frozenset({NudgeKind.UNFINISHED_SOON, NudgeKind.UNFINISHED_LATER})
_NOTHING = frozenset[NudgeKind]()

#: What a visit of each state may hold back: that nothing is booked, or that something is missing.
_KEPT = _UNFINISHED | {NudgeKind.MISSED, NudgeKind.NEXT_SESSION, NudgeKind.REFRESHER}
BY_VISIT: Mapping[VisitState, frozenset[NudgeKind]] = {
    VisitState.CANCELLED: _NOTHING,
    VisitState.NOSHOW: frozenset({NudgeKind.NEXT_SESSION}),
    VisitState.HELD: frozenset({NudgeKind.NEXT_SESSION}),
    VisitState.PENDING: frozenset({NudgeKind.NEXT_SESSION, NudgeKind.MISSED}),
    VisitState.BOOKED: _KEPT,
    VisitState.ARRIVED: _KEPT,
    VisitState.FULFILLED: _KEPT,
}

#: The same of what else may have happened, by the history's field.
BY_EVENT: Mapping[str, frozenset[NudgeKind]] = {
    "last_step_at": _NOTHING,
    "recheck_on": _NOTHING,
    "last_wrote_at": _NOTHING,
    "hold_until": _UNFINISHED,
    "cancelled_at": _UNFINISHED | {NudgeKind.RECHECK, NudgeKind.NEXT_SESSION},
    "declined": frozenset({NudgeKind.REFRESHER}),
}
_ABSENT: Mapping[str, str | None] = {"declined": ""}

events = st.sampled_from(sorted(BY_EVENT))


def called_for(history: History) -> set[tuple[NudgeKind, str]]:
    return {(each.kind, each.ref) for each in candidates(history)}


def added(history: History, without: History) -> set[NudgeKind]:
    """Return the kinds of what is called for without an event, and is not with it."""
    return {kind for kind, _ in called_for(without) - called_for(history)}


def without_visit(history: History, index: int) -> History:
    return replace(history, visits=history.visits[:index] + history.visits[index + 1 :])


def without_event(history: History, event: str) -> History:
    return replace(history, **{event: _ABSENT.get(event)})  # type: ignore[arg-type] # by name


@given(histories(), st.sampled_from(["", "s1"]))
def test_without_a_visit_only_what_it_held_back_is_added(history: History, declined: str) -> None:
    history = replace(history, declined=declined)

    for index, visit in enumerate(history.visits):
        without = without_visit(history, index)
        assert added(history, without) <= BY_VISIT[visit.state]
        assert not any(visit.ref == ref for _, ref in called_for(without))


@given(histories(), events, st.sampled_from(["", "s1"]))
def test_without_another_event_only_what_it_held_back_is_added(
    history: History, event: str, declined: str
) -> None:
    history = replace(history, declined=declined)

    assert added(history, without_event(history, event)) <= BY_EVENT[event]


@given(histories())
def test_without_a_message_only_a_reminder_on_the_day_is_added(history: History) -> None:
    about = [
        Sent(kind, visit.ref, visit.starts_at - timedelta(days=1))
        for visit in history.visits
        for kind in (NudgeKind.REMINDER, NudgeKind.PREPARE_DAY)
    ]
    history = replace(history, sent=(*history.sent, *about))

    for index in range(len(history.sent)):
        less = history.sent[:index] + history.sent[index + 1 :]
        assert added(history, replace(history, sent=less)) <= {NudgeKind.TODAY}


def test_a_reminder_must_be_able_to_hold_back_the_one_on_the_day() -> None:
    sent = Sent(NudgeKind.REMINDER, "s1-1:0", VISIT_AT - timedelta(days=2))
    history = a_history(a_visit(), sent=(sent,))

    assert added(history, replace(history, sent=())) == {NudgeKind.TODAY}


_DONE = VisitState.FULFILLED
_FIRST, _SECOND, _THIRD, _FOURTH = a_series(state=_DONE)
_OPEN = {"is_open": True, "last_step_at": VISIT_AT}
_GONE = replace(_SECOND, state=VisitState.NOSHOW)
_AGAIN = replace(_SECOND, uid="s1-2b", starts_at=VISIT_AT + timedelta(days=30))


_ELSEWHERE = replace(_FOURTH, uid="s2-1", series_id="s2", starts_at=VISIT_AT + timedelta(days=300))


@pytest.mark.parametrize(
    ("visits", "kind"),
    [
        ((_FIRST, _GONE), NudgeKind.NEXT_SESSION),
        ((_FIRST, replace(_SECOND, state=VisitState.HELD)), NudgeKind.NEXT_SESSION),
        ((_FIRST, replace(_SECOND, state=VisitState.PENDING)), NudgeKind.NEXT_SESSION),
        ((_FIRST, replace(_SECOND, state=VisitState.BOOKED)), NudgeKind.NEXT_SESSION),
        ((_FIRST, _GONE, replace(_AGAIN, state=VisitState.PENDING)), NudgeKind.MISSED),
        ((_FIRST, _GONE, _AGAIN), NudgeKind.MISSED),
        ((a_visit(),), NudgeKind.UNFINISHED_SOON),
        ((_FIRST, _SECOND, _THIRD, _FOURTH, _ELSEWHERE), NudgeKind.REFRESHER),
    ],
)
def test_a_visit_must_be_able_to_hold_that_back(visits: tuple[Visit, ...], kind: NudgeKind) -> None:
    history = a_history(*visits, **_OPEN)

    assert kind in added(history, without_visit(history, len(visits) - 1))


@pytest.mark.parametrize(
    ("history", "event", "kind"),
    [
        (a_history(hold_until=VISIT_AT, **_OPEN), "hold_until", NudgeKind.UNFINISHED_SOON),
        (a_history(cancelled_at=VISIT_AT, **_OPEN), "cancelled_at", NudgeKind.UNFINISHED_LATER),
        (
            a_history(cancelled_at=VISIT_AT, recheck_on=date(2026, 3, 1)),
            "cancelled_at",
            NudgeKind.RECHECK,
        ),
        (
            a_history(_FIRST, cancelled_at=VISIT_AT + timedelta(days=1)),
            "cancelled_at",
            NudgeKind.NEXT_SESSION,
        ),
        (a_history(*a_series(state=_DONE), declined="s1"), "declined", NudgeKind.REFRESHER),
    ],
)
def test_another_event_must_be_able_to_hold_that_back(
    history: History, event: str, kind: NudgeKind
) -> None:
    assert kind in added(history, without_event(history, event))
