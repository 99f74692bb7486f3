"""One parser for what patients type at a question: code, label, synonym, number or date.

Nothing is guessed: a close match is only suggested ("did you mean …?"), never taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from rapidfuzz import fuzz, process

from flows.conversation import Answer
from flows.protocol import Kind, Option, Step
from flows.texts import Catalogue
from flows.typed_times import parse_date
from flows.wording import plain

#: A typed word must be this close (0-100) to a label or synonym to be suggested.
_CLOSE = 80
_LONGEST_TEXT = 500
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|nothing|without|(?:do|does|did|have|has|had|is|are|was|ca|wo)nt)\b"
)
_DENIAL = re.compile(rf"(?:i |im |i am |its |it is )?{_NEGATION.pattern}")
_NEARLY = re.compile(r"(?:i ?am |im )?(?:nearly|almost|just under) (\d{1,3})")
_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
    "eighteen", "nineteen",
)  # fmt: skip
_NUMBERS: Mapping[str, int] = {
    **{word: number for number, word in enumerate(_TEENS, 10)},
    **{
        ten + one: 10 * tens + ones
        for tens, ten in enumerate(_TENS, 2)
        for ones, one in enumerate(("", *_ONES))
    },
}
_NUMBER = re.compile(
    rf"\b(?:{'|'.join(_TEENS)}|(?:{'|'.join(_TENS)})(?:[ -]?(?:{'|'.join(_ONES)}))?)\b"
)
_SPLIT = re.compile(r"\s*(?:,|;|&|\+|\band\b)\s*")


@dataclass(frozen=True, slots=True)
class Understood:
    """The words are an answer."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class DidYouMean:
    """The words come close to one option; ask before taking it."""

    code: str


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """The words were understood, but cannot be; `note` is the catalogue key that says why."""

    note: str


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """The words are no answer to this step."""


Reading = Understood | DidYouMean | NotAllowed | NotUnderstood


def read(
    step: Step, text: str, catalogues: Mapping[str, Catalogue], *, locale: str, today: date
) -> Reading:
    """Read typed words as an answer to `step`; labels and synonyms of every locale count."""
    codes = _codes(step, text, catalogues)
    if codes:
        return Understood(Answer(codes))
    if step.kind is Kind.DATE:
        return _read_date(text, locale, today)
    if step.kind is Kind.TEXT:
        return _read_text(text)
    if _has_numbers(step) and plain(text).isdigit():
        return NotAllowed("note.number_out_of_range")
    return _closest(step, text, catalogues)


def settle(step: Step, codes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the codes in the step's order, an exclusive one alone; KeyError on a foreign code."""
    chosen = {step.option(code).code for code in codes}
    for option in step.options:
        if option.exclusive and option.code in chosen:
            return (option.code,)
    return tuple(option.code for option in step.options if option.code in chosen)


def _codes(step: Step, text: str, catalogues: Mapping[str, Catalogue]) -> tuple[str, ...]:
    whole = _option_for(step, text, catalogues)
    if whole:
        return (whole.code,)
    parts = [part for part in _SPLIT.split(text.strip()) if part]
    if step.kind is not Kind.MULTI or len(parts) < 2:
        return ()
    options = [_option_for(step, part, catalogues) for part in parts]
    if any(option is None for option in options):
        return ()
    return settle(step, tuple(option.code for option in options if option))


def _option_for(step: Step, text: str, catalogues: Mapping[str, Catalogue]) -> Option | None:
    said = plain(text)
    for option in step.options:
        if said == option.code or said in _phrases(step, option, catalogues):
            return option
    number = re.fullmatch(
        r"(?:i ?am |im |option |number |no )?(\d{1,3})(?: years?(?: old)?)?", _in_digits(step, said)
    )
    return _numbered(step, int(number[1])) if number else None


def _numbered(step: Step, number: int) -> Option | None:
    """Return the option a number stands for: by its range, or as numbered in the picture."""
    if _has_numbers(step):
        for option in step.options:
            if option.numbers and option.numbers[0] <= number <= option.numbers[1]:
                return option
        return None
    counted = step.picture is not None and 1 <= number <= len(step.options)
    return step.options[number - 1] if counted else None


def _has_numbers(step: Step) -> bool:
    return any(option.numbers for option in step.options)


def _in_digits(step: Step, said: str) -> str:
    """Return the words with "thirty two" as 32, where the step asks for a number."""
    if not _has_numbers(step):
        return said
    return _NUMBER.sub(lambda found: str(_NUMBERS[re.sub("[ -]", "", found[0])]), said)


def _phrases(step: Step, option: Option, catalogues: Mapping[str, Catalogue]) -> Iterator[str]:
    prefix = f"step.{step.id}.{option.code}"
    for catalogue in catalogues.values():
        yield plain(catalogue.text(f"{prefix}.label"))
        yield from (plain(word) for word in catalogue.words(f"{prefix}.synonyms"))


def _closest(step: Step, text: str, catalogues: Mapping[str, Catalogue]) -> Reading:
    said = plain(text)
    nearly = _NEARLY.fullmatch(_in_digits(step, said))
    option_below = _numbered(step, int(nearly[1]) - 1) if nearly else None
    if option_below:
        return DidYouMean(option_below.code)
    if _DENIAL.match(said):  # "not too far" comes close to "too far", and means the opposite
        return NotUnderstood()
    known = {
        phrase: option.code
        for option in step.options
        for phrase in _phrases(step, option, catalogues)
        if _denies(phrase) == _denies(said)
    }
    best = process.extractOne(said, known.keys(), scorer=fuzz.ratio)
    if best is None or best[1] < _CLOSE:
        return NotUnderstood()
    return DidYouMean(known[best[0]])


def _denies(words: str) -> bool:
    return _NEGATION.search(words) is not None


def _read_date(text: str, locale: str, today: date) -> Reading:
    on = parse_date(text, locale, today)
    if on is None:
        return NotUnderstood()
    if on <= today:
        return NotAllowed("note.date_past")
    return Understood(Answer(on=on))


def _read_text(text: str) -> Reading:
    words = " ".join(text.split())
    if len(words) > _LONGEST_TEXT:
        return NotAllowed("note.text_too_long")
    return Understood(Answer(text=words)) if words else NotUnderstood()
