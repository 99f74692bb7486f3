"""A backup is as good as its restore: each one made under load is put back and used."""

from __future__ import annotations

from itertools import count

from tests.faults import restores
from tests.faults.torture.figures import Figure, Piece, Trial


async def restore_under_load(trial: Trial) -> list[Figure]:
    """Make backups while patients come, and restore every one of them."""
    rounds = trial.at(quick=2, full=20)
    numbers = count()

    async def empty() -> str:
        if trial.server is not None:
            return trial.server.address(await trial.server.empty())
        return f"sqlite:///{trial.folder}/back-{next(numbers)}/restored.db"

    told = await restores.drill(await trial.database_url(), empty, trial.folder, rounds)
    for fault in told.faults:
        trial.tell(fault)
    return [
        Figure(
            "Backups made under load restore",
            f"{rounds} backups while patients come",
            f"{rounds} of {rounds} verified and used",
            f"{told.good} of {rounds}; {told.sizes[0]} to {told.sizes[-1]} patients",
            is_held=told.good == rounds and not told.faults,
        )
    ]


PIECES = (Piece("restores", restore_under_load, in_tests=False),)
