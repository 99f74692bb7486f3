"""`resurface check` says what is missing or wrong, and each time what to do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import typer
from click.testing import Result
from sqlalchemy import Connection, update
from typer.testing import CliRunner

from clinic import checkup, checkup_command
from clinic.checkup import BotFacts
from clinic.commands import with_database
from storage import (
    calendar_accounts,
    calendar_readings,
    clinic_protocols,
    clinics,
    lead_channels,
    migrations,
    sqlite_versions,
    staff,
)
from storage.calendar_accounts import Terms
from storage.calendar_readings import Reading
from storage.clinic_protocols import Version
from storage.database import Database, parse_url
from storage.lead_channels import NewChannel
from storage.models import StaffMember
from storage.protocol_versions import ProtocolText
from tests.builders import NOW

LIVE = BotFacts(has_token=True, name="willow_bot")
OWN = Version("small/1/abc", "abc", ProtocolText("text", "overrides"))
ONE = clinics.demo_text().partition('[[clinics]]\nslug = "harbour"')[0]


def check(folder: Path, facts: BotFacts = LIVE) -> Result:
    app = typer.Typer()
    app.command("check")(checkup_command.check_command(lambda: NOW, lambda: facts))
    place = {"DATABASE_URL": f"sqlite:///{folder}/a.db", "DATA_DIR": str(folder)}
    return CliRunner().invoke(app, (), env=place)


def change(folder: Path, use: object, *arguments: object) -> object:
    async def write(database: Database) -> object:
        return await database.write(use, *arguments)  # type: ignore[arg-type]

    return with_database(f"sqlite:///{folder}/a.db", write)


def joins(connection: Connection) -> None:
    connection.execute(update(StaffMember).values(chat_id=7))


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """Return the folder of a clinic that lacks nothing."""
    migrations.upgrade(f"sqlite:///{tmp_path}/a.db")
    change(tmp_path, clinics.import_clinic, ONE, "one.toml")
    change(tmp_path, staff.add, "willow", "Noor", "owner", NOW)
    change(tmp_path, joins)
    change(tmp_path, clinic_protocols.use, "willow", OWN, NOW)
    change(tmp_path, clinic_protocols.sign, 1, 1, (OWN.key, OWN.digest), "Dr N", "GMC 7", NOW)
    checkup.note_backup(tmp_path)
    return tmp_path


def test_a_clinic_that_lacks_nothing_is_told_so(live: Path) -> None:
    result = check(live)

    assert (result.exit_code, "Patients can come." in result.output) == (0, True), result.output
    assert "i The console can be opened on this machine only." in result.output


def test_nothing_at_all_is_told_step_by_step(tmp_path: Path) -> None:
    result = check(tmp_path, BotFacts(has_token=False, name=""))

    assert result.exit_code == 1
    for words in ("There is no bot on Telegram yet.", "There is no clinic yet.", "no backup."):
        assert words in result.output
    assert "3 to do." in result.output


def test_a_token_that_telegram_does_not_know(live: Path) -> None:
    result = check(live, BotFacts(has_token=True, name=""))

    assert (result.exit_code, "does not know the token" in result.output) == (1, True)


def test_hours_that_leave_no_free_time(live: Path) -> None:
    closed = "[[clinics.closures]]\nfrom = 2026-01-01\nuntil = 2027-12-31\n"
    change(live, clinics.import_clinic, ONE + closed, "one.toml")

    output = check(live).output

    assert "no free time for a treatment in the next 6 weeks" in output
    assert "no free time for a consultation in the next 6 weeks" in output


def test_a_team_without_anybody_or_without_telegram(live: Path) -> None:
    change(live, lambda connection: connection.execute(update(StaffMember).values(chat_id=None)))
    assert "Run `resurface staff invite 1`" in check(live).output

    change(live, lambda connection: connection.execute(update(StaffMember).values(role="staff")))
    assert "it has no owner" in check(live).output

    gone = {"removed_at": NOW}
    change(live, lambda connection: connection.execute(update(StaffMember).values(**gone)))
    assert "nobody may see its leads" in check(live).output


def test_a_protocol_that_changed_since_it_was_signed(live: Path) -> None:
    newer = Version("small/2/def", "def", ProtocolText("text", "others"))
    change(live, clinic_protocols.use, "willow", newer, NOW)

    assert "the protocol changed since it was signed" in check(live).output


def test_a_dead_webhook_and_a_broken_calendar(live: Path) -> None:
    hook = NewChannel("webhook", "https://example.org/hook", "sealed")
    change(live, lead_channels.add, 1, hook, NOW)
    change(live, lead_channels.disable, 1, "http_410", NOW)
    terms = Terms("https://example.org/cal/", "amara", "sealed")
    number = change(live, calendar_accounts.connect, "willow", "amara", terms, NOW)
    why = "the server does not take the user name or password"
    change(live, calendar_accounts.failed, number, why, NOW, NOW + timedelta(minutes=3))

    output = check(live).output

    assert "channel 1 is off: the receiver says that it is gone for good (410)" in output
    assert f"the calendar of amara cannot be read: {why}" in output


def test_a_calendar_that_takes_nothing(live: Path) -> None:
    terms = Terms("https://example.org/cal/", "amara", "sealed")
    number = change(live, calendar_accounts.connect, "willow", "amara", terms, NOW)
    account = change(live, calendar_accounts.account, number)
    reading = Reading(NOW, NOW, "t1", is_whole=True, busy={})
    change(live, calendar_readings.keep, account, reading, NOW, NOW)
    change(live, calendar_accounts.write_failed, number, "it may not be written", None)

    assert "the calendar of amara cannot be written: it may not" in check(live).output


def test_an_old_backup_is_told(live: Path) -> None:
    (live / checkup.LAST_BACKUP).unlink()

    assert "There is no backup." in check(live).output


def test_a_faulty_sqlite_is_good_to_know(live: Path) -> None:
    advice = sqlite_versions.advice(parse_url(f"sqlite:///{live}/a.db"))

    assert ("very rarely" in (told := check(live).output)) == bool(advice)
    assert ("Stop the bot before" in told) == bool(advice)
