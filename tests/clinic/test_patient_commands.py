"""One person's data as it is dealt with from the command line."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from clinic.patient_commands import patient_app
from storage import audit, clinics
from storage.database import Database, connect
from tests.builders import NOW, open_always
from tests.storage import persons
from tests.storage.persons import ADA, WILLOW


async def using(url: str, use: Any) -> Any:
    database = connect(url)
    try:
        return await use(database)
    finally:
        await database.close()


@pytest.fixture
def url(sqlite_url: str) -> str:
    """Return a database with one person, whose lead is number 1."""

    async def fill(database: Database) -> None:
        await database.write(clinics.import_clinic, open_always(), "demo_clinic.toml")
        await persons.meet(database, ADA, day=1)

    asyncio.run(using(sqlite_url, fill))
    return sqlite_url


def run(url: str, *arguments: str, typed: str = "") -> Result:
    app = typer.Typer()
    app.add_typer(patient_app(lambda: NOW), name="patient")
    return CliRunner().invoke(app, ["patient", *arguments], input=typed, env={"DATABASE_URL": url})


def left(url: str) -> persons.Rows:
    found: persons.Rows = asyncio.run(using(url, lambda database: database.read(persons.rows)))
    return found


def test_somebody_is_erased_after_a_yes(url: str) -> None:
    done = run(url, "erase", "1", typed="y\n")

    assert done.exit_code == 0, done.output
    assert "leads: 1, messages: 1, photos: 1." in done.output
    assert "Visits to come that are cancelled: 1." in done.output
    assert "Backups made before still hold it" in done.output
    assert done.output.endswith("erased, lead 1; visits cancelled: 1\n")
    assert persons.traces(left(url), ADA) == {}
    assert "Ada" not in done.output


def test_without_a_yes_nobody_is(url: str) -> None:
    before = left(url)

    assert run(url, "erase", "1", typed="n\n").exit_code == 1
    assert left(url) == before


def test_a_script_says_yes_beforehand(url: str) -> None:
    assert run(url, "erase", "1", "--yes").exit_code == 0
    assert persons.traces(left(url), ADA) == {}


@pytest.mark.parametrize("step", ["erase", "export"])
def test_a_number_that_is_no_lead_is_told(url: str, step: str) -> None:
    done = run(url, step, "9")

    assert (done.exit_code, done.stderr) == (2, "9 is not the number of a clinic's lead\n")


def test_what_is_kept_of_somebody_is_written_for_its_owner_alone(url: str, tmp_path: Path) -> None:
    file = tmp_path / "ada.json"

    done = run(url, "export", "1", "--output", str(file))

    told = json.loads(file.read_text(encoding="utf-8"))
    assert (done.exit_code, file.stat().st_mode & 0o077) == (0, 0)
    assert (told["patient"]["first_name"], len(told["visits"])) == ("Ada", 2)
    assert json.loads(run(url, "export", "1").output)["lead"]["id"] == 1
    lines = asyncio.run(using(url, lambda database: database.read(audit.entries, WILLOW)))
    assert [line.what for line in lines] == ["lead.exported", "lead.exported"]
