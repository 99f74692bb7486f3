"""Runs a state machine of Hypothesis at a size and from a seed, and tells what broke it."""

from __future__ import annotations

import asyncio
import io
from contextlib import redirect_stdout
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


@dataclass(frozen=True, slots=True)
class Walked:
    """How the runs of a machine went."""

    runs: int
    steps: int  # at most so many in each run
    broken: str = ""  # the shortest way found to a broken rule; empty when none was broken


async def walk(
    machine: type[RuleBasedStateMachine], runs: int, steps: int, chance_seed: int
) -> Walked:
    """Run a machine in a thread of its own; the same seed takes the same ways."""
    return await asyncio.to_thread(_walk, machine, runs, steps, chance_seed)


def _walk(machine: type[RuleBasedStateMachine], runs: int, steps: int, chance_seed: int) -> Walked:
    terms = settings(
        max_examples=runs,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    told = io.StringIO()
    try:
        with redirect_stdout(told):
            run_state_machine_as_test(seed(chance_seed)(machine), settings=terms)
    except Exception as error:  # noqa: BLE001 - whatever broke the machine is what we look for
        notes = "\n".join(getattr(error, "__notes__", ()))
        return Walked(runs, steps, f"{type(error).__name__}: {error}\n{notes}\n{told.getvalue()}")
    return Walked(runs, steps)
