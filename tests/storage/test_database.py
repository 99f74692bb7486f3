"""Many writes share a transaction without sharing their failures."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, text

from storage import batches, faults, migrations
from storage.database import Database, connect, parse_url
from storage.models import Inbox
from storage.postgres_engine import open_engine as open_postgres
from storage.sqlite_engine import SqliteEngine
from tests import postgres
from tests.builders import NOW


def put(connection: Connection, number: int) -> int:
    row = {"bot_id": 1, "update_id": number, "state": "done", "tries": 0, "why": "", "at": NOW}
    connection.execute(insert(Inbox), row)
    return number


def numbers(connection: Connection) -> list[int]:
    return list(connection.execute(select(Inbox.update_id).order_by(Inbox.update_id)).scalars())


def put_and_fail(connection: Connection, number: int) -> None:
    put(connection, number)
    raise KeyError("a fault of the function")


async def test_writes_that_wait_together_are_all_kept(database: Database) -> None:
    returned = await asyncio.gather(*(database.write(put, n) for n in range(300)))

    assert returned == list(range(300))
    assert await database.read(numbers) == list(range(300))


async def test_a_failing_write_is_undone_alone(database: Database) -> None:
    outcomes = await asyncio.gather(
        *(database.write(put_and_fail if n == 5 else put, n) for n in range(10)),
        return_exceptions=True,
    )

    assert isinstance(outcomes[5], KeyError)
    assert await database.read(numbers) == [0, 1, 2, 3, 4, 6, 7, 8, 9]


async def test_a_refused_statement_does_not_undo_its_neighbours(database: Database) -> None:
    await database.write(put, 3)

    outcomes = await asyncio.gather(
        *(database.write(put, n) for n in range(6)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes].count(faults.StatementFailed) == 1
    assert await database.read(numbers) == [0, 1, 2, 3, 4, 5]


async def test_a_failing_write_alone_leaves_nothing(database: Database) -> None:
    with pytest.raises(KeyError):
        await database.write(put_and_fail, 1)

    assert await database.read(numbers) == []


async def test_a_caller_who_stops_waiting_does_not_stop_the_batch(database: Database) -> None:
    tasks = [asyncio.ensure_future(database.write(put, n)) for n in range(20)]
    await asyncio.sleep(0)
    tasks[4].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(outcomes[4], asyncio.CancelledError)
    assert await database.read(numbers) == list(range(20))


async def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises(faults.StorageError):
        await database.read(put, 1)

    assert await database.read(numbers) == []


async def test_a_refusal_names_no_value(database: Database) -> None:
    await database.write(put, 424242)

    with pytest.raises(faults.StatementFailed) as refusal:
        await database.write(put, 424242)

    assert "424242" not in str(refusal.value)
    assert refusal.value.__suppress_context__


async def test_a_closed_database_says_so(database: Database) -> None:
    await database.close()

    with pytest.raises(faults.StorageError, match="closed"):
        await database.read(numbers)
    await database.close()


async def test_closing_finishes_the_writes_that_wait(database_url: str) -> None:
    database = connect(database_url)
    waiting = [asyncio.ensure_future(database.write(put, n)) for n in range(50)]
    await asyncio.sleep(0)
    await database.close()
    await asyncio.gather(*waiting)

    again = connect(database_url)
    assert await again.read(numbers) == list(range(50))
    await again.close()


@pytest.mark.parametrize(
    "url",
    ["", "var/resurface.db", "mysql://ada:secret@host/name", "postgresql://ada:secret@host:x/n"],
)
def test_an_address_of_another_kind_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(faults.DatabaseUnavailable, match="DATABASE_URL must look like") as fault:
        connect(url)

    assert "secret" not in str(fault.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(faults.DatabaseUnavailable, match="must name a file"):
        connect(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_every_spelling_of_postgresql_is_understood(scheme: str) -> None:
    assert parse_url(f"{scheme}://host/name").drivername == "postgresql"


async def test_a_missing_file_is_not_made_by_looking_at_it(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path}/none.db")

    for use in (database.read(numbers), database.write(put, 1)):
        with pytest.raises(faults.DatabaseOutdated, match="older version"):
            await use

    await database.close()
    assert not (tmp_path / "none.db").exists()


async def test_a_file_without_our_tables_is_outdated(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "empty.db").close()
    (tmp_path / "empty.db").touch()
    database = connect(f"sqlite:///{tmp_path}/empty.db")

    with pytest.raises(faults.DatabaseOutdated, match="DATABASE_URL"):
        await database.write(put, 1)

    await database.close()


async def test_a_file_that_is_no_database_is_foreign(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear clinic,\n" * 100)
    database = connect(f"sqlite:///{tmp_path}/letter.db")

    with pytest.raises(faults.ForeignDatabase, match="not a database"):
        await database.write(put, 1)

    await database.close()


async def test_a_locked_file_says_so_and_works_again_afterwards(sqlite_url: str) -> None:
    database = Database(parse_url(sqlite_url), impatient(sqlite_url))
    other = sqlite3.connect(parse_url(sqlite_url).database or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(faults.DatabaseLocked, match="locked by another program"):
        await database.write(put, 1)

    other.close()
    assert await database.write(put, 1) == 1
    await database.close()


async def test_a_write_waits_until_the_other_program_is_done(sqlite_url: str) -> None:
    database = connect(sqlite_url)
    other = sqlite3.connect(parse_url(sqlite_url).database or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    writing = asyncio.ensure_future(database.write(put, 1))
    done, _ = await asyncio.wait([writing], timeout=0.2)
    assert not done
    other.execute("ROLLBACK")

    assert await writing == 1
    other.close()
    await database.close()


def impatient(url: str) -> SqliteEngine:
    return SqliteEngine(parse_url(url), wait_ms=20)


async def test_a_full_disk_loses_only_what_did_not_fit(sqlite_url: str) -> None:
    engine = impatient(sqlite_url)
    database = Database(parse_url(sqlite_url), engine)
    await database.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 1") and None)
    long = "x" * 50_000

    def park(connection: Connection, number: int, why: str) -> None:
        connection.execute(
            insert(Inbox),
            {"bot_id": 1, "update_id": number, "state": "parked", "tries": 1}
            | {"why": why, "at": NOW},
        )

    outcomes = await asyncio.gather(
        *(database.write(park, n, long if n == 2 else "") for n in range(5)),
        return_exceptions=True,
    )

    assert isinstance(outcomes[2], faults.DatabaseUnavailable)
    assert await database.read(numbers) == [0, 1, 3, 4]
    await database.close()


async def test_a_server_that_is_away_is_unavailable() -> None:
    database = connect("postgresql://ada:secret@127.0.0.1:1/clinic")

    with pytest.raises(faults.DatabaseUnavailable) as fault:
        await database.write(put, 1)

    assert str(fault.value) == (
        "DATABASE_URL postgresql://127.0.0.1:1/clinic: the server cannot be reached; "
        "start it, or correct the address"
    )
    await database.close()


async def test_postgresql_takes_its_locks_back_from_programs_that_vanish(
    postgres_server: postgres.Server,
) -> None:
    database = connect(await postgres_server.clone())
    show = text("SELECT current_setting(:name)")

    for run in (database.read, database.write):
        for name, value in (
            ("idle_in_transaction_session_timeout", "1min"),
            ("tcp_keepalives_idle", "15"),
        ):
            assert await run(lambda c, name=name: c.execute(show, {"name": name}).scalar()) == value

    await database.close()


async def test_a_missing_postgresql_database_is_named(postgres_server: postgres.Server) -> None:
    database = connect(postgres_server.address("nowhere"))

    with pytest.raises(faults.DatabaseUnavailable, match="no database of that name"):
        await database.read(numbers)

    await database.close()


async def test_a_server_that_restarts_is_used_again(postgres_server: postgres.Server) -> None:
    database = connect(await postgres_server.clone())
    await database.write(put, 1)
    await database.read(numbers)
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    cut += " AND datname = current_database()"
    await database.write(lambda c: c.exec_driver_sql(cut) and None)

    assert await database.read(numbers) == [1]
    assert await database.write(put, 2) == 2
    await database.close()


class Deadlock(Exception):
    sqlstate = "40P01"


async def test_a_deadlocked_write_is_tried_again_alone(
    postgres_server: postgres.Server,
) -> None:
    database = connect(await postgres_server.clone(), jitter=lambda: 0.0)
    tries: list[int] = []

    def deadlock_twice(connection: Connection) -> int:
        tries.append(1)
        put(connection, 100 + len(tries))
        if len(tries) < 3:
            raise Deadlock
        return len(tries)

    outcomes = await asyncio.gather(database.write(put, 1), database.write(deadlock_twice))

    assert outcomes == [1, 3]
    assert await database.read(numbers) == [1, 103]
    await database.close()


async def test_a_write_that_deadlocks_for_ever_is_given_up(
    postgres_server: postgres.Server,
) -> None:
    database = connect(await postgres_server.clone(), jitter=lambda: 0.0)
    tries: list[int] = []

    def deadlock(connection: Connection) -> None:
        tries.append(1)
        raise Deadlock

    with pytest.raises(Deadlock):
        await database.write(deadlock)

    assert len(tries) == 4
    await database.close()


def test_sslmode_of_hosted_databases_is_understood() -> None:
    engine = open_postgres(parse_url("postgresql://host/name?sslmode=require"))

    assert engine.url.query == {}


def test_failing_a_batch_leaves_finished_writes_alone() -> None:
    loop = asyncio.new_event_loop()
    done, waiting = (batches.Write(lambda _: None, loop.create_future()) for _ in range(2))
    done.done = True

    batches.fail([done, waiting], KeyError())

    assert done.error is None
    assert isinstance(waiting.error, KeyError)
    loop.close()


async def test_tables_of_the_right_version_pass_the_check(database: Database) -> None:
    await database.read(migrations.check, database.url)
