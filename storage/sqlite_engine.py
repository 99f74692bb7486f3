"""SQLite: one writer thread that commits waiting writes together, and readers beside it."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool, QueuePool

from storage import batches, faults

T = TypeVar("T")

#: Writes in one transaction. More would not be faster and would make the first one wait.
MOST_WRITES = 256

READERS = 4

#: How often a writer asks for the lock that another program has. SQLite's own waiting asks more and
#: more seldom, up to ten times a second; whoever wrote last is back before that, again and again.
ASKS_EVERY = 0.002  # seconds


def open_engine(
    url: URL, *, read_only: bool = False, wait_ms: int = 15_000, refers: bool = True
) -> Engine:
    """Make an engine whose transactions are what they say.

    Python's driver begins transactions late and not for reading, which let every one of 40 slots be
    booked twice when it was tried; so we begin them ourselves: IMMEDIATE where something may be
    written. FULL: a commit survives a power cut. Parameters stay out of error texts. Without
    `refers` rows may point at what is not there: whoever makes a table anew must look in the end.
    """
    engine = create_engine(
        url, hide_parameters=True, poolclass=QueuePool if read_only else NullPool,
        connect_args={"check_same_thread": False},
    )  # fmt: skip
    pragmas = [f"busy_timeout={wait_ms}", f"foreign_keys={'ON' if refers else 'OFF'}"]
    if read_only:
        pragmas += ["query_only=ON"]
    else:  # what is deleted is written over, in builds of SQLite too where that is not so by itself
        pragmas += ["journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"]
        pragmas += ["busy_timeout=0"]  # `begin` waits, and nothing after it has to

    def set_up(driver: sqlite3.Connection, _record: object) -> None:
        driver.isolation_level = None
        for pragma in pragmas:
            driver.execute(f"PRAGMA {pragma}").close()

    def begin(connection: Connection) -> None:
        if read_only:
            connection.exec_driver_sql("BEGIN")
        else:
            _begin_immediate(connection, time.monotonic() + wait_ms / 1000)

    event.listen(engine, "connect", set_up)
    event.listen(engine, "begin", begin)
    return engine


def _begin_immediate(connection: Connection, until: float) -> None:
    """Begin to write as soon as nobody else does; `OperationalError` when that takes too long."""
    while True:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError as error:
            if not _is_busy(error.orig) or time.monotonic() > until:
                raise
            time.sleep(ASKS_EVERY)
        else:
            return


def _is_busy(error: BaseException | None) -> bool:
    code = error.sqlite_errorcode if isinstance(error, sqlite3.OperationalError) else 0
    return code & 0xFF == sqlite3.SQLITE_BUSY  # the higher bits say why it is


class SqliteEngine:
    """Runs synchronous functions on a SQLite file for an asynchronous program."""

    def __init__(self, url: URL, *, wait_ms: int = 15_000) -> None:
        self._url = url
        self._writer_engine = open_engine(url, wait_ms=wait_ms)
        self._reader_engine = open_engine(url, read_only=True, wait_ms=wait_ms)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self._waiting: queue.SimpleQueue[batches.Write | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run `job` in a read-only transaction."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, job)

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run `job` in the next transaction; return after its commit."""
        if self._writer is None:
            self._writer = threading.Thread(
                target=self._write_all, name="sqlite-writer", daemon=True
            )
            self._writer.start()
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.put(batches.Write(job, future))  # type: ignore[arg-type] # T is an object
        return await future

    async def forget_deleted(self) -> None:
        """Empty the file of recent changes, which may still hold what was deleted.

        As far as others leave it alone for a second; otherwise it is written over in time.
        """
        await asyncio.to_thread(self._empty_wal)

    def _empty_wal(self) -> None:
        with self._writer_engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None  # noqa: S101 - it has just been opened
            driver.execute("PRAGMA busy_timeout=1000")  # of this connection, which is closed below
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # in a transaction it is refused

    async def close(self) -> None:
        """Finish the writes that wait, then close every connection."""
        self._waiting.put(None)
        if self._writer is not None:
            await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._readers.shutdown)
        self._reader_engine.dispose()
        self._writer_engine.dispose()

    def _read(self, job: Callable[[Connection], T]) -> T:
        if not _is_there(self._url):  # opening it would make an empty file
            raise faults.outdated(self._url)
        with self._reader_engine.begin() as connection:
            return job(connection)

    def _write_all(self) -> None:
        """Serve the queue until it says stop. The connection is held: opening one costs more."""
        held: Connection | None = None
        for writes in self._batches():
            try:
                held = held or self._open_writer()
                for write in batches.carry_out(held, writes):
                    batches.carry_out(held, [write])
            except Exception as error:  # noqa: BLE001 - the thread lives on; the callers get it
                batches.fail(writes, error)
                if held is not None:
                    held.close()
                held = None
            _settle(writes)
        if held is not None:
            held.close()

    def _open_writer(self) -> Connection:
        if not _is_there(self._url):
            raise faults.outdated(self._url)
        return self._writer_engine.connect()

    def _batches(self) -> Iterator[Sequence[batches.Write]]:
        while True:
            first = self._waiting.get()
            if first is None:
                return
            writes = [first]
            with contextlib.suppress(queue.Empty):
                while len(writes) < MOST_WRITES:
                    more = self._waiting.get_nowait()
                    if more is None:
                        yield writes
                        return
                    writes.append(more)
            yield writes


def _is_there(url: URL) -> bool:
    return Path(url.database or "").exists()


def _settle(writes: Sequence[batches.Write]) -> None:
    """Wake the callers, each event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[batches.Write]] = defaultdict(list)
    for write in writes:
        by_loop[write.future.get_loop()].append(write)
    for loop, settled in by_loop.items():
        with contextlib.suppress(RuntimeError):  # that loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle_each, settled)


def _settle_each(writes: Sequence[batches.Write]) -> None:
    for write in writes:
        write.settle()
