"""What a made-up person does about a message that came by itself, and when. Pure but for chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.simulation.choices import Wish
from bot.simulation.personas import CLEAR, Persona
from flows.events import NudgeAnswer
from flows.follow_up import NudgeKind

_SOON = (timedelta(minutes=10), timedelta(hours=9))
_AT_ONCE = (timedelta(minutes=1), timedelta(minutes=2))

#: How often an answer is pressed as soon as the message comes: what is rare tells something then.
_EAGER: Mapping[NudgeKind, float] = {
    NudgeKind.HOLD_ENDS: 1.0,
    NudgeKind.MISSED: 0.5,
    NudgeKind.NEXT_SESSION: 0.5,
    NudgeKind.RECHECK: 0.5,
    NudgeKind.REFRESHER: 0.5,
}
_ELSE_EAGER = 0.1

_PREPARES = frozenset({NudgeKind.PREPARE_WEEK, NudgeKind.PREPARE_DAY, NudgeKind.AFTERCARE})

_Wanted = tuple[NudgeAnswer, Wish | None] | None


class Unrest(StrEnum):
    """What somebody does of their own accord late in the evening."""

    STOPS = "stops"
    STOPS_KIND = "stops_kind"
    CANCELS = "cancels"  # one visit
    ALARMS = "alarms"


@dataclass(frozen=True, slots=True)
class Reaction:
    """What is pressed under the message, when, and what is wanted afterwards."""

    after: timedelta
    answer: NudgeAnswer
    wish: Wish | None = None
    at_once: bool = False  # whatever the time of day


def reaction(person: Persona, kind: NudgeKind) -> Reaction | None:
    """Return what the person does about a message; None when it is nothing."""
    wanted = _stop(person, kind) if kind in _PREPARES else _HABITS[kind](person, kind)
    if wanted is None:
        return None
    at_once = person.does(_EAGER.get(kind, _ELSE_EAGER))
    return Reaction(person.waits(*(_AT_ONCE if at_once else _SOON)), *wanted, at_once)


def at_night(person: Persona) -> Unrest | None:
    """Return what the person does while something waits for the morning; mostly nothing."""
    return person.rng.choice(list(Unrest)) if person.does(person.acts_at_night) else None


def _stop(person: Persona, _: NudgeKind) -> _Wanted:
    return (NudgeAnswer.STOP, None) if person.does(person.stops_kind) else None


def _return(person: Persona, kind: NudgeKind) -> _Wanted:
    if person.returns_after is kind:
        return NudgeAnswer.GO, Wish.GET_TIMES
    if kind is NudgeKind.UNFINISHED_SOON and person.does(0.05):
        return NudgeAnswer.LATER, None
    return None


def _hurry(person: Persona, _: NudgeKind) -> _Wanted:
    if not person.does(0.6):
        return None
    person.leaves_hold = False
    return NudgeAnswer.GO, Wish.GET_TIMES


def _before(person: Persona, kind: NudgeKind) -> _Wanted:
    if kind is NudgeKind.REMINDER and person.does(person.moves):
        return NudgeAnswer.MOVE, Wish.MOVE
    if kind is NudgeKind.REMINDER and person.does(person.has_news):
        return NudgeAnswer.NEWS, None
    return (NudgeAnswer.COMING, None) if person.does(person.confirms) else None


def _check_in(person: Persona, _: NudgeKind) -> _Wanted:
    if not person.does(0.4):
        return None
    return (NudgeAnswer.WORRY if person.does(0.04) else NudgeAnswer.FINE), None


def _look(person: Persona, kind: NudgeKind) -> _Wanted:
    if kind is NudgeKind.NEXT_SESSION or person.returns_when_missed:
        return NudgeAnswer.GO, Wish.GET_TIMES
    return NudgeAnswer.STOP, None


def _rate(person: Persona, _: NudgeKind) -> _Wanted:
    return (NudgeAnswer.FOUR, None) if person.does(0.6) else None


def _recheck(person: Persona, _: NudgeKind) -> _Wanted:
    if not person.heeds_recheck:
        return (NudgeAnswer.LATER, None) if person.does(0.3) else None
    if person.recovers:
        person.answers = dict(CLEAR)
    person.recovers = True  # the next time at the latest
    return NudgeAnswer.GO, Wish.GET_TIMES


def _refresh(person: Persona, _: NudgeKind) -> _Wanted:
    if person.wants_refresher:
        return NudgeAnswer.GO, Wish.GET_TIMES
    return (NudgeAnswer.LATER, None) if person.does(0.3) else None


def _earlier(person: Persona, _: NudgeKind) -> _Wanted:
    if person.does(0.2):
        return None  # too late to see it
    return (NudgeAnswer.GO if person.does(0.7) else NudgeAnswer.LATER), None


_HABITS: Mapping[NudgeKind, Callable[[Persona, NudgeKind], _Wanted]] = {
    NudgeKind.UNFINISHED_SOON: _return,
    NudgeKind.UNFINISHED_LATER: _return,
    NudgeKind.HOLD_ENDS: _hurry,
    NudgeKind.REMINDER: _before,
    NudgeKind.TODAY: _before,
    NudgeKind.CHECK_IN_FIRST: _check_in,
    NudgeKind.CHECK_IN_SECOND: _check_in,
    NudgeKind.MISSED: _look,
    NudgeKind.NEXT_SESSION: _look,
    NudgeKind.SERIES_REVIEW: _rate,
    NudgeKind.RECHECK: _recheck,
    NudgeKind.REFRESHER: _refresh,
    NudgeKind.WAITLIST_OFFER: _earlier,
}
