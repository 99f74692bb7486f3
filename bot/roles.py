"""What one process does: talk to patients, send what is due, or both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum

from bot.clock import Clock
from bot.worker import Deliver, Terms, Worker
from storage.database import Database
from storage.outbox import OutboxRow
from storage.outbox_policy import Kind


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
    """Serve the outbox until the block ends; messages of other kinds stay where they are."""

    async def deliver(row: OutboxRow) -> int | None:
        return await deliveries[row.kind](row)

    worker = Worker(database, deliver, clock, new_token, Terms(kinds=tuple(deliveries)))
    task = asyncio.create_task(worker.run())
    try:
        yield task
    finally:
        await worker.stop()
        await task
