"""Every guard is taken away in turn, and its tests must notice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from tests import postgres
from tests.faults import mutants
from tests.faults.mutants import Mutant, Scratch
from tests.faults.mutants_gates import GATES
from tests.faults.mutants_guards import GUARDS
from tests.faults.torture.figures import NONE, Figure, Piece, Trial

#: For the quick size: one of what the protocol says, one of the code.
QUICK = ("rule pregnancy.pregnant", "consent first")


def groups() -> dict[str, Sequence[Mutant]]:
    """Return all mutants by what they take away."""
    return {
        "Each rule of the protocol": mutants.rule_mutants(),
        "Each constraint of the database": mutants.constraint_mutants(),
        "Each fence, lock and gate": (*GUARDS, *GATES),
    }


async def take_away(trial: Trial) -> list[Figure]:
    """Try every mutant in a scratch copy; a few at the quick size."""
    return await asyncio.to_thread(_take_away, trial)


def _take_away(trial: Trial) -> list[Figure]:
    chosen = {
        what: [each for each in found if trial.at(quick=each.name in QUICK, full=True)]
        for what, found in groups().items()
    }
    with contextlib.ExitStack() as held:
        url = trial.at(quick="", full="server") and held.enter_context(postgres.running()).url
        scratch = Scratch(trial.folder / "tree", url)
        return [_figure(trial, what, found, scratch) for what, found in chosen.items() if found]


def _figure(trial: Trial, what: str, found: Sequence[Mutant], scratch: Scratch) -> Figure:
    missed = []
    for number, mutant in enumerate(found, 1):
        is_caught = scratch.catches(mutant)
        trial.tell(
            f"{number}/{len(found)} {'caught' if is_caught else 'NOT CAUGHT'}: {mutant.name}"
        )
        missed += [] if is_caught else [mutant.name]
    return Figure(
        f"{what} is noticed when it is gone",
        f"{len(found)} mutants",
        f"{len(found)} caught",
        f"{len(found) - len(missed)} caught" + (f", not {', '.join(missed)}" if missed else ""),
        is_held=not missed,
    )


PIECES = (Piece("mutants", take_away, (NONE,)),)
