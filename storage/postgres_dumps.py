"""Dumps of a PostgreSQL database, by PostgreSQL's own programs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from storage import faults, manifests, migrations
from storage.manifests import BackupFault, Manifest, Progress
from storage.models import Model
from storage.postgres_engine import open_engine
from storage.sqlite_copies import not_empty

KIND = "postgresql"

#: The dump must stand on its own in another database, with another user.
_NEUTRAL = ("--no-owner", "--no-privileges", "--no-comments")

_CHUNK = 1 << 16


async def copy_out(url: URL, file: Path, progress: Progress) -> Manifest:
    """Write one instant of a database that may be in use into a new file."""
    pg_dump = _program("pg_dump")
    async with _opened(url) as engine, engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        revision = await connection.run_sync(migrations.reached, url)
        rows = await connection.run_sync(rows_of)
        # The dump sees what was just counted, whatever is written meanwhile.
        snapshot = (await connection.execute(text("SELECT pg_export_snapshot()"))).scalar_one()
        manifests.make_private(file)
        options = ("-Fc", *_NEUTRAL, f"--snapshot={snapshot}", "-f", str(file))
        await _dumped(await _start(url, pg_dump, *options, stdout=DEVNULL), file, progress)
    return Manifest(KIND, revision or "", manifests.digest(file, progress), rows)


async def put_back(
    url: URL, file: Path, manifest: Manifest | None, progress: Progress, *, force: bool
) -> Manifest:
    """Replace all tables by those of a dump, in one transaction."""
    programs = _program("pg_restore"), _program("psql")
    async with _opened(url) as engine:
        async with engine.connect() as connection:
            await connection.run_sync(migrations.reached, url)
            before = await connection.run_sync(rows_of)
            if not force and any(n for t, n in before.items() if t != migrations.VERSION_TABLE):
                raise not_empty(url)
        sha256 = manifests.digest(file, progress)
        if manifest is not None and manifest.sha256 != sha256:
            raise BackupFault(f"{file}: was changed since it was made; take another backup file")
        await _poured(url, programs, file, tuple(before), progress)
        async with engine.connect() as connection:
            revision = await connection.run_sync(migrations.reached, url)
            found = Manifest(KIND, revision or "", sha256, await connection.run_sync(rows_of))
    if manifest is not None:
        manifests.compare(manifest, found.rows)
    return found


def rows_of(connection: Connection) -> dict[str, int]:
    """Return how many rows each table of ours has."""
    ours = {*Model.metadata.tables, migrations.VERSION_TABLE}
    names = sorted(ours & set(inspect(connection).get_table_names()))
    return {
        name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()  # noqa: S608 - names of tables
        for name in names
    }


@contextlib.asynccontextmanager
async def _opened(url: URL) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(url)
    try:
        yield engine
    except (DBAPIError, OSError) as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise  # of the backup file, not of the server
        raise faults.translated(error, url) from None
    finally:
        await engine.dispose()


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackupFault(
            f"{name} is needed and not installed: it belongs to PostgreSQL's client programs "
            "(Debian, Ubuntu: apt-get install postgresql-client)"
        )
    return found


async def _start(
    url: URL, program: str, *options: str, stdin: int = DEVNULL, stdout: int = PIPE
) -> Process:
    """Start a program on the database; the password travels where nobody can list it."""
    address = url.set(password=None).render_as_string(hide_password=False)
    environment = dict(os.environ)
    if url.password:
        environment["PGPASSWORD"] = url.password
    return await asyncio.create_subprocess_exec(
        program, *options, "-d", address, stdin=stdin, stdout=stdout, stderr=PIPE, env=environment
    )


async def _dumped(process: Process, file: Path, progress: Progress) -> None:
    ended = asyncio.create_task(process.communicate())
    while not ended.done():
        progress("copying", _size(file), 0)
        await asyncio.wait({ended}, timeout=0.2)
    _, told = await ended
    _require_success("pg_dump", process, told)


async def _poured(
    url: URL, programs: tuple[str, str], file: Path, tables: tuple[str, ...], progress: Progress
) -> None:
    """Let psql carry out what pg_restore reads from the dump, after dropping the old tables."""
    pg_restore, psql = programs
    source = await asyncio.create_subprocess_exec(
        pg_restore, *_NEUTRAL, "-f", "-", str(file), stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    # A code instead of words: the server's words would quote patients' data.
    options = ("-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=sqlstate", "-f", "-")
    target = await _start(url, psql, *options, stdin=PIPE, stdout=DEVNULL)
    drops = "".join(f'DROP TABLE "{table}" CASCADE;\n' for table in tables)
    pouring = asyncio.create_task(_pour(source, target, drops, progress))
    told = await asyncio.gather(_errors(source), _errors(target), pouring)
    _require_success("pg_restore", source, told[0])
    _require_success("psql", target, told[1])


async def _pour(source: Process, target: Process, first: str, progress: Progress) -> None:
    """Hand the statements on; without the last of them the transaction must not be committed."""
    assert source.stdout is not None  # noqa: S101 - it was started with pipes
    assert target.stdin is not None  # noqa: S101 - it was started with pipes
    done = 0
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        target.stdin.write(f"SET lock_timeout = '15s';\n{first}".encode())
        while chunk := await source.stdout.read(_CHUNK):
            target.stdin.write(chunk)
            await target.stdin.drain()
            progress("restoring", done := done + len(chunk), 0)
    while await source.stdout.read(_CHUNK):  # psql gave up: let the other end, too
        pass
    if await source.wait():
        target.kill()
    target.stdin.close()
    await target.wait()


async def _errors(process: Process) -> bytes:
    assert process.stderr is not None  # noqa: S101 - it was started with pipes
    return await process.stderr.read()


def _size(file: Path) -> int:
    return file.stat().st_size


def _require_success(program: str, process: Process, told: bytes) -> None:
    if process.returncode:
        lines = told.decode("utf-8", "replace").splitlines()
        line = next((line for line in lines if "error" in line.lower()), "no reason given")
        raise BackupFault(f"{program} failed, nothing was changed: {line.strip()}")
