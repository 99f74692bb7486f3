"""The staff's commands as they are typed."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from clinic import clinic_commands, commands
from flows.effects import HandOffLead, LeadKind, SavePhone
from flows.protocol import Outcome
from storage import clinics, lead_work, staff, turns
from storage.database import connect
from storage.lead_work import Whose
from tests import postgres
from tests.builders import NOW, a_confirmation, a_conversation, a_decision, a_slot, a_turn


def run(*arguments: str, **environment: str) -> Result:
    app = typer.Typer()
    app.add_typer(clinic_commands.clinic_app(lambda: NOW, lambda: "willow_bot"), name="clinic")
    app.command("leads")(commands.leads_command)
    environment.setdefault("COLUMNS", "160")
    return CliRunner().invoke(app, arguments, env=environment)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/new/resurface.db"


def test_the_demo_fills_a_database_that_did_not_exist(url: str) -> None:
    result = run("clinic", "demo", "--database-url", url)

    assert result.exit_code == 0
    assert "willow: ready; patients arrive through https://t.me/willow_bot?start=w" in result.output
    assert (
        "nobody may see its leads yet: resurface staff add NAME --clinic harbour" in result.output
    )


def test_the_address_may_come_from_the_environment(url: str) -> None:
    assert run("clinic", "demo", DATABASE_URL=url).exit_code == 0
    assert "No leads yet." in run("leads", DATABASE_URL=url).output


async def test_the_demo_fills_postgresql_too(postgres_server: postgres.Server) -> None:
    url = postgres_server.address(await postgres_server.empty())

    result = await asyncio.to_thread(run, "clinic", "demo", "--database-url", url)

    assert result.exit_code == 0


def test_the_printed_demo_can_be_imported(url: str, tmp_path: Path) -> None:
    printed = run("clinic", "demo", "--print").output
    (tmp_path / "mine.toml").write_text(printed, encoding="utf-8")

    result = run("clinic", "import", str(tmp_path / "mine.toml"), "--database-url", url)

    assert "harbour: ready" in result.output


def test_every_fault_of_a_file_is_told_and_nothing_is_kept(url: str, tmp_path: Path) -> None:
    text = clinics.demo_text().replace("Europe/London", "X").replace('"harbour"', '"H"')
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")

    result = run("clinic", "import", str(tmp_path / "mine.toml"), "--database-url", url)

    assert result.exit_code == 2
    assert len(re.findall(r"mine\.toml:\d+: clinics\[", result.output)) == 2
    assert "there is no clinic yet: run" in run("leads", "--clinic", "a", DATABASE_URL=url).output


def test_what_is_exported_can_be_imported_and_changes_nothing(url: str, tmp_path: Path) -> None:
    run("clinic", "demo", "--database-url", url)
    mine = tmp_path / "mine.toml"
    told = run("clinic", "export", "willow", "--out", str(mine), DATABASE_URL=url)
    again = run("clinic", "import", str(mine), DATABASE_URL=url)

    assert (told.exit_code, again.exit_code) == (0, 0)
    assert run("clinic", "export", "willow", DATABASE_URL=url).output == mine.read_text("utf-8")


def test_an_export_replaces_no_file_unless_told_to(url: str, tmp_path: Path) -> None:
    run("clinic", "demo", "--database-url", url)
    (mine := tmp_path / "mine.toml").write_text("", "utf-8")
    refused = run("clinic", "export", "--out", str(mine), DATABASE_URL=url)
    forced = run("clinic", "export", "--out", str(mine), "--force", DATABASE_URL=url)

    assert (refused.exit_code, forced.exit_code) == (2, 0)
    assert mine.read_text("utf-8").count("[[clinics]]") == 2


def test_an_unknown_clinic_cannot_be_exported(url: str) -> None:
    assert "there is no clinic yet" in run("clinic", "export", DATABASE_URL=url).output
    assert "there is no clinic yet: run" in run("clinic", "export", "oak", DATABASE_URL=url).output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("clinic", "import", "/nowhere/mine.toml"), "/nowhere/mine.toml: No such file"),
        (("clinic", "import", "/"), "/: Is a directory"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(
    url: str, arguments: tuple[str, ...], sentence: str
) -> None:
    result = run(*arguments, DATABASE_URL=url)

    assert (result.exit_code, result.output.startswith(sentence)) == (2, True)


def test_a_file_that_is_not_text_is_told(url: str, tmp_path: Path) -> None:
    (tmp_path / "picture.toml").write_bytes(b"\xff\xd8\xff")

    result = run("clinic", "import", str(tmp_path / "picture.toml"), DATABASE_URL=url)

    assert result.exit_code == 2
    assert "picture.toml: is not UTF-8 text" in result.output


@pytest.mark.parametrize("command", [("clinic", "demo"), ("leads",)])
def test_a_database_that_cannot_be_used_is_one_sentence(command: tuple[str, ...]) -> None:
    result = run(*command, DATABASE_URL="postgresql://ada:secret@127.0.0.1:1/clinic")

    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert "secret" not in result.output


def test_leads_are_listed_in_the_clinics_time(url: str) -> None:
    run("clinic", "demo", DATABASE_URL=url)
    asyncio.run(fill(url))

    output = run("leads", "--clinic", "willow", DATABASE_URL=url).output

    assert "Mon 09 Mar 2026 10:00" in output
    assert "AB12" in output
    for words in ("Booked", "Accepted by the team", "Suitable", "Not now", "Later", "New"):
        assert words in output
    assert "again on" not in output


def test_leads_say_who_it_is_who_wants_a_person_and_which_campaign(url: str) -> None:
    run("clinic", "demo", DATABASE_URL=url)
    asyncio.run(fill_person(url))

    output = run("leads", DATABASE_URL=url, COLUMNS="120").output

    for words in ("[b]Ada", "+44 7700 900000", "wants a person", "Mon 02 Mar", "from spring"):
        assert words in output
    assert "\x1b[2J" not in output
    assert max(len(line) for line in output.splitlines()) <= 120


async def fill_person(url: str) -> None:
    database = connect(url)
    ada = a_conversation(first_name="[b]Ada\x1b[2J", campaign="spring")
    asked = a_turn(SavePhone("+44 7700 900000"), HandOffLead(LeadKind.PERSON), conversation=ada)
    await database.write(turns.commit, asked)
    await database.close()


async def fill(url: str) -> None:
    database = connect(url)
    booked = a_turn(a_decision(), a_confirmation(a_slot()), HandOffLead(LeadKind.BOOKED, 80))
    waiting = a_turn(
        a_decision(Outcome.DEFERRED),
        HandOffLead(LeadKind.DEFERRED),
        conversation=a_conversation(8),
    )
    await database.write(turns.commit, booked)
    await database.write(turns.commit, waiting)
    noor = await database.write(staff.add, "willow", "Noor", "owner", NOW)
    (member,) = await database.read(staff.members, "willow")
    whose = Whose(member.clinic_id, noor, 1, NOW)
    await database.write(lead_work.set_status, whose, "new", "accepted")
    await database.close()
