"""PostgreSQL: writer tasks that commit waiting writes together, and pooled readers beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage import batches

T = TypeVar("T")

MOST_WRITES = 128

#: Two, so that one batch is built while the other waits for the disk.
WRITERS = 2

READERS = 5

#: Times a write is tried alone after a deadlock or a serialization failure.
TRIES = 3

#: Longest first pause before such a try; it doubles each time.
PAUSE = 0.05

#: A program that vanishes without a word, with its machine, gives its locks back within a minute
#: and not with the system's keepalive, two hours later.
_VANISHED = {
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}

_CONNECT_WITHIN = 10.0  # seconds; asked again soon, it may answer on another path


def open_engine(url: URL, *, read_only: bool = False, serves: bool = False) -> AsyncEngine:
    """Make an engine on asyncpg; understands libpq's `sslmode`, which hosts put in their URLs.

    Reads need no transaction around them, which spares them two thirds of their round trips.
    `serves`: it is for turns and messages, which are short, and not for upkeep, which may be long.
    """
    query = dict(url.query)
    arguments: dict[str, object] = {}
    if sslmode := query.pop("sslmode", None):
        arguments["ssl"] = sslmode
    settings = dict(_VANISHED) if serves else {}
    if read_only:
        settings["default_transaction_read_only"] = "on"
    arguments["server_settings"] = settings
    if serves:
        arguments["timeout"] = _CONNECT_WITHIN
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg", query=query),
        hide_parameters=True,
        pool_size=READERS if read_only else WRITERS,
        pool_pre_ping=not read_only,
        isolation_level="AUTOCOMMIT" if read_only else "READ COMMITTED",
        connect_args=arguments,
    )


class PostgresEngine:
    """Runs synchronous functions on PostgreSQL for an asynchronous program."""

    def __init__(self, url: URL, *, jitter: Callable[[], float]) -> None:
        self._writer_engine = open_engine(url, serves=True)
        self._reader_engine = open_engine(url, read_only=True, serves=True)
        self._jitter = jitter
        self._waiting: asyncio.Queue[batches.Write | None] = asyncio.Queue()
        self._writers: list[asyncio.Task[None]] = []

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run `job` with a connection that cannot write; once more when it had been cut."""
        try:
            return await self._read(job)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return await self._read(job)

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run `job` in the next transaction; return after its commit."""
        if not self._writers:
            self._writers = [asyncio.create_task(self._write_all()) for _ in range(WRITERS)]
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(batches.Write(job, future))
        result: T = await future
        return result

    async def forget_deleted(self) -> None:
        """Do nothing: the server's own vacuum writes over what was deleted."""

    async def close(self) -> None:
        """Finish the writes that wait, then close every connection."""
        for _ in self._writers:
            self._waiting.put_nowait(None)
        await asyncio.gather(*self._writers)
        await self._writer_engine.dispose()
        await self._reader_engine.dispose()

    async def _read(self, job: Callable[[Connection], T]) -> T:
        async with self._reader_engine.connect() as connection:
            return await connection.run_sync(job)

    async def _write_all(self) -> None:
        while (first := await self._waiting.get()) is not None:
            writes = self._with_others(first)
            try:
                async with self._writer_engine.connect() as connection:
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
