"""Upgrades as programs of their own, which may end at any statement, and what must be left."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from sqlalchemy import Connection, Engine, event, inspect, text
from sqlalchemy.pool import Pool

from storage import faults, migrations
from storage.database import Database, connect
from tests.faults import programs
from tests.faults.programs import Orders, Point, Program, Watch, settle_in
from tests.storage.schemas import differences

#: The points of an upgrade: every statement is one, and those by which a migration is noted as
#: done are another; then the commit.
STATEMENT, NOTED, ENDING, ENDED = "statement", "migration noted", "commit begun", "committed"

#: What migrations change on purpose: tables that are made anew, and a column that is filled.
_REMADE = {"calendar_pushes": "0010", "calendar_clashes": "0010"}
_FILLED = {("follow_ups", "look_at"): "0014"}

_BATCH = 10_000  # rows that are read at a time


@dataclass(frozen=True, slots=True)
class Rows:
    """What one table holds, in whatever order."""

    columns: tuple[str, ...]
    count: int
    digest: int


Contents = Mapping[str, Rows]  # of each table


def upgrade(orders: Orders, _ready: Pipe) -> None:
    """Do what `resurface upgrade` does."""
    settle_in(orders.log)
    watch = Watch(orders)

    def executed(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        notes = migrations.VERSION_TABLE in statement and statement.startswith(("INSERT", "UPDATE"))
        watch.passed(NOTED if notes else STATEMENT)

    event.listen(Engine, "after_cursor_execute", executed)
    event.listen(Engine, "commit", lambda _connection: watch.passed(ENDING))
    event.listen(Pool, "checkin", lambda *_: watch.passed(ENDED))
    migrations.upgrade(orders.database_url)


def orders_for(url: str, folder: Path) -> Orders:
    """Return the orders of an upgrade."""
    return Orders("", "", url, str(folder / "log"))


async def points_of(orders: Orders, folder: Path) -> list[Point]:
    """Upgrade; return every point of the first migration, then those of the end.

    Raises RuntimeError when the upgrade fails.
    """
    passed, code = await _upgraded(orders, folder / "points")
    if code:
        raise RuntimeError(f"an upgrade that nothing disturbs must end with 0, got {code}")
    own = range(1, passed.index(NOTED) + 1)
    return [*((STATEMENT, number) for number in own), (NOTED, 1), (ENDING, 1), (ENDED, 1)]


async def cut_off(orders: Orders, point: Point) -> list[str]:
    """Upgrade until a point is passed; return what is wrong."""
    code = await Program(upgrade, replace(orders, ends_at=point)).ended()
    return [] if code == programs.ENDED else [f"it ended with {code} and not at its point"]


async def by_two(orders: Orders, folder: Path, *, expected: int = 1) -> list[str]:
    """Let two programs upgrade at once, of which so many have something to do.

    Returns what is wrong.
    """
    both = (_upgraded(orders, folder / f"points-{number}") for number in range(2))
    told = await asyncio.gather(*both)
    codes = [code for _, code in told if code]
    did = sum(NOTED in passed for passed, _ in told)
    wrong = [f"two at once ended with {codes}"] if codes else []
    return wrong + ([f"{did} of two upgraded, not {expected}"] if did != expected else [])


async def _upgraded(orders: Orders, points: Path) -> tuple[list[str], int]:
    """Run an upgrade; return the points that it passed, and what it ended with."""
    program = await asyncio.to_thread(Program, upgrade, replace(orders, points=str(points)))
    code = await program.ended()
    return _taken(points), code


def _taken(points: Path) -> list[str]:
    """Return the points in a file, and remove it."""
    passed = points.read_text(encoding="ascii").splitlines()
    points.unlink()
    return passed


async def reached(url: str) -> str:
    """Return the newest migration of a database; empty when it has none."""
    database = connect(url)
    try:
        return await database.read(migrations.reached, database.url) or ""
    finally:
        await database.close()


async def contents(url: str) -> Contents:
    """Return what an upgrade must keep of a database."""
    database = connect(url)
    try:
        revision = await database.read(migrations.reached, database.url) or ""
        return await database.read(_contents, revision)
    finally:
        await database.close()


async def complaints(url: str, before: Contents) -> list[str]:
    """Say what is wrong with a database that was upgraded to the newest version."""
    database = connect(url)
    try:
        return await _complaints(database, before)
    finally:
        await database.close()


async def _complaints(database: Database, before: Contents) -> list[str]:
    try:
        await database.read(migrations.check, database.url)
    except faults.DatabaseFault as fault:
        return [type(fault).__name__]
    wrong = [f"unlike the models: {each}" for each in await database.read(differences)]
    if database.url.get_backend_name() == "sqlite":
        wrong += await database.read(_damage)
    for table, rows in before.items():
        after = await database.read(_rows, table, rows.columns)
        if after != rows:
            wrong.append(f"{table}: {rows.count} rows before, {after.count} after, or others")
    return wrong


def _contents(connection: Connection, revision: str) -> Contents:
    look = inspect(connection)
    found: dict[str, Rows] = {}
    for table in look.get_table_names():
        if table == migrations.VERSION_TABLE or revision < _REMADE.get(table, ""):
            continue
        names = [column["name"] for column in look.get_columns(table)]
        kept = tuple(name for name in names if revision >= _FILLED.get((table, name), ""))
        found[table] = _rows(connection, table, kept)
    return found


def _rows(connection: Connection, table: str, columns: tuple[str, ...]) -> Rows:
    count = digest = 0
    names = ", ".join(columns)
    result = connection.execute(text(f"SELECT {names} FROM {table}"))
    for rows in result.partitions(_BATCH):
        count += len(rows)
        for row in rows:
            hashed = blake2b(repr(tuple(row)).encode(), digest_size=8).digest()
            digest = (digest + int.from_bytes(hashed)) % 2**64
    return Rows(columns, count, digest)


def _damage(connection: Connection) -> list[str]:
    """Return what SQLite itself finds wrong with a file."""
    told = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
    wrong = [] if told == ["ok"] else [f"integrity: {each}" for each in told]
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return wrong + [f"a row of {row[0]} refers to nothing" for row in orphans]
