"""The buttons of the screens that are not questions: where each stands and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Generic, TypeVar

from flows import (
    appointing,
    cancelling,
    erasing,
    photos,
    rebooking,
    screening,
    starting,
    waiting,
)
from flows.conversation import Offer, Overlay, Stage
from flows.events import Action, Chose
from flows.position import Position
from flows.slots import PARTS, Slot
from flows.turn import Turn

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class _Button(Generic[Read]):
    """A button: the screens it stands on (none: anywhere), how to read its argument, what it does.

    `read` raises ValueError, IndexError or KeyError for what the screen does not offer. What
    `press` raises is a fault of ours, and never taken for an old button.
    """

    states: frozenset[str]
    read: Callable[[Position, str], Read]
    press: Callable[[Position, Read], Turn]


def choose(here: Position, event: Chose) -> Turn:
    """Do what a button says, where it stands; an old or unknown one shows the screen again."""
    button = _BUTTONS[event.action]
    states = button.states
    if states and (here.conversation.overlay or here.conversation.state not in states):
        return screening.stale(here)
    try:
        argument = button.read(here, event.arg)
    except (ValueError, IndexError, KeyError):
        return screening.stale(here)
    return button.press(here, argument)


def go_on(here: Position) -> Turn:
    """Give the place back; what was beside it leaves it untouched."""
    if here.conversation.overlay is Overlay.PHOTOS:
        return Turn(photos.leave(here).conversation)
    if here.conversation.overlay in (Overlay.ASK, Overlay.RESULT, Overlay.ERASE):
        return Turn(here.with_(overlay=None).conversation)
    return starting.resume(here)


def _start_over(here: Position) -> Turn:
    """Start over on the screen that asks for it; anywhere else ask first."""
    if here.conversation.overlay:
        return starting.start_over(here)
    return starting.ask_to_start_over(here)


def _choose_clinic(here: Position, slug: str) -> Turn:
    return Turn(starting.begin(here, slug).conversation)


def _book_first(here: Position, offer: Offer) -> Turn:
    only = replace(offer, slots=offer.slots[:1], changed=())
    return appointing.book(here.with_booking(only_first=True), only)


def _show_part(here: Position, of: tuple[date, str]) -> Turn:
    return appointing.show_day(here, *of)


def _move(here: Position, number: int) -> Turn:
    return rebooking.ask_move(here, number, rebooking.waiting_wish(here))


def _keep(here: Position) -> Turn:
    """Leave things as they are: the answer being changed, or the appointments."""
    if here.conversation.state in (Stage.CHANGE, Stage.CANCEL, Stage.MEND):
        return appointing.back(here)
    if here.step is None or here.step.id not in here.answers:
        return screening.stale(here)
    return screening.advance_from(here, here.step.id)


def _known_clinic(here: Position, slug: str) -> str:
    return here.scene.clinics[slug].slug


def _offer(here: Position, index: str) -> Offer:
    return here.booking.offers[int(index)]


def _time(here: Position, index: str) -> Slot:
    return here.booking.times[int(index)]


def _day(_: Position, arg: str) -> date:
    return date.fromisoformat(arg)


def _part(here: Position, part: str) -> tuple[date, str]:
    if part not in PARTS or here.booking.day_on is None:
        raise ValueError("a part of a day must be one of a day that is shown")
    return here.booking.day_on, part


def _number(_: Position, arg: str) -> int:
    return int(arg)


def _plain(states: frozenset[str], press: Callable[[Position], Turn]) -> _Button[str]:
    """Return a button without an argument."""
    return _Button(states, lambda _, arg: arg, lambda here, _: press(here))


def _say(states: frozenset[str], *keys: str) -> _Button[str]:
    """Return a button that changes nothing and answers with these texts."""
    return _plain(
        states, lambda here: Turn(here.conversation, notes=tuple(here.note(key) for key in keys))
    )


_ANYWHERE: frozenset[str] = frozenset()
_OFFERS = frozenset({Stage.PLAN, Stage.CONSULT})
_BOOKED = frozenset({Stage.BOOKED})
_CANCEL = frozenset({Stage.CANCEL})

_BUTTONS: Mapping[Action, _Button[Any]] = {
    Action.CLINIC: _Button(frozenset({Stage.CHOOSE_CLINIC}), _known_clinic, _choose_clinic),
    Action.CONTINUE: _plain(_ANYWHERE, go_on),
    Action.START_OVER: _plain(_ANYWHERE, _start_over),
    Action.CONFIRM: _plain(frozenset({Stage.REVIEW}), screening.confirm),
    Action.BOOK: _Button(_OFFERS, _offer, appointing.book),
    Action.BOOK_FIRST: _Button(frozenset({Stage.PLAN}), _offer, _book_first),
    Action.OTHER_TIMES: _plain(_OFFERS, appointing.other_times),
    Action.WEEK: _Button(frozenset({Stage.PICK_DAY}), _day, appointing.show_week),
    Action.DAY: _Button(frozenset({Stage.PICK_DAY}), _day, appointing.show_day),
    Action.PART: _Button(frozenset({Stage.PICK_TIME}), _part, _show_part),
    Action.TIME: _Button(frozenset({Stage.PICK_TIME}), _time, appointing.pick),
    Action.REACH_HERE: _plain(frozenset({Stage.CONTACT}), appointing.confirm),
    Action.CHANGE: _plain(_BOOKED, rebooking.ask_move),
    Action.MOVE: _Button(frozenset({Stage.CHANGE}), _number, _move),
    Action.MEND: _plain(frozenset({Stage.MEND}), rebooking.accept),
    Action.CANCEL: _plain(_BOOKED, cancelling.ask_cancel),
    Action.CANCEL_ONE: _Button(_CANCEL, _number, cancelling.choose),
    Action.CANCEL_YES: _plain(_CANCEL, cancelling.cancel),
    Action.KEEP: _plain(_ANYWHERE, _keep),
    Action.CALENDAR_FILE: _plain(
        _BOOKED, lambda here: Turn(here.conversation, files=("calendar",))
    ),
    Action.PREPARE: _say(_BOOKED, "care.before", "care.day"),
    Action.AFTERCARE: _say(_BOOKED, "care.expect", "care.after", "care.call"),
    Action.WHERE: _say(_BOOKED, "note.where"),
    Action.WAIT: _plain(_BOOKED, waiting.join),
    Action.WAIT_NO_MORE: _plain(_BOOKED, waiting.leave),
    Action.BOOK_REST: _plain(_BOOKED, rebooking.book_rest),
    Action.LASER: _say(frozenset({Stage.PLAN}), "plan.laser"),
    Action.PHOTOS: _plain(_ANYWHERE, photos.offer),
    Action.PHOTOS_YES: _plain(_ANYWHERE, photos.agree),
    Action.PHOTOS_DELETE: _plain(_ANYWHERE, photos.delete),
    Action.ERASE: _plain(_ANYWHERE, erasing.ask),
    Action.ERASE_YES: _plain(_ANYWHERE, erasing.erase),
}
