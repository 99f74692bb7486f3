"""Keeping the data, as it is typed."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from click.testing import Result
from sqlalchemy import Connection
from typer.testing import CliRunner

from clinic import upkeep_commands
from storage import inbox, outbox
from storage.database import connect
from storage.outbox import Message
from storage.outbox_policy import Kind
from tests import postgres
from tests.builders import NOW
from tests.storage import filled


def run(*arguments: str, **environment: str) -> Result:
    app = typer.Typer()
    app.command("upgrade")(upkeep_commands.upgrade_command)
    app.command("backup")(upkeep_commands.backup_command)
    app.command("restore")(upkeep_commands.restore_command(lambda: NOW))
    app.command("migrate")(upkeep_commands.migrate_command)
    app.add_typer(upkeep_commands.inbox_app, name="inbox")
    app.add_typer(upkeep_commands.outbox_app(lambda: NOW), name="outbox")
    environment.setdefault("COLUMNS", "160")
    return CliRunner().invoke(app, arguments, env=environment)


@pytest.fixture
def url(sqlite_url: str) -> str:
    asyncio.run(filled.fill(sqlite_url))
    return sqlite_url


def test_tables_are_made_and_a_second_time_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"

    first, second = run("upgrade", DATABASE_URL=url), run("upgrade", DATABASE_URL=url)

    assert first.exit_code == second.exit_code == 0, first.output + second.output
    sqlite3.connect(tmp_path / "new.db").execute("SELECT * FROM clinics")


def test_tables_that_somebody_else_made_are_refused(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "new.db").execute("CREATE TABLE songs (id INTEGER)")

    refused = run("upgrade", DATABASE_URL=f"sqlite:///{tmp_path}/new.db")

    assert refused.exit_code == 2
    assert "were not made by Resurface" in refused.output


def test_a_backup_is_counted_and_comes_back_verified(url: str, tmp_path: Path) -> None:
    file = str(tmp_path / "monday.backup")

    made = run("backup", file, DATABASE_URL=url)
    back = run("restore", file, "--verify", DATABASE_URL=f"sqlite:///{tmp_path}/new.db")

    assert made.exit_code == back.exit_code == 0, made.output + back.output
    assert f"{file}: " in made.output
    assert re.search(r"\d+ rows in \d+ tables, version \d{4}", made.output)
    assert "restored, verified: " in back.output


def test_what_may_have_been_sent_since_a_backup_is_said_when_it_is_put_back(
    url: str, tmp_path: Path
) -> None:
    async def fall_due() -> None:
        database = connect(url)
        await database.write(outbox.enqueue, Message("nudge:x", Kind.NUDGE, NOW), NOW)
        await database.close()

    asyncio.run(fall_due())
    file = str(tmp_path / "monday.backup")
    run("backup", file, DATABASE_URL=url)

    back = run("restore", file, "--verify", DATABASE_URL=f"sqlite:///{tmp_path}/new.db")
    listed = run("outbox", "dead", DATABASE_URL=f"sqlite:///{tmp_path}/new.db")

    assert "may have been sent: `" in back.output
    assert "Restored" in listed.output


def test_a_backup_is_made_where_nothing_else_can_be_written(url: str, tmp_path: Path) -> None:
    (tmp_path / "full").touch()
    file = str(tmp_path / "monday.backup")

    made = run("backup", file, DATABASE_URL=url, DATA_DIR=str(tmp_path / "full"))

    assert made.exit_code == 0, made.output
    assert f"{file}: " in made.output
    assert "cannot be written" in made.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("backup", "{folder}/old"), "exists already"),
        (("backup", "{folder}/no/folder"), "No such file"),
        (("restore", "{folder}/none"), "No such file"),
        (("restore", "{folder}/old"), "is not a backup"),
        (("migrate", "--from", "sqlite:///a.db", "--to", "sqlite:///b.db"), "from sqlite"),
        (("inbox", "replay", "77"), "77 is not the number of a parked update"),
        (("outbox", "replay", "77"), "77 is not the number of a given-up message"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    url: str, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "old").write_text("old")

    result = run(*(word.format(folder=tmp_path) for word in arguments), DATABASE_URL=url)

    assert (result.exit_code, result.output.count("\n")) == (2, 1), result.output
    assert sentence in result.output


def test_everything_can_be_carried_to_a_server(url: str, postgres_server: postgres.Server) -> None:
    target = postgres_server.address(asyncio.run(postgres_server.empty()))

    result = run("migrate", "--from", url, "--to", target)

    assert result.exit_code == 0
    assert "carried and compared: " in result.output
    assert "Now set DATABASE_URL" in result.output


def test_a_server_is_backed_up_too(postgres_server: postgres.Server, tmp_path: Path) -> None:
    folder = str(postgres._binaries()) + os.pathsep + os.environ["PATH"]
    source = asyncio.run(postgres_server.clone())

    result = run("backup", str(tmp_path / "b"), DATABASE_URL=source, PATH=folder)

    assert result.exit_code == 0, result.output


def test_parked_updates_are_listed_and_replayed(url: str) -> None:
    listed = run("inbox", "parked", DATABASE_URL=url).output
    replayed = run("inbox", "replay", "5", DATABASE_URL=url)
    after = run("inbox", "parked", DATABASE_URL=url).output

    assert "KeyError" in listed
    assert "parked" in listed
    assert replayed.exit_code == 0
    assert "to be taken again" in after


def test_an_update_that_was_not_kept_is_listed_as_too_old(url: str) -> None:
    asyncio.run(once(url, lambda c: inbox.park(c, 6, "KeyError", NOW)))

    assert "too old to replay" in run("inbox", "parked", DATABASE_URL=url).output


def test_messages_that_were_given_up_are_listed_and_sent_after_all(url: str) -> None:
    asyncio.run(once(url, give_up))

    listed = run("outbox", "dead", DATABASE_URL=url).output
    replayed = run("outbox", "replay", "1", DATABASE_URL=url)

    assert "appointment s1-1" in listed
    assert "BadRequest" in listed
    assert replayed.exit_code == 0
    assert "No message was given up." in run("outbox", "dead", DATABASE_URL=url).output


def test_without_trouble_there_is_nothing_to_list(sqlite_url: str) -> None:
    assert "No parked updates." in run("inbox", "parked", DATABASE_URL=sqlite_url).output
    assert "No message was given up." in run("outbox", "dead", DATABASE_URL=sqlite_url).output


def give_up(connection: Connection) -> None:
    lease_for = timedelta(minutes=1)
    outbox.claim(connection, 1, NOW, lease_for, "token")
    outbox.arm(connection, 1, "token", NOW, lease_for)
    outbox.fail(connection, 1, "token", "BadRequest", None)


async def once(url: str, write: Callable[[Connection], None]) -> None:
    database = connect(url)
    await database.write(write)
    await database.close()
