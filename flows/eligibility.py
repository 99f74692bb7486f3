"""The verdict and the readiness score: two separate things, never traded off.

The verdict is a gate made of clinical rules; the score orders leads for the clinic.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flows.protocol import Outcome, Severity


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that spoke: which, why, from which answer, with which sources."""

    rule: str  # "<step>.<option>", or "red_flag.<id>"
    severity: Severity
    sources: tuple[str, ...]
    basis: str
    recheck_on: date | None = None  # deferrals: ready again, or ask again, on this day
    open_ended: bool = False  # deferral that ends with a condition, not with a date


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome with all its reasons, strongest first, then in the protocol's order."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    recheck_on: date | None = None  # the latest of the reasons' dates
    grade: int | None = None  # provisional scar grade 1-4; None before it is known

    @property
    def bookable(self) -> str | None:
        """Return the code of the service this verdict allows: treatment, consultation or None."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class ScorePart:
    """One part of the readiness score and where its points came from."""

    part: str
    points: int
    out_of: int
    rule: str  # "" when the question was not answered


@dataclass(frozen=True, slots=True)
class Score:
    """Readiness 0-100 with its parts. Holds no health answer but the fit of the scar type."""

    total: int
    parts: tuple[ScorePart, ...]
    usable: bool = True  # False: a confidential answer forbids scoring this patient
