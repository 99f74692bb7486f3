"""Made-up people: what they answer, and what they do later. Everything is drawn when they appear.

All chance comes from the generator that is given, so a seed always gives the same people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from bot.simulation.chance import Random, seeded
from flows.follow_up import NudgeKind

Codes = tuple[str, ...]

#: The answers of somebody for whom nothing stands in the way.
CLEAR: Mapping[str, Codes] = MappingProxyType(
    {
        "consent": ("agree",),
        "age": ("22_plus",),
        "acne_now": ("clear",),
        "acne_ill": ("no",),
        "acne_signs": ("none",),
        "acne_medicine": ("no",),
        "scar_type": ("rolling",),
        "visibility": ("flattens",),
        "area": ("face",),
        "today": ("none",),
        "history": ("none",),
        "goal": ("softer",),
        "practical": ("fine",),
        "timing": ("month",),
    }
)


class Fate(StrEnum):
    """How the screening of a person is meant to end."""

    ELIGIBLE = "eligible"
    DEFERRED = "deferred"
    REVIEW = "review"
    DECLINED = "declined"
    URGENT = "urgent"
    REFUSES = "refuses"  # does not agree to be asked


#: What answers differ from the clear ones, in several ways each.
_ANSWERS: Mapping[Fate, tuple[Mapping[str, Codes], ...]] = {
    Fate.ELIGIBLE: (
        {},
        {"scar_type": ("boxcar_shallow",)},
        {"goal": ("texture",), "timing": ("quarter",)},
    ),
    Fate.DEFERRED: (
        {"acne_now": ("inflamed",)},
        {"today": ("sun",), "sun": ("burn",)},
        {"today": ("pregnancy",), "pregnancy": ("pregnant",)},
    ),
    Fate.REVIEW: ({"scar_type": ("icepick",)}, {"age": ("18_21",)}, {"scar_type": ("flat",)}),
    Fate.DECLINED: ({"history": ("keloid",), "keloid": ("face",)}, {"age": ("under_18",)}),
    Fate.URGENT: ({},),
    Fate.REFUSES: ({"consent": ("decline",)},),
}

_FATES = {
    Fate.ELIGIBLE: 66,
    Fate.DEFERRED: 14,
    Fate.REVIEW: 9,
    Fate.DECLINED: 5,
    Fate.URGENT: 3,
    Fate.REFUSES: 3,
}

_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Persona:
    """One made-up person. Shares are chances in [0, 1) of doing something each time it offers."""

    name: str
    fate: Fate
    answers: dict[str, Codes]
    rng: Random = field(repr=False)
    hesitates_after: int | None = None  # acts before they leave in the middle of the questions
    returns_after: NudgeKind | None = None  # the nudge that brings them back; None: nothing does
    books_only_first: bool = False
    picks_other_times: bool = False
    leaves_hold: bool = False  # goes away while the times are held
    confirms: float = 0.6
    moves: float = 0.06
    has_news: float = 0.01
    stops_kind: float = 0.004
    returns_when_missed: bool = True
    recovers: bool = True  # by the day of the re-check nothing stands in the way any more
    heeds_recheck: bool = True
    wants_refresher: bool = False
    cancels_after: timedelta | None = None
    blocks_after: timedelta | None = None
    unblocks_after: timedelta | None = None  # after the block
    stops_after: timedelta | None = None
    asks_after: timedelta | None = None  # wants to talk to a person
    waits_after: timedelta | None = None  # wants something earlier, if it frees up
    cancels_one_after: timedelta | None = None
    alarms_after: timedelta | None = None  # writes of something urgent, between visits as a rule
    acts_at_night: float = 0.2  # when the clinic has just written something for the morning

    def does(self, chance: float) -> bool:
        """Say whether something of this chance happens now."""
        return self.rng.random() < chance

    def waits(self, least: timedelta, most: timedelta) -> timedelta:
        """Return how long it takes until they look at the chat: rather soon."""
        low, high = least / _MINUTE, most / _MINUTE
        return round(self.rng.triangular(low, high, low)) * _MINUTE


_NAMES = ("Maya", "Noah", "Ivy", "Sam", "Zoe", "Leo", "Ana", "Max", "Mia", "Kai", "Eva", "Tom")


def draw(number: int, rng: Random) -> Persona:
    """Return the next made-up person."""
    own = seeded(rng.getrandbits(64))
    fate = own.choices(list(_FATES), list(_FATES.values()))[0]
    person = Persona(
        name=f"{_NAMES[number % len(_NAMES)]} {number}",
        fate=fate,
        answers={**CLEAR, **own.choice(_ANSWERS[fate])},
        rng=own,
    )
    if person.does(0.25):
        person.hesitates_after = own.randint(2, 14)
        soon, later = NudgeKind.UNFINISHED_SOON, NudgeKind.UNFINISHED_LATER
        person.returns_after = own.choice((soon, later, None))
    person.books_only_first = person.does(0.12)
    person.picks_other_times = person.does(0.2)
    person.leaves_hold = person.does(0.05)
    person.confirms = own.choice((0.0, 0.5, 0.9))
    _draw_later(person)
    return person


def _draw_later(person: Persona) -> None:
    rng = person.rng
    person.returns_when_missed = person.does(0.7)
    person.recovers = person.does(0.75)
    person.heeds_recheck = person.does(0.75)
    person.wants_refresher = person.does(0.4)
    if person.does(0.08):
        person.cancels_after = timedelta(days=rng.randint(1, 90))
    if person.does(0.05):
        person.blocks_after = timedelta(days=rng.randint(1, 300))
        person.unblocks_after = timedelta(days=rng.randint(1, 120)) if person.does(0.5) else None
    if person.does(0.04):
        person.stops_after = timedelta(days=rng.randint(0, 300))
    if person.does(0.06):
        person.asks_after = timedelta(days=rng.randint(0, 60))
    if person.does(0.15):
        person.waits_after = timedelta(days=rng.randint(0, 30))
    if person.does(0.06):
        person.cancels_one_after = timedelta(days=rng.randint(1, 90))
    if person.does(0.05):
        person.alarms_after = timedelta(days=rng.randint(15, 120))
