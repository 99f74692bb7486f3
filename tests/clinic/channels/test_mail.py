"""A mailbox is told in a short, plain mail that says nothing of a patient's health or name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clinic.channels.mail import Postbox, postbox
from flows.effects import HandOffLead, LeadKind
from storage.lead_channels import ChannelFault
from tests.builders import NOW, a_confirmation, a_decision, a_slot, four_weekly
from tests.clinic.channels.certificates import for_this_machine
from tests.clinic.channels.mailbox import SENDER, Mailbox, mailbox
from tests.clinic.channels.world import CONSOLE, WILLOW, World
from tests.storage import persons

DESK = "front.desk@willow.example"


@pytest.fixture
async def mails() -> AsyncIterator[Mailbox]:
    """Yield a mail server of this machine."""
    async with mailbox() as box:
        yield box


async def opened(world: World, mails: Mailbox, *events: str) -> None:
    world.box = postbox(mails.url, SENDER)
    await world.channels.add(WILLOW, DESK, events)


async def state(world: World) -> list[tuple[str, str | None]]:
    return [(row.state, row.last_error) for row in await world.messages()]


async def test_a_lead_is_told_by_number_and_link_alone(world: World, mails: Mailbox) -> None:
    await opened(world, mails, "lead.*")
    await world.lead()

    await world.send()

    (mail,) = mails.mails
    assert (mail["To"], mail["From"]) == (DESK, SENDER)
    assert mail["Subject"] == "A new patient is ready to book (lead 1)"
    assert mail.get_content().splitlines() == [
        "A new patient is ready to book.",
        "",
        "Clinic: willow",
        "Lead: 1",
        "Readiness: high",
        "",
        f"Everything else is in the console: {CONSOLE}/leads/1",
    ]
    assert "Ada" not in mail.as_string()
    assert await state(world) == [("sent", None)]


async def test_a_mail_of_an_erased_lead_has_its_number_and_no_link(
    world: World, mails: Mailbox
) -> None:
    await opened(world, mails, "lead.erased")
    await world.lead()

    await persons.erase(world.database, WILLOW, None, 1, NOW)
    await world.send()

    assert mails.mails[0].get_content().splitlines() == [
        "A patient's data was erased: please delete yours too.",
        "",
        "Clinic: willow",
        "Lead: 1",
    ]


async def test_booked_times_are_on_the_clinics_clock(world: World, mails: Mailbox) -> None:
    await opened(world, mails, "series.booked")
    booked = a_confirmation(*four_weekly(a_slot(), 2))
    await world.lead(7, a_decision(), booked, HandOffLead(LeadKind.BOOKED, 80))

    await world.send()

    text = mails.mails[0].get_content()
    assert "Visit 1: Mon 09 Mar 2026, 10:00" in text
    assert "Visit 2: Mon 06 Apr 2026, 11:00" in text  # summer time has begun


async def test_a_mailbox_is_not_told_of_times_that_are_only_held(
    world: World, mails: Mailbox
) -> None:
    await opened(world, mails)
    await world.lead(7, a_decision(), a_confirmation(a_slot(), pending=True))

    assert await state(world) == []


async def test_each_try_of_a_mail_has_one_message_id(world: World, mails: Mailbox) -> None:
    await opened(world, mails, "lead.*")
    mails.data = "451 come back later"
    await world.lead()
    await world.send()
    assert await state(world) == [("pending", "mail_refused")]

    mails.data = "250 OK"
    await world.later()
    await world.send()

    (row,) = await world.messages()
    assert mails.mails[0]["Message-ID"] == f"<{row.key.partition(':')[0]}@resurface.example>"


async def test_an_address_that_does_not_exist_is_given_up(world: World, mails: Mailbox) -> None:
    await opened(world, mails, "lead.*")
    mails.recipient = "550 no such person"
    await world.lead()

    await world.send()

    assert await state(world) == [("dead", "address_not_taken")]


async def test_a_server_that_is_away_is_tried_again(world: World) -> None:
    async with mailbox() as mails:
        await opened(world, mails, "lead.*")
    await world.lead()

    await world.send()

    assert await state(world) == [("pending", "not_reached")]


async def test_a_mail_goes_by_tls_and_with_the_password(world: World, tmp_path: Path) -> None:
    serving, world.changes["trust"] = for_this_machine(tmp_path)
    async with mailbox(serving, password="gr/een") as mails:
        mails.url = mails.url.replace("gr/een", "gr%2Feen")
        await opened(world, mails, "lead.*")
        await world.lead()
        await world.send()

    assert len(mails.mails) == 1


async def test_a_wrong_password_is_said_and_tried_again(world: World, tmp_path: Path) -> None:
    serving, world.changes["trust"] = for_this_machine(tmp_path)
    async with mailbox(serving, password="green") as mails:
        mails.url = mails.url.replace("green", "blue")
        await opened(world, mails, "lead.*")
        await world.lead()
        await world.send()

    assert await state(world) == [("pending", "mail_password")]


async def test_a_test_is_sent_at_once_and_says_what_came_of_it(
    world: World, mails: Mailbox
) -> None:
    await opened(world, mails)
    tested = await world.channels.send_test(WILLOW, 1)
    mails.recipient = "550 no such person"
    refused = await world.channels.send_test(WILLOW, 1)

    assert (tested.is_delivered, len(mails.mails)) == (True, 1)
    assert refused.words == "the mail server does not take mail for this address"


def test_a_server_elsewhere_must_speak_tls() -> None:
    near, far = postbox("smtp://localhost", SENDER), postbox("smtp://mail.example", SENDER)
    safe = postbox("smtps://u:p@mail.example", SENDER)

    assert near is not None
    assert far is not None
    assert (near.may_be_plain, far.may_be_plain, far.port) == (True, False, 587)
    assert safe == Postbox("mail.example", 465, "u", "p", True, False, SENDER)


@pytest.mark.parametrize(
    ("url", "sender", "setting"),
    [
        ("mail.example", SENDER, "SMTP_URL"),
        ("https://mail.example", SENDER, "SMTP_URL"),
        ("smtp://", SENDER, "SMTP_URL"),
        ("smtp://mail.example", "", "MAIL_FROM"),
        ("smtp://mail.example:port", SENDER, "SMTP_URL"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_without_its_password(
    url: str, sender: str, setting: str
) -> None:
    with pytest.raises(ChannelFault, match=f"{setting} must"):
        postbox(url, sender)


async def test_an_address_of_mail_needs_a_server_first(world: World) -> None:
    with pytest.raises(ChannelFault, match="set SMTP_URL and MAIL_FROM"):
        await world.channels.add(WILLOW, DESK)
