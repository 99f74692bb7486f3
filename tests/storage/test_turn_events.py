"""A patient's turn tells the clinic's channels what it changed, and nothing when it is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flows.effects import (
    CancelAppointment,
    CancelSeries,
    HandOffLead,
    LeadKind,
    MoveAppointment,
    ReleaseHold,
    SavePhone,
    StopMessages,
)
from storage import turns
from storage.database import Database
from storage.lead_events import EventType
from storage.outbox import OutboxRow
from tests.builders import (
    MONDAY,
    NOW,
    a_confirmation,
    a_conversation,
    a_decision,
    a_hold,
    a_slot,
    a_turn,
    four_weekly,
)
from tests.storage.test_lead_events import open_channel, told

TWO = four_weekly(a_slot(), 2)
QUALIFIED = HandOffLead(LeadKind.ELIGIBLE, 80)


@pytest.fixture
async def listened(willow: Database) -> Database:
    """Return a database in which the willow clinic has a webhook that wants to hear of all."""
    await willow.write(open_channel)
    return willow


async def heard(database: Database, *effects: Any, before: int | None = None) -> list[OutboxRow]:
    """Return the messages that one more turn with these effects has left."""
    known = len(await database.read(told))
    turn = replace(a_turn(*effects, before=before), now=NOW + timedelta(minutes=(before or 0) + 1))
    assert await database.write(turns.commit, turn) == turns.Committed()
    return (await database.read(told))[known:]


async def types(database: Database, *effects: Any, before: int | None = None) -> list[str]:
    rows = await heard(database, *effects, before=before)
    return [payload(row)["type"] for row in rows]


def payload(row: Any) -> Any:
    return json.loads(row.payload)


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        (LeadKind.ELIGIBLE, "lead.qualified"),
        (LeadKind.DEFERRED, "lead.deferred"),
        (LeadKind.REVIEW, "lead.review"),
        (LeadKind.DECLINED, "lead.declined"),
        (LeadKind.URGENT, "lead.urgent"),
        (LeadKind.PERSON, "lead.person_wanted"),
    ],
)
async def test_a_lead_is_told_by_what_it_is(listened: Database, kind: LeadKind, event: str) -> None:
    assert await types(listened, a_decision(), HandOffLead(kind)) == [event]


async def test_an_answer_tells_nothing(listened: Database) -> None:
    assert await types(listened, SavePhone("+44 20 7946 0001")) == []


async def test_a_held_and_booked_series_is_told_session_by_session_and_as_a_whole(
    listened: Database,
) -> None:
    held = await types(listened, a_decision(), a_hold(*TWO))
    booked = await types(listened, a_confirmation(*TWO), HandOffLead(LeadKind.BOOKED, 80), before=0)

    assert held == ["booking.held"] * 2
    assert booked == ["booking.confirmed"] * 2 + ["series.booked"]


async def test_a_request_is_held_until_staff_confirm_it(listened: Database) -> None:
    (row,) = await heard(listened, a_decision(), a_confirmation(a_slot(), pending=True))

    assert (payload(row)["type"], payload(row)["status"]) == ("booking.held", "pending")


async def test_a_move_is_one_event_with_where_it_was(listened: Database) -> None:
    await heard(listened, a_decision(), QUALIFIED, a_confirmation(a_slot()))
    later = a_slot(MONDAY + timedelta(days=1), practitioner="rowan")

    (row,) = await heard(listened, MoveAppointment("series-1", later), before=0)

    told_of = payload(row)
    assert told_of["type"] == EventType.BOOKING_RESCHEDULED
    assert (told_of["previous_starts_at"], told_of["previous_practitioner"]) == (
        "2026-03-09T10:00:00Z",
        "amara",
    )
    assert (told_of["starts_at"], told_of["practitioner"]) == ("2026-03-10T10:00:00Z", "rowan")
    assert (row.ref_type, row.ref_id) == ("lead", "1")


async def test_a_session_that_moves_with_the_ones_after_it_is_told_as_one_repair_too(
    listened: Database,
) -> None:
    await heard(listened, a_decision(), QUALIFIED, a_confirmation(*four_weekly(a_slot(), 3)))
    second, third = four_weekly(a_slot(MONDAY + timedelta(days=29)), 2)
    moves = (MoveAppointment("series-3", third), MoveAppointment("series-2", second))

    *moved, repaired = [payload(row) for row in await heard(listened, *moves, before=0)]

    assert [each["type"] for each in moved] == ["booking.rescheduled"] * 2
    assert (repaired["type"], repaired["series"]) == ("series.repaired", "series")
    assert [repaired[f"{n}.starts_at"][:10] for n in (1, 2, 3)] == [
        "2026-03-09",
        "2026-04-07",
        "2026-05-05",
    ]


async def test_sessions_of_two_series_that_move_at_once_repair_neither(listened: Database) -> None:
    await heard(listened, a_decision(), QUALIFIED, a_confirmation(a_slot()))
    other = a_confirmation(a_slot(MONDAY + timedelta(days=1)), series="other")
    await heard(listened, other, before=0)
    moves = [
        MoveAppointment(f"{series}-1", a_slot(MONDAY + timedelta(days=days)))
        for series, days in (("series", 4), ("other", 5))
    ]

    assert await types(listened, *moves, before=1) == ["booking.rescheduled"] * 2


async def test_cancelling_tells_of_each_session_once_and_of_no_new_verdict(
    listened: Database,
) -> None:
    await heard(listened, a_decision(), QUALIFIED, a_confirmation(*TWO))

    gone = await types(listened, CancelSeries("series"), QUALIFIED, before=0)

    assert gone == ["booking.cancelled"] * 2
    assert await types(listened, CancelSeries("series"), before=1) == []


async def test_cancelling_one_session_tells_of_that_one(listened: Database) -> None:
    await heard(listened, a_decision(), QUALIFIED, a_confirmation(*TWO))

    assert await types(listened, CancelAppointment("series-2"), before=0) == ["booking.cancelled"]
    assert await types(listened, CancelAppointment("series-2"), before=1) == []


async def test_a_hold_that_is_given_back_tells_nothing(listened: Database) -> None:
    await heard(listened, a_decision(), a_hold(a_slot()))

    assert await types(listened, ReleaseHold("series"), before=0) == []


async def test_a_refused_turn_tells_nothing(listened: Database) -> None:
    await heard(listened, a_decision(), a_hold(a_slot()))
    bo = a_conversation(8, first_name="Bo")
    late = a_turn(a_decision(), QUALIFIED, a_hold(a_slot(), series="late"), conversation=bo)

    assert isinstance(await listened.write(turns.commit, late), turns.SlotTaken)
    assert len(await listened.read(told)) == 1


async def test_every_clinic_hears_that_a_patient_wants_no_more_messages(
    listened: Database,
) -> None:
    await heard(listened, a_decision(), QUALIFIED)
    elsewhere = a_conversation(clinic="harbour", run=2)
    await listened.write(open_channel, clinic_id=2)
    stop = a_turn(a_decision(), QUALIFIED, StopMessages(), before=0, conversation=elsewhere)

    await listened.write(turns.commit, stop)

    withdrawn = [row for row in await listened.read(told) if "consent" in row.payload]
    assert [payload(row)["lead"] for row in withdrawn] == [1, 2]
