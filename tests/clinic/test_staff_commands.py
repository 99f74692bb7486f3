"""The clinic's people from the server's side, as it is typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from clinic import clinic_commands, staff_commands
from tests.builders import NOW


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path}/resurface.db"
    assert run("clinic", "demo", url=address).exit_code == 0
    return address


def run(*arguments: str, url: str, bot: str = "willow_bot", **environment: str) -> Result:
    app = typer.Typer()
    app.add_typer(clinic_commands.clinic_app(lambda: NOW, str), name="clinic")
    app.add_typer(staff_commands.staff_app(lambda: NOW, lambda: bot), name="staff")
    app.command("console-link")(staff_commands.console_link_command_for(lambda: NOW))
    return CliRunner().invoke(app, arguments, env={"DATABASE_URL": url, **environment})


def test_the_first_link_makes_the_owner(url: str) -> None:
    result = run("console-link", "--clinic", "willow", "--name", "Amara", url=url)

    assert re.fullmatch(r"http://127\.0\.0\.1:8081/sign-in/[\w-]{43}\n", result.stdout)
    assert "Amara, owner at willow" in result.stderr


def test_the_second_link_is_the_same_owner_s(url: str) -> None:
    run("console-link", "--clinic", "willow", url=url)
    run("console-link", "--clinic", "willow", url=url)

    assert run("staff", "list", url=url).output.count("Owner") == 1


def test_with_several_clinics_one_must_be_named(url: str) -> None:
    result = run("console-link", url=url)

    assert (result.exit_code, "--clinic: harbour, willow" in result.output) == (2, True)


def test_with_several_owners_one_must_be_named(url: str) -> None:
    for name in ("Amara", "Rowan"):
        run("staff", "add", name, "--clinic", "willow", "--role", "owner", url=url)

    assert "--id: 1 Amara, 2 Rowan" in run("console-link", "--clinic", "willow", url=url).output
    assert run("console-link", "--id", "2", url=url).exit_code == 0


def test_a_link_begins_with_the_address_that_staff_use(url: str) -> None:
    result = run(
        "console-link", "--clinic", "willow", url=url, CONSOLE_URL="https://desk.willow.example"
    )

    assert result.stdout.startswith("https://desk.willow.example/sign-in/")


def test_an_invitation_leads_to_the_bot(url: str) -> None:
    run("staff", "add", "Joe", "--clinic", "willow", url=url)

    result = run("staff", "invite", "1", url=url)

    assert re.fullmatch(r"https://t\.me/willow_bot\?start=staff_[\w-]{43}\n", result.stdout)


def test_without_telegram_the_place_of_the_name_is_told(url: str) -> None:
    run("staff", "add", "Joe", "--clinic", "willow", url=url)

    assert "YOUR_BOT?start=" in run("staff", "invite", "1", url=url, bot="").stdout


def test_the_last_owner_cannot_be_removed(url: str) -> None:
    run("console-link", "--clinic", "willow", url=url)

    result = run("staff", "remove", "1", url=url)

    assert (result.exit_code, "needs an owner" in result.output) == (2, True)


def test_somebody_is_removed(url: str) -> None:
    run("staff", "add", "Joe", "--clinic", "willow", url=url)

    assert run("staff", "remove", "1", url=url).exit_code == 0
    assert run("staff", "list", url=url).output == "Nobody yet.\n"


@pytest.mark.parametrize("command", ["invite", "remove", "sign-out"])
def test_a_number_that_nobody_has_is_named(command: str, url: str) -> None:
    result = run("staff", command, "9", url=url)

    assert (result.exit_code, "nobody has the number 9" in result.output) == (2, True)


def test_a_wrong_setting_is_named(url: str) -> None:
    result = run("console-link", "--clinic", "willow", url=url, CONSOLE_URL="willow.example")

    assert (result.exit_code, "CONSOLE_URL must be https://HOST" in result.output) == (2, True)
