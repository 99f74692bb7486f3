"""Bookers in four processes race for the same times."""

from __future__ import annotations

from tests.faults import racers

SEED = 20261122


async def test_every_time_that_bookers_of_four_processes_want_has_one_winner(
    database_url: str,
) -> None:
    result = await racers.race(database_url, racers=12, cells=10, seed=SEED)

    print(f"seed {SEED}: {result.figures}")
    assert result.faults == []
    assert result.figures["refused"] >= 11 * 10
