"""A freed time goes to who waits for it: the first whom it fits, one at a time, for two hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from flows.conversation import Answer
from flows.effects import (
    CancelAppointment,
    CancelSeries,
    DeclineOffer,
    JoinWaitlist,
    LeaveWaitlist,
    MoveAppointment,
    StopMessages,
)
from flows.slots import Slot
from storage import conversations, moments, turns, waitlist
from storage.database import Database
from storage.models import Outbox, WaitlistEntry, WaitlistOffer
from storage.turns import Committed, SlotTaken
from tests.builders import (
    MONDAY,
    NOW,
    a_confirmation,
    a_conversation,
    a_slot,
    a_turn,
    four_weekly,
)
from tests.storage.test_follow_ups import AGREED, DECIDED

ADA, BO, CY, DI, ED = 7, 8, 9, 10, 11
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = 7 * DAY


class Waiting:
    """Patients who book, wait, cancel and answer, each in a turn of their own."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def turn(self, chat: int, *effects: Any, now: datetime = NOW) -> turns.Outcome:
        known = await self.database.read(conversations.load, chat)
        before = known.conversation.revision if known else None
        answers: dict[str, Answer] = AGREED
        conversation = a_conversation(chat, answers=answers, state="booked")
        writes = a_turn(*effects, before=before, conversation=conversation, now=now)
        return await self.database.write(turns.commit, writes)

    async def books(self, chat: int, *slots: Slot) -> None:
        booked = a_confirmation(*slots, series=str(chat))
        assert await self.turn(chat, DECIDED, booked) == Committed()

    async def waits(self, chat: int, slot: Slot) -> None:
        await self.books(chat, slot)
        await self.turn(chat, JoinWaitlist(f"{chat}-1"))

    async def offers(self) -> list[tuple[int, str]]:
        def read(connection: Connection) -> list[tuple[int, str]]:
            rows = connection.execute(
                select(WaitlistEntry.chat_id, WaitlistOffer.state)
                .join(WaitlistEntry, WaitlistEntry.id == WaitlistOffer.entry_id)
                .order_by(WaitlistOffer.id)
            )
            return [tuple(row) for row in rows]

        return await self.database.read(read)

    async def messages(self) -> list[tuple[int, str, datetime]]:
        def read(connection: Connection) -> list[tuple[int, str, datetime]]:
            rows = connection.execute(
                select(Outbox.chat_id, Outbox.state, Outbox.due_at)
                .where(Outbox.key.startswith("waitlist:"))
                .order_by(Outbox.id)
            )
            return [tuple(row) for row in rows]

        return await self.database.read(read)


async def two_wait(willow: Database) -> Waiting:
    """Ada is booked on Monday; Bo and Cy, in this order, wait for something before theirs."""
    here = Waiting(willow)
    await here.books(ADA, a_slot())
    await here.waits(BO, a_slot(MONDAY + 2 * WEEK))
    await here.waits(CY, a_slot(MONDAY + 3 * WEEK))
    return here


@pytest.fixture
async def clinic(willow: Database) -> Waiting:
    """Return the clinic in which two wait."""
    return await two_wait(willow)


async def test_a_cancelled_time_is_offered_to_who_waits_longest(clinic: Waiting) -> None:
    await clinic.turn(ADA, CancelAppointment("7-1"))

    assert await clinic.offers() == [(BO, "offered")]
    assert await clinic.messages() == [(BO, "pending", NOW)]


async def test_a_time_that_is_moved_away_from_is_offered_too(clinic: Waiting) -> None:
    await clinic.turn(ADA, MoveAppointment("7-1", a_slot(MONDAY + 4 * WEEK)))

    assert await clinic.offers() == [(BO, "offered")]


async def test_a_yes_moves_the_visit_and_frees_the_next_time(clinic: Waiting) -> None:
    await clinic.turn(ADA, CancelSeries("7"))

    assert await clinic.turn(BO, MoveAppointment("8-1", a_slot())) == Committed()

    assert await clinic.offers() == [(BO, "accepted"), (CY, "offered")]  # Bo's old time


async def test_a_no_passes_the_time_on_and_the_patient_waits_on(clinic: Waiting) -> None:
    await clinic.turn(ADA, CancelSeries("7"))

    await clinic.turn(BO, DeclineOffer("8-1"))

    assert await clinic.offers() == [(BO, "declined"), (CY, "offered")]
    assert [state for _, state, _ in await clinic.messages()] == ["cancelled", "pending"]


async def test_who_does_not_answer_in_two_hours_is_passed_over(clinic: Waiting) -> None:
    await clinic.turn(ADA, CancelSeries("7"))

    assert await clinic.database.write(waitlist.expire, NOW + 2 * HOUR - DAY / 1440) == 0
    assert await clinic.database.write(waitlist.expire, NOW + 2 * HOUR) == 1

    assert await clinic.offers() == [(BO, "expired"), (CY, "offered")]


async def test_who_waits_no_more_leaves_the_time_to_the_next(clinic: Waiting) -> None:
    await clinic.turn(ADA, CancelSeries("7"))
    await clinic.turn(BO, LeaveWaitlist("8-1"))
    await clinic.turn(BO, LeaveWaitlist("8-1"))

    assert await clinic.offers() == [(BO, "declined"), (CY, "offered")]


async def test_one_freed_time_is_offered_to_three_at_most(clinic: Waiting) -> None:
    await clinic.waits(DI, a_slot(MONDAY + 4 * WEEK))
    await clinic.waits(ED, a_slot(MONDAY + 5 * WEEK))
    await clinic.turn(ADA, CancelSeries("7"))
    for chat in (BO, CY, DI):
        await clinic.turn(chat, DeclineOffer(f"{chat}-1"))

    assert [chat for chat, _ in await clinic.offers()] == [BO, CY, DI]


async def test_nobody_is_asked_into_the_night(clinic: Waiting) -> None:
    evening = NOW.replace(hour=19, minute=30)

    await clinic.turn(ADA, CancelSeries("7"), now=evening)

    ((chat, _, due_at),) = await clinic.messages()
    assert (chat, due_at) == (BO, (NOW + DAY).replace(hour=8))


async def test_who_wants_no_messages_is_not_asked(clinic: Waiting) -> None:
    await clinic.turn(BO, StopMessages())

    await clinic.turn(ADA, CancelSeries("7"))

    assert await clinic.offers() == [(CY, "offered")]


async def test_a_time_that_breaks_a_gap_is_not_offered(clinic: Waiting) -> None:
    first, second, third = four_weekly(a_slot(MONDAY + 4 * HOUR), 3)
    await clinic.books(DI, first, second, third)
    await clinic.turn(DI, JoinWaitlist("10-2"))
    near = a_slot(second.starts_at - WEEK)
    await clinic.books(ED, near)
    await clinic.turn(BO, LeaveWaitlist("8-1"))
    await clinic.turn(CY, LeaveWaitlist("9-1"))

    await clinic.turn(ED, CancelSeries("11"))

    assert await clinic.offers() == []


async def test_a_later_time_and_another_length_are_not_offered(clinic: Waiting) -> None:
    await clinic.books(DI, a_slot(MONDAY + 6 * WEEK))

    await clinic.turn(DI, CancelSeries("10"))

    assert await clinic.offers() == []


async def test_waiting_ends_with_the_visit(clinic: Waiting) -> None:
    await clinic.turn(BO, CancelSeries("8"))
    await clinic.turn(CY, MoveAppointment("9-1", a_slot(MONDAY + 4 * WEEK)))

    assert await clinic.offers() == [(CY, "gone")]  # of Bo's time

    await clinic.turn(ADA, CancelSeries("7"))

    assert await clinic.offers() == [(CY, "gone")]


async def test_only_ones_own_visit_to_come_is_waited_for(clinic: Waiting) -> None:
    await clinic.turn(ADA, JoinWaitlist("8-1"))
    await clinic.turn(BO, JoinWaitlist("8-1"))

    entries = select(WaitlistEntry.chat_id).order_by(WaitlistEntry.id)
    found = await clinic.database.read(lambda c: c.execute(entries).scalars().all())
    assert found == [BO, CY]


async def test_a_clock_that_jumps_knows_when_an_offer_ends(clinic: Waiting) -> None:
    await clinic.turn(ADA, CancelSeries("7"))
    ends_at = NOW + 2 * HOUR

    found = await clinic.database.read(moments.next_moment, ends_at - HOUR)

    assert found == moments.Moment(ends_at, moments.Awaited.OFFER, BO)
    assert (await clinic.database.read(moments.due, ends_at)).looks


async def test_a_time_that_went_meanwhile_is_refused_and_nothing_changes(clinic: Waiting) -> None:
    await clinic.turn(ADA, CancelSeries("7"))
    await clinic.books(DI, a_slot())

    assert isinstance(await clinic.turn(BO, MoveAppointment("8-1", a_slot())), SlotTaken)
    assert await clinic.offers() == [(BO, "offered")]

    assert await clinic.database.write(waitlist.expire, NOW + 3 * HOUR) == 1
    assert await clinic.offers() == [(BO, "expired")]
