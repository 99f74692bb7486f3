"""A database that goes away: PostgreSQL restarted, SQLite locked by a stranger, a full disk."""

from __future__ import annotations

import asyncio
import random  # noqa: TID251 - seeded
import resource
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from storage.database import Database
from storage.faults import StorageError
from storage.models import Event
from tests import postgres
from tests.faults import cluster
from tests.faults.crowd import Crowd
from tests.faults.keepers import Keeper
from tests.faults.programs import FORKS
from tests.faults.torture.figures import POSTGRESQL, SQLITE, Figure, Piece, Trial
from tests.standin import running_standin

#: What was committed outlives the server: `synchronous_commit` stays on. The machine itself does
#: not lose its power, so nothing need be flushed to the disk.
SAFE = "-c fsync=off -c full_page_writes=off -c shared_buffers=32MB"
RECOVERED_WITHIN = 5.0  # seconds
FULL_AT = 64 * 1024  # bytes: no file grows beyond this while the disk is "full"


@dataclass
class Town:
    """Bots under load and their database."""

    crowd: Crowd
    keepers: list[Keeper]
    database: Database
    log: Path

    async def recovers(self) -> float:
        """Wait for the next turn to be committed; return the seconds, at most a minute."""
        before, since = await self._latest(), time.monotonic()
        while await self._latest() <= before and time.monotonic() < since + 60:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return time.monotonic() - since

    async def _latest(self) -> int:
        while True:
            try:
                return await self.database.read(
                    lambda c: c.execute(select(func.coalesce(func.max(Event.id), 0))).scalar_one()
                )
            except StorageError:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def _town(trial: Trial, url: str, replicas: int) -> AsyncIterator[Town]:
    database = await cluster.with_clinics(url)
    try:
        async with running_standin() as standin:
            crowd = Crowd.of(trial, standin, database)
            orders = cluster.orders_for(trial, standin, url)
            async with cluster.bots(orders, replicas=replicas) as keepers:
                yield Town(crowd, keepers, database, Path(orders.log))
    finally:
        await database.close()


async def _under(town: Town, trouble: Callable[[], Awaitable[None]]) -> None:
    """Let patients chat while there is trouble, and until everything is committed."""
    troubled = asyncio.ensure_future(trouble())
    await town.crowd.chats(lambda: not troubled.done())
    await troubled
    await town.crowd.settles()


async def restart(trial: Trial) -> list[Figure]:
    """Restart PostgreSQL every 5 to 40 seconds for ten minutes."""
    rng, times = random.Random(trial.seed), []
    for_seconds, gaps = trial.at(quick=(6.0, (1.0, 3.0)), full=(600.0, (5.0, 40.0)))
    with (
        tempfile.TemporaryDirectory(prefix="rs-pg") as folder,
        postgres.started(Path(folder), SAFE) as machine,
    ):
        url = await postgres.Server(machine.url).clone()
        async with _town(trial, url, replicas=2) as town:

            async def trouble() -> None:
                ends = time.monotonic() + for_seconds
                while time.monotonic() < ends:
                    await asyncio.sleep(rng.uniform(*gaps))
                    await asyncio.to_thread(machine.restart)
                    times.append(await town.recovers())
                    trial.tell(f"restart {len(times)}: recovered in {times[-1]:.2f} s")

            await _under(town, trouble)
            tally = await town.crowd.tally()
    return [
        Figure(
            "PostgreSQL restarted under load: nothing is lost, and the bots come back",
            f"{len(times)} immediate restarts in {for_seconds:.0f} s, 2 replicas by webhook",
            "0 lost, 0 doubled, <= 5 s after the server is back",
            f"{tally}; at most {max(times):.2f} s",
            is_held=tally.is_clean and trial.is_soon(max(times), RECOVERED_WITHIN),
        )
    ]


async def lock(trial: Trial) -> list[Figure]:
    """Let another program hold SQLite's write lock."""
    rounds, for_seconds = trial.at(quick=(1, 2.0), full=(5, 20.0))
    times: list[float] = []
    url = await trial.database_url()
    path = url.removeprefix("sqlite:///")
    async with _town(trial, url, replicas=0) as town:

        async def trouble() -> None:
            for _ in range(rounds):
                await asyncio.sleep(2)
                stranger = FORKS.Process(target=_hold, args=(path, for_seconds))
                stranger.start()
                await asyncio.to_thread(stranger.join)
                times.append(await town.recovers())
                trial.tell(f"lock {len(times)}: recovered in {times[-1]:.2f} s")

        await _under(town, trouble)
        tally = await town.crowd.tally()
    return [
        Figure(
            "SQLite locked by another program: nothing is lost",
            f"{rounds} locks of {for_seconds:.0f} s under load",
            "0 lost, 0 doubled, <= 5 s after the lock is gone",
            f"{tally}; at most {max(times):.2f} s",
            is_held=tally.is_clean and trial.is_soon(max(times), RECOVERED_WITHIN),
        )
    ]


def _hold(path: str, for_seconds: float) -> None:
    connection = sqlite3.connect(path, isolation_level=None, timeout=60)
    connection.execute("BEGIN EXCLUSIVE")
    time.sleep(for_seconds)
    connection.execute("ROLLBACK")
    connection.close()


async def fill_disk(trial: Trial) -> list[Figure]:
    """Let the bot's files grow no further, then give the room back."""
    rounds, for_seconds = trial.at(quick=(1, 2.0), full=(5, 20.0))
    times: list[float] = []
    async with _town(trial, await trial.database_url(), replicas=0) as town:

        async def trouble() -> None:
            for _ in range(rounds):
                await asyncio.sleep(3)
                bot = town.keepers[0].program
                assert bot is not None
                resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (FULL_AT, -1))
                await asyncio.sleep(for_seconds)
                resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (-1, -1))
                times.append(await town.recovers())
                trial.tell(f"full disk {len(times)}: recovered in {times[-1]:.2f} s")

        await _under(town, trouble)
        tally = await town.crowd.tally()
        said = town.log.read_text(encoding="utf-8").count("the disk is full or failing; make room")
    return [
        Figure(
            "A full disk: nothing is lost, and the log says what to do",
            f"{rounds} times {for_seconds:.0f} s under load; writes fail with EFBIG",
            "0 lost, 0 doubled, <= 5 s after there is room again",
            f"{tally}; at most {max(times):.2f} s; {said} lines say so",
            is_held=tally.is_clean and trial.is_soon(max(times), RECOVERED_WITHIN) and said > 0,
        )
    ]


PIECES = (
    Piece("postgres_restarts", restart, (POSTGRESQL,)),
    Piece("sqlite_locked", lock, (SQLITE,)),
    Piece("disk_full", fill_disk, (SQLITE,)),
)
