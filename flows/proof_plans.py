"""Plans for every grade, tolerance of downtime, day of the week and day of an event."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

from flows import plan as plans
from flows.conversation import Answer
from flows.eligibility import Verdict
from flows.proof_model import PLAN_FACTS
from flows.proof_verdicts import flaws
from flows.proof_world import Claim, Ledger, Refuted, Told, World
from flows.protocol import Outcome

EVENTS_WITHIN = 400  # days: longer than the longest series


def check_plans(world: World, ledger: Ledger, told: Told) -> None:
    """Propose every course that can differ, and hold each against its limits."""
    rows = [row for row in world.protocol.plan_rows.values() if row.sessions]
    downtimes: list[dict[str, Answer]] = [
        {},
        *({step: Answer((code,))} for step, code in sorted(PLAN_FACTS)),
    ]
    events: list[dict[str, Answer]] = [
        {},
        *(
            {"event_on": Answer(on=world.today + timedelta(days=days))}
            for days in range(EVENTS_WITHIN)
        ),
    ]
    cases = list(product(rows, downtimes, range(7)))
    for number, (row, downtime, weekday) in enumerate(cases):
        told("plans", number, len(cases))
        verdict = Verdict(Outcome.ELIGIBLE, (), None, row.grade)
        today = world.today + timedelta(days=weekday)
        for event in events:
            with ledger.case(Claim.PLANNED, f"grade {row.grade}, {downtime or ''} {event or ''}"):
                try:
                    plan = plans.propose(world.protocol, {**downtime, **event}, verdict, today)
                except ValueError as error:
                    raise Refuted(str(error)) from error
                for flaw in flaws(plan, world.protocol) if plan else ("no plan",):
                    raise Refuted(flaw)
