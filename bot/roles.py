"""What one process does: talk to patients, send what is due, serve the console, or all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from secrets import SystemRandom

from bot.clock import Clock
from bot.worker import Deliver, Terms, Worker
from flows.quiet_hours import NIGHT
from storage.database import Database
from storage.outbox import OutboxRow
from storage.outbox_policy import TO_SYSTEMS, Kind

#: A receiver may take ten seconds each; what is claimed together must be through in one lease.
_SLOW_BATCH = 4


class Role(StrEnum):
    """A part of the work that a process may do alone."""

    BOT = "bot"  # takes updates and answers them
    WORKER = "worker"  # sends what the outbox holds
    CONSOLE = "console"  # the clinic's web pages


ALL = frozenset(Role)


def chosen(only: Collection[Role]) -> frozenset[Role]:
    """Return the roles to take on: `only`, or all there are."""
    return frozenset(only) or ALL


@asynccontextmanager
async def working(
    database: Database,
    clock: Clock,
    new_token: Callable[[], str],
    deliveries: Mapping[Kind, Deliver],
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve the outbox until the block ends; messages of other kinds stay where they are.

    Telegram and the clinic's own systems have a worker each, so that a patient's confirmation
    never waits for a slow receiver.
    """

    async def deliver(row: OutboxRow) -> int | None:
        return await deliveries[row.kind](row)

    own = tuple(kind for kind in deliveries if kind in TO_SYSTEMS)
    others = tuple(kind for kind in deliveries if kind not in TO_SYSTEMS)
    chance = SystemRandom().random
    terms = [Terms(kinds=others, chance=chance, quiet=NIGHT)]
    if own:
        terms.append(Terms(kinds=own, chance=chance, batch=_SLOW_BATCH))
    workers = [Worker(database, deliver, clock, new_token, each) for each in terms]
    task = asyncio.create_task(_all(workers))
    try:
        yield task
    finally:
        await asyncio.gather(*(worker.stop() for worker in workers))
        await task


async def _all(workers: list[Worker]) -> None:
    await asyncio.gather(*(worker.run() for worker in workers))
