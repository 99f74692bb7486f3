"""The compiled protocol: questions, options and rules as immutable values.

`flows.compiler` builds a `Protocol` from a TOML file and reports every fault at once.
Words that patients read are not here; they live in `flows/locales/*.toml`, keyed by step id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """What one chosen option does to the verdict; the strongest one decides."""

    NONE = 0
    COUNSEL = 1
    DEFERRED = 2
    REVIEW = 3
    DECLINED = 4
    URGENT = 5


class Outcome(StrEnum):
    """The verdict's outcome, weakest to strongest: eligible, deferred, review, declined, urgent."""

    ELIGIBLE = "eligible"
    DEFERRED = "deferred"
    REVIEW = "review"
    DECLINED = "declined"
    URGENT = "urgent"


class Kind(StrEnum):
    """How a step is answered."""

    CHOICE = "choice"  # exactly one option
    MULTI = "multi"  # one or more options; an `exclusive` option stands alone
    DATE = "date"  # a calendar date (`Answer.on`), or an option such as "not yet"
    TEXT = "text"  # the patient's own words (`Answer.text`), or an option such as "nothing"


@dataclass(frozen=True, slots=True)
class Option:
    """One possible answer and the rule it triggers. The rule's id is `<step>.<code>`."""

    code: str
    severity: Severity = Severity.NONE
    defer_for: timedelta | None = None  # dated deferral: ready again after this long
    recheck_for: timedelta | None = None  # open-ended deferral: ask again after this long
    points: int | None = None  # readiness points within the step's score part
    grade: int | None = None  # provisional Goodman & Baron grade 1-4 that this answer suggests
    exclusive: bool = False  # chosen alone: "none of these", "all fine"
    numbers: tuple[int, int] | None = None  # inclusive range of typed numbers that mean it
    sources: tuple[str, ...] = ()  # keys of `Protocol.sources`
    basis: str = ""  # L label, T trial, C consensus, P clinic practice, E editorial; joined by +
    confidential: bool = False  # answering so keeps the patient out of marketing and the score


#: Disjunctive normal form: any mapping in which every step's answer has one of the codes.
AskIf = tuple[Mapping[str, frozenset[str]], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One question. Asked when `ask_if` holds and the verdict so far is not in `unless`."""

    id: str
    kind: Kind
    group: str  # consent, about, safety, scar, goal, practical
    options: tuple[Option, ...]
    ask_if: AskIf = ()
    unless: frozenset[Outcome] = frozenset()
    quick: bool = False  # MULTI: the first tap answers; "more than one" opens ticking
    skippable: bool = False
    sensitive: bool = False  # kept out of marketing; offers "prefer not to say"
    picture: str | None = None  # name of a drawing shown with the question
    score_part: str | None = None  # which readiness part its points count for
    sources: tuple[str, ...] = ()
    basis: str = ""
    line: int = 0  # where the step stands in its file, for messages

    def option(self, code: str) -> Option:
        """Return the option with this code; KeyError when there is none."""
        for option in self.options:
            if option.code == code:
                return option
        raise KeyError(code)


@dataclass(frozen=True, slots=True)
class Spacing:
    """Days between two sessions of a series, counted in the clinic's local days."""

    min_days: int
    preferred_days: int
    max_days: int


@dataclass(frozen=True, slots=True)
class PlanRow:
    """Sessions proposed for one provisional grade; `sessions` 0 means no needling course."""

    grade: int
    sessions: int
    at_least: int
    at_most: int


@dataclass(frozen=True, slots=True)
class RedFlag:
    """A detector for free text: every group in `all_of` must match one of its phrases.

    The phrases live in the locale catalogue under `red_flag.<id>`, one list a group.
    """

    id: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Protocol:
    """A dated, sourced set of questions and rules, compiled and checked."""

    id: str
    version: str  # ISO date inside the file
    digest: str  # SHA-256 of the file and the clinic's overrides, hex
    steps: tuple[Step, ...]
    plan_rows: Mapping[int, PlanRow]  # by grade
    spacing: Spacing
    spacing_floor_days: int  # no clinic override may go below
    downtime_days: tuple[int, int]  # redness, from-to
    minor_days: int  # small effects may last so long
    review_weeks: int  # result judged so many weeks after the last session
    refresher_months: int
    score_weights: Mapping[str, int]  # readiness part -> most points; they add up to 100
    score_full_when: Mapping[str, str]  # part -> step: full points once that step is answered and
    # no step of the part is asked (the patient did not tick it as hard)
    red_flags: tuple[RedFlag, ...]
    faqs: tuple[str, ...]  # ids of the patient's questions that the catalogue answers
    sources: Mapping[str, str]  # key -> citation
    #: Basis and source keys of the numbers that belong to no option: plan, spacing, after, score.
    number_basis: Mapping[str, str] = field(default_factory=dict)
    number_sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Name this exact version: `id/version/first 12 digits of the digest`."""
        return f"{self.id}/{self.version}/{self.digest[:12]}"

    def __hash__(self) -> int:
        """Hash by key, so that what is built from a protocol can be kept beside it."""
        return hash(self.key)

    def step(self, step_id: str) -> Step:
        """Return a step by id; KeyError when the protocol has none of that name."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)
