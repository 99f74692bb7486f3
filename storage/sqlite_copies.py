"""Consistent copies of a SQLite file, made and put back while knowing who else has it open."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from storage import faults, manifests, migrations
from storage.manifests import BackupFault, Manifest, Progress
from storage.sqlite_engine import open_engine

_PATIENCE = 15.0  # seconds to wait for another program's lock
_STEPS = 20_000  # of SQLite's machine, between two signs of progress

KIND = "sqlite"


def copy_out(url: URL, file: Path, progress: Progress) -> Manifest:
    """Write one instant of a database that may be in use into a new file."""
    source = path_of(url)
    if not source.exists():
        raise faults.unavailable(url, "there is no such file", "correct DATABASE_URL")
    revision = _revision(url)
    manifests.make_private(file)
    with _translated(url), closing(sqlite3.connect(source, timeout=_PATIENCE)) as connection:
        total = _number(connection, "page_count") * _number(connection, "page_size")

        def step() -> int:
            progress("copying", min(file.stat().st_size, total), total)
            return 0

        connection.isolation_level = None  # VACUUM works outside transactions only
        connection.set_progress_handler(step, _STEPS)
        connection.execute("VACUUM INTO ?", (str(file),))
    _sync(file)
    check(file, progress)
    return Manifest(KIND, revision, manifests.digest(file, progress), rows_of(file))


def put_back(
    url: URL, file: Path, manifest: Manifest | None, progress: Progress, *, force: bool
) -> Manifest:
    """Put a backup in the place of a database; nothing is changed unless all of it is good."""
    target = path_of(url)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not force:
        _require_empty(url, target)
    part = target.with_name(target.name + ".restoring")
    try:
        _copy(file, part, progress)
        check(part, progress)
        revision = _revision(url.set(database=str(part)))
        found = Manifest(KIND, revision, manifests.digest(part, progress), rows_of(part))
        if manifest is not None:
            _require_same(file, manifest, found)
        with alone(url, target):
            pass  # and the last to close it has written back what was beside it
        for suffix in ("-wal", "-shm", "-journal"):  # of the old file: they would spoil the new one
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        _take_place(part, target)
    finally:
        for leftover in (part, *(part.with_name(part.name + end) for end in ("-wal", "-shm"))):
            leftover.unlink(missing_ok=True)
    return found


def check(file: Path, progress: Progress) -> None:
    """Raise BackupFault unless the file is whole and every reference in it leads somewhere."""
    progress("checking the tables", 0, 0)
    try:
        with closing(sqlite3.connect(file)) as connection:
            told = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")]
            lost = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError:
        told, lost = ["damaged"], None
    if told != ["ok"] or lost is not None:
        raise BackupFault(f"{file}: is damaged; take another backup file")


def rows_of(file: Path) -> dict[str, int]:
    """Return how many rows each table of a file has."""
    with closing(sqlite3.connect(file)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - names of tables
            for (name,) in sorted(names)
        }


@contextlib.contextmanager
def alone(url: URL, file: Path) -> Iterator[None]:
    """Hold a database file so that no other program can open it; raises DatabaseLocked."""
    if not file.exists():
        yield
        return
    with closing(sqlite3.connect(file, timeout=1.0, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise faults.locked(url) from None
            raise
        except sqlite3.DatabaseError:  # damaged: that is why it is replaced
            pass
        yield


def path_of(url: URL) -> Path:
    """Return the file that a SQLite address names."""
    return Path(url.database or "")


def _require_empty(url: URL, target: Path) -> None:
    if not target.exists() or not target.stat().st_size:
        return
    _revision(url)
    if any(n for table, n in rows_of(target).items() if table != migrations.VERSION_TABLE):
        raise not_empty(url)


def not_empty(url: URL) -> BackupFault:
    """Make the error of a database that must not be written over."""
    return BackupFault(
        f"{faults.shown(url)}: the database holds data already; name an empty one in DATABASE_URL, "
        "or give --force to replace everything in it"
    )


def _require_same(file: Path, expected: Manifest, found: Manifest) -> None:
    if expected.sha256 != found.sha256:
        raise BackupFault(f"{file}: was changed since it was made; take another backup file")
    manifests.compare(expected, found.rows)


def _revision(url: URL) -> str:
    engine = open_engine(url, read_only=True)
    try:
        with engine.begin() as connection:
            return migrations.reached(connection, url) or ""
    except DBAPIError as error:
        raise faults.translated(error, url) from None
    finally:
        engine.dispose()


def _copy(file: Path, part: Path, progress: Progress) -> None:
    manifests.make_private(part)
    total = file.stat().st_size
    with file.open("rb") as source, part.open("r+b") as target:
        while chunk := source.read(1 << 20):
            target.write(chunk)
            progress("copying", target.tell(), total)
    _sync(part)


def _take_place(part: Path, target: Path) -> None:
    """Rename the file, as its predecessor's owner: the bot may run as somebody else."""
    owner = (target if target.exists() else target.parent).stat()
    with contextlib.suppress(PermissionError):
        shutil.chown(part, owner.st_uid, owner.st_gid)
    part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _sync(file: Path) -> None:
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


@contextlib.contextmanager
def _translated(url: URL) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise faults.translated(DBAPIError("", {}, error), url) from None
