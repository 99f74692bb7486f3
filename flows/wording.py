"""Typed words that are not answers: commands, patients' questions and red flags.

Matching is done on plain words: lower case, no punctuation, single spaces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rapidfuzz import fuzz, process

from flows.clinics import Clinic
from flows.events import (
    Action,
    AskedForPerson,
    AskedHelp,
    AskedPrivacy,
    AskedToStartOver,
    AskedWhy,
    Chose,
    Event,
    Repeated,
    Skipped,
    Stopped,
    WentBack,
)
from flows.protocol import Protocol
from flows.texts import Catalogue

#: `word.<name>` in the catalogues -> the event it stands for.
COMMANDS: Mapping[str, Event] = {
    "help": AskedHelp(),
    "why": AskedWhy(),
    "person": AskedForPerson(),
    "privacy": AskedPrivacy(),
    "start_over": AskedToStartOver(),
    "stop": Stopped(),
    "back": WentBack(),
    "skip": Skipped(),
    "repeat": Repeated(),
    "photos": Chose(Action.PHOTOS),
    "delete_photos": Chose(Action.PHOTOS_DELETE),
    "delete_data": Chose(Action.ERASE),
}

#: How close (0-100) words must come to a known question: in a question the known words may
#: stand among others; words without any sign of a question must be nearly the same.
_ASKED = 86
_SAID = 88

_NOT_WORDS = re.compile(r"[^\w\s/:+.-]|(?<!\d)[.:](?!\d)|[.:](?!\d)")
_QUESTION = re.compile(
    r"\?|^(how|what|when|where|why|who|which|can|could|do|does|did|is|are|will|would|should|may)\b"
)


def plain(text: str) -> str:
    """Return the words alone: case folded, punctuation dropped, spaces single."""
    text = text.replace("\u2019", "'").replace("'", "")
    return " ".join(_NOT_WORDS.sub(" ", text.casefold()).split())


def command(text: str, catalogues: Mapping[str, Catalogue]) -> Event | None:
    """Return the event that the words stand for in any locale; only whole messages count."""
    for name, event in COMMANDS.items():
        if means(name, text, catalogues):
            return event
    return None


def means(name: str, text: str, catalogues: Mapping[str, Catalogue]) -> bool:
    """Say whether the whole message is one of the words `word.<name>` of any locale."""
    said = plain(text)
    return any(
        said == plain(word) for each in catalogues.values() for word in each.words(f"word.{name}")
    )


def wants_person(text: str, catalogues: Mapping[str, Catalogue]) -> bool:
    """Say whether the words ask for somebody to talk to, and for nothing else."""
    said = set(plain(text).split())
    for catalogue in catalogues.values():
        talk, somebody, asking = (
            {plain(word) for word in catalogue.words(f"word.{name}")}
            for name in ("talk", "somebody", "asking")
        )
        if said & talk and said & somebody and said <= talk | somebody | asking:
            return True
    return False


def is_question(text: str) -> bool:
    """Say whether the words look like a question."""
    return _QUESTION.search(text.strip().casefold()) is not None


def question(text: str, protocol: Protocol, catalogues: Mapping[str, Catalogue]) -> str | None:
    """Return the id of the known question that the words ask, None when none is close enough."""
    known = {
        plain(phrase): faq
        for each in catalogues.values()
        for faq in protocol.faqs
        for phrase in (each.text(f"faq.{faq}.title"), *each.words(f"faq.{faq}.synonyms"))
    }
    said = plain(text)
    scorer, enough = fuzz.token_sort_ratio, _SAID
    if is_question(text):
        scorer, enough = fuzz.token_set_ratio, _ASKED
        known = _about(said, known, catalogues)
    near = process.extract(said, known.keys(), scorer=scorer, score_cutoff=enough, limit=None)
    best = max(near, key=lambda hit: (hit[1], fuzz.token_sort_ratio(said, hit[0])), default=None)
    return None if best is None else known[best[0]]


def _about(
    said: str, known: Mapping[str, str], catalogues: Mapping[str, Catalogue]
) -> dict[str, str]:
    """Return the phrases of those questions that know at least half of the telling words.

    A phrase that stands among many other words says little: "is it safe to drive home" does not
    ask whether the treatment is safe.
    """
    filler = {plain(word) for each in catalogues.values() for word in each.words("word.filler")}
    telling = set(said.split()) - filler
    words_of: dict[str, set[str]] = {}
    for phrase, faq in known.items():
        words_of.setdefault(faq, set()).update(phrase.split())
    return {
        phrase: faq
        for phrase, faq in known.items()
        if 2 * len(telling & words_of[faq]) >= len(telling)
    }


def red_flag(text: str, protocol: Protocol, catalogues: Mapping[str, Catalogue]) -> str | None:
    """Return the id of the first red flag that the words raise.

    A flag is raised when each of its phrase groups has a phrase in the words.
    """
    said = plain(text)
    for flag in protocol.red_flags:
        if any(_raises(said, flag.id, each) for each in catalogues.values()):
            return flag.id
    return None


def values_of(clinic: Clinic | None) -> dict[str, str]:
    """Return what every text of the catalogues may name; empty words where there is no clinic."""
    if clinic is None:
        names = ("clinic", "phone", "address", "emergency", "crisis_line", "price", "privacy_url")
        return dict.fromkeys(names, "")
    prices = {service.code: service.price for service in clinic.services}
    return {
        "clinic": clinic.name,
        "phone": clinic.phone,
        "address": clinic.address,
        "emergency": clinic.emergency,
        "crisis_line": clinic.crisis_line,
        "price": prices.get("treatment", ""),
        "privacy_url": clinic.privacy_url,
    }


def reason_key(rule: str) -> str:
    """Return where the catalogue keeps the words for a rule."""
    if rule.startswith("red_flag."):
        return f"{rule}.message"
    if rule.startswith("grade."):
        return f"{rule}.reason"
    return f"step.{rule}.reason"


def _raises(said: str, flag: str, catalogue: Catalogue) -> bool:
    groups: list[tuple[str, ...]] = []
    while words := catalogue.words(f"red_flag.{flag}.{len(groups) + 1}"):
        groups.append(words)
    return bool(groups) and all(any(_has(said, phrase) for phrase in group) for group in groups)


def _has(said: str, phrase: str) -> bool:
    return f" {plain(phrase)} " in f" {said} "
