"""Random kill -9 under load.

SQLite has one writing process, so there one bot polls and is killed and started again. On
PostgreSQL four replicas share the chats behind a load balancer, and any of them may go.
"""

from __future__ import annotations

import asyncio
import random  # noqa: TID251 - seeded
import time

from tests.faults import cluster
from tests.faults.crowd import WORDS, Crowd
from tests.faults.keepers import Keeper
from tests.faults.torture.figures import POSTGRESQL, Figure, Piece, Trial
from tests.faults.waiting import until
from tests.standin import running_standin

REPLICAS = 4


async def kill_at_random(trial: Trial) -> list[Figure]:
    """Kill 200 times in 20,000 updates."""
    kills, updates = trial.at(quick=(4, 200), full=(200, 20_000))
    rng = random.Random(trial.seed)
    replicas = REPLICAS if trial.database == POSTGRESQL else 0
    url = await trial.database_url()
    database = await cluster.with_clinics(url)
    started = time.monotonic()
    try:
        async with running_standin() as standin:
            crowd = Crowd(standin, database, rng, at_once=trial.at(quick=12, full=48))
            orders = cluster.orders_for(trial, standin, url)
            async with cluster.bots(orders, replicas=replicas) as keepers:
                killing = asyncio.create_task(_kill(trial, crowd, keepers, rng, (kills, updates)))
                await crowd.chats(lambda: crowd.count < updates)
                killed = await killing
                await crowd.settles()
            tally = await crowd.tally()
    finally:
        await database.close()
    seconds = time.monotonic() - started
    how = f"{replicas} replicas by webhook" if replicas else "one polling bot"
    return [
        Figure(
            "Random kill -9 under load loses and doubles nothing",
            f"{killed} kills, {crowd.count:,} updates of {len(crowd.sent):,} patients, {how}",
            "0 lost, 0 doubled",
            f"{tally} in {seconds:.0f} s",
            is_held=tally.is_clean and killed == kills,
        )
    ]


async def _kill(
    trial: Trial,
    crowd: Crowd,
    keepers: list[Keeper],
    rng: random.Random,
    plan: tuple[int, int],
) -> int:
    """Kill a program whenever so many updates have been sent."""
    kills, updates = plan
    last = updates - len(WORDS) * crowd.at_once // 2
    for number, after in enumerate(sorted(rng.sample(range(last), kills))):
        await until(lambda after=after: crowd.count >= after)  # type: ignore[misc]
        keeper = rng.choice(keepers)
        await until(lambda keeper=keeper: keeper.is_running)  # type: ignore[misc]
        keeper.kill()
        if number % 20 == 19:
            trial.tell(f"{number + 1} of {kills} kills, {crowd.count:,} updates sent")
    return kills


PIECES = (Piece("kills", kill_at_random),)
