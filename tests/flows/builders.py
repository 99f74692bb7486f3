"""A small made-up protocol, for what the shipped one does not have."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flows.protocol import (
    Kind,
    Option,
    PlanRow,
    Protocol,
    RedFlag,
    Severity,
    Spacing,
    Step,
)


def a_step(step_id: str, *options: Option, **changes: Any) -> Step:
    defaults: dict[str, Any] = {"kind": Kind.MULTI, "group": "safety"}
    return Step(id=step_id, options=options, **(defaults | changes))


def a_protocol(*steps: Step, **changes: Any) -> Protocol:
    """Return a protocol with these steps: three sessions, four weeks apart, for grade 2."""
    defaults: dict[str, Any] = {
        "id": "made_up",
        "version": "2026-01-01",
        "digest": "0" * 64,
        "steps": steps,
        "plan_rows": {1: PlanRow(1, 0, 0, 0), 2: PlanRow(2, 3, 3, 4)},
        "spacing": Spacing(28, 28, 42),
        "spacing_floor_days": 21,
        "downtime_days": (1, 3),
        "minor_days": 7,
        "review_weeks": 12,
        "refresher_months": 12,
        "score_weights": {"fit": 30},
        "score_full_when": {},
        "red_flags": (RedFlag("emergency", ("S1",)),),
        "faqs": (),
        "sources": {"S1": "A source"},
    }
    return Protocol(**(defaults | changes))


#: Grade 2, and nothing else to say.
GRADED = a_step("scars", Option("waves", grade=2), group="scar")

WAIT = Option("wait", Severity.DEFERRED, defer_for=timedelta(weeks=2))
