"""The one way to the database: `await database.read(fn, ...)`, `await database.write(fn, ...)`.

`fn(connection, ...)` is a plain synchronous function of this package; the same functions run on
SQLite and on PostgreSQL. Nothing is opened before the first read or write.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from storage import crash_points, faults
from storage.postgres_engine import PostgresEngine
from storage.sqlite_engine import SqliteEngine

_FILE = "sqlite:///var/resurface.db"
_EXPECTED = f"DATABASE_URL must look like {_FILE} or postgresql://user:password@host/name"

P = ParamSpec("P")
T = TypeVar("T")


class _Engine(Protocol):
    async def read(self, job: Callable[[Connection], T]) -> T: ...
    async def write(self, job: Callable[[Connection], T]) -> T: ...
    async def forget_deleted(self) -> None: ...
    async def close(self) -> None: ...


class Database:
    """A database in use by one event loop. Close it when done."""

    def __init__(
        self,
        url: URL,
        engine: _Engine,
        on_fault: Callable[[str], None] = lambda _name: None,
        passed: crash_points.Passed = crash_points.unwatched,
    ) -> None:
        self.url = url
        self._engine = engine
        self._on_fault = on_fault
        self._passed = passed
        self._closed = False

    async def read(
        self,
        fn: Callable[Concatenate[Connection, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `fn`, which cannot write; raises DatabaseFault, and what `fn` raises.

        SQLite reads one instant throughout. On PostgreSQL each statement reads the last commits, so
        what must agree is asked in one statement.
        """
        with self._faults():
            return await self._engine.read(lambda connection: fn(connection, *args, **kwargs))

    async def write(
        self,
        fn: Callable[Concatenate[Connection, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `fn` in a transaction that other callers may share; return once it is committed.

        When `fn` raises, only its own changes are undone. `fn` may be run again after a deadlock,
        so it must change nothing but the database. A write once handed over is carried out even
        when the caller stops waiting for it.
        """
        passed, name = self._passed, crash_points.name_of(fn)

        def job(connection: Connection) -> T:
            passed(f"{name} begun")
            result = fn(connection, *args, **kwargs)
            passed(f"{name} written")
            return result

        with self._faults():
            result = await self._engine.write(job)
        passed(f"{name} committed")
        return result

    async def forget_deleted(self) -> None:
        """Leave nothing of what was deleted in the database's files, as far as they are ours.

        Best effort: what was deleted stays so, and the files are written over in time.
        """
        with contextlib.suppress(faults.StorageError), self._faults():
            await self._engine.forget_deleted()

    async def close(self) -> None:
        """Finish what waits and close every connection."""
        if not self._closed:
            self._closed = True
            await self._engine.close()

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        """Raise storage's errors instead of a driver's, whose texts may hold a patient's words."""
        if self._closed:
            raise faults.StorageError("the database was closed; connect again")
        try:
            yield
        except Exception as error:
            fault = faults.translated(error, self.url)
            if isinstance(fault, faults.StorageError):
                self._on_fault(type(fault).__name__)
            if fault is error:
                raise
            raise fault from None


def connect(
    url: str,
    *,
    jitter: Callable[[], float] | None = None,
    on_fault: Callable[[str], None] = lambda _name: None,
    passed: crash_points.Passed = crash_points.unwatched,
) -> Database:
    """Prepare a database; raises DatabaseUnavailable for an address that is none of ours.

    `jitter` returns a number in [0, 1) that spreads repeated tries. `on_fault` gets the class name
    of every storage error that a read or write raises; `passed` each crash point.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return Database(parsed, SqliteEngine(parsed), on_fault, passed)
    engine = PostgresEngine(parsed, jitter=jitter or secrets.SystemRandom().random)
    return Database(parsed, engine, on_fault, passed)


def parse_url(url: str) -> URL:
    """Read DATABASE_URL; raises DatabaseUnavailable for an address that is none of ours."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the text may hold a password, so it is not shown
        raise faults.DatabaseUnavailable(_EXPECTED) from None
    kind = parsed.get_backend_name()
    if kind == "postgres":  # what some hosts write
        return parsed.set(drivername="postgresql")
    if kind not in {"sqlite", "postgresql"}:
        raise faults.DatabaseUnavailable(_EXPECTED)
    if kind == "sqlite" and (parsed.database or ":memory:") == ":memory:":
        raise faults.DatabaseUnavailable("DATABASE_URL must name a file, such as " + _FILE)
    return parsed.set(drivername=kind)
