"""A backup of a database in use is whole, private, and comes back as it was."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path

import pytest

from storage import backup, faults, manifests, migrations
from storage.database import connect
from storage.manifests import BackupFault, Manifest
from tests import postgres
from tests.storage import filled

ROUNDS = 5


def quiet(_what: str, _done: int, _total: int) -> None:
    """Show no progress."""


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let PostgreSQL's programs be found where the tests' server has its own."""
    if not os.environ.get("TEST_DATABASE_URL"):
        folder = str(postgres._binaries())
        monkeypatch.setenv("PATH", folder + os.pathsep + os.environ["PATH"])


@pytest.fixture
async def empty_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> str:
    """Return a place for a restored database, of the same kind as `database_url`."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/new/restored.db"
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return server.address(await server.empty())


async def made(url: str, file: Path, *, force: bool = False) -> Manifest:
    return await asyncio.to_thread(backup.make, url, file, quiet, force=force)


async def restored(url: str, file: Path, *, verify: bool = True, force: bool = False) -> Manifest:
    return await asyncio.to_thread(backup.restore, url, file, quiet, verify=verify, force=force)


@asynccontextmanager
async def writing(url: str) -> AsyncIterator[None]:
    """Let new patients come all the time."""
    database = connect(url)

    async def come() -> None:
        for chat in count(1000):
            await filled.meet(database, chat)

    coming = asyncio.create_task(come())
    await asyncio.sleep(0.05)
    yield
    assert not coming.done()
    coming.cancel()
    with suppress(asyncio.CancelledError):
        await coming
    await database.close()


async def test_a_backup_comes_back_as_it_was(
    database_url: str, empty_url: str, tmp_path: Path
) -> None:
    await filled.fill(database_url)
    file = tmp_path / "backup"

    manifest = await made(database_url, file)
    back = await restored(empty_url, file)

    counts = await filled.counted(database_url)
    assert await filled.counted(empty_url) == counts
    assert back.rows == manifest.rows == {**counts, migrations.VERSION_TABLE: 1}
    assert {path.stat().st_mode & 0o777 for path in (file, manifests.path_of(file))} == {0o600}


async def test_backups_made_while_patients_come_are_whole(
    database_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    await filled.fill(database_url, patients=300)
    sizes = []

    async with writing(database_url):
        for number in range(ROUNDS):
            sizes.append((await made(database_url, tmp_path / f"{number}")).rows["patients"])

    assert sizes == sorted(sizes)
    assert len(set(sizes)) > 1  # they did come meanwhile
    for number in range(ROUNDS):
        url = f"sqlite:///{tmp_path}/back{number}.db"
        if database_url.startswith("postgresql"):
            server: postgres.Server = request.getfixturevalue("postgres_server")
            url = server.address(await server.empty())
        back = await restored(url, tmp_path / f"{number}")
        assert await one_conversation_goes_on(url)
        assert len({back.rows[name] for name in ("patients", "conversations", "leads")}) == 1


async def one_conversation_goes_on(url: str) -> bool:
    database = connect(url)
    try:
        await filled.meet(database, 900)
    finally:
        await database.close()
    return True


async def test_an_older_backup_is_kept_unless_told_otherwise(
    database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    file.write_text("something dear")

    with pytest.raises(BackupFault, match="exists already"):
        await made(database_url, file)
    assert file.read_text() == "something dear"
    assert await made(database_url, file, force=True)


async def test_a_database_with_data_is_replaced_only_when_told(
    database_url: str, tmp_path: Path
) -> None:
    await filled.fill(database_url)
    await made(database_url, tmp_path / "backup")
    async with writing(database_url):
        await asyncio.sleep(0.1)

    with pytest.raises(BackupFault, match="holds data already"):
        await restored(database_url, tmp_path / "backup")
    await restored(database_url, tmp_path / "backup", force=True)

    assert (await filled.counted(database_url))["patients"] == 3


async def test_tables_without_rows_are_as_good_as_none(
    database_url: str, empty_url: str, tmp_path: Path
) -> None:
    await filled.fill(database_url)
    await made(database_url, tmp_path / "backup")
    await asyncio.to_thread(migrations.upgrade, empty_url)

    await restored(empty_url, tmp_path / "backup")

    assert (await filled.counted(empty_url))["patients"] == 3


async def test_an_older_databases_backup_is_brought_up_to_date_later(
    empty_url: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(migrations.upgrade, empty_url, "0003")
    manifest = await made(empty_url, tmp_path / "backup")
    await asyncio.to_thread(migrations.upgrade, empty_url)

    await restored(empty_url, tmp_path / "backup")
    assert manifest.revision == "0003"
    await asyncio.to_thread(migrations.upgrade, empty_url)
    assert set((await filled.counted(empty_url)).values()) == {0}


async def test_a_backup_that_was_changed_is_refused_and_nothing_is_touched(
    database_url: str, tmp_path: Path
) -> None:
    await filled.fill(database_url)
    file = tmp_path / "backup"
    await made(database_url, file)
    with file.open("r+b") as stream:
        stream.seek(-50, os.SEEK_END)
        stream.write(b"x" * 10)

    with pytest.raises(BackupFault, match="take another backup file"):
        await restored(database_url, file, force=True)

    assert (await filled.counted(database_url))["patients"] == 3


async def test_a_cut_backup_without_manifest_changes_nothing(
    database_url: str, tmp_path: Path
) -> None:
    await filled.fill(database_url, patients=50)
    file = tmp_path / "backup"
    await made(database_url, file)
    manifests.path_of(file).unlink()
    os.truncate(file, file.stat().st_size * 2 // 3)

    with pytest.raises(BackupFault):
        await restored(database_url, file, verify=False, force=True)

    assert (await filled.counted(database_url))["patients"] == 50


async def test_rows_that_differ_from_the_manifest_are_named(
    database_url: str, empty_url: str, tmp_path: Path
) -> None:
    await filled.fill(database_url)
    file = tmp_path / "backup"
    await made(database_url, file)
    path = manifests.path_of(file)
    told = json.loads(path.read_text())
    told["rows"]["leads"] = 4
    path.write_text(json.dumps(told))

    with pytest.raises(BackupFault, match="the rows of leads differ"):
        await restored(empty_url, file)


async def test_verifying_needs_the_manifest(
    database_url: str, empty_url: str, tmp_path: Path
) -> None:
    await filled.fill(database_url)
    file = tmp_path / "backup"
    await made(database_url, file)
    path = manifests.path_of(file)
    path.write_text("[1]")

    with pytest.raises(BackupFault, match="is not the manifest"):
        await restored(empty_url, file)
    path.unlink()
    with pytest.raises(BackupFault, match="is missing"):
        await restored(empty_url, file)
    assert await restored(empty_url, file, verify=False)


async def test_a_backup_goes_to_its_own_kind_of_database(database_url: str, tmp_path: Path) -> None:
    await made(database_url, tmp_path / "backup")
    is_sqlite = database_url.startswith("sqlite")
    other = "postgresql://a/b" if is_sqlite else f"sqlite:///{tmp_path}/a.db"

    with pytest.raises(BackupFault, match="resurface migrate"):
        await restored(other, tmp_path / "backup")


async def test_a_letter_is_not_a_backup(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear clinic,")

    with pytest.raises(BackupFault, match="is not a backup"):
        await restored(sqlite_url, tmp_path / "letter")


async def test_what_lies_beside_the_old_file_does_not_spoil_the_new_one(
    sqlite_url: str, tmp_path: Path
) -> None:
    await filled.fill(sqlite_url)
    await made(sqlite_url, tmp_path / "backup")
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    stale = left_by_a_killed_process(path, tmp_path)

    await restored(sqlite_url, tmp_path / "backup", force=True)

    assert stale > 0
    assert not path.with_name(path.name + "-wal").exists()
    assert (await filled.counted(sqlite_url))["inbox"] == 4


def left_by_a_killed_process(path: Path, folder: Path) -> int:
    """Put the files beside a database that a killed writer leaves; return the size of one."""
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("DELETE FROM inbox")
    writer.commit()
    for end in ("-wal", "-shm"):
        shutil.copy(f"{path}{end}", folder / f"kept{end}")
    writer.close()
    for end in ("-wal", "-shm"):
        shutil.copy(folder / f"kept{end}", f"{path}{end}")
    return Path(f"{path}-wal").stat().st_size


async def test_nothing_is_restored_under_a_running_bot(sqlite_url: str, tmp_path: Path) -> None:
    await filled.fill(sqlite_url)
    await made(sqlite_url, tmp_path / "backup")
    database = connect(sqlite_url)
    await database.read(filled.counts)

    with pytest.raises(faults.DatabaseLocked, match="stop the other program"):
        await restored(sqlite_url, tmp_path / "backup", force=True)

    await database.close()


async def test_a_damaged_database_can_be_replaced(sqlite_url: str, tmp_path: Path) -> None:
    await filled.fill(sqlite_url)
    await made(sqlite_url, tmp_path / "backup")
    spill_coffee(sqlite_url)

    await restored(sqlite_url, tmp_path / "backup", force=True)

    assert (await filled.counted(sqlite_url))["patients"] == 3


def spill_coffee(url: str) -> None:
    Path(url.removeprefix("sqlite:///")).write_text("coffee was spilt on it" * 100)


async def test_a_missing_or_foreign_database_is_not_backed_up(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear clinic,\n" * 100)

    with pytest.raises(faults.DatabaseUnavailable, match="no such file"):
        await made(f"sqlite:///{tmp_path}/none.db", tmp_path / "backup")
    with pytest.raises(faults.ForeignDatabase):
        await made(f"sqlite:///{tmp_path}/letter.db", tmp_path / "backup")
    with pytest.raises(faults.DatabaseUnavailable, match="cannot be reached"):
        await made("postgresql://ada:secret@127.0.0.1:1/clinic", tmp_path / "backup")
    assert os.listdir(tmp_path) == ["letter.db"]


async def test_a_missing_program_is_named(
    postgres_server: postgres.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(BackupFault, match="pg_dump is needed and not installed"):
        await made(postgres_server.url, tmp_path / "backup")


async def test_progress_is_told(database_url: str, tmp_path: Path) -> None:
    await filled.fill(database_url)
    told: list[str] = []

    def tell(what: str, done: int, total: int) -> None:
        assert 0 <= done <= (total or done)
        told.append(what)

    await asyncio.to_thread(backup.make, database_url, tmp_path / "b", tell, force=False)

    assert "checking the file" in told
