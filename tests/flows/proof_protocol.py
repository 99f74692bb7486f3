"""A protocol that has one of everything that a proof looks at, and is sound."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flows.protocol import Kind, Option, Outcome, PlanRow, Protocol, Severity, Step
from flows.texts import Catalogue
from tests.flows.builders import a_protocol, a_step

_END = frozenset({Outcome.DECLINED, Outcome.URGENT})
_WAIT = _END | {Outcome.DEFERRED}


def a_question(step_id: str, *options: Option, **changes: Any) -> Step:
    defaults: dict[str, Any] = {"kind": Kind.CHOICE, "sources": ("S1",), "basis": "E"}
    return a_step(step_id, *options, **({**defaults, "unless": _END} | changes))


def asked_if(step: str, *codes: str) -> tuple[dict[str, frozenset[str]], ...]:
    return ({step: frozenset(codes)},)


def sound(**changes: Step) -> Protocol:
    """Return the protocol; a step given by its id takes the place of its own."""
    steps = (
        a_question(
            "consent", Option("agree"), Option("decline"), group="consent", unless=frozenset()
        ),
        a_question(
            "age",
            Option("young", Severity.DECLINED, numbers=(1, 17)),
            Option("adult", numbers=(18, 120)),
            group="about",
        ),
        a_question(
            "scars",
            Option("flat", grade=1, sources=("S1",), basis="E"),
            Option("waves", grade=2),
            Option("holes", Severity.REVIEW),
            kind=Kind.MULTI,
            group="scar",
        ),
        a_question(
            "today",
            Option("bump", Severity.DEFERRED, defer_for=timedelta(weeks=4)),
            Option("tablets", Severity.DEFERRED, recheck_for=timedelta(weeks=26)),
            Option("fever"),
            Option("other"),
            Option("none", exclusive=True),
            kind=Kind.MULTI,
        ),
        a_question(
            "ill",
            Option("yes", Severity.URGENT),
            Option("no"),
            ask_if=asked_if("today", "fever"),
        ),
        a_question(
            "words",
            Option("given", Severity.REVIEW),
            Option("private", Severity.REVIEW),
            kind=Kind.TEXT,
            ask_if=asked_if("today", "other"),
        ),
        a_question(
            "signs", Option("yes", Severity.COUNSEL), Option("no"), unless=_WAIT, skippable=True
        ),
        a_question("timing", Option("soon"), Option("event"), group="practical", unless=_WAIT),
        a_question(
            "event_on",
            Option("unsure"),
            kind=Kind.DATE,
            group="practical",
            ask_if=asked_if("timing", "event"),
            unless=_WAIT,
        ),
    )
    return a_protocol(
        *(changes.get(step.id, step) for step in steps),
        plan_rows={1: PlanRow(1, 0, 0, 0), 2: PlanRow(2, 3, 3, 4)},
    )


def catalogues(protocol: Protocol) -> dict[str, Catalogue]:
    """Return the few texts that the dialogue itself looks up."""
    texts: dict[str, Any] = {f"step.{step.id}.short": step.id for step in protocol.steps}
    texts |= {
        f"step.{step.id}.{option.code}.label": f"{option.code} of {step.id}"
        for step in protocol.steps
        for option in step.options
    }
    texts["red_flag.emergency.1"] = ("cannot breathe",)
    return {"en": Catalogue("en", "en", texts)}
