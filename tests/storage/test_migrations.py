"""The migrations make the tables of the models, and take them back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import Connection, inspect, select, text

from storage import calendar_accounts, clinics, faults, migrations
from storage.database import Database, connect
from storage.models import FollowUp, Model
from tests import postgres
from tests.builders import NOW
from tests.storage import filled
from tests.storage.schemas import differences


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/folder/made/new.db"
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return server.address(await server.empty())


async def seen(url: str, look: Callable[[Connection], object]) -> object:
    database = connect(url)
    try:
        return await database.read(look)
    finally:
        await database.close()


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def test_up_down_and_up_again(empty_url: str) -> None:
    everything = {*Model.metadata.tables, migrations.VERSION_TABLE}

    migrations.upgrade(empty_url)
    assert await seen(empty_url, tables) == everything
    migrations.downgrade(empty_url, "base")
    assert await seen(empty_url, tables) == {migrations.VERSION_TABLE}
    migrations.upgrade(empty_url)
    assert await seen(empty_url, tables) == everything


async def test_rows_stay_on_every_step_down_and_up_again(empty_url: str) -> None:
    migrations.upgrade(empty_url)
    await filled.fill(empty_url)
    everything = await seen(empty_url, counts)
    assert isinstance(everything, dict)
    revisions = [script.revision for script in migrations._scripts().walk_revisions()]

    for older, newer in zip(revisions[1:], revisions, strict=False):
        for step in (older, newer, older):
            (migrations.upgrade if step == newer else migrations.downgrade)(empty_url, step)
            found = await seen(empty_url, counts)
            assert isinstance(found, dict)
            # Empty: tables that were made after `older`, and the two that 0010 makes anew.
            kept = {table: rows for table, rows in found.items() if rows}
            assert kept == {table: everything[table] for table in kept}
            assert step != older or set(found) - set(kept) <= REMADE


REMADE = {"calendar_pushes", "calendar_clashes"}


def counts(connection: Connection) -> dict[str, int]:
    """Return how many rows each table has."""
    names = [name for name in tables(connection) if name != migrations.VERSION_TABLE]
    return {
        name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
        for name in names
    }


async def test_upgrading_twice_changes_nothing(empty_url: str) -> None:
    migrations.upgrade(empty_url)
    migrations.upgrade(empty_url)

    assert await seen(empty_url, differences) == []


async def test_models_and_migrations_agree(database: Database) -> None:
    assert await database.read(differences) == []


async def test_every_constraint_has_a_name(database: Database) -> None:
    def nameless(connection: Connection) -> list[object]:
        look = inspect(connection)
        return [
            constraint
            for table in Model.metadata.tables
            for constraint in (
                look.get_pk_constraint(table),
                *look.get_foreign_keys(table),
                *look.get_unique_constraints(table),
                *look.get_check_constraints(table),
            )
            # SQLite gives the key of a table that never gives a number twice no name.
            if not constraint["name"]
            and constraint != {"constrained_columns": ["id"], "name": None}
        ]

    assert await database.read(nameless) == []


async def test_tables_half_way_are_outdated(empty_url: str) -> None:
    migrations.upgrade(empty_url, "0002")
    database = connect(empty_url)

    with pytest.raises(faults.DatabaseOutdated):
        await database.read(migrations.check, database.url)

    await database.close()


def spoil_sqlite(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


def test_a_folder_that_is_made_for_a_database_is_its_owners_alone(tmp_path: Path) -> None:
    migrations.upgrade(f"sqlite:///{tmp_path}/made/new.db")

    assert (tmp_path / "made").stat().st_mode & 0o077 == 0


def test_a_database_that_is_made_is_its_owners_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    migrations.upgrade(f"sqlite:///{tmp_path}/new.db")

    assert [oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()] == ["0o600"]


def test_a_folder_that_cannot_be_made_is_told_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(faults.DatabaseUnavailable, match="set DATA_DIR, or DATABASE_URL"):
        migrations.upgrade(f"sqlite:///{tmp_path}/file/var/new.db")


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    spoil_sqlite(path, "CREATE TABLE orders (id INTEGER)")
    before = path.read_bytes()

    with pytest.raises(faults.ForeignDatabase, match="not made by Resurface"):
        migrations.upgrade(f"sqlite:///{path}")

    assert path.read_bytes()[100:] == before[100:]  # the header counts openings in WAL mode


async def test_a_server_database_of_another_program_is_left_alone(
    postgres_server: postgres.Server,
) -> None:
    url = postgres_server.address(await postgres_server.empty())
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE orders (id INTEGER)")
    await connection.close()

    with pytest.raises(faults.ForeignDatabase, match="not made by Resurface"):
        migrations.upgrade(url)


def test_tables_of_a_newer_version_are_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    migrations.upgrade(f"sqlite:///{path}")
    spoil_sqlite(path, "UPDATE resurface_version SET version_num = '9999'")

    with pytest.raises(faults.ForeignDatabase, match="newer version"):
        migrations.upgrade(f"sqlite:///{path}")


def test_a_text_file_is_not_a_database(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear clinic,\n" * 100)

    with pytest.raises(faults.ForeignDatabase, match="not a database"):
        migrations.upgrade(f"sqlite:///{path}")


def test_a_folder_is_not_a_database(tmp_path: Path) -> None:
    with pytest.raises(faults.DatabaseUnavailable, match="cannot be opened"):
        migrations.upgrade(f"sqlite:///{tmp_path}")


def test_a_server_that_is_away_cannot_be_upgraded() -> None:
    with pytest.raises(faults.DatabaseUnavailable, match="cannot be reached"):
        migrations.upgrade("postgresql://ada:secret@127.0.0.1:1/clinic")


async def test_updates_stay_when_the_inbox_learns_to_replay(empty_url: str) -> None:
    migrations.upgrade(empty_url, "0004")
    await run(
        empty_url,
        "INSERT INTO inbox (bot_id, update_id, state, tries, why, at) "
        "VALUES (1, 2, 'parked', 3, 'KeyError', '2026-03-02 09:00:00')",
    )

    migrations.upgrade(empty_url)
    await run(empty_url, "UPDATE inbox SET state = 'replay', payload = '{}'")
    migrations.downgrade(empty_url, "0004")

    assert await seen(empty_url, inbox_rows) == [(1, 2, "parked", 3)]
    with pytest.raises(faults.StatementFailed, match="ck_inbox_state"):
        await run(empty_url, "UPDATE inbox SET state = 'replay'")


async def test_recalls_known_already_are_looked_at_on_their_day(empty_url: str) -> None:
    migrations.upgrade(empty_url, "0013")
    later, sooner = "'2026-05-01 10:00:00'", "'2026-04-01 10:00:00'"
    looks = {1: ("NULL", sooner), 2: (later, sooner), 3: (sooner, later), 4: (later, "NULL")}
    for chat_id, (look_at, recall_at) in looks.items():
        await run(
            empty_url,
            "INSERT INTO patients (chat_id, first_name, locale, created_at) "
            f"VALUES ({chat_id}, 'Ada', 'en', {sooner})",
        )
        await run(
            empty_url,
            "INSERT INTO follow_ups (chat_id, look_at, stopped_kinds, recall_at) "
            f"VALUES ({chat_id}, {look_at}, '', {recall_at})",
        )

    migrations.upgrade(empty_url)

    assert await seen(empty_url, months_of_looks) == [4, 4, 4, 5]


def months_of_looks(connection: Connection) -> list[int]:
    looks = connection.execute(select(FollowUp.look_at).order_by(FollowUp.chat_id)).scalars()
    return [at.month for at in looks if at is not None]


async def test_calendars_stay_when_writing_is_told_apart_from_reading(empty_url: str) -> None:
    migrations.upgrade(empty_url)
    database = connect(empty_url)
    await database.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")
    terms = calendar_accounts.Terms("https://calendar.example/amara/", "amara", "sealed")
    await database.write(calendar_accounts.connect, "willow", "amara", terms, NOW)
    await database.write(calendar_accounts.write_failed, 1, "not allowed", NOW)
    await database.close()
    await run(
        empty_url,
        "INSERT INTO external_busy (account_id, href, starts_at, ends_at) "
        "VALUES (1, '/a.ics', '2026-05-01 10:00:00', '2026-05-01 11:00:00')",
    )

    migrations.downgrade(empty_url, "0014")
    migrations.upgrade(empty_url)

    (account,) = await seen(empty_url, calendar_accounts.accounts)
    assert (account.terms, account.write_failure, account.write_next_at) == (terms, None, None)


async def run(url: str, statement: str) -> None:
    database = connect(url)
    try:
        await database.write(lambda connection: connection.execute(text(statement)) and None)
    finally:
        await database.close()


def inbox_rows(connection: Connection) -> list[tuple[object, ...]]:
    rows = connection.execute(text("SELECT bot_id, update_id, state, tries FROM inbox"))
    return [tuple(row) for row in rows]
