"""What staff do to one visit is told of its series too: others moved along, or it was the last."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flows.protocol import Outcome
from flows.slots import Slot
from storage import staff_bookings, turns
from storage.database import Database
from storage.staff_bookings import WalkIn
from tests.builders import (
    MONDAY,
    NOW,
    a_confirmation,
    a_conversation,
    a_decision,
    a_slot,
    a_turn,
    four_weekly,
)
from tests.storage.clerical import Desk, a_desk
from tests.storage.test_follow_ups import DECIDED, PLAN
from tests.storage.test_lead_events import open_channel, told

SLOTS = four_weekly(a_slot())  # as many as the plan asks for
LAST = "series-4"


@pytest.fixture
async def desk(willow: Database) -> Desk:
    """Return the desk of a clinic with a webhook, where Ada has booked a course of four."""
    await willow.write(open_channel, event_types="booking.* series.repaired series.completed")
    await books(willow, *SLOTS)
    return await a_desk(willow)


async def books(database: Database, *slots: Slot, before: int | None = None, **how: Any) -> None:
    """Let Ada have a plan and book."""
    run, decided = how.pop("run", 1), how.pop("decided", DECIDED)
    effects = decided, a_confirmation(*slots, **how)
    turn = a_turn(*effects, before=before, conversation=a_conversation(run=run))
    assert await database.write(turns.commit, turn) == turns.Committed()


async def takes_place(desk: Desk, uid: str) -> Desk:
    """Let a visit take place, and return the desk of just after it."""
    later = desk.at((await desk.row(uid)).ends_at)
    await later.does(staff_bookings.mark_arrived, uid)
    await later.does(staff_bookings.mark_fulfilled, uid)
    return later


async def of_series(desk: Desk) -> list[Any]:
    """Return what the clinic's system was told of whole series."""
    payloads = [json.loads(row.payload) for row in await desk.database.read(told)]
    return [each for each in payloads if each.get("type", "").startswith("series.")]


async def types(desk: Desk) -> list[str]:
    return [each["type"] for each in await of_series(desk)]


async def moves(desk: Desk, *uids: str) -> None:
    """Move visits two days later, all at once."""
    wanted = []
    for uid in uids:
        row = await desk.row(uid)
        slot = a_slot(row.starts_at + timedelta(days=2))
        wanted.append((await desk.seen(uid), slot))
    await desk.database.write(staff_bookings.move_series, desk.clerk, tuple(wanted))


async def test_several_sessions_that_move_at_once_are_one_repair(desk: Desk) -> None:
    await moves(desk, "series-3", LAST)

    (repaired,) = await of_series(desk)
    assert (repaired["type"], repaired["series"]) == ("series.repaired", "series")
    assert [repaired[f"{n}.starts_at"][:10] for n in (2, 3, 4)] == [
        "2026-04-06",
        "2026-05-06",
        "2026-06-03",
    ]


async def test_one_session_that_moves_alone_repairs_nothing(desk: Desk) -> None:
    await moves(desk, LAST)

    assert await types(desk) == []


async def test_the_last_session_that_the_plan_asks_for_completes_the_series(desk: Desk) -> None:
    for uid in ("series-1", "series-2", "series-3"):
        await takes_place(desk, uid)
    before = await types(desk)
    await takes_place(desk, LAST)

    (completed,) = await of_series(desk)
    assert (before, completed["type"]) == ([], "series.completed")
    assert (completed["series"], completed["sessions"]) == ("series", 4)
    assert [completed[f"{n}.status"] for n in (1, 2, 3, 4)] == ["fulfilled"] * 4


async def test_a_clinic_that_marks_only_the_last_session_hears_of_it_too(desk: Desk) -> None:
    await takes_place(desk, LAST)

    assert await types(desk) == ["series.completed"]


async def test_a_missed_session_leaves_the_series_open(desk: Desk) -> None:
    await desk.at(SLOTS[1].ends_at).does(staff_bookings.mark_noshow, "series-2")
    await takes_place(desk, LAST)

    assert await types(desk) == []


async def test_what_was_taken_back_and_marked_again_is_told_again(desk: Desk) -> None:
    later = await takes_place(desk, LAST)
    again = later.at(SLOTS[3].ends_at + timedelta(minutes=5))
    await again.does(staff_bookings.undo, LAST)
    await again.does(staff_bookings.mark_fulfilled, LAST)

    first, second = await of_series(desk)
    assert (first["series"], second["series"]) == ("series", "series")
    assert first["event"] != second["event"]


async def test_a_series_is_completed_although_a_new_one_was_booked(desk: Desk) -> None:
    new = four_weekly(a_slot(MONDAY + timedelta(days=180)))
    await books(desk.database, *new, before=0, series="new", run=2)
    await takes_place(desk, LAST)

    assert [each["series"] for each in await of_series(desk)] == ["series"]


async def test_a_consultation_completes_nothing(desk: Desk) -> None:
    slot = a_slot(MONDAY + timedelta(days=180))
    decided = replace(a_decision(Outcome.REVIEW), plan=replace(PLAN, sessions=1))
    look = {"series": "look", "service": "consultation", "decided": decided, "run": 2}
    await books(desk.database, slot, before=0, **look)
    await takes_place(desk, "look-1")

    assert await types(desk) == []


async def test_a_walk_in_completes_nothing(desk: Desk) -> None:
    slot = a_slot(NOW, practitioner="rowan")
    guest = WalkIn("guest", "treatment", slot, "WALK", "Bo")
    await desk.database.write(staff_bookings.walk_in, desk.clerk, guest)
    await takes_place(desk, "guest")

    assert await types(desk) == []
