"""Channels and calendars in the settings: secrets are shown once, faults where staff see them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from storage import audit, calendar_accounts, lead_channels, outbox
from storage.calendar_accounts import Terms
from storage.outbox import Message
from storage.outbox_policy import Kind
from tests.clinic.console.world import Browser, ConsoleWorld

CHANNELS, CALENDARS = "/settings/channels", "/settings/calendars"
HOOK = "https://example.org/hook"


async def done(world: ConsoleWorld) -> list[str]:
    return [line.what for line in await world.database.read(audit.entries, 1)]


async def test_a_webhook_s_secret_is_shown_once(world: ConsoleWorld, owner: Browser) -> None:
    await owner.get(CHANNELS)
    page = (await owner.post(f"{CHANNELS}/add", {"address": HOOK, "told": "leads"})).text

    (kept,) = await world.database.read(lead_channels.listed, 1)
    assert (page.count("whsec_"), (await owner.get(CHANNELS)).text.count("whsec_")) == (1, 0)
    assert (kept.address, kept.event_types[0]) == (HOOK, "lead.qualified")
    assert await done(world) == ["channel.added"]


@pytest.mark.parametrize(
    ("told", "kinds"),
    [
        ("leads", {"lead", "recall", "consent"}),
        ("bookings", {"booking", "series", "waitlist"}),
        ("all", set[str]()),
    ],
)
async def test_a_webhook_is_told_of_what_was_chosen(
    world: ConsoleWorld, owner: Browser, told: str, kinds: set[str]
) -> None:
    await owner.get(CHANNELS)
    await owner.post(f"{CHANNELS}/add", {"address": HOOK, "told": told})

    (kept,) = await world.database.read(lead_channels.listed, 1)
    assert {event.partition(".")[0] for event in kept.event_types} == kinds


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "A channel is an https:// address or an e-mail address."),
        ("http://example.org", "must begin with https://"),
        ("https://10.0.0.1/x", "must be public"),
        ("desk@example.org", "Set SMTP_URL and MAIL_FROM"),
    ],
)
async def test_an_address_that_cannot_be_told_is_refused_at_its_field(
    owner: Browser, address: str, words: str
) -> None:
    answer = await owner.post(f"{CHANNELS}/add", {"address": address})

    assert (answer.status_code, words in answer.text) == (422, True)
    assert f'value="{address}"' in answer.text


async def test_a_channel_is_turned_off_and_on_and_gets_a_new_secret(
    world: ConsoleWorld, owner: Browser
) -> None:
    await owner.post(f"{CHANNELS}/add", {"address": HOOK})
    await owner.post(f"{CHANNELS}/1/disable")
    assert "Off: turned off by staff." in (await owner.get(CHANNELS)).text

    await owner.post(f"{CHANNELS}/1/enable")
    assert "whsec_" in (await owner.post(f"{CHANNELS}/1/rotate")).text
    await owner.post(f"{CHANNELS}/1/forget-old")
    await owner.post(f"{CHANNELS}/1/remove")

    assert await world.database.read(lead_channels.listed, 1) == []
    assert (await done(world))[0] == "channel.remove"
    assert (await owner.post(f"{CHANNELS}/1/fly")).status_code == 404


async def test_a_test_that_does_not_arrive_is_told(owner: Browser) -> None:
    await owner.post(f"{CHANNELS}/add", {"address": "https://no-such-host.invalid/hook"})

    page = (await owner.follows(await owner.post(f"{CHANNELS}/1/test"))).text

    assert "The test did not arrive: the receiver" in page


async def lost(world: ConsoleWorld, number: int, why: str) -> None:
    """Let a message to a channel be given up."""
    key, now = f"evt_{number}:1", world.clock()
    facts = {"event": key[:-2], "type": "lead.qualified", "channel": 1}
    await world.database.write(outbox.enqueue, Message(key, Kind.LEAD, now, payload=facts), now)
    lease = timedelta(minutes=1)
    (row,) = await world.database.write(outbox.claim, 1, now, lease, key)
    await world.database.write(outbox.arm, row.id, key, now, lease)
    await world.database.write(outbox.fail, row.id, key, why, None)


async def test_what_did_not_arrive_stands_at_its_channel_and_is_sent_again(
    world: ConsoleWorld, owner: Browser, member: Browser
) -> None:
    await owner.post(f"{CHANNELS}/add", {"address": HOOK})
    for number in (1, 2):
        await lost(world, number, "http_500")

    words = "2 messages did not arrive: the receiver answered 500. Last tried Tue 24 Nov, 10:20."
    assert words in (await owner.get(CHANNELS)).text
    assert words in (await member.get(CHANNELS)).text
    assert "Send again" not in (await member.get(CHANNELS)).text
    assert (await member.post(f"{CHANNELS}/1/send-again")).status_code == 403

    page = (await owner.follows(await owner.post(f"{CHANNELS}/1/send-again"))).text
    assert "2 messages will be sent again within a minute." in page
    assert "did not arrive" not in page
    assert (await done(world))[0] == "channel.send-again"


async def test_what_is_tried_again_says_when(world: ConsoleWorld, owner: Browser) -> None:
    await owner.post(f"{CHANNELS}/add", {"address": HOOK})
    await lost(world, 1, "http_503")
    await world.database.write(outbox.replay, 1, world.clock())
    lease = timedelta(minutes=1)
    await world.database.write(outbox.claim, 1, world.clock(), lease, "again")
    await world.database.write(outbox.arm, 1, "again", world.clock(), lease)
    at = world.clock() + timedelta(minutes=40)
    await world.database.write(outbox.fail, 1, "again", "http_503", at)

    page = (await owner.get(CHANNELS)).text

    assert "1 message waiting: the receiver answered 503. Next try Tue 24 Nov, 11:00." in page


async def test_a_channel_that_is_off_is_turned_on_before_anything_is_sent_again(
    world: ConsoleWorld, owner: Browser
) -> None:
    await owner.post(f"{CHANNELS}/add", {"address": HOOK})
    await lost(world, 1, "http_410")
    await world.database.write(lead_channels.disable, 1, "http_410", world.clock())

    assert "Send again" not in (await owner.get(CHANNELS)).text
    page = (await owner.follows(await owner.post(f"{CHANNELS}/1/send-again"))).text
    assert "Turn it on first, then send again." in page
    await owner.post(f"{CHANNELS}/1/enable")
    assert "Send again" in (await owner.get(CHANNELS)).text


async def test_what_a_channel_is_told_of_is_in_words(owner: Browser) -> None:
    await owner.post(f"{CHANNELS}/add", {"address": HOOK, "told": "leads"})

    page = (await owner.get(CHANNELS)).text

    assert "A patient needs to be called soon <code>lead.urgent</code>" in page


async def test_a_feed_s_address_works_until_it_is_taken_back(
    world: ConsoleWorld, owner: Browser
) -> None:
    await owner.get(CALENDARS)
    page = (await owner.post(f"{CALENDARS}/amara/feed")).text
    path = re.findall(r"/feeds/[\w-]{43}\.ics", page)[0]
    assert (await world.browser().get(path)).status_code == 200

    await owner.post(f"{CALENDARS}/amara/feed/revoke")

    assert (await world.browser().get(path)).status_code == 404
    assert await done(world) == ["feed.revoked", "feed.renewed"]


async def test_a_calendar_that_cannot_be_reached_is_told_and_not_kept(
    world: ConsoleWorld, owner: Browser
) -> None:
    await owner.get(CALENDARS)
    typed = {"url": "https://127.0.0.1:9/cal/", "username": "amara", "password": "secret-1"}
    answer = await owner.post(f"{CALENDARS}/amara/connect", typed)

    assert answer.status_code == 422
    assert 'value="https://127.0.0.1:9/cal/"' in answer.text
    assert "secret-1" not in answer.text
    assert await world.database.read(calendar_accounts.accounts, 1) == []
    assert "Please fill in the address." in (await owner.post(f"{CALENDARS}/amara/connect")).text


async def test_a_stale_calendar_says_so_and_can_be_disconnected(
    world: ConsoleWorld, owner: Browser
) -> None:
    terms = Terms("https://example.org/cal/", "amara", "sealed")
    await world.database.write(calendar_accounts.connect, "willow", "amara", terms, world.clock())

    page = (await owner.get(CALENDARS)).text

    assert "No times are offered with Amara Osei until it can be read." in page
    await owner.post(f"{CALENDARS}/amara/disconnect")
    assert await world.database.read(calendar_accounts.accounts, 1) == []


async def test_nobody_of_another_clinic_can_be_named(owner: Browser) -> None:
    await owner.get(CALENDARS)
    for deed in ("feed", "feed/revoke", "connect", "disconnect"):
        assert (await owner.post(f"{CALENDARS}/ines/{deed}")).status_code == 404
