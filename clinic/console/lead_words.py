"""A lead's verdict in words: what was answered, why it was decided so, and what is planned.

The words are the catalogue's of today; which questions and rules there were, and what they rest
on, says the version of the protocol that the decision names.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from flows import plan as plans
from flows import wording
from flows.clinics import Clinic
from flows.compiler import ProtocolFaults, compile_protocol
from flows.conversation import Answer
from flows.eligibility import Reason, Score, ScorePart
from flows.plan import Plan
from flows.protocol import Protocol
from flows.texts import Catalogue
from storage.lead_records import DecisionRecord
from storage.protocol_versions import ProtocolText

_TAG = re.compile(r"<[^>]*>")

_SKIPPED = "Skipped"


@dataclass(frozen=True, slots=True)
class Said:
    """One question, shortly, and what was answered."""

    question: str
    answer: str = field(repr=False)


#: What staff call the red flags of the shipped protocol.
RED_FLAGS: Mapping[str, str] = {
    "self_harm": "They may want to harm themselves",
    "spreading_infection": "A fever with skin that is red, swollen or spreading",
    "emergency": "This may be an emergency: breathing, a swollen face, fainting",
}


@dataclass(frozen=True, slots=True)
class Flag:
    """A red flag: what it may mean, and the words of each group that together raise it."""

    name: str
    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Because:
    """One rule that spoke."""

    text: str
    rule: str
    severity: str
    basis: str
    sources: tuple[tuple[str, str], ...]  # (key, citation); the citation may be empty
    recheck_on: date | None


@dataclass(frozen=True, slots=True)
class Points:
    """One part of the readiness score."""

    part: str
    points: int
    out_of: int
    why: str


@dataclass(frozen=True, slots=True)
class Explained:
    """A decision in words."""

    answers: tuple[Said, ...] = field(repr=False)
    reasons: tuple[Because, ...] = field(repr=False)
    points: tuple[Points, ...]
    plan_notes: tuple[str, ...]
    grade: int | None
    version: str  # the protocol's, as people cite it


class Explainer:
    """Puts decisions into words; keeps the versions of protocols that it has read."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._words = catalogue
        self._known: dict[str, Protocol | None] = {}

    def explain(
        self, decision: DecisionRecord, source: ProtocolText | None, clinic: Clinic
    ) -> Explained:
        """Return a decision in words; what has no words any more stands as its code."""
        protocol = self._protocol(decision.protocol, source)
        values = wording.values_of(clinic)
        return Explained(
            answers=tuple(self._said(step, each) for step, each in decision.answers.items()),
            reasons=tuple(self._because(r, protocol, values) for r in decision.verdict.reasons),
            points=self._points(decision.score),
            plan_notes=self._notes(decision.plan, values),
            grade=decision.verdict.grade,
            version=decision.protocol.rpartition("/")[0].replace("/", ", "),
        )

    def order(self, key: str, source: ProtocolText | None) -> tuple[str, ...]:
        """Return a version's questions as they are asked; none when it cannot be read any more."""
        protocol = self._protocol(key, source)
        return tuple(step.id for step in protocol.steps) if protocol else ()

    def flag(self, red_flag: str) -> Flag:
        """Return a red flag in words; the words that the patient wrote are no part of it."""
        groups: list[tuple[str, ...]] = []
        while said := self._words.words(f"red_flag.{red_flag}.{len(groups) + 1}"):
            groups.append(tuple(said))
        return Flag(RED_FLAGS.get(red_flag, red_flag.replace("_", " ")), tuple(groups))

    def question(self, step: str) -> str:
        """Return the short name of a question."""
        return self._first(f"step.{step}.short", step)

    def answer(self, step: str, answer: Answer) -> str:
        """Return what was answered, as plain words."""
        said = [self._first(f"step.{step}.{code}.label", code) for code in answer.codes]
        said += [f"{answer.on:%a %-d %b %Y}"] if answer.on else []
        said += [answer.text] if answer.text else []
        return ", ".join(said) or _SKIPPED

    def _said(self, step: str, answer: Answer) -> Said:
        return Said(self.question(step), self.answer(step, answer))

    def _because(
        self, reason: Reason, protocol: Protocol | None, values: Mapping[str, str]
    ) -> Because:
        key = wording.reason_key(reason.rule)
        text = plain(self._words.text(key, **values)) if self._words.has(key) else reason.rule
        citations = protocol.sources if protocol else {}
        return Because(
            text=text,
            rule=reason.rule,
            severity=reason.severity.name.lower(),
            basis=reason.basis,
            sources=tuple((name, citations.get(name, "")) for name in reason.sources),
            recheck_on=reason.recheck_on,
        )

    def _points(self, score: Score) -> tuple[Points, ...]:
        if not score.usable:
            return ()
        return tuple(
            Points(part.part.replace("_", " "), part.points, part.out_of, self._why(part))
            for part in score.parts
        )

    def _why(self, part: ScorePart) -> str:
        step, _, code = part.rule.partition(".")
        if not step:
            return "not answered"
        words = self.question(step)
        return f"{words}: {self._first(f'step.{part.rule}.label', code)}" if code else words

    def _notes(self, plan: Plan | None, values: Mapping[str, str]) -> tuple[str, ...]:
        if plan is None:
            return ()
        filled = {**values, **plans.note_values(plan)}
        shown = {
            name: f"{value:%-d %b %Y}" if isinstance(value, date) else value
            for name, value in filled.items()
        }
        return tuple(
            plain(self._words.text(key, **shown)) for key in plan.notes if self._words.has(key)
        )

    def _first(self, key: str, code: str) -> str:
        return plain(self._words.text(key)) if self._words.has(key) else code.replace("_", " ")

    def _protocol(self, key: str, source: ProtocolText | None) -> Protocol | None:
        """Compile a version once; None when today's words no longer cover it."""
        if source is None:
            return None
        if key not in self._known:
            try:
                self._known[key] = compile_protocol(
                    source.text,
                    file=key,
                    catalogues={self._words.locale: self._words},
                    overrides=source.overrides,
                )
            except ProtocolFaults:
                self._known[key] = None
        return self._known[key]


def plain(marked: str) -> str:
    """Return a text of the catalogue as a reader sees it: its markup parsed away."""
    return html.unescape(_TAG.sub("", marked))
