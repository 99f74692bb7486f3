"""PostgreSQL: writer tasks that commit waiting writes together, and pooled readers beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage import batches

T = TypeVar("T")

MOST_WRITES = 128

#: Two, so that one batch is built while the other waits for the disk.
WRITERS = 2

#: Times a write is tried alone after a deadlock or a serialization failure.
TRIES = 3

#: Longest first pause before such a try; it doubles each time.
PAUSE = 0.05


def open_engine(url: URL) -> AsyncEngine:
    """Make an engine on asyncpg; understands libpq's `sslmode`, which hosts put in their URLs."""
    query = dict(url.query)
    sslmode = query.pop("sslmode", None)
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg", query=query),
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=5 + WRITERS,
        max_overflow=5,
        connect_args={"ssl": sslmode} if sslmode else {},
    )


class PostgresEngine:
    """Runs synchronous functions on PostgreSQL for an asynchronous program."""

    def __init__(self, url: URL, *, jitter: Callable[[], float]) -> None:
        self._engine = open_engine(url)
        self._jitter = jitter
        self._waiting: asyncio.Queue[batches.Write | None] = asyncio.Queue()
        self._writers: list[asyncio.Task[None]] = []

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run `job` in a read-only transaction."""
        async with self._engine.connect() as connection:
            await connection.execution_options(postgresql_readonly=True)
            return await connection.run_sync(job)

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run `job` in the next transaction; return after its commit."""
        if not self._writers:
            self._writers = [asyncio.create_task(self._write_all()) for _ in range(WRITERS)]
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(batches.Write(job, future))
        result: T = await future
        return result

    async def close(self) -> None:
        """Finish the writes that wait, then close every connection."""
        for _ in self._writers:
            self._waiting.put_nowait(None)
        await asyncio.gather(*self._writers)
        await self._engine.dispose()

    async def _write_all(self) -> None:
        while (first := await self._waiting.get()) is not None:
            writes = self._with_others(first)
            try:
                async with self._engine.connect() as connection:
                    await self._carry_out(connection, writes)
            except Exception as error:  # noqa: BLE001 - the task lives on; callers get it
                batches.fail(writes, error)
            for write in writes:
                write.settle()

    def _with_others(self, first: batches.Write) -> Sequence[batches.Write]:
        writes = [first]
        while len(writes) < MOST_WRITES and not self._waiting.empty():
            more = self._waiting.get_nowait()
            if more is None:  # meant for a writer that is done with its batch
                self._waiting.put_nowait(None)
                break
            writes.append(more)
        return writes

    async def _carry_out(
        self, connection: AsyncConnection, writes: Sequence[batches.Write]
    ) -> None:
        again = await connection.run_sync(batches.carry_out, writes)
        for attempt in range(TRIES):
            tried, again = again, []
            for write in tried:
                await asyncio.sleep(PAUSE * 2**attempt * self._jitter())
                again += await connection.run_sync(batches.carry_out, [write])
