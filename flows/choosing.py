"""The buttons of the screens that are not questions: where each stands and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from flows import (
    appointing,
    cancelling,
    photos,
    rebooking,
    screening,
    starting,
    waiting,
)
from flows.conversation import Overlay, Stage
from flows.events import Action, Chose
from flows.position import Position
from flows.slots import PARTS
from flows.turn import Turn


def choose(here: Position, event: Chose) -> Turn:
    """Do what a button says, where it stands; an old or unknown one shows the screen again."""
    states, handler = _ACTIONS[event.action]
    if states and (here.conversation.overlay or here.conversation.state not in states):
        return screening.stale(here)
    try:
        return handler(here, event.arg)
    except (ValueError, IndexError, KeyError):  # an argument that this screen does not offer
        return screening.stale(here)


def go_on(here: Position) -> Turn:
    """Give the place back; what was beside it leaves it untouched."""
    if here.conversation.overlay is Overlay.PHOTOS:
        return Turn(photos.leave(here).conversation)
    if here.conversation.overlay in (Overlay.ASK, Overlay.RESULT):
        return Turn(here.with_(overlay=None).conversation)
    return starting.resume(here)


def _start_over(here: Position) -> Turn:
    """Start over on the screen that asks for it; anywhere else ask first."""
    if here.conversation.overlay:
        return starting.start_over(here)
    return starting.ask_to_start_over(here)


def _choose_clinic(here: Position, slug: str) -> Turn:
    return Turn(starting.begin(here, here.scene.clinics[slug].slug).conversation)


def _book(here: Position, index: str) -> Turn:
    return appointing.book(here, here.booking.offers[int(index)])


def _book_first(here: Position, index: str) -> Turn:
    first = replace(here.booking.offers[int(index)], changed=())
    only = replace(first, slots=first.slots[:1])
    return appointing.book(here.with_booking(only_first=True), only)


def _week(here: Position, arg: str) -> Turn:
    return appointing.show_week(here, date.fromisoformat(arg))


def _day(here: Position, arg: str) -> Turn:
    return appointing.show_day(here, date.fromisoformat(arg))


def _part(here: Position, part: str) -> Turn:
    if part not in PARTS or here.booking.day_on is None:
        return screening.stale(here)
    return appointing.show_day(here, here.booking.day_on, part)


def _time(here: Position, index: str) -> Turn:
    return appointing.pick(here, here.booking.times[int(index)])


def _move(here: Position, number: str) -> Turn:
    return rebooking.ask_move(here, int(number), rebooking.waiting_wish(here))


def _keep(here: Position, _: str) -> Turn:
    """Leave things as they are: the answer being changed, or the appointments."""
    if here.conversation.state in (Stage.CHANGE, Stage.CANCEL, Stage.MEND):
        return appointing.back(here)
    if here.step is None or here.step.id not in here.answers:
        return screening.stale(here)
    return screening.advance_from(here, here.step.id)


def _say(*keys: str) -> Callable[[Position, str], Turn]:
    def said(here: Position, _: str) -> Turn:
        return Turn(here.conversation, notes=tuple(here.note(key) for key in keys))

    return said


_ANYWHERE: frozenset[str] = frozenset()
_OFFERS = frozenset({Stage.PLAN, Stage.CONSULT})
_BOOKED = frozenset({Stage.BOOKED})

#: Button -> the screens it stands on (none: anywhere), and what it does with its argument.
_ACTIONS: Mapping[Action, tuple[frozenset[str], Callable[[Position, str], Turn]]] = {
    Action.CLINIC: (frozenset({Stage.CHOOSE_CLINIC}), _choose_clinic),
    Action.CONTINUE: (_ANYWHERE, lambda here, _: go_on(here)),
    Action.START_OVER: (_ANYWHERE, lambda here, _: _start_over(here)),
    Action.CONFIRM: (frozenset({Stage.REVIEW}), lambda here, _: screening.confirm(here)),
    Action.BOOK: (_OFFERS, _book),
    Action.BOOK_FIRST: (frozenset({Stage.PLAN}), _book_first),
    Action.OTHER_TIMES: (_OFFERS, lambda here, _: appointing.other_times(here)),
    Action.WEEK: (frozenset({Stage.PICK_DAY}), _week),
    Action.DAY: (frozenset({Stage.PICK_DAY}), _day),
    Action.PART: (frozenset({Stage.PICK_TIME}), _part),
    Action.TIME: (frozenset({Stage.PICK_TIME}), _time),
    Action.REACH_HERE: (frozenset({Stage.CONTACT}), lambda here, _: appointing.confirm(here)),
    Action.CHANGE: (_BOOKED, lambda here, _: rebooking.ask_move(here)),
    Action.MOVE: (frozenset({Stage.CHANGE}), _move),
    Action.MEND: (frozenset({Stage.MEND}), lambda here, _: rebooking.accept(here)),
    Action.CANCEL: (_BOOKED, lambda here, _: cancelling.ask_cancel(here)),
    Action.CANCEL_ONE: (
        frozenset({Stage.CANCEL}),
        lambda here, number: cancelling.choose(here, int(number)),
    ),
    Action.CANCEL_YES: (frozenset({Stage.CANCEL}), lambda here, _: cancelling.cancel(here)),
    Action.KEEP: (_ANYWHERE, _keep),
    Action.CALENDAR_FILE: (
        _BOOKED,
        lambda here, _: Turn(here.conversation, files=("calendar",)),
    ),
    Action.PREPARE: (_BOOKED, _say("care.before", "care.day")),
    Action.AFTERCARE: (_BOOKED, _say("care.expect", "care.after", "care.call")),
    Action.WHERE: (_BOOKED, _say("note.where")),
    Action.WAIT: (_BOOKED, lambda here, _: waiting.join(here)),
    Action.WAIT_NO_MORE: (_BOOKED, lambda here, _: waiting.leave(here)),
    Action.BOOK_REST: (_BOOKED, lambda here, _: rebooking.book_rest(here)),
    Action.LASER: (frozenset({Stage.PLAN}), _say("plan.laser")),
    Action.PHOTOS: (_ANYWHERE, lambda here, _: photos.offer(here)),
    Action.PHOTOS_YES: (_ANYWHERE, lambda here, _: photos.agree(here)),
    Action.PHOTOS_DELETE: (_ANYWHERE, lambda here, _: photos.delete(here)),
}
