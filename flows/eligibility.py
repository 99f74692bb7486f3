"""The verdict and the readiness score: two separate things, never traded off.

The verdict is a gate made of clinical rules; the score orders leads for the clinic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from flows import relevance
from flows.conversation import Answer
from flows.protocol import Option, Outcome, Protocol, Severity, Step

_HIGH, _MEDIUM = 70, 40  # they sort leads in a list and mean nothing clinically


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that spoke: which, why, from which answer, with which sources."""

    rule: str  # "<step>.<option>", "grade.<n>", or "red_flag.<id>"
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
        """Return the code of the service this verdict allows: treatment, consultation or None.

        A consultation beside a dated deferral may be booked from `recheck_on`; beside an
        open-ended one nobody can say from when, so nothing is offered.
        """
        if self.outcome is Outcome.ELIGIBLE:
            return "treatment"
        if self.outcome is Outcome.REVIEW and not any(r.open_ended for r in self.reasons):
            return "consultation"
        return None


@dataclass(frozen=True, slots=True)
class ScorePart:
    """One part of the readiness score and where its points came from."""

    part: str
    points: int
    out_of: int
    rule: str  # "" not answered; a bare step id when that step gave the full points unasked


@dataclass(frozen=True, slots=True)
class Score:
    """Readiness 0-100 with its parts. Holds no health answer but the fit of the scar type."""

    total: int
    parts: tuple[ScorePart, ...]
    usable: bool = True  # False: a confidential answer forbids scoring this patient


def assess(
    protocol: Protocol,
    answers: Mapping[str, Answer],
    today: date,
    *,
    red_flag: str | None = None,
) -> Verdict:
    """Judge the relevant answers of one patient on one local day.

    Every rule that matters is kept as a reason, so that nothing is hidden behind the strongest.
    Raises ValueError, with the rule id alone, when an answer is not in this protocol.
    """
    chosen = tuple(_chosen(protocol, answers))
    reasons = [_reason(step, option, today) for step, option in chosen if option.severity]
    grading = _grading_option(chosen)
    grade = grading.grade if grading else None
    if grading and _means_no_course(protocol, grading):
        reasons.append(Reason(f"grade.{grade}", Severity.REVIEW, grading.sources, grading.basis))
    if red_flag is not None:
        reasons.append(_flagged(protocol, red_flag))
    reasons.sort(key=lambda reason: -reason.severity)
    return Verdict(
        outcome=relevance.OUTCOMES[reasons[0].severity if reasons else Severity.NONE],
        reasons=tuple(reasons),
        recheck_on=max((r.recheck_on for r in reasons if r.recheck_on), default=None),
        grade=grade,
    )


def score(protocol: Protocol, answers: Mapping[str, Answer]) -> Score:
    """Add up how ready a patient is to begin, from steps that name a score part alone."""
    chosen = tuple(_chosen(protocol, answers))
    if any(option.confidential for _, option in chosen):
        return Score(total=0, parts=(), usable=False)
    parts = tuple(_score_part(protocol, answers, chosen, part) for part in protocol.score_weights)
    return Score(total=sum(part.points for part in parts), parts=parts)


def band(total: int) -> str:
    """Return how ready a score of 0-100 is, in one word: high from 70, medium from 40, or low."""
    if total >= _HIGH:
        return "high"
    return "medium" if total >= _MEDIUM else "low"


def _chosen(protocol: Protocol, answers: Mapping[str, Answer]) -> Iterator[tuple[Step, Option]]:
    """Yield the chosen options in the protocol's order, whatever order they were given in."""
    unknown = set(answers)
    for step in protocol.steps:
        if step.id in answers:
            unknown.discard(step.id)
            yield from ((step, option) for option in _options(step, answers[step.id]))
    if unknown:
        raise ValueError(f"answer to a step that the protocol does not have: {min(unknown)}")


def _options(step: Step, answer: Answer) -> Iterable[Option]:
    codes = set(answer.codes)
    options = [
        option
        for option in step.options
        if option.code in codes
        or (option.code == relevance.GIVEN and (answer.text is not None or answer.on is not None))
    ]
    unknown = codes.difference(option.code for option in options)
    if unknown:
        raise ValueError(f"answer that the protocol does not have: {step.id}.{min(unknown)}")
    return options


def _reason(step: Step, option: Option, today: date) -> Reason:
    wait: timedelta | None = option.defer_for or option.recheck_for
    return Reason(
        rule=f"{step.id}.{option.code}",
        severity=option.severity,
        sources=option.sources or step.sources,
        basis=option.basis or step.basis,
        recheck_on=today + wait if wait else None,
        open_ended=option.severity is Severity.DEFERRED and option.defer_for is None,
    )


def _flagged(protocol: Protocol, red_flag: str) -> Reason:
    for flag in protocol.red_flags:
        if flag.id == red_flag:
            return Reason(f"red_flag.{red_flag}", Severity.URGENT, flag.sources, "")
    raise ValueError(f"red flag that the protocol does not have: red_flag.{red_flag}")


def _grading_option(chosen: Iterable[tuple[Step, Option]]) -> Option | None:
    """Return the option that gives the provisional grade: the highest one.

    A mixed answer such as "flat marks and soft waves" is not graded by its flat part: a later
    question grades what is not flat.
    """
    by_step: dict[str, list[Option]] = {}
    for step, option in chosen:
        by_step.setdefault(step.id, []).append(option)
    graded = [
        option
        for options in by_step.values()
        if all(option.grade is not None for option in options)
        for option in options
    ]
    return max(graded, key=lambda option: option.grade or 0, default=None)


def _means_no_course(protocol: Protocol, grading: Option) -> bool:
    row = protocol.plan_rows.get(grading.grade or 0)
    return row is not None and row.sessions == 0


def _score_part(
    protocol: Protocol,
    answers: Mapping[str, Answer],
    chosen: Iterable[tuple[Step, Option]],
    part: str,
) -> ScorePart:
    weight = protocol.score_weights[part]
    earned = [
        (option.points, f"{step.id}.{option.code}")
        for step, option in chosen
        if step.score_part == part and option.points is not None
    ]
    if earned:
        points, rule = max(earned, key=lambda pair: pair[0])
        return ScorePart(part, min(points, weight), weight, rule)
    gate = protocol.score_full_when.get(part, "")
    asked = any(
        step.score_part == part and relevance.holds(step.ask_if, answers) for step in protocol.steps
    )
    if gate in answers and not asked:
        return ScorePart(part, weight, weight, gate)
    return ScorePart(part, 0, weight, "")
