"""Reads the clinicians' case files in `tests/flows/cases/` (its README says how to write them)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from flows.conversation import Answer
from flows.eligibility import Verdict, assess
from flows.plan import Plan, propose
from flows.protocol import Protocol
from flows.relevance import current_answers
from storage.protocol_files import load_protocol

MONDAY = date(2026, 3, 2)

CLEAR_CANDIDATE: Mapping[str, Any] = {
    "consent": "agree",
    "age": {"years": "30"},
    "acne_now": "clear",
    "scar_type": "rolling",
    "visibility": "hidden",
    "area": "face",
    "today": "none",
    "history": "none",
    "goal": "softer",
    "practical": "fine",
    "timing": "month",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One patient on one day and what the protocol must say."""

    name: str
    today: date
    answers: Mapping[str, Answer]  # the relevant ones
    expect: Mapping[str, Any]

    def __str__(self) -> str:
        return self.name

    @property
    def verdict(self) -> Verdict:
        return assess(shipped(), self.answers, self.today)

    def differences(self, protocol: Protocol) -> list[str]:
        """Return what a protocol says otherwise than this case expects."""
        verdict = assess(protocol, self.answers, self.today)
        found = {
            "outcome": verdict.outcome,
            "rules": [reason.rule for reason in verdict.reasons],
            "recheck_on": str(verdict.recheck_on),
            "bookable": verdict.bookable or "nothing",
            "grade": str(verdict.grade),
        }
        return [
            f"{name} is {value}, should be {self.expect[name]}"
            for name, value in found.items()
            if value != self.expect.get(name, value)
        ]

    @property
    def plan(self) -> Plan | None:
        return propose(shipped(), self.answers, self.verdict, self.today)


@cache
def shipped() -> Protocol:
    """Return the protocol that the product ships, without words."""
    return load_protocol({})


@cache
def all_cases() -> tuple[Case, ...]:
    files = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
    # BaseLoader reads every value as text, so that `yes` and `no` stay words.
    return tuple(
        _case(entry)
        for file in files
        for entry in yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506
    )


def a_patient(**answers: Any) -> dict[str, Answer]:
    """Return the relevant answers of a clear candidate who differs in `answers`."""
    given = {**CLEAR_CANDIDATE, **answers}
    return current_answers(shipped(), {step: _answer(step, it) for step, it in given.items()})


def _case(entry: Mapping[str, Any]) -> Case:
    today = date.fromisoformat(entry["today"]) if "today" in entry else MONDAY
    return Case(entry["name"], today, a_patient(**entry["answers"]), entry["expect"])


def _answer(step: str, value: Any) -> Answer:
    match value:
        case {"years": years}:
            return Answer(codes=(_meaning(step, int(years)),))
        case {"on": day}:
            return Answer(on=date.fromisoformat(day))
        case {"text": words}:
            return Answer(text=words)
        case list() | tuple():
            return Answer(codes=tuple(value))
        case _:
            return Answer(codes=(value,))


def _meaning(step: str, number: int) -> str:
    options = shipped().step(step).options
    (code,) = (o.code for o in options if o.numbers and o.numbers[0] <= number <= o.numbers[1])
    return code
