"""Whom somebody of the clinic might write to or call, and which nudge they may send by hand.

Like the nudges it is decided from a history alone, so it is right until something happens again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flows.follow_up import History, NudgeKind, Silence
from flows.nudge_rules import Nudge, candidates


class Why(StrEnum):
    """What somebody of the clinic might talk about."""

    MISSED = "missed"  # did not come, and has no new time
    NEXT_SESSION = "next_session"  # the next session of the course has no time
    RECHECK = "recheck"  # had to wait, until now
    REFRESHER = "refresher"  # a year after the course
    UNFINISHED = "unfinished"  # stopped before booking, and both nudges are over
    UNHAPPY = "unhappy"  # rated the result low


@dataclass(frozen=True, slots=True)
class Recall:
    """Why somebody might get in touch, and from when on (aware UTC, perhaps still to come)."""

    why: Why
    since: datetime


_WHY: Mapping[NudgeKind, Why] = {
    NudgeKind.MISSED: Why.MISSED,
    NudgeKind.NEXT_SESSION: Why.NEXT_SESSION,
    NudgeKind.RECHECK: Why.RECHECK,
    NudgeKind.REFRESHER: Why.REFRESHER,
    NudgeKind.UNFINISHED_LATER: Why.UNFINISHED,
}

#: Whoever said stop, took the consent back or may be in danger is on no list.
_NEVER = frozenset({Silence.STOPPED, Silence.WITHDRAWN, Silence.RED_FLAG})

_BEFORE_VISIT = frozenset({NudgeKind.PREPARE_WEEK, NudgeKind.PREPARE_DAY, NudgeKind.REMINDER})
_AFTER_VISIT = frozenset({NudgeKind.AFTERCARE, NudgeKind.CHECK_IN_FIRST, NudgeKind.CHECK_IN_SECOND})
_ABOUT_COURSE = frozenset({*_WHY, NudgeKind.SERIES_REVIEW})

#: So old a recall is given up: nobody waits to hear of it any more.
GIVEN_UP = timedelta(days=365)

#: So long before its time what is said before a visit may be said by hand; sooner it would be
#: untrue, and stand for the safety check that is due shortly before the visit.
_AHEAD_FOR = timedelta(days=1)

_AFTER_FOR = timedelta(days=14)  # so long after a visit one may ask how it was
_BY_HAND_FOR = timedelta(days=1)  # a nudge sent by hand is worth nothing later
_HOUR = timedelta(hours=1)


def recall(history: History) -> Recall | None:
    """Return what is due first, or will be; None when there is nothing to talk about.

    A low rating comes before everything else.
    """
    if not may_be_called(history):
        return None
    if history.unhappy_at is not None:
        return Recall(Why.UNHAPPY, history.unhappy_at)
    found = [
        Recall(_WHY[nudge.kind], _since(nudge))
        for nudge in candidates(history)
        if nudge.kind in _WHY and nudge.kind not in history.stopped_kinds
    ]
    return min(found, key=lambda each: each.since, default=None)


def may_be_called(history: History) -> bool:
    """Say whether somebody of the clinic may get in touch of their own accord."""
    return not history.silences & _NEVER


def by_hand(history: History, now: datetime) -> tuple[Nudge, ...]:
    """Return the nudges that make sense now, due at once: what staff may send if they choose."""
    if history.silences:
        return ()
    starts = {visit.uid: visit.starts_at for visit in history.visits}
    found: dict[NudgeKind, Nudge] = {}
    for nudge in candidates(history):
        if nudge.kind in history.stopped_kinds or nudge.kind in found:
            continue
        if history.holds_back(nudge.uid):
            continue
        until = _until(nudge, starts, now)
        if until is not None and until > now:
            found[nudge.kind] = Nudge(nudge.kind, nudge.ref, now, until, nudge.uid)
    return tuple(found.values())


def _since(nudge: Nudge) -> datetime:
    return nudge.not_after if nudge.kind is NudgeKind.UNFINISHED_LATER else nudge.due_at


def _until(nudge: Nudge, starts: Mapping[str, datetime], now: datetime) -> datetime | None:
    """Return until when a nudge may be sent by hand; None while it makes no sense."""
    soon = now + _BY_HAND_FOR
    if nudge.kind in _BEFORE_VISIT:
        is_near = nudge.due_at - _AHEAD_FOR <= now
        return min(soon, starts[nudge.uid] - _HOUR) if is_near else None
    if nudge.kind in _AFTER_VISIT:
        return min(soon, nudge.due_at + _AFTER_FOR) if nudge.due_at <= now else None
    if nudge.kind in _ABOUT_COURSE:
        return soon if nudge.due_at <= now else None
    return None
