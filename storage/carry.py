"""Carry everything from a SQLite file to PostgreSQL, for a clinic that has outgrown the file.

Synchronous, and not to be called from a running event loop.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, func, insert, select, text, tuple_
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from storage import faults, migrations
from storage.database import parse_url
from storage.faults import StorageError
from storage.manifests import Progress
from storage.models import Model
from storage.postgres_engine import open_engine as open_postgres
from storage.sqlite_copies import alone, path_of
from storage.sqlite_engine import open_engine as open_sqlite

_ROWS = 500  # at once


class CarryFault(StorageError):
    """The data cannot be carried; one sentence with the cure. Nothing was changed."""


def carry(source: str, target: str, progress: Progress) -> dict[str, int]:
    """Copy every table in one transaction and compare each row; return the rows by table.

    Both databases are brought up to date first. Nothing else may have the file open. Raises
    CarryFault, DatabaseFault.
    """
    old, new = parse_url(source), parse_url(target)
    if (old.get_backend_name(), new.get_backend_name()) != ("sqlite", "postgresql"):
        raise CarryFault("data is carried from sqlite:///path/to/file.db to postgresql://… only")
    if not path_of(old).exists():
        raise CarryFault(f"{faults.shown(old)}: there is no such file")
    with alone(old, path_of(old)):
        pass
    migrations.upgrade(source)
    migrations.upgrade(target)
    engine = open_sqlite(old, read_only=True)
    try:
        with engine.connect() as connection:
            _keep_others_out(connection)
            with connection.begin():
                return asyncio.run(_carry(connection, new, progress))
    except (DBAPIError, OSError) as error:
        raise faults.translated(error, new) from None
    finally:
        engine.dispose()


def tables() -> list[Table]:
    """Return every table, each after those that it refers to."""
    return list(Model.metadata.sorted_tables)


def digests(rows: Sequence[Row[Any]]) -> list[bytes]:
    """Return a short digest of each row's values, the same on every database."""
    return [
        hashlib.blake2b(repr(tuple(row)).encode("utf-8", "surrogatepass"), digest_size=16).digest()
        for row in rows
    ]


def _keep_others_out(connection: Connection) -> None:
    """What another program wrote from now on would be left behind."""
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - it has just been opened
    driver.execute("PRAGMA locking_mode=EXCLUSIVE")


async def _carry(source: Connection, url: URL, progress: Progress) -> dict[str, int]:
    engine = open_postgres(url)
    try:
        async with engine.begin() as target:
            return await target.run_sync(lambda each: _pour(source, each, url, progress))
    finally:
        await engine.dispose()


def _pour(source: Connection, target: Connection, url: URL, progress: Progress) -> dict[str, int]:
    filled = [table.name for table in tables() if _count(target, table)]
    if filled:
        raise CarryFault(
            f"{faults.shown(url)}: the database holds data already ({', '.join(filled)}); "
            "name an empty one with --to"
        )
    carried = {}
    for table in tables():
        before = _copy(source, target, table, progress)
        _continue_counting(target, table, _last_given(source, table))
        _compare(target, table, before, progress)
        carried[table.name] = len(before)
    return carried


def _copy(source: Connection, target: Connection, table: Table, progress: Progress) -> list[bytes]:
    """Copy a table; return the digests of its rows as they were in the source."""
    total, before = _count(source, table), list[bytes]()
    progress(table.name, 0, total)
    for rows in _pages(source, table):
        target.execute(insert(table), [dict(row._mapping) for row in rows])
        before += digests(rows)
        progress(table.name, len(before), total)
    return before


def _compare(target: Connection, table: Table, before: list[bytes], progress: Progress) -> None:
    after: list[bytes] = []
    for rows in _pages(target, table):
        after += digests(rows)
        progress(f"{table.name}, comparing", len(after), len(before))
    # Sorted, because the two databases do not sort text alike.
    if sorted(before) != sorted(after):
        different = len(set(before) ^ set(after))
        raise CarryFault(
            f"{different} rows of {table.name} were not the same after copying; "
            "nothing was carried, the SQLite file is as it was"
        )


def _pages(connection: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    """Yield all rows in the order of their key, some at a time."""
    key = list(table.primary_key.columns)
    page = select(table).order_by(*key).limit(_ROWS)
    rows = connection.execute(page).all()
    while rows:
        yield rows
        last = tuple(rows[-1]._mapping[column] for column in key)
        rows = connection.execute(page.where(tuple_(*key) > last)).all()


def _last_given(source: Connection, table: Table) -> int:
    """Return the last number that SQLite gave in a table, of a row that is deleted by now as well.

    0 for a table that keeps no account of it.
    """
    if not table.dialect_kwargs.get("sqlite_autoincrement"):
        return 0
    given = text("SELECT seq FROM sqlite_sequence WHERE name = :table")
    return int(source.execute(given, {"table": table.name}).scalar() or 0)


def _continue_counting(target: Connection, table: Table, last: int) -> None:
    """Let new rows be numbered after the carried ones, and after the `last` number given."""
    counted = table.autoincrement_column
    if counted is None:
        return
    highest = max(last, target.execute(select(func.max(counted))).scalar() or 0)
    sequence = target.execute(
        text("SELECT pg_get_serial_sequence(:table, :column)"),
        {"table": table.name, "column": counted.name},
    ).scalar()
    if highest and sequence is not None:
        target.execute(
            text("SELECT setval(CAST(:s AS regclass), :n)"), {"s": sequence, "n": highest}
        )


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()
