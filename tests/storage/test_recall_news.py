"""A recall is told to the clinic's channels on its day, once, and again when a visit was made."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from flows.conversation import BookedSession
from flows.effects import (
    ConfirmSeries,
    DescribeResult,
    HandOffLead,
    LeadKind,
    ReviewSeries,
    StopMessages,
)
from storage import follow_ups, moments
from storage.database import Database
from storage.models import Appointment, FollowUp, Lead
from storage.moments import Awaited, Moment
from tests.builders import MONDAY, NOW, a_confirmation, a_decision, a_slot
from tests.storage.desk_world import Desk, a_desk
from tests.storage.test_follow_ups import AGREED, DECIDED
from tests.storage.test_lead_events import open_channel, told
from tests.storage.test_recall_list import AFTER, BOOKED, looked

DAY = timedelta(days=1)
SINCE = AFTER.replace(hour=10)
EVENING = MONDAY.replace(hour=18)
ON = {"state": "booked", "answers": AGREED}
WAITS = HandOffLead(LeadKind.DEFERRED, None, date(2026, 4, 1))
RECHECK = datetime(2026, 4, 1, 9, tzinfo=NOW.tzinfo)  # ten in London


@pytest.fixture
async def desk(database: Database) -> Desk:
    """Return a clinic with a channel, of whose patients Ada did not come to her visit."""
    desk = await a_desk(database)
    await database.write(open_channel, event_types="recall.due recall.booked")
    await desk.says(7, DECIDED, a_confirmation(a_slot()), BOOKED, **ON)
    missed = update(Appointment).values(state="noshow")
    await database.write(lambda c: c.execute(missed).rowcount)
    return desk


async def heard(desk: Desk) -> list[Any]:
    """Return what the channels were told, in order."""
    rows = await desk.database.read(told)
    return [json.loads(row.payload) for row in rows if row.kind == "lead"]


async def types(desk: Desk) -> list[str]:
    return [each["type"] for each in await heard(desk)]


async def mark(desk: Desk) -> tuple[Any, ...]:
    """Return which recall stands as told."""
    row = select(FollowUp.recall_told_at, FollowUp.recall_lead_id).where(FollowUp.chat_id == 7)
    return tuple(await desk.database.read(lambda c: c.execute(row).one()))


def again(days: int = 7, **changes: Any) -> ConfirmSeries:
    """Return the booking of a new time for what was missed."""
    slot = a_slot(MONDAY + days * DAY)
    booked = replace(a_confirmation(slot), sessions=(BookedSession("again-1", slot, 1),))
    return replace(booked, **changes)


async def test_a_recall_is_told_once_on_its_day_and_without_why(desk: Desk) -> None:
    for at in (AFTER, AFTER + DAY):
        await looked(desk, at)

    (event,) = await heard(desk)
    assert (event["type"], event["lead"], event["recall_since"]) == (
        "recall.due",
        1,
        "2026-03-10T10:00:00Z",
    )
    assert "missed" not in json.dumps(event)
    assert await mark(desk) == (SINCE, 1)


async def test_the_day_itself_is_awaited_and_no_look_waits_for_itself(desk: Desk) -> None:
    row = update(FollowUp).values(paused_at=NOW)  # so that no message is awaited
    await desk.database.write(lambda c: c.execute(row).rowcount)
    await looked(desk, EVENING)
    before = await types(desk)

    assert await desk.database.read(moments.next_moment, EVENING) == Moment(SINCE, Awaited.LOOK, 7)
    assert await desk.database.write(follow_ups.look, SINCE) == (7,)
    assert await desk.database.write(follow_ups.look, SINCE) == ()
    assert (before, await types(desk)) == ([], ["recall.due"])


async def test_a_new_visit_is_told_once(desk: Desk) -> None:
    await looked(desk)
    await desk.says(7, again(), now=AFTER, **ON)
    for _ in "12":
        await looked(desk)

    due, booked = await heard(desk)
    assert (due["type"], booked["type"]) == ("recall.due", "recall.booked")
    assert (booked["lead"], booked["recall_since"]) == (due["lead"], due["recall_since"])
    assert await mark(desk) == (None, None)


async def test_a_visit_that_is_not_a_recall_s_end_is_not_told(desk: Desk) -> None:
    await desk.says(7, again(), now=EVENING, **ON)
    await looked(desk)

    assert await types(desk) == []


async def test_a_recall_that_ends_without_a_new_visit_is_told_no_more(desk: Desk) -> None:
    ahead = a_confirmation(a_slot(MONDAY + 28 * DAY), series="made-before")
    await desk.says(7, ahead, now=EVENING, **ON)
    await looked(desk)
    came = update(Appointment).where(Appointment.uid == "series-1").values(state="fulfilled")
    await desk.database.write(lambda c: c.execute(came).rowcount)
    await looked(desk, AFTER)

    assert await types(desk) == ["recall.due"]


async def test_who_wants_no_messages_is_told_of_no_more(desk: Desk) -> None:
    await looked(desk)
    await desk.says(7, StopMessages(), now=AFTER, **ON)
    await looked(desk)

    assert await types(desk) == ["recall.due"]
    assert await mark(desk) == (None, None)


async def test_who_comes_back_in_several_turns_is_still_told_as_booked(database: Database) -> None:
    desk = await a_desk(database)
    await database.write(open_channel)
    await desk.says(7, WAITS, a_decision(), state="deferred", answers=AGREED)
    await looked(desk, RECHECK)
    later = RECHECK + DAY
    await desk.says(7, now=later, state="acne_now", answers=AGREED)
    await looked(desk, later)
    await desk.says(7, DECIDED, a_confirmation(a_slot(later + DAY)), now=later, **ON)
    await looked(desk, later)

    recalls = [each for each in await heard(desk) if each["type"].startswith("recall.")]
    assert [each["type"] for each in recalls] == ["recall.due", "recall.booked"]
    assert {each["recall_since"] for each in recalls} == {"2026-04-01T09:00:00Z"}


async def test_another_reason_later_on_is_told_anew(desk: Desk) -> None:
    await looked(desk)
    rating = (ReviewSeries("series", 1), DescribeResult("series", "As before."))
    await desk.says(7, *rating, now=AFTER, rated="series", **ON)
    await looked(desk, AFTER)

    first, second = await heard(desk)
    assert (first["recall_since"], second["recall_since"]) == (
        "2026-03-10T10:00:00Z",
        "2026-03-10T12:00:00Z",
    )
    assert not {"rating", "words", "why"} & {*second}


async def test_who_has_no_lead_is_told_to_nobody(desk: Desk) -> None:
    await desk.says(8, state="plan", answers=AGREED)
    await desk.database.write(follow_ups.mark, 8, NOW + 6 * DAY)
    await desk.database.write(follow_ups.look, NOW + 6 * DAY)

    assert await types(desk) == []


@pytest.mark.parametrize("changed", [{"status": "declined"}, {"kind": "urgent"}])
async def test_who_is_not_on_the_list_is_not_told(desk: Desk, changed: dict[str, str]) -> None:
    row = update(Lead).values(**changed)
    await desk.database.write(lambda c: c.execute(row).rowcount)
    await looked(desk)

    assert await types(desk) == []


async def test_what_was_given_up_after_a_year_is_not_told(desk: Desk) -> None:
    await looked(desk, SINCE + 365 * DAY)

    assert await types(desk) == []


async def test_what_was_told_a_year_ago_counts_no_more(desk: Desk) -> None:
    await looked(desk)
    at = SINCE + 366 * DAY
    await desk.says(7, again(371), now=at, **ON)
    await looked(desk, at)

    assert await types(desk) == ["recall.due"]
    assert await mark(desk) == (None, None)


async def test_a_clinic_hears_nothing_of_a_visit_elsewhere(desk: Desk) -> None:
    await looked(desk)
    await desk.database.write(
        open_channel,
        "https://b.example",
        clinic_id=desk.other_clinic_id,
        event_types="recall.booked",
    )
    elsewhere = again(service="treatment")
    slot = replace(elsewhere.sessions[0].slot, practitioner="ines")
    moved = replace(elsewhere, sessions=(BookedSession("again-1", slot, 1),))
    await desk.says(7, DECIDED, moved, BOOKED, now=AFTER, clinic="harbour", run=2, **ON)
    await looked(desk)

    assert await types(desk) == ["recall.due"]
