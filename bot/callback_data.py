"""Button payloads: `<revision in base 36>.<verb letter>[.<step or action>[.<argument>]]`.

A payload names the conversation's revision, so a button of an older screen can be told apart.
Telegram allows 1-64 bytes; everything here is ASCII.
"""

from __future__ import annotations

from flows.events import (
    Action,
    Answered,
    AnsweredNudge,
    AskedForPerson,
    AskedHelp,
    AskedPrivacy,
    AskedQuestion,
    AskedToStartOver,
    AskedWhy,
    Chose,
    Edited,
    NudgeAnswer,
    Repeated,
    Skipped,
    Stopped,
    Ticked,
    WentBack,
)
from flows.follow_up import NudgeKind

LIMIT = 64  # bytes

Press = (
    Answered
    | Ticked
    | Edited
    | Chose
    | AskedQuestion
    | AnsweredNudge
    | WentBack
    | Skipped
    | AskedHelp
    | AskedWhy
    | AskedForPerson
    | AskedPrivacy
    | AskedToStartOver
    | Stopped
    | Repeated
)
"""The events that a button can stand for."""

_BARE: dict[str, Press] = {
    "b": WentBack(),
    "s": Skipped(),
    "h": AskedHelp(),
    "w": AskedWhy(),
    "p": AskedForPerson(),
    "v": AskedPrivacy(),
    "r": AskedToStartOver(),
    "x": Stopped(),
    "n": Repeated(),
}
_BARE_LETTERS = {type(press): letter for letter, press in _BARE.items()}
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def pack(revision: int, press: Press) -> str:
    """Return the payload of a button.

    An `Answered` without codes means "done": every code ticked so far.
    Raises ValueError when the payload would break Telegram's limit.
    """
    parts = (_base36(revision), *_parts(press))
    data = ".".join(parts)
    if not data.isascii() or len(data) > LIMIT:
        raise ValueError(f"button data must be at most {LIMIT} bytes of ASCII, got {data!r}")
    return data


def unpack(data: str) -> tuple[int, Press] | None:
    """Return the revision and the event of a payload; None when it is not one of ours."""
    revision_text, _, rest = data.partition(".")
    letter, *words = rest.split(".", 2)
    revision = _revision(revision_text)
    if revision is None or len(data) > LIMIT:
        return None
    press = _BARE.get(letter) if not words else _worded(letter, words)
    return None if press is None else (revision, press)


def _parts(press: Press) -> tuple[str, ...]:
    letter = _BARE_LETTERS.get(type(press))
    if letter is not None:
        return _bare_parts(letter, press)
    match press:
        case Answered(step, codes):
            return _answer_parts(step, codes)
        case Ticked(step, code):
            return ("t", step, code)
        case Edited(step):
            return ("e", step)
        case Chose(action, arg):
            return ("c", action.value, arg) if arg else ("c", action.value)
        case AskedQuestion(faq):
            return ("q", faq)
        case AnsweredNudge(kind, answer, ref):
            return ("u", kind.value, f"{answer}:{ref}")
    raise TypeError(f"{type(press).__name__} cannot be a button")


def _bare_parts(letter: str, press: Press) -> tuple[str, ...]:
    if press != _BARE[letter]:
        raise ValueError("a button is never made stale, it becomes stale")
    return (letter,)


def _answer_parts(step: str, codes: tuple[str, ...]) -> tuple[str, ...]:
    if len(codes) > 1:
        raise ValueError(f"a button answers with one code, got {len(codes)}")
    return ("a", step, *codes) if codes else ("d", step)


def _worded(letter: str, words: list[str]) -> Press | None:
    name, arg = words[0], words[1] if len(words) > 1 else None
    if not name:
        return None
    if arg is None:
        return _named(letter, name)
    match letter:
        case "a" if arg:
            return Answered(name, (arg,))
        case "t":
            return Ticked(name, arg)
        case "c" if arg and name in set(Action):
            return Chose(Action(name), arg)
        case "u" if name in set(NudgeKind):
            answer, _, ref = arg.partition(":")
            if answer in set(NudgeAnswer):
                return AnsweredNudge(NudgeKind(name), NudgeAnswer(answer), ref)
    return None


def _named(letter: str, name: str) -> Press | None:
    match letter:
        case "d":
            return Answered(name, ())
        case "e":
            return Edited(name)
        case "q":
            return AskedQuestion(name)
        case "c" if name in set(Action):
            return Chose(Action(name))
    return None


def _base36(number: int) -> str:
    if number < 0:
        raise ValueError(f"a revision must not be negative, got {number}")
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
        if number == 0:
            return digits


def _revision(text: str) -> int | None:
    if not text or any(character not in _DIGITS for character in text):
        return None
    if len(text) > 1 and text[0] == "0":
        return None
    return int(text, 36)
