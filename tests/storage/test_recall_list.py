"""The recall list, what staff do from it, and what came after the nudges."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, insert, select, update

from flows.effects import DescribeResult, HandOffLead, LeadKind, ReviewSeries
from flows.follow_up import NudgeKind
from flows.recalls import Why
from storage import audit, earnings, follow_ups, nudge_work, patients, recall_list
from storage.database import Database
from storage.earnings import Earned
from storage.lead_work import Whose
from storage.models import Appointment, Event, FollowUp, Outbox
from storage.nudge_work import NudgeSheet, Sending
from storage.recall_list import Group, RecallPage
from tests.builders import MONDAY, NOW, a_confirmation, a_slot
from tests.storage.desk_world import Desk, a_desk
from tests.storage.test_follow_ups import AGREED, DECIDED

BOOKED = HandOffLead(LeadKind.BOOKED, 80)
AFTER = MONDAY + timedelta(days=1, hours=2)  # ten in the morning has passed


@pytest.fixture
async def desk(database: Database) -> Desk:
    """Return a clinic of whose patients Ada did not come to her visit."""
    desk = await a_desk(database)
    await desk.says(7, DECIDED, a_confirmation(a_slot()), BOOKED, state="booked", answers=AGREED)
    missed = update(Appointment).values(state="noshow")
    await database.write(lambda c: c.execute(missed).rowcount)
    await looked(desk)
    return desk


async def looked(desk: Desk, now: datetime = AFTER) -> None:
    """Look at Ada."""
    await desk.database.write(follow_ups.mark, 7, now)
    await desk.database.write(follow_ups.look, now)


async def listed(desk: Desk, now: datetime, clinic_id: int | None = None) -> dict[Group, int]:
    """Return how many there are in each group that has any."""
    page = await shown(desk, Group.DUE, now, clinic_id)
    return {group: count for group, count in page.counts.items() if count}


async def shown(
    desk: Desk, group: Group, now: datetime, clinic_id: int | None = None
) -> RecallPage:
    return await desk.database.read(recall_list.page, clinic_id or desk.clinic_id, group, 1, now)


def whose(desk: Desk, now: datetime = AFTER, lead_id: int = 1) -> Whose:
    return Whose(desk.clinic_id, desk.ann, lead_id, now)


async def sheet(desk: Desk, now: datetime = AFTER) -> NudgeSheet:
    found = await desk.database.read(nudge_work.sheet, desk.clinic_id, 1, now)
    assert found is not None
    return found


async def test_who_missed_a_visit_is_due_and_then_overdue(desk: Desk) -> None:
    (line,) = (await shown(desk, Group.DUE, AFTER)).lines

    assert (line.why, line.first_name, line.lead_id) == (Why.MISSED, "Ada", 1)
    assert await listed(desk, AFTER) == {Group.DUE: 1}
    assert await listed(desk, AFTER + timedelta(days=15)) == {Group.OVERDUE: 1}
    assert await listed(desk, AFTER + timedelta(days=400)) == {}


async def test_who_blocked_the_bot_is_out_of_reach(desk: Desk) -> None:
    await desk.database.write(patients.mark_unreachable, 7, AFTER)

    assert await listed(desk, AFTER) == {Group.UNREACHABLE: 1}


async def test_who_was_called_waits_for_two_weeks(desk: Desk) -> None:
    assert await desk.database.write(nudge_work.called, whose(desk))

    assert await listed(desk, AFTER) == {Group.WAITING: 1}
    assert await listed(desk, AFTER + timedelta(days=15)) == {Group.OVERDUE: 1}


async def rates(desk: Desk, rating: int, now: datetime = AFTER) -> None:
    effects = (ReviewSeries("series", rating), DescribeResult("series", "As before."))
    await desk.says(7, *effects, now=now, state="booked", answers=AGREED, rated="series")
    await looked(desk, now)


async def test_who_rates_the_result_low_is_due_until_somebody_called(desk: Desk) -> None:
    await rates(desk, 2)
    (line,) = (await shown(desk, Group.DUE, AFTER)).lines
    await desk.database.write(nudge_work.called, whose(desk))
    await looked(desk)
    (called,) = (await shown(desk, Group.WAITING, AFTER)).lines

    assert (line.why, line.since) == (Why.UNHAPPY, AFTER)
    assert called.why is Why.MISSED


async def test_a_better_rating_takes_the_low_one_back(desk: Desk) -> None:
    await rates(desk, 1)
    await rates(desk, 3, AFTER + timedelta(hours=1))
    (line,) = (await shown(desk, Group.DUE, AFTER)).lines

    assert line.why is Why.MISSED


async def test_who_wants_no_messages_is_on_no_list(desk: Desk) -> None:
    await desk.database.write(patients.stop_messages, 7, AFTER)

    assert await listed(desk, AFTER) == {}


async def test_a_new_time_takes_somebody_off_the_list(desk: Desk) -> None:
    again = a_confirmation(a_slot(MONDAY + timedelta(days=7)), series="again")
    moved = tuple(replace(each, uid="again-1") for each in again.sessions)
    await desk.says(7, replace(again, sessions=moved), state="booked", answers=AGREED)
    await desk.database.write(
        lambda c: c.execute(update(Appointment).values(series_id="series")).rowcount
    )
    await looked(desk)
    page = await shown(desk, Group.DUE, AFTER)

    assert page.lines == ()


async def test_another_clinic_finds_nobody_and_can_do_nothing(desk: Desk) -> None:
    stranger = Whose(desk.other_clinic_id, desk.stranger, 1, AFTER)

    assert await listed(desk, AFTER, desk.other_clinic_id) == {}
    assert await desk.database.read(nudge_work.sheet, desk.other_clinic_id, 1, AFTER) is None
    for act in (nudge_work.called, nudge_work.pause, nudge_work.resume):
        assert not await desk.database.write(act, stranger)
    assert await desk.database.write(nudge_work.send, stranger, "missed") is Sending.UNKNOWN


async def test_a_patient_who_went_to_another_clinic_is_followed_up_there(desk: Desk) -> None:
    await desk.says(7, clinic="harbour", answers=AGREED)

    assert await listed(desk, AFTER) == {}


async def test_a_pause_holds_back_what_waits_too(desk: Desk) -> None:
    (waiting,) = (await sheet(desk)).lines
    await desk.database.write(nudge_work.pause, whose(desk))
    paused = await sheet(desk)

    assert (waiting.kind, waiting.state) == ("missed", "pending")
    assert (paused.lines[0].state, paused.lines[0].why) == ("cancelled", "Paused")
    assert (paused.paused_at, paused.paused_by, paused.choices) == (AFTER, "Ann", ())

    await desk.database.write(nudge_work.resume, whose(desk))
    assert (await sheet(desk)).paused_at is None


async def test_staff_send_a_nudge_once_a_day(desk: Desk) -> None:
    assert (await sheet(desk)).choices == (NudgeKind.MISSED,)
    tries = [await desk.database.write(nudge_work.send, whose(desk), "missed") for _ in "12"]
    sent = [line.by_staff for line in (await sheet(desk)).lines]

    assert tries == [Sending.QUEUED, Sending.ALREADY]
    assert sorted(sent) == [False, True]
    tomorrow = whose(desk, AFTER + timedelta(days=1))
    assert await desk.database.write(nudge_work.send, tomorrow, "missed") is Sending.QUEUED


@pytest.mark.parametrize("kind", ["refresher", "today", "", "x"])
async def test_what_makes_no_sense_is_not_sent(desk: Desk, kind: str) -> None:
    assert await desk.database.write(nudge_work.send, whose(desk), kind) is Sending.NOT_NOW


async def test_nothing_is_sent_to_who_wants_no_messages(desk: Desk) -> None:
    await desk.database.write(patients.stop_messages, 7, AFTER)

    assert await desk.database.write(nudge_work.send, whose(desk), "missed") is Sending.NOT_NOW


async def test_everything_that_staff_do_is_on_record(desk: Desk) -> None:
    for act in (nudge_work.called, nudge_work.pause, nudge_work.resume):
        await desk.database.write(act, whose(desk))
    await desk.database.write(nudge_work.send, whose(desk), "missed")
    lines = await desk.database.read(audit.entries, desk.clinic_id)

    assert [line.what for line in lines] == [
        "nudge.sent",
        "nudges.resumed",
        "nudges.paused",
        "patient.called",
    ]


async def test_what_came_after_a_nudge_is_counted_by_kind(desk: Desk) -> None:
    await desk.database.write(went_out, AFTER)
    since = AFTER - timedelta(days=1)
    before = await desk.database.read(earnings.earned, desk.clinic_id, since)
    await desk.database.write(comes_back, AFTER + timedelta(days=2))
    after = await desk.database.read(earnings.earned, desk.clinic_id, since)

    assert before == (Earned("missed", 1, 0, 0, 0),)
    assert after == (Earned("missed", 1, 1, 1, 1),)
    assert await desk.database.read(earnings.earned, desk.other_clinic_id, since) == ()


async def test_what_came_too_late_is_not_counted(desk: Desk) -> None:
    await desk.database.write(went_out, AFTER)
    await desk.database.write(comes_back, AFTER + timedelta(days=8))

    found = await desk.database.read(earnings.earned, desk.clinic_id, AFTER - timedelta(days=1))
    assert found == (Earned("missed", 1, 0, 0, 0),)


def went_out(connection: Connection, at: datetime) -> None:
    """Let the nudge be sent."""
    connection.execute(
        update(Outbox).where(Outbox.kind == "nudge").values(state="sent", sent_at=at)
    )


def comes_back(connection: Connection, at: datetime) -> None:
    """Let Ada write, book and confirm."""
    connection.execute(
        insert(Event).values(chat_id=7, run=1, revision=9, update_id=9, what="{}", at=at)
    )
    connection.execute(update(Appointment).values(created_at=at, confirmed_at=at))


async def test_a_look_keeps_why_and_when(desk: Desk) -> None:
    query = select(FollowUp.recall, FollowUp.recall_at)
    row = await desk.database.read(lambda c: c.execute(query).one())

    assert tuple(row) == ("missed", AFTER.replace(hour=10))
    assert row.recall_at > NOW
