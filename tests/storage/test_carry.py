"""Everything is carried from a SQLite file to PostgreSQL, row by row, or nothing is."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import select

from storage import carry, erasure, faults
from storage.carry import CarryFault
from storage.database import connect
from storage.models import Lead, Model
from tests import postgres
from tests.builders import NOW
from tests.storage import filled


@pytest.fixture
async def target(postgres_server: postgres.Server) -> str:
    return postgres_server.address(await postgres_server.empty())


def quiet(_what: str, _done: int, _total: int) -> None:
    """Show no progress."""


async def carried(source: str, target: str) -> dict[str, int]:
    return await asyncio.to_thread(carry.carry, source, target, quiet)


async def test_every_table_is_carried_and_the_same(sqlite_url: str, target: str) -> None:
    await filled.fill(sqlite_url, patients=700)
    told: list[tuple[str, int, int]] = []

    rows = await asyncio.to_thread(carry.carry, sqlite_url, target, lambda *step: told.append(step))

    assert rows == await filled.counted(sqlite_url) == await filled.counted(target)
    assert all(rows[name] for name in Model.metadata.tables), rows
    assert rows["patients"] == 700
    assert ("patients", 500, 700) in told


async def test_what_was_carried_is_the_same_value_for_value(sqlite_url: str, target: str) -> None:
    await filled.fill(sqlite_url)
    await carried(sqlite_url, target)

    both = []
    for url in (sqlite_url, target):
        database = connect(url)
        both.append(
            {
                table.name: await database.read(
                    lambda c, t=table: sorted(map(repr, c.execute(t.select()).all()))
                )
                for table in carry.tables()
            }
        )
        await database.close()

    assert both[0] == both[1]


async def test_the_bot_goes_on_where_it_was(sqlite_url: str, target: str) -> None:
    await filled.fill(sqlite_url)
    await carried(sqlite_url, target)
    database = connect(target)

    await filled.meet(database, 4)  # new rows get new numbers

    assert (await filled.counted(target))["leads"] == 4
    await database.close()


async def test_the_number_of_somebody_erased_is_not_given_again(
    sqlite_url: str, target: str
) -> None:
    await filled.fill(sqlite_url)
    old = connect(sqlite_url)
    await old.write(erasure.erase_chat, 3, NOW)
    await old.close()
    await carried(sqlite_url, target)
    database = connect(target)

    await filled.meet(database, 4)

    leads = await database.read(lambda c: list(c.execute(select(Lead.id)).scalars()))
    assert sorted(leads) == [1, 2, 4]
    await database.close()


async def test_a_target_with_data_is_left_alone(sqlite_url: str, target: str) -> None:
    await filled.fill(sqlite_url)
    await carried(sqlite_url, target)

    with pytest.raises(CarryFault, match="holds data already"):
        await carried(sqlite_url, target)


async def test_nothing_is_carried_while_the_bot_runs(sqlite_url: str, target: str) -> None:
    database = connect(sqlite_url)
    await filled.fill(sqlite_url)
    await database.read(filled.counts)

    with pytest.raises(faults.DatabaseLocked, match="stop the other program"):
        await carried(sqlite_url, target)

    await database.close()
    assert await carried(sqlite_url, target)


async def test_nobody_writes_to_the_file_meanwhile(
    sqlite_url: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled.fill(sqlite_url)
    file = sqlite_url.removeprefix("sqlite:///")
    refused = []

    def intrude(_what: str, _done: int, _total: int) -> None:
        other = sqlite3.connect(file, timeout=0)
        try:
            other.execute("DELETE FROM inbox")
        except sqlite3.OperationalError as error:
            refused.append(str(error))
        finally:
            other.close()

    await asyncio.to_thread(carry.carry, sqlite_url, target, intrude)

    assert set(refused) == {"database is locked"}


async def test_a_row_that_changed_on_the_way_stops_everything(sqlite_url: str, target: str) -> None:
    await filled.fill(sqlite_url)
    await carried(sqlite_url, target)  # makes the tables
    connection = await asyncpg.connect(target)
    await connection.execute(
        "DO $$ BEGIN EXECUTE (SELECT 'TRUNCATE ' || string_agg(tablename, ',')"
        " FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'resurface_version'); END $$"
    )
    await connection.execute(
        "CREATE FUNCTION spoil() RETURNS trigger AS "
        "$$ BEGIN NEW.first_name := 'Eve'; RETURN NEW; END $$ LANGUAGE plpgsql; "
        "CREATE TRIGGER spoil BEFORE INSERT ON patients FOR EACH ROW EXECUTE FUNCTION spoil()"
    )
    await connection.close()

    with pytest.raises(CarryFault, match="6 rows of patients were not the same"):
        await carried(sqlite_url, target)

    assert set((await filled.counted(target)).values()) == {0}


@pytest.mark.parametrize(
    ("source", "to", "sentence"),
    [
        ("postgresql://a/b", "postgresql://a/b", "from sqlite"),
        ("sqlite:///a.db", "sqlite:///b.db", "from sqlite"),
        ("sqlite:////nowhere/a.db", "postgresql://a/b", "there is no such file"),
    ],
)
def test_only_a_file_is_carried_and_only_to_a_server(source: str, to: str, sentence: str) -> None:
    with pytest.raises(CarryFault, match=sentence):
        carry.carry(source, to, quiet)


async def test_a_server_that_is_away_is_told(sqlite_url: str) -> None:
    with pytest.raises(faults.DatabaseUnavailable, match="cannot be reached"):
        await carried(sqlite_url, "postgresql://ada:secret@127.0.0.1:1/clinic")


async def test_a_file_of_another_program_is_not_carried(tmp_path: Path, target: str) -> None:
    other = tmp_path / "shop.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE orders (id INTEGER)")
    connection.close()

    with pytest.raises(faults.ForeignDatabase):
        await carried(f"sqlite:///{other}", target)
