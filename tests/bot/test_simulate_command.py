"""A small simulation, from the command line to the last promise, and what it refuses."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot import simulate_command
from bot.__main__ import app
from bot.simulation.promises import PROMISES

SMALL = ("--patients", "20", "--days", "400", "--seed", "3")


@pytest.fixture(scope="module")
def printed() -> str:
    result = CliRunner().invoke(app, ["simulate", *SMALL], env={"COLUMNS": "100"})
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_is_kept(printed: str, promise: str) -> None:
    line = next(line for line in printed.splitlines() if promise in line)
    assert "yes" in line


@pytest.mark.parametrize(
    "figure", ["booked", "aftercare", "fulfilled", "pressed Start", "eligible"]
)
def test_what_happened_is_counted(printed: str, figure: str) -> None:
    line = next(line for line in printed.splitlines() if figure in line)
    assert any(character in "123456789" for character in line)


def test_the_size_and_the_time_are_said(printed: str) -> None:
    assert "20 patients, 400 days, seed 3: " in printed


@pytest.fixture
def small_towns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate_command, "TOWN", 4)


@pytest.mark.usefixtures("small_towns")
def test_many_people_live_in_several_towns_and_are_added_up() -> None:
    result = CliRunner().invoke(app, ["simulate", "--patients", "7", "--days", "70"])

    assert result.exit_code == 0, result.output
    assert "7 patients in 2 towns, 70 days, seed 1: " in result.output
    started = next(line for line in result.output.splitlines() if "started" in line)
    assert started.split("│")[2].strip() == "7"


@pytest.mark.usefixtures("small_towns")
def test_what_one_of_several_towns_refuses_is_said_once(tmp_path: Path) -> None:
    file = tmp_path / "clinic.toml"
    file.write_text("[[clinics]]\nslug = 'Not a slug'\n", encoding="utf-8")

    result = CliRunner().invoke(app, ["simulate", "--patients", "7", "--clinic", str(file)])

    assert result.exit_code == 2
    assert result.output.count("got 'Not a slug'") == 1


def test_the_clinics_own_database_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/own.db")

    result = CliRunner().invoke(app, ["simulate", "--patients", "1", "--days", "1"])

    assert result.exit_code == 0, result.output
    assert list(tmp_path.iterdir()) == []


def test_a_database_with_patients_is_refused(sqlite_url: str) -> None:
    fill = ["simulate", "--patients", "1", "--days", "70", "--database-url", sqlite_url]
    CliRunner().invoke(app, fill)

    again = CliRunner().invoke(app, fill)

    assert again.exit_code == 2
    assert "the database must be empty" in again.output


def test_a_clinic_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["simulate", "--clinic", str(tmp_path / "none.toml")])

    assert result.exit_code == 2
    assert "--clinic must be a file that can be read" in result.output
