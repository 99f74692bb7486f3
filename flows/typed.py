"""Words typed at a screen that is not a question: what the patient wants there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from flows.conversation import Overlay, Stage
from flows.events import Action, Chose, Edited, Event, SharedContact, WentBack
from flows.position import Position
from flows.typed_times import When, parse_when
from flows.wording import means, plain

#: Screen -> `word.<name>` of the catalogues -> the button it stands for.
_WORDS: Mapping[str, Mapping[str, Event]] = {
    Stage.REVIEW: {"yes": Chose(Action.CONFIRM), "confirm": Chose(Action.CONFIRM)},
    Stage.PLAN: {
        "book": Chose(Action.BOOK, "0"),
        "yes": Chose(Action.BOOK, "0"),
        "book_first": Chose(Action.BOOK_FIRST, "0"),
        "other_times": Chose(Action.OTHER_TIMES),
        "no": Chose(Action.OTHER_TIMES),
        "laser": Chose(Action.LASER),
    },
    Stage.CONSULT: {
        "book": Chose(Action.BOOK, "0"),
        "yes": Chose(Action.BOOK, "0"),
        "other_times": Chose(Action.OTHER_TIMES),
        "no": Chose(Action.OTHER_TIMES),
    },
    Stage.CONTACT: {
        "here": Chose(Action.REACH_HERE),
        "yes": Chose(Action.REACH_HERE),
        "book": Chose(Action.REACH_HERE),
    },
    Stage.BOOKED: {
        "change": Chose(Action.CHANGE),
        "cancel": Chose(Action.CANCEL),
        "calendar": Chose(Action.CALENDAR_FILE),
        "prepare": Chose(Action.PREPARE),
        "aftercare": Chose(Action.AFTERCARE),
        "where": Chose(Action.WHERE),
        "book": Chose(Action.BOOK_REST),
    },
    Stage.CANCEL: {
        "cancel_all": Chose(Action.CANCEL_YES),
        "no": Chose(Action.KEEP),
    },
    Stage.MEND: {
        "yes": Chose(Action.MEND),
        "change": Chose(Action.MEND),
        "no": WentBack(),
        "other_times": WentBack(),
    },
    Stage.STOPPED: {"continue": Chose(Action.CONTINUE), "yes": Chose(Action.CONTINUE)},
}

_OVERLAYS: Mapping[Overlay, Mapping[str, Event]] = {
    Overlay.RESUME: {
        "continue": Chose(Action.CONTINUE),
        "yes": Chose(Action.CONTINUE),
        "start_over": Chose(Action.START_OVER),
    },
    Overlay.START_OVER: {
        "yes": Chose(Action.START_OVER),
        "start_over": Chose(Action.START_OVER),
        "no": Chose(Action.CONTINUE),
        "continue": Chose(Action.CONTINUE),
    },
    Overlay.ASK: {"continue": Chose(Action.CONTINUE)},
    Overlay.PHOTOS: {
        "yes": Chose(Action.PHOTOS_YES),
        "no": Chose(Action.CONTINUE),
        "continue": Chose(Action.CONTINUE),
    },
    Overlay.RESULT: {
        "no": Chose(Action.CONTINUE),
        "skip": Chose(Action.CONTINUE),
        "continue": Chose(Action.CONTINUE),
        "photos": Chose(Action.PHOTOS),
        "delete_photos": Chose(Action.PHOTOS_DELETE),
    },
    Overlay.ERASE: {
        "yes": Chose(Action.ERASE_YES),
        "delete_data": Chose(Action.ERASE_YES),
        "no": Chose(Action.CONTINUE),
        "continue": Chose(Action.CONTINUE),
    },
}

_PHONE = re.compile(r"\+?[\d\s().-]{7,20}")
_SOME_DIGITS = re.compile(r"\d(?:[\s().-]*\d){2}")
_CHANGE = re.compile(r"^(?:change|edit|correct)\s+(?:my\s+)?(.+)$")
_MOVE = re.compile(r"^(?:change|move|reschedule)\b.*\d")
_CLOSE = 80
#: Shorter words are part of too many others to name a clinic.
_CLINIC_LETTERS = 4


@dataclass(frozen=True, slots=True)
class Wish:
    """A day, part of the day or clock time that the patient typed while choosing a time."""

    when: When


def button_for(here: Position, text: str) -> Event | Wish | None:
    """Return the button that the words stand for on this screen, or the time they wish for."""
    conversation = here.conversation
    words = (
        _OVERLAYS[conversation.overlay]
        if conversation.overlay
        else _WORDS.get(conversation.state, {})
    )
    for name, event in words.items():
        if means(name, text, here.scene.catalogues):
            return event
    if conversation.overlay:
        return None
    return _by_screen(here, text)


def may_answer_another(here: Position, text: str) -> bool:
    """Say whether words may be meant for a message that came after the screen.

    Buttons name their screen, words do not: a yes may answer either, and so may whatever stands
    for a button or a time. What is typed at a question is an answer unless it is a bare yes or no;
    at the booked visits words decide nothing yet, and what is written to the clinic is read there.
    """
    state, overlay = here.conversation.state, here.conversation.overlay
    if state == Stage.URGENT or overlay is Overlay.ASK:
        return False
    if any(means(word, text, here.scene.catalogues) for word in ("yes", "no")):
        return True
    return state != Stage.BOOKED and button_for(here, text) is not None


def is_part_of_number(here: Position, text: str) -> bool:
    """Say whether the words look like a phone number that is too short or too long."""
    at_contact = here.conversation.state == Stage.CONTACT and not here.conversation.overlay
    return at_contact and _SOME_DIGITS.search(text) is not None


def _by_screen(here: Position, text: str) -> Event | Wish | None:
    match here.conversation.state:
        case Stage.CHOOSE_CLINIC:
            return _clinic(here, text)
        case Stage.REVIEW:
            return _answer_to_change(here, text)
        case Stage.CONTACT:
            return _phone(text)
        case Stage.BOOKED:  # which visit is asked next
            return Chose(Action.CHANGE) if _MOVE.match(plain(text)) else None
        case Stage.CHANGE:
            return _visit(here, text, Action.MOVE)
        case Stage.CANCEL:
            return _cancel(here, text)
        case Stage.PLAN | Stage.CONSULT | Stage.PICK_DAY | Stage.PICK_TIME:
            when = parse_when(text, here.conversation.locale, here.local_now)
            return Wish(when) if when else None
        case _:
            return None


def _visit(here: Position, text: str, action: Action) -> Event | None:
    """Return the button of the visit that a number names, as the visits are counted there."""
    number = re.fullmatch(r"\D*(\d)(?:st|nd|rd|th)?\D*", plain(text))
    place = int(number[1]) if number else 0
    named = here.booking.sessions[place - 1 : place] if place else ()
    return Chose(action, str(named[0].number)) if named else None


def _cancel(here: Position, text: str) -> Event | None:
    """Take a yes where one visit is meant; where it may be any of several, only its number."""
    if len(here.ahead) > 1 and here.booking.cancelling is None:
        return _visit(here, text, Action.CANCEL_ONE)
    said_yes = any(means(word, text, here.scene.catalogues) for word in ("yes", "cancel"))
    return Chose(Action.CANCEL_YES) if said_yes else None


def _clinic(here: Position, text: str) -> Event | None:
    """Return the clinic that the words name; words that could name two name none."""
    names = {slug: slug for slug in here.scene.clinics}
    names |= {plain(clinic.name): slug for slug, clinic in here.scene.clinics.items()}
    said = plain(text)
    if said in names:
        return Chose(Action.CLINIC, names[said])
    if len(said) < _CLINIC_LETTERS:
        return None
    long = [name for name in names if len(name) >= _CLINIC_LETTERS]
    near = process.extract(said, long, scorer=fuzz.partial_ratio, score_cutoff=_CLOSE, limit=None)
    slugs = {names[name] for name, *_ in near}
    return Chose(Action.CLINIC, slugs.pop()) if len(slugs) == 1 else None


def _answer_to_change(here: Position, text: str) -> Event | None:
    wanted = _CHANGE.match(plain(text))
    if wanted is None:
        return None
    catalogue = here.scene.catalogues[here.conversation.locale]
    names = {plain(catalogue.text(f"step.{step}.short")): step for step in here.answers}
    best = process.extractOne(wanted[1], names.keys(), scorer=fuzz.ratio)
    return Edited(names[best[0]]) if best and best[1] >= _CLOSE else None


def _phone(text: str) -> Event | None:
    digits = re.sub(r"\D", "", text)
    fits = _PHONE.fullmatch(text.strip()) is not None and 7 <= len(digits) <= 15
    return SharedContact(text.strip()) if fits else None
