"""Brings a database's tables up to date, or says in one sentence why it cannot."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL

from storage import faults
from storage.database import parse_url
from storage.postgres_engine import open_engine as open_postgres
from storage.sqlite_engine import open_engine as open_sqlite

VERSION_TABLE = "resurface_version"

#: Any number, the same in every process: one of them migrates, the others wait.
_LOCK = 0x5265737572666163


def upgrade(url: str, revision: str = "head") -> None:
    """Make or update the tables; raises DatabaseFault.

    Synchronous, and callable from a running event loop too. Safe when several processes start at
    once. A SQLite file's folder is made when missing.
    """
    _with_connection(url, lambda connection, parsed: _migrate(connection, parsed, revision))


def downgrade(url: str, revision: str) -> None:
    """Take migrations back until `revision`; "base" removes every table of ours."""

    def back(connection: Connection, _url: URL) -> None:
        command.downgrade(_config(connection), revision)

    _with_connection(url, back)


def check(connection: Connection, url: URL) -> None:
    """Raise ForeignDatabase or DatabaseOutdated unless the tables are of this program's version."""
    if reached(connection, url) != _newest():
        raise faults.outdated(url)


def _migrate(connection: Connection, url: URL, revision: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    reached(connection, url)
    command.upgrade(_config(connection), revision)


def reached(connection: Connection, url: URL) -> str | None:
    """Return the newest migration in the database, None without tables; raises ForeignDatabase."""
    tables = inspect(connection).get_table_names()
    if VERSION_TABLE not in tables:
        if tables:
            raise faults.foreign(url, "the tables in it were not made by Resurface")
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant
    known = {script.revision for script in _scripts().walk_revisions()}
    if found is not None and found not in known:
        raise faults.foreign(url, "the tables in it were made by a newer version of Resurface")
    return None if found is None else str(found)


def _with_connection(url: str, action: Callable[[Connection, URL], None]) -> None:
    parsed = parse_url(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            _on_sqlite(parsed, action)
        else:  # a thread of its own, for asyncio.run refuses to start inside a running loop
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, _on_postgres(parsed, action)).result()
    except Exception as error:
        fault = faults.translated(error, parsed)
        if fault is error:
            raise
        raise fault from None


def _on_sqlite(url: URL, action: Callable[[Connection, URL], None]) -> None:
    path = Path(url.database or "")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):  # SQLite would let everybody on the machine read it
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    engine = open_sqlite(url, refers=False)  # a column is changed by making its table anew
    try:
        with engine.begin() as connection:
            action(connection, url)
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                raise faults.StatementFailed("the migration left rows that refer to nothing")
    finally:
        engine.dispose()


async def _on_postgres(url: URL, action: Callable[[Connection, URL], None]) -> None:
    engine = open_postgres(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(action, url)
    finally:
        await engine.dispose()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


@functools.cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(Path(__file__).parent))


def _newest() -> str | None:
    return _scripts().get_current_head()
