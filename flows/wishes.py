"""Wishes about what is booked, in the patient's own words: another time, or no visit at all."""

from __future__ import annotations

import re
from datetime import date

from flows import cancelling, rebooking
from flows.conversation import BookedSession, Stage
from flows.position import Position
from flows.slots import local_start
from flows.turn import Turn
from flows.typed_times import When, parse_when
from flows.wording import plain

_MOVE = re.compile(r"\b(?:change|move|reschedule|shift|postpone|push|bring|switch|swap)\b")
_CANCEL = re.compile(r"\b(?:cancel|drop|call off)\b")
#: Words between which visit is meant and when it should be.
_TO = re.compile(r"\b(?:to|until|for|forward to|back to)\b")
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6,
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
}  # fmt: skip
_NUMBER = re.compile(
    r"\b(?:(?P<nth>\d)(?:st|nd|rd|th)|(?P<word>first|second|third|fourth|fifth|sixth)"
    r"|(?:number|session|visit|appointment|treatment) (?P<digit>\d|one|two|three|four|five|six)"
    r"|(?P<bare>\d))\b"
)
#: "The 2nd" may be a day of the month; "the 2nd visit" is none.
_NTH_VISIT = re.compile(
    r"\b(?:(?P<nth>\d)(?:st|nd|rd|th)|(?P<word>first|second|third|fourth|fifth|sixth))"
    r"(?= (?:visit|session|appointment|booking|treatment|one)\b)(?P<digit>)(?P<bare>)"
)
_LAST = re.compile(r"\blast\b")
_NEXT = re.compile(r"\b(?:next|upcoming|coming)\b")
_ALL = re.compile(r"\b(?:all|everything|both|whole|appointments|visits|sessions|bookings)\b")
#: What may stand beside the visit that is meant; other words mean something else.
_SAID = re.compile(
    r"\b(?:i|id|im|would|like|want|need|have|can|could|may|you|we|please|pls|hi|hello|to|the|my"
    r"|me|a|an|it|this|that|one|on|of|is|be|thanks|thank|appointment|visit|session|booking|slot"
    r"|treatment|number|time|day|up|forward|back|off|out)\b"
)


def wish(here: Position, text: str) -> Turn | None:
    """Do what the words wish for on the screen of booked visits; None when they say more."""
    said = plain(text)
    if here.conversation.state != Stage.BOOKED or not here.ahead:
        return None
    if _CANCEL.search(said):
        return _cancel(here, _CANCEL.sub(" ", said))
    if _MOVE.search(said):
        return _move(here, _MOVE.sub(" ", said, count=1))
    return None


def _cancel(here: Position, said: str) -> Turn | None:
    if _ALL.search(said):
        return cancelling.ask_cancel(here)
    visit, rest = _visit(here, said)
    if _meaning(rest):
        return None
    return cancelling.ask_cancel(here, visit.number if visit else None)


def _move(here: Position, said: str) -> Turn | None:
    """Which visit is meant stands before the "to", when it should be after it."""
    for found in _TO.finditer(said):
        visit, rest = _visit(here, said[: found.start()])
        when = _when(here, said[found.end() :])
        if when and not _meaning(rest):
            return rebooking.ask_move(here, visit.number if visit else None, when)
    visit, rest = _visit(here, said)
    if _meaning(rest):
        return None
    return rebooking.ask_move(here, visit.number if visit else None)


def _visit(here: Position, said: str) -> tuple[BookedSession | None, str]:
    """Return the visit that the words name, and the words that do not name it."""
    if _LAST.search(said):
        return here.ahead[-1], _LAST.sub(" ", said)
    if _NEXT.search(said):
        return here.ahead[0], _NEXT.sub(" ", said)
    number, when = _NTH_VISIT.search(said), _when(here, said)
    if number is None and when is not None and when.on:
        return _on_day(here, when.on, said)
    number = number or _NUMBER.search(said)
    if number is None:
        return None, said
    word = number["nth"] or number["word"] or number["digit"] or number["bare"]
    place = int(word) if word.isdigit() else _ORDINALS[word]
    named = here.booking.sessions[place - 1 : place]
    if not named or named[0] not in here.ahead:
        return None, said
    return named[0], f"{said[: number.start()]} {said[number.end() :]}"


def _on_day(here: Position, on: date, said: str) -> tuple[BookedSession | None, str]:
    for each in here.ahead:
        if local_start(each.slot, here.clinic.zone).date() == on:
            return each, ""
    return None, said


def _when(here: Position, said: str) -> When | None:
    return parse_when(said, here.conversation.locale, here.local_now)


def _meaning(said: str) -> str:
    """Return the words that are not about visits at all."""
    return " ".join(_SAID.sub(" ", said).split())
