"""What a channel did not get is counted for staff, and sent again when they say so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from storage import lead_channels, outbox, undelivered
from storage.database import Database
from storage.lead_channels import ChannelFault, NewChannel
from storage.models import Outbox
from storage.outbox import Message
from storage.outbox_policy import Kind
from storage.undelivered import ChannelIsOff, Lacking, Some, Trouble
from tests.builders import NOW

WILLOW = 1
LEASE = timedelta(minutes=1)
LATER = NOW + timedelta(hours=3)


async def fails(database: Database, key: str, why: str, retry: bool = False, **at: Any) -> None:
    """Let one message to a channel fail, for good or to be tried again in an hour."""
    now = at.get("at", NOW)
    facts = {"event": key.partition(":")[0], "type": "lead.qualified", "channel": int(key[-1])}
    await database.write(outbox.enqueue, Message(key, Kind.LEAD, now, payload=facts), now)
    (row,) = await database.write(outbox.claim, 1, now, LEASE, key)
    await database.write(outbox.arm, row.id, key, now, LEASE)
    again = now + timedelta(hours=1) if retry else None
    await database.write(outbox.fail, row.id, key, why, again)


async def states(database: Database) -> list[str]:
    rows = select(Outbox.state).order_by(Outbox.id)
    return await database.read(lambda c: list(c.execute(rows).scalars()))


@pytest.fixture
async def here(willow: Database) -> Database:
    """Return a clinic with two channels, of which the first got nothing so far."""
    for address in ("https://a.example/", "https://b.example/"):
        await willow.write(lead_channels.add, WILLOW, NewChannel("webhook", address), NOW)
    await fails(willow, "evt_1:1", "http_500")
    await fails(willow, "evt_2:1", "timeout", at=NOW + timedelta(minutes=5))
    await fails(willow, "evt_3:1", "http_503", retry=True)
    return willow


async def test_each_channel_says_what_it_lacks_why_and_since_when(here: Database) -> None:
    lacking = await here.read(undelivered.lacking, WILLOW)

    lost = Some(2, NOW + timedelta(minutes=5), "timeout")
    assert lacking[1] == Lacking(lost, Some(1, NOW + timedelta(hours=1), "http_503"))
    assert lacking[2] == Lacking(None, None)


async def test_everything_a_channel_lacks_is_sent_again(here: Database) -> None:
    await fails(here, "evt_1:2", "http_500")

    assert await here.write(undelivered.send_again, WILLOW, 1, LATER) == 2
    assert await states(here) == ["pending", "pending", "pending", "dead"]
    assert await here.write(undelivered.send_again, WILLOW, 1, LATER) == 0


async def test_nothing_is_sent_to_a_channel_that_is_off_or_another_clinics(here: Database) -> None:
    await here.write(lead_channels.disable, 1, "http_410", NOW)

    with pytest.raises(ChannelIsOff, match="channel 1 is off; turn it on first"):
        await here.write(undelivered.send_again, WILLOW, 1, LATER)
    with pytest.raises(ChannelFault, match="not the number of a channel"):
        await here.write(undelivered.send_again, 2, 1, LATER)


async def test_owners_hear_of_what_nobody_wished(here: Database) -> None:
    assert await here.read(undelivered.trouble, WILLOW) == Trouble(gone=0, lost=2)
    assert await here.read(undelivered.trouble, 2) == Trouble(gone=0, lost=0)

    await here.write(lead_channels.disable, 2, "http_410", NOW)
    await here.write(lead_channels.disable, 1, "staff", NOW)
    assert await here.read(undelivered.trouble, WILLOW) == Trouble(gone=1, lost=0)


async def test_a_channel_that_was_removed_lacks_nothing(here: Database) -> None:
    await here.write(lead_channels.remove, WILLOW, 1, NOW)

    assert await here.read(undelivered.trouble, WILLOW) == Trouble(gone=0, lost=0)
    assert await here.read(lead_channels.given_up, WILLOW) == []
    assert list(await here.read(undelivered.lacking, WILLOW)) == [2]
