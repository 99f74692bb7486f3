"""The commands of calendars as they are typed, against a real CalDAV server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from clinic.calendar_commands import calendar_app
from storage import clinics
from storage.database import connect
from tests.builders import MONDAY, NOW
from tests.clinic.calendars.entries import entry, utc
from tests.clinic.calendars.radicale import PASSWORD, USER, Outside, Radicale


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radicale]:
    server = Radicale(tmp_path_factory.mktemp("radicale"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def outside(
    server: Radicale, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Outside:
    """Return an empty calendar, with a clinic and settings that know of it."""

    async def import_demo() -> None:
        database = connect(sqlite_url)
        await database.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")
        await database.close()

    asyncio.run(import_demo())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    monkeypatch.setenv("PRIVATE_ADDRESSES", "true")
    return server.calendar()


def run(*arguments: str, typed: str = "") -> Result:
    app = typer.Typer()
    app.add_typer(calendar_app(lambda: NOW), name="calendar")
    environment = {"COLUMNS": "160"}
    return CliRunner().invoke(app, ["calendar", *arguments], input=typed, env=environment)


def connects(outside: Outside, password: str = PASSWORD, *more: str) -> Result:
    given = ("--url", outside.url, "--username", USER, *more)
    return run("connect", "willow", "amara", *given, typed=f"{password}\n")


def test_a_calendar_is_connected_read_and_listed(outside: Outside) -> None:
    connected = connects(outside)

    assert (connected.exit_code, connected.output.splitlines()[-1]) == (0, "willow amara: read")
    listed = run("list").output
    assert "just now" in listed
    assert PASSWORD not in connected.output + listed


def test_a_wrong_password_is_a_sentence_and_nothing_is_kept(outside: Outside) -> None:
    refused = connects(outside, "wrong")

    assert refused.exit_code == 2
    assert "refuses the user name or password" in refused.output
    assert "No calendar is connected yet." in run("list").output


def test_trouble_is_listed_in_words(outside: Outside) -> None:
    connects(outside)
    outside.put("a.ics", entry("a", f"DTSTART:{utc(MONDAY)}", "DURATION:PT1M", "RRULE:FREQ=HOURLY"))

    assert run("sync").output == "willow amara: read\n"
    assert "cannot be understood" in run("list").output.replace("\n", "")


def test_a_server_that_is_away_is_told_by_sync(outside: Outside, server: Radicale) -> None:
    connects(outside)
    server.stop()
    try:
        assert "it does not answer" in run("sync").output
    finally:
        server.start()


@pytest.mark.usefixtures("outside")
def test_a_feed_is_told_once_and_taken_back() -> None:
    told = run("feed", "willow", "amara").output

    assert told.startswith("http://127.0.0.1:8081/feeds/")
    assert "The address no longer works." in run("feed", "willow", "amara", "--revoke").output


def test_a_calendar_is_disconnected(outside: Outside) -> None:
    connects(outside)

    assert "Disconnected." in run("disconnect", "willow", "amara").output
    assert "amara has no calendar" in run("disconnect", "willow", "amara").output


def test_nobody_else_can_be_connected(outside: Outside) -> None:
    given = ("--url", outside.url, "--username", USER)
    refused = run("connect", "willow", "nobody", *given, typed="x\n")

    assert refused.exit_code == 2
    assert "must be one of amara, rowan, got 'nobody'" in refused.output


@pytest.mark.usefixtures("outside")
def test_an_address_without_https_is_refused() -> None:
    given = ("--url", "http://example.org/me/", "--username", USER)
    refused = run("connect", "willow", "amara", *given, typed="x\n")

    assert refused.exit_code == 2
    assert "must begin with https://" in refused.output
