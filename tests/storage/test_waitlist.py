"""A freed time goes to who waits for it: the first whom it fits, one at a time, for two hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

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
from storage import conversations, moments, time_off, turns, waitlist
from storage.database import Database
from storage.models import Appointment, CalendarAccount, Outbox, WaitlistEntry, WaitlistOffer
from storage.time_off import TimeOff
from storage.turns import Committed, SlotTaken
from storage.waitlist import Freed
from tests.builders import (
    MONDAY,
    NOW,
    a_confirmation,
    a_conversation,
    a_hold,
    a_slot,
    a_turn,
    four_weekly,
)
from tests.storage.clerical import a_desk
from tests.storage.test_calendar_readings import connected
from tests.storage.test_follow_ups import AGREED, DECIDED

ADA, BO, CY, DI, ED = 7, 8, 9, 10, 11
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
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

    async def times(self) -> list[datetime]:
        """Return when the offered times begin."""
        offers = select(WaitlistOffer.starts_at).order_by(WaitlistOffer.id)
        return await self.database.read(lambda c: list(c.execute(offers).scalars()))

    async def messages(self) -> list[tuple[int, str, datetime]]:
        def read(connection: Connection) -> list[tuple[int, str, datetime]]:
            rows = connection.execute(
                select(Outbox.chat_id, Outbox.state, Outbox.due_at)
                .where(Outbox.key.startswith("waitlist:"))
                .order_by(Outbox.id)
            )
            return [tuple(row) for row in rows]

        return await self.database.read(read)


def yes(uid: str, slot: Slot) -> MoveAppointment:
    """Return the answer that takes an offered time."""
    return MoveAppointment(uid, slot, is_offered=True)


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

    assert await clinic.turn(BO, yes("8-1", a_slot())) == Committed()

    assert await clinic.offers() == [(BO, "accepted"), (CY, "offered")]  # Bo's old time


async def test_who_moves_there_by_hand_has_taken_it_too(clinic: Waiting) -> None:
    await clinic.turn(ADA, CancelSeries("7"))

    assert await clinic.turn(BO, MoveAppointment("8-1", a_slot())) == Committed()

    assert await clinic.offers() == [(BO, "accepted"), (CY, "offered")]


@pytest.mark.parametrize("gives_up", [DeclineOffer("8-1"), LeaveWaitlist("8-1")])
async def test_a_yes_after_a_no_takes_nothing_from_the_next(
    clinic: Waiting, gives_up: DeclineOffer | LeaveWaitlist
) -> None:
    await clinic.turn(ADA, CancelSeries("7"))
    await clinic.turn(BO, gives_up)

    assert await clinic.turn(BO, yes("8-1", a_slot())) == SlotTaken((a_slot(),))

    assert await clinic.turn(CY, yes("9-1", a_slot())) == Committed()


async def test_nobody_says_yes_to_what_another_was_offered(clinic: Waiting) -> None:
    await clinic.turn(ADA, CancelSeries("7"))

    assert await clinic.turn(CY, yes("9-1", a_slot())) == SlotTaken((a_slot(),))


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


async def only_di_waits(clinic: Waiting, *series: Slot, **changes: Any) -> None:
    """Let Di book a series and wait for its second session, and nobody else wait."""
    await clinic.turn(BO, LeaveWaitlist("8-1"))
    await clinic.turn(CY, LeaveWaitlist("9-1"))
    await clinic.turn(DI, DECIDED, a_confirmation(*series, series="10", **changes))
    await clinic.turn(DI, JoinWaitlist("10-2"))


async def test_a_gap_to_a_request_counts(clinic: Waiting) -> None:
    series = four_weekly(a_slot(MONDAY + 4 * HOUR), 3)
    await only_di_waits(clinic, *series, pending=True)
    await clinic.books(ED, a_slot(series[1].starts_at - WEEK))

    await clinic.turn(ED, CancelSeries("11"))

    assert await clinic.offers() == []


async def test_a_gap_to_a_missed_session_does_not_count_in_the_offer_nor_the_yes(
    clinic: Waiting,
) -> None:
    missed = MONDAY + 4 * HOUR
    series = [a_slot(missed + weeks * WEEK) for weeks in (0, 5, 9)]
    await only_di_waits(clinic, *series)
    sooner, later = a_slot(missed + 3 * WEEK), missed + HOUR
    await clinic.books(ED, sooner)
    noshow = update(Appointment).where(Appointment.uid == "10-1").values(state="noshow")
    await clinic.database.write(lambda c: c.execute(noshow) and None)

    await clinic.turn(ED, CancelSeries("11"), now=later)

    assert await clinic.offers() == [(DI, "offered")]
    assert await clinic.turn(DI, yes("10-2", sooner), now=later + HOUR) == Committed()


async def test_a_gap_that_closed_meanwhile_is_kept_by_the_yes(clinic: Waiting) -> None:
    start = MONDAY + 4 * HOUR
    series = [a_slot(start + weeks * WEEK) for weeks in (0, 5, 9)]
    await only_di_waits(clinic, *series)
    sooner = a_slot(start + 4 * WEEK)
    await clinic.books(ED, sooner)
    await clinic.turn(ED, CancelSeries("11"))
    await clinic.turn(DI, MoveAppointment("10-1", a_slot(start + WEEK)))

    assert await clinic.offers() == [(DI, "offered")]
    assert await clinic.turn(DI, yes("10-2", sooner)) == SlotTaken((sooner,))


@pytest.mark.parametrize(("age", "offers"), [(15, [(BO, "offered")]), (16, [])])
async def test_a_practitioner_whose_calendar_is_known_now_is_offered(
    clinic: Waiting, age: int, offers: list[tuple[int, str]]
) -> None:
    await connected(clinic.database)
    read = update(CalendarAccount).values(synced_at=NOW - age * MINUTE)
    await clinic.database.write(lambda c: c.execute(read) and None)

    await clinic.turn(ADA, CancelSeries("7"))

    assert await clinic.offers() == offers


async def test_the_notice_counts_from_the_last_moment_of_an_answer(clinic: Waiting) -> None:
    ends_at = MONDAY - DAY  # the last moment at which Ada's time may be booked

    await clinic.turn(ADA, CancelSeries("7"), now=ends_at - 2 * HOUR + MINUTE)
    assert await clinic.offers() == []

    await clinic.books(DI, a_slot(MONDAY + WEEK))
    await clinic.turn(DI, CancelSeries("10"), now=ends_at + WEEK - 2 * HOUR)
    assert await clinic.offers() == [(BO, "offered")]


async def test_what_another_patient_holds_is_not_offered(clinic: Waiting) -> None:
    await clinic.turn(DI, DECIDED, a_hold(a_slot(MONDAY + 4 * HOUR), series="10"))
    off = Freed(1, MONDAY + 4 * HOUR, MONDAY + 5 * HOUR)

    await clinic.database.write(waitlist.freed, off, NOW)

    assert await clinic.offers() == []


async def takes_a_day_back(clinic: Waiting) -> None:
    """Give a day off back to patients."""
    desk = await a_desk(clinic.database)
    day = MONDAY.replace(hour=9) + WEEK
    off = TimeOff("off", "amara", day, day + 8.5 * HOUR)
    await clinic.database.write(time_off.block, desk.clerk, off)
    await clinic.database.write(time_off.unblock, desk.clerk, await desk.seen("off"))


async def test_a_day_that_is_given_back_is_offered_to_all_whom_it_fits(clinic: Waiting) -> None:
    for weeks, chat in enumerate((DI, ED), 4):
        await clinic.waits(chat, a_slot(MONDAY + weeks * WEEK))

    await takes_a_day_back(clinic)

    assert await clinic.offers() == [(chat, "offered") for chat in (BO, CY, DI, ED)]
    times = await clinic.times()
    assert all(a + HOUR + 15 * MINUTE <= b for a, b in pairwise(times))
    for number, chat in enumerate((BO, CY, DI, ED)):
        assert await clinic.turn(chat, yes(f"{chat}-1", a_slot(times[number]))) == Committed()


async def test_of_a_day_that_is_given_back_each_time_passes_on_by_itself(clinic: Waiting) -> None:
    await takes_a_day_back(clinic)
    first, second = await clinic.times()
    await clinic.waits(DI, a_slot(MONDAY + 5 * WEEK))

    await clinic.turn(CY, DeclineOffer("9-1"))

    assert await clinic.offers() == [(BO, "offered"), (CY, "declined"), (DI, "offered")]
    assert await clinic.times() == [first, second, second]


async def test_a_later_time_and_another_length_are_not_offered(clinic: Waiting) -> None:
    await clinic.books(DI, a_slot(MONDAY + 6 * WEEK))

    await clinic.turn(DI, CancelSeries("10"))

    assert await clinic.offers() == []


async def test_who_gives_up_the_visit_leaves_what_was_offered_to_the_next(clinic: Waiting) -> None:
    await clinic.turn(ADA, CancelSeries("7"))
    await clinic.turn(BO, CancelSeries("8"))

    assert await clinic.offers() == [(BO, "gone"), (CY, "offered")]
    assert await clinic.turn(CY, yes("9-1", a_slot())) == Committed()


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

    assert isinstance(await clinic.turn(BO, yes("8-1", a_slot())), SlotTaken)
    assert await clinic.offers() == [(BO, "offered")]

    assert await clinic.database.write(waitlist.expire, NOW + 3 * HOUR) == 1
    assert await clinic.offers() == [(BO, "expired")]
