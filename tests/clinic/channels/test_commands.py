"""Channels and exports as they are typed."""

from __future__ import annotations

import asyncio
import functools
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from clinic import upkeep_commands
from clinic.channels.commands import channel_app
from clinic.channels.leads_commands import leads_app, questionnaire_command
from flows.effects import HandOffLead, LeadKind
from storage import clinics, lead_channels, outbox, turns
from storage.database import Database, connect
from storage.outbox_policy import Kind
from tests.builders import NOW, a_conversation, a_decision, a_turn
from tests.clinic.channels.receiver import receiving
from tests.clinic.channels.world import WILLOW


@pytest.fixture
def url(sqlite_url: str) -> str:
    """Return a database with the demo's clinics."""

    async def fill(database: Database) -> None:
        await database.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")

    asyncio.run(using(sqlite_url, fill))
    return sqlite_url


async def using(url: str, use: Any) -> Any:
    database = connect(url)
    try:
        return await use(database)
    finally:
        await database.close()


def run(url: str, *arguments: str, **environment: str) -> Result:
    app = typer.Typer()
    app.add_typer(channel_app(lambda: NOW), name="channel")
    app.add_typer(leads_app(lambda: NOW), name="leads")
    app.add_typer(upkeep_commands.outbox_app(lambda: NOW), name="outbox")
    app.command("fhir")(questionnaire_command)
    settled = {"COLUMNS": "200", "DATABASE_URL": url, "DATA_DIR": str(Path(url[10:]).parent)}
    return CliRunner().invoke(app, arguments, env={**settled, **environment})


def willow(url: str, *arguments: str, **environment: str) -> Result:
    return run(url, "channel", *arguments, "--clinic", "willow", **environment)


async def a_lead(database: Database, chat_id: int = 7) -> None:
    effects = (a_decision(), HandOffLead(LeadKind.ELIGIBLE, 80))
    turn = a_turn(*effects, conversation=a_conversation(chat_id))
    assert await database.write(turns.commit, turn) == turns.Committed()


def test_a_channel_is_added_with_its_secret_shown_once(url: str) -> None:
    added = willow(url, "add", "https://example.org/hook", "--event", "lead.*")
    secret = re.search(r"whsec_\S+", added.output)

    assert added.exit_code == 0, added.output
    assert secret is not None
    listed = willow(url, "list").output
    assert "https://example.org/hook" in listed
    assert "lead.qualified" in listed
    assert secret.group() not in listed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "http://example.org/"], "must begin with https://"),
        (["add", "https://10.0.0.1/"], "must be public"),
        (["add", "https://a.example/", "--event", "lead.found"], "an event must be one of"),
        (["add", "nobody"], "an https:// address or an e-mail address"),
        (["add", "desk@a.example"], "set SMTP_URL and MAIL_FROM"),
        (["test", "7"], "7 is not the number of a channel"),
        (["remove", "7"], "7 is not the number of a channel"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    url: str, arguments: list[str], words: str
) -> None:
    refused = willow(url, *arguments)

    assert refused.exit_code == 2
    assert words in refused.output


def test_a_clinic_must_be_named_when_there_are_several(url: str) -> None:
    assert "--clinic must be one of harbour, willow" in run(url, "channel", "list").output


def test_the_same_address_is_added_once_and_again_after_it_was_removed(url: str) -> None:
    willow(url, "add", "https://a.example/")
    again = willow(url, "add", "https://a.example/")
    willow(url, "remove", "1")
    back = willow(url, "add", "https://a.example/")

    assert "channel 1 has this address already" in again.output
    assert "channel 1: try it" in back.output


async def test_a_test_is_delivered_to_a_receiver(url: str) -> None:
    async with receiving() as receiver:
        allowed = {"PRIVATE_ADDRESSES": "true"}
        await asyncio.to_thread(willow, url, "add", receiver.url, **allowed)
        tested = await asyncio.to_thread(willow, url, "test", "1", **allowed)
        refused = await asyncio.to_thread(willow, url, "test", "1")

    assert (tested.exit_code, tested.output) == (0, "delivered: the receiver answered 204\n")
    assert (refused.exit_code, len(receiver.events)) == (1, 1)
    assert receiver.events[0]["type"] == "channel.test"


def test_what_a_channel_lacks_is_hinted_at_and_sent_again(url: str) -> None:
    willow(url, "add", "https://a.example/")
    asyncio.run(using(url, a_lead))
    asyncio.run(using(url, give_up))

    hint = willow(url, "replay-hints").output
    table = run(url, "outbox", "dead").output

    assert "lead.qualified" in hint
    assert "the receiver answered 500" in hint
    assert "resurface outbox replay 1" in hint
    assert "lead 1: lead.qualified, channel 1" in table
    assert run(url, "outbox", "replay", "1").exit_code == 0
    assert willow(url, "replay-hints").output == "Everything was delivered.\n"


def test_everything_a_channel_lacks_is_sent_again_by_one_command(url: str) -> None:
    willow(url, "add", "https://a.example/")
    for chat_id in (7, 8):
        asyncio.run(using(url, functools.partial(a_lead, chat_id=chat_id)))
        asyncio.run(using(url, give_up))

    hint = willow(url, "replay-hints").output
    replayed = run(url, "outbox", "replay", "--channel", "1")

    assert "Send all 2 of channel 1 again: " in hint
    assert "resurface outbox replay --channel 1" in hint
    assert (
        replayed.output == "channel 1: 2 messages will be sent within a minute while the bot runs\n"
    )
    assert willow(url, "replay-hints").output == "Everything was delivered.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give the number of a message, or --channel"),
        (["1", "--channel", "1"], "give the number of a message, or --channel"),
        (["--channel", "7"], "7 is not the number of a channel"),
        (["--channel", "1"], "channel 1 is off; turn it on first"),
    ],
)
def test_what_cannot_be_sent_again_is_said_in_a_sentence(
    url: str, arguments: list[str], words: str
) -> None:
    willow(url, "add", "https://a.example/")
    willow(url, "disable", "1")

    refused = run(url, "outbox", "replay", *arguments)

    assert (refused.exit_code, refused.output.count("\n")) == (2, 1)
    assert words in refused.output


async def give_up(database: Database) -> None:
    lease = timedelta(minutes=1)
    (row,) = await database.write(outbox.claim, 1, NOW, lease, "mine", (Kind.LEAD,))
    await database.write(outbox.arm, row.id, "mine", NOW, lease)
    await database.write(outbox.fail, row.id, "mine", "http_500", None)


def test_a_channel_can_be_turned_off_on_and_rotated(url: str) -> None:
    willow(url, "add", "https://a.example/")

    assert "channel 1 is off" in willow(url, "disable", "1").output
    assert "off: turned off by staff" in willow(url, "list").output
    assert "channel 1 is on" in willow(url, "enable", "1").output
    assert "whsec_" in willow(url, "rotate", "1").output
    assert "only the newest" in willow(url, "rotate", "1", "--finish").output


def test_leads_are_listed_and_exported(url: str, tmp_path: Path) -> None:
    asyncio.run(using(url, a_lead))
    file = tmp_path / "leads.csv"

    listed = run(url, "leads")
    printed = run(url, "leads", "export", "--clinic", "willow", "--format", "json")
    written = run(url, "leads", "export", "--clinic", "willow", "--output", str(file))

    assert "Ada" in listed.output
    assert json.loads(printed.output)[0]["patient"]["first_name"] == "Ada"
    assert "written" in written.output
    assert '"Ada"' in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o077 == 0


def test_the_questionnaire_is_printed_in_a_clinics_words(url: str, tmp_path: Path) -> None:
    form = json.loads(run(url, "fhir", "--clinic", "willow").output)

    assert form["resourceType"] == "Questionnaire"
    assert "Willow" in form["publisher"]
    assert "--clinic must be one of" in run(url, "fhir", "--clinic", "oak").output
    assert "--locale must be one of" in run(url, "fhir", "--locale", "xx").output
    assert run(url, "fhir", str(tmp_path / "none.toml")).exit_code == 2


def test_the_clinics_are_told_apart(url: str) -> None:
    willow(url, "add", "https://a.example/")

    other = run(url, "channel", "list", "--clinic", "harbour")

    assert other.output == "No channels yet.\n"
    assert asyncio.run(using(url, lambda d: d.read(lead_channels.listed, WILLOW)))
