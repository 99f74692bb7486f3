"""What happens to a freed time is told to the clinic's channels: each offer, and how it ended."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from flows.effects import CancelSeries, DeclineOffer, HandOffLead, LeadKind, MoveAppointment
from storage import lead_events, waitlist
from storage.database import Database
from storage.lead_events import EventType, OfOffer
from tests.builders import NOW, a_slot
from tests.storage.test_lead_events import open_channel, told
from tests.storage.test_waitlist import ADA, BO, CY, HOUR, Waiting, two_wait

EVENTS = "waitlist.offered waitlist.accepted waitlist.declined waitlist.expired"


@pytest.fixture
async def clinic(willow: Database) -> Waiting:
    """Return the clinic in which two wait."""
    return await two_wait(willow)


@pytest.fixture
async def listened(clinic: Waiting) -> Waiting:
    """Return the clinic with a webhook that wants to hear of the waiting list alone."""
    await clinic.database.write(open_channel, event_types=EVENTS)
    await clinic.turn(BO, HandOffLead(LeadKind.BOOKED, 80))
    await clinic.turn(ADA, CancelSeries("7"))
    return clinic


async def heard(clinic: Waiting) -> list[dict[str, Any]]:
    """Return what the channel was told, in order."""
    rows = await clinic.database.read(told)
    return [json.loads(row.payload) for row in rows if row.kind == "lead"]


async def told_of(clinic: Waiting) -> list[tuple[str, str]]:
    """Return the events, each with the visit of who was asked."""
    return [(each["type"].partition(".")[2], each["uid"]) for each in await heard(clinic)]


async def test_an_offer_is_told_with_the_visit_as_it_stands(listened: Waiting) -> None:
    (event,) = await heard(listened)

    assert (event["type"], event["uid"], event["lead"]) == ("waitlist.offered", "8-1", 1)
    assert event["starts_at"] == "2026-03-23T10:00:00Z"
    assert {name: value for name, value in event.items() if name.startswith("offer_")} == {
        "offer_starts_at": "2026-03-09T10:00:00Z",
        "offer_ends_at": "2026-03-09T11:00:00Z",
        "offer_until": "2026-03-02T11:00:00Z",
        "offer_practitioner": "amara",
    }


async def test_a_yes_is_told_with_the_new_time(listened: Waiting) -> None:
    await listened.turn(BO, MoveAppointment("8-1", a_slot()))

    assert await told_of(listened) == [("offered", "8-1"), ("accepted", "8-1"), ("offered", "9-1")]
    accepted = (await heard(listened))[1]
    assert accepted["starts_at"] == accepted["offer_starts_at"] == "2026-03-09T10:00:00Z"


async def test_a_no_is_told_before_the_time_goes_to_the_next(listened: Waiting) -> None:
    await listened.turn(BO, DeclineOffer("8-1"))

    assert await told_of(listened) == [("offered", "8-1"), ("declined", "8-1"), ("offered", "9-1")]


async def test_a_silence_is_told_once_and_the_time_passed_on(listened: Waiting) -> None:
    late = NOW + 2 * HOUR
    for at in (late, late + timedelta(minutes=1)):
        await listened.database.write(waitlist.expire, at)

    assert await told_of(listened) == [("offered", "8-1"), ("expired", "8-1"), ("offered", "9-1")]


async def test_an_offer_that_ends_with_its_visit_is_told_by_the_visit_alone(
    listened: Waiting,
) -> None:
    await listened.turn(CY, CancelSeries("9"))
    await listened.turn(BO, CancelSeries("8"))

    assert [state for _, state in await listened.offers()] == ["gone"]
    assert await told_of(listened) == [("offered", "8-1")]


async def test_a_clinic_without_channels_is_told_nothing(clinic: Waiting) -> None:
    await clinic.turn(ADA, CancelSeries("7"))
    await clinic.turn(BO, DeclineOffer("8-1"))

    assert len(await clinic.offers()) == 2
    assert await heard(clinic) == []


async def test_another_clinic_hears_nothing_of_the_waiting(clinic: Waiting) -> None:
    await clinic.database.write(open_channel, clinic_id=2)
    await clinic.turn(ADA, CancelSeries("7"))
    offered = (EventType.WAITLIST_OFFERED, OfOffer(1), NOW)

    assert await clinic.offers() == [(BO, "offered")]
    assert await clinic.database.write(lead_events.tell, 2, *offered) == 0
    assert await heard(clinic) == []
