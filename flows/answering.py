"""What a patient answers to a message that came by itself.

Such a message stays in the chat for days, so its buttons are never stale: each names what it is
about, and what is no longer so is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from flows import continuing, rebooking, results, starting, talking, waiting
from flows.conversation import BookedSession, Stage
from flows.effects import (
    ConfirmVisit,
    Effect,
    HandOffLead,
    LeadKind,
    PauseVisit,
    ReviewSeries,
    StopNudges,
)
from flows.events import AnsweredNudge, NudgeAnswer
from flows.follow_up import NudgeKind
from flows.position import Position
from flows.turn import Turn

_RATINGS = {
    NudgeAnswer.ONE: 1,
    NudgeAnswer.TWO: 2,
    NudgeAnswer.THREE: 3,
    NudgeAnswer.FOUR: 4,
    NudgeAnswer.FIVE: 5,
}
_GLAD = 4  # from this rating on, the result is a good one


def answer(here: Position, event: AnsweredNudge) -> Turn:
    """Do what the button says, or say that its time has passed."""
    if event.answer in _RATINGS:
        return _rated(here, event, _RATINGS[event.answer])
    return _ANSWERS[event.answer](here, event)


def _say(here: Position, key: str, *effects: Effect) -> Turn:
    return Turn(here.conversation, effects=effects, notes=(here.note(key),))


def _ahead(here: Position, uid: str) -> BookedSession | None:
    return next((session for session in here.ahead if session.uid == uid), None)


def _coming(here: Position, event: AnsweredNudge) -> Turn:
    coming = _ahead(here, event.ref)
    if coming is None:
        return _say(here, "note.nudge_over")
    booking = here.booking
    said = {
        name: tuple(replace(each, is_coming=True) if each is coming else each for each in visits)
        for name, visits in (("sessions", booking.sessions), ("done", booking.done))
    }
    return _say(here.with_booking(**said), "note.nudge_coming", ConfirmVisit(event.ref))


def _news(here: Position, event: AnsweredNudge) -> Turn:
    """Stop this one visit until somebody has looked; the rest of the course stays."""
    if _ahead(here, event.ref) is None:
        return _say(here, "note.nudge_over")
    told = talking.call_person(here)
    pause: tuple[Effect, ...] = (PauseVisit(event.ref), HandOffLead(LeadKind.PERSON))
    return replace(told, effects=pause, notes=(here.note("note.nudge_news"),))


def _move(here: Position, event: AnsweredNudge) -> Turn:
    session = _ahead(here, event.ref)
    if session is None:
        return _say(here, "note.nudge_over")
    turn = rebooking.ask_move(continuing.at_visits(here), session.number)
    return replace(turn, effects=(*continuing.let_go(here), *turn.effects))


def _stop(here: Position, event: AnsweredNudge) -> Turn:
    return _say(here, "note.nudge_stopped", StopNudges(event.kind))


def _fine(here: Position, _: AnsweredNudge) -> Turn:
    return _say(here, "note.nudge_fine")


def _worry(here: Position, _: AnsweredNudge) -> Turn:
    told = talking.call_person(here)
    return replace(told, notes=(here.note("care.call"), *told.notes))


def _later(here: Position, event: AnsweredNudge) -> Turn:
    """Not now: nothing of this is asked a second time."""
    if event.kind is NudgeKind.WAITLIST_OFFER:
        return waiting.decline(here, event.ref)
    if event.kind is NudgeKind.REFRESHER and event.ref:
        here = here.with_(declined=event.ref)
    if event.kind is NudgeKind.UNFINISHED_SOON:
        return _say(here, "note.nudge_later", StopNudges(NudgeKind.UNFINISHED_LATER))
    return _say(here, "note.nudge_later")


def _rated(here: Position, event: AnsweredNudge, rating: int) -> Turn:
    key = "note.nudge_glad" if rating >= _GLAD else "note.nudge_sorry"
    return _say(results.ask(here, event.ref), key, ReviewSeries(event.ref, rating))


def _go(here: Position, event: AnsweredNudge) -> Turn:
    match event.kind:
        case NudgeKind.RECHECK if here.conversation.state == Stage.DEFERRED:
            return starting.recheck_if_due(here)
        case NudgeKind.MISSED | NudgeKind.NEXT_SESSION:
            return rebooking.book_rest(here)
        case NudgeKind.WAITLIST_OFFER:
            return waiting.accept(here, event.ref)
        case NudgeKind.REFRESHER:
            return continuing.refresh(here)
        case _:
            return Turn(here.conversation)


_ANSWERS: Mapping[NudgeAnswer, Callable[[Position, AnsweredNudge], Turn]] = {
    NudgeAnswer.GO: _go,
    NudgeAnswer.LATER: _later,
    NudgeAnswer.COMING: _coming,
    NudgeAnswer.NEWS: _news,
    NudgeAnswer.MOVE: _move,
    NudgeAnswer.FINE: _fine,
    NudgeAnswer.WORRY: _worry,
    NudgeAnswer.STOP: _stop,
}
