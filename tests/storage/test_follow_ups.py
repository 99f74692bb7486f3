"""A patient's history is read as it is, and a look at it says the next word once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from flows.conversation import Answer
from flows.effects import CancelSeries, HandOffLead, LeadKind, RecordDecision, StopMessages
from flows.follow_up import History, NudgeKind, Silence, VisitState
from flows.nudge_rules import candidates
from flows.plan import Plan
from flows.protocol import Spacing
from storage import follow_ups, histories, moments, outbox, patients, staff_bookings, turns
from storage.database import Database
from storage.models import Appointment, FollowUp, Outbox
from storage.outbox import Message
from storage.outbox_policy import Kind
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
from tests.storage.clerical import a_desk

ADA = 7
AGREED = {"consent": Answer(("agree",))}
DAYS = tuple(slot.starts_at.date() for slot in four_weekly(a_slot()))
PLAN = Plan(
    sessions=4,
    at_least=3,
    at_most=5,
    spacing=Spacing(28, 28, 42),
    downtime_days=(1, 3),
    minor_days=7,
    starts_on=DAYS[0],
    proposed_on=DAYS,
    review_on=DAYS[-1] + timedelta(weeks=12),
    refresher_on=date(DAYS[-1].year + 1, DAYS[-1].month, DAYS[-1].day),
)
DECIDED = replace(a_decision(), plan=PLAN)
ASSESSED: tuple[RecordDecision, ...] = (DECIDED,)


async def turn(database: Database, *effects: Any, before: int | None = None, **chat: Any) -> None:
    conversation = a_conversation(**{"answers": AGREED, **chat})
    writes = a_turn(*effects, before=before, conversation=conversation)
    assert await database.write(turns.commit, writes) == turns.Committed()


async def next_look(database: Database, after: datetime) -> datetime | None:
    moment = await database.read(moments.next_moment, after)
    return None if moment is None else moment.at


async def history(database: Database, now: datetime = NOW) -> History:
    found = await database.read(histories.load, ADA, now)
    assert found is not None
    return found


async def said(database: Database) -> list[tuple[str, str]]:
    def read(connection: Connection) -> list[tuple[str, str]]:
        rows = connection.execute(select(Outbox.key, Outbox.ref_type).order_by(Outbox.id))
        return [tuple(row) for row in rows if row.key.startswith("nudge:")]

    return await database.read(read)


@pytest.fixture
async def course(willow: Database) -> Database:
    """Return a database in which Ada has booked a course of four sessions."""
    await turn(willow, DECIDED, a_confirmation(*four_weekly(a_slot())), state="booked")
    return willow


async def test_a_booked_course_is_read_with_its_plan(course: Database) -> None:
    found = await history(course)

    assert [visit.state for visit in found.visits] == [VisitState.BOOKED] * 4
    assert found.course is not None
    assert (found.course.sessions, found.course.review_weeks) == (4, 12)
    assert (found.course.refresher_months, found.zone) == (12, "Europe/London")
    assert (found.is_open, found.silences) == (False, frozenset())
    assert {(visit.chosen_at, visit.screened_at) for visit in found.visits} == {(NOW, NOW)}


async def test_a_visit_that_staff_put_on_tomorrow_is_asked_about_before_it(
    willow: Database,
) -> None:
    desk = await a_desk(willow)
    await desk.books(a_slot(MONDAY + timedelta(days=7)))
    await desk.at(MONDAY).does(staff_bookings.move, "series-1", a_slot(MONDAY + timedelta(days=1)))

    await willow.write(follow_ups.look, MONDAY)
    asked_at = await next_look(willow, MONDAY)
    await willow.write(follow_ups.look, MONDAY + timedelta(hours=1))

    assert asked_at == MONDAY + timedelta(hours=1)
    assert await said(willow) == [("nudge:7:reminder:series-1:1", "appointment")]


async def test_a_chat_without_conversation_has_no_history(willow: Database) -> None:
    assert await willow.read(histories.load, ADA, NOW) is None


async def test_an_open_question_is_seen_and_a_hold(willow: Database) -> None:
    await turn(willow, DECIDED, a_hold(a_slot()), state="contact")

    found = await history(willow)

    assert (found.is_open, found.hold_until) == (True, NOW + timedelta(minutes=10))
    assert (await history(willow, NOW + timedelta(hours=1))).hold_until is None


async def test_who_must_wait_is_asked_again_on_the_day(willow: Database) -> None:
    recheck_on = date(2026, 4, 1)
    lead = HandOffLead(LeadKind.DEFERRED, None, recheck_on)
    await turn(willow, lead, state="deferred")

    assert (await history(willow)).recheck_on == recheck_on


async def test_nobody_is_written_to_before_they_agreed(willow: Database) -> None:
    await turn(willow, state="consent", answers={})

    assert (await history(willow)).silences == {Silence.WITHDRAWN}


async def test_a_red_flag_and_a_stop_are_silence(willow: Database) -> None:
    await turn(willow, StopMessages(), state="urgent", red_flag="self_harm")

    assert (await history(willow)).silences == {Silence.STOPPED, Silence.RED_FLAG}


async def test_a_cancelled_course_is_known_as_one(course: Database) -> None:
    await turn(course, CancelSeries("series"), before=0, state="plan")

    found = await history(course)

    assert found.cancelled_at == NOW
    assert {visit.state for visit in found.visits} == {VisitState.CANCELLED}


async def test_a_course_that_was_done_outlasts_a_later_booking_that_was_cancelled(
    course: Database,
) -> None:
    later = four_weekly(a_slot(MONDAY + timedelta(days=180)))
    await turn(course, DECIDED, a_confirmation(*later, series="new"), before=0, run=2)
    between = await history(course)
    await turn(course, CancelSeries("new"), before=1, run=2, declined="series")

    found = await history(course)

    assert between.course is not None
    assert found.course is not None
    assert (between.course.series_id, found.course.series_id) == ("new", "series")
    kinds = {each.kind for each in candidates(replace(found, declined=""))}
    assert {NudgeKind.SERIES_REVIEW, NudgeKind.REFRESHER} <= kinds
    assert NudgeKind.REFRESHER not in {each.kind for each in candidates(found)}


async def test_a_look_says_the_next_word_once_and_knows_when_to_look_again(
    course: Database,
) -> None:
    await course.write(follow_ups.mark, ADA, NOW)
    week_before = MONDAY - timedelta(days=7)

    assert await course.write(follow_ups.look, NOW) == (ADA,)
    assert await course.write(follow_ups.look, NOW) == ()
    assert await next_look(course, NOW) == week_before

    await course.write(follow_ups.look, week_before)
    await course.write(follow_ups.mark, ADA, week_before)
    await course.write(follow_ups.look, week_before)

    assert await said(course) == [("nudge:7:prepare_week:series-1:0", "appointment")]
    assert await next_look(course, week_before) == MONDAY - timedelta(days=2)


async def test_what_is_said_after_a_visit_does_not_need_it_to_stand(course: Database) -> None:
    evening = MONDAY.replace(hour=18)  # seven in the evening in winter is eighteen in spring
    done = update(Appointment).where(Appointment.uid == "series-1")
    await course.write(lambda c: c.execute(done.values(state="fulfilled")).rowcount)
    await course.write(follow_ups.mark, ADA, evening)

    await course.write(follow_ups.look, evening + timedelta(hours=1))

    assert await said(course) == [("nudge:7:aftercare:series-1:0", "")]


async def test_a_patient_about_whom_nothing_is_known_is_not_looked_at_again(
    willow: Database,
) -> None:
    await willow.write(lambda c: patients.save(c, ADA, first_name="Ada", locale="en", now=NOW))
    await willow.write(follow_ups.mark, ADA, NOW)

    assert await willow.write(follow_ups.look, NOW) == (ADA,)
    assert await next_look(willow, NOW) is None


async def test_what_waits_for_the_morning_counts_from_the_morning_on(course: Database) -> None:
    morning = NOW + timedelta(hours=10)
    payload: dict[str, str | int] = {"nudge": "today", "ref": "x", "uid": ""}
    waits = Message("nudge:7:today:x", Kind.NUDGE, morning, chat_id=ADA, payload=payload)
    await course.write(outbox.enqueue, waits, NOW)

    # A word written at night is no answer to it: nothing else comes in the same morning.
    (sent,) = (await history(course)).sent

    assert sent.at == morning


async def test_what_staff_do_is_no_word_of_the_patient(willow: Database) -> None:
    desk = await a_desk(willow)
    await desk.books(a_slot())
    before = await history(willow)
    visited_at = before.visits[0].ends_at
    evening = replace(desk, clerk=replace(desk.clerk, now=visited_at))

    await evening.does(staff_bookings.mark_noshow, "series-1")

    after = await history(willow, visited_at)
    assert [visit.state for visit in after.visits] == [VisitState.NOSHOW]
    assert (after.last_wrote_at, after.last_step_at) == (before.last_wrote_at, before.last_step_at)


async def test_stops_of_one_kind_and_a_pause_by_staff_are_known(course: Database) -> None:
    row = update(FollowUp).values(stopped_kinds="today prepare_week", paused_at=NOW)
    await course.write(lambda c: c.execute(row).rowcount)

    found = await history(course)

    assert found.stopped_kinds == {NudgeKind.TODAY, NudgeKind.PREPARE_WEEK}
    assert found.silences == {Silence.PAUSED}
