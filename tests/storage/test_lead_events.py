"""What happens to a lead or a booking is told to every channel that wants to hear of it, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from flows.effects import HandOffLead, LeadKind
from storage import lead_events, turns
from storage.database import Database
from storage.lead_events import EventType, OfBooking, OfLead, OfSeries
from storage.models import LeadChannel, Outbox
from tests.builders import NOW, a_confirmation, a_decision, a_slot, a_turn, four_weekly

WILLOW = 1
QUALIFIED, MOVED = EventType.LEAD_QUALIFIED, EventType.BOOKING_RESCHEDULED
LEAD = OfLead(1)


def open_channel(connection: Connection, address: str = "https://a.example", **kept: Any) -> None:
    row = {
        "clinic_id": WILLOW,
        "kind": "webhook",
        "address": address,
        "event_types": "",
        "includes_answers": False,
        "created_at": NOW,
    }
    connection.execute(insert(LeadChannel).values(**{**row, **kept}))


def told(connection: Connection) -> list[Any]:
    return list(connection.execute(select(Outbox).order_by(Outbox.id)))


@pytest.fixture
async def ada(willow: Database) -> Database:
    """Return a database in which Ada's lead has a verdict and two sessions at the willow."""
    booked = a_confirmation(*four_weekly(a_slot(), 2))
    await willow.write(
        turns.commit, a_turn(a_decision(), HandOffLead(LeadKind.ELIGIBLE, 80), booked)
    )
    return willow


async def test_a_clinic_without_channels_is_told_nothing(ada: Database) -> None:
    assert await ada.write(lead_events.tell, WILLOW, QUALIFIED, LEAD, NOW) == 0


async def test_every_channel_gets_the_event_under_one_id(ada: Database) -> None:
    await ada.write(open_channel)
    await ada.write(open_channel, "desk@a.example", kind="mail")

    assert await ada.write(lead_events.tell, WILLOW, QUALIFIED, LEAD, NOW) == 2
    hook, mail = await ada.read(told)
    assert (hook.kind, mail.kind) == ("lead", "mail")
    assert hook.key.partition(":")[0] == mail.key.partition(":")[0] != ""
    assert (hook.ref_type, hook.ref_id) == ("lead", "1")


async def test_the_same_event_is_told_once(ada: Database) -> None:
    await ada.write(open_channel)
    await ada.write(lead_events.tell, WILLOW, QUALIFIED, LEAD, NOW)

    assert await ada.write(lead_events.tell, WILLOW, QUALIFIED, LEAD, NOW) == 0
    later = NOW + timedelta(seconds=1)
    assert await ada.write(lead_events.tell, WILLOW, QUALIFIED, LEAD, later) == 1


async def test_a_channel_hears_only_of_what_it_wants_and_while_it_is_on(ada: Database) -> None:
    await ada.write(open_channel, event_types="lead.urgent booking.held")
    off = {"disabled_at": NOW, "disabled_why": "staff"}
    await ada.write(open_channel, "https://off.example", **off)

    assert await ada.write(lead_events.tell, WILLOW, QUALIFIED, LEAD, NOW) == 0
    assert await ada.write(lead_events.tell, WILLOW, EventType.LEAD_URGENT, LEAD, NOW) == 1


async def test_a_channel_that_said_it_is_gone_is_still_told_so_that_nothing_is_lost(
    ada: Database,
) -> None:
    await ada.write(open_channel, disabled_at=NOW, disabled_why="http_410")

    assert await ada.write(lead_events.tell, WILLOW, QUALIFIED, LEAD, NOW) == 1


@pytest.mark.parametrize("subject", [LEAD, OfBooking("series-1"), OfSeries("series")])
async def test_another_clinics_lead_is_told_to_nobody(ada: Database, subject: Any) -> None:
    await ada.write(open_channel, clinic_id=2)

    assert await ada.write(lead_events.tell, 2, QUALIFIED, subject, NOW) == 0
