"""One time, one winner: patients and staff in four processes race for the same times."""

from __future__ import annotations

from tests.faults import racers
from tests.faults.torture.figures import POSTGRESQL, SQLITE, Figure, Piece, Trial

SOON = {SQLITE: 1.0, POSTGRESQL: 0.25}  # seconds


async def race(trial: Trial) -> list[Figure]:
    """Race once; every fault that the judge of histories finds is told."""
    people, cells = trial.at(quick=(12, 10), full=(50, 100))
    result = await racers.race(await trial.database_url(), people, cells, trial.seed)
    for fault in result.faults[:20]:
        trial.tell(fault)
    seen = result.figures
    return [
        Figure(
            "One time, one winner",
            f"{people} bookers x {cells} times in {racers.PROCESSES} processes",
            "1 winner each, 0 overlaps, 0 unforeseen errors, sound history",
            f"{seen['booked']:.0f} booked of {seen['asked']:.0f} asked, "
            f"{len(result.faults)} faults, {len(result.errors)} errors",
            is_held=not result.faults and seen["refused"] >= (people - 1) * cells,
        ),
        Figure(
            "Whoever races for a time is soon told",
            f"{people} bookers at once in {racers.PROCESSES} processes",
            f"p99 <= {1000 * SOON[trial.database]:.0f} ms",
            f"p99 {seen['p99_ms']:.0f} ms",
            is_held=trial.is_soon(seen["p99_ms"] / 1000, SOON[trial.database]),
        ),
    ]


PIECES = (Piece("racers", race),)
