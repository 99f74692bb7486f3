"""Appointments never overlap, a series is all or nothing, and holds end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Row, insert, select, update

from flows.effects import CancelAppointment, CancelSeries, MoveAppointment, ReleaseHold
from flows.protocol import Outcome
from storage import models, turns
from storage.bookings import NoSuchAppointment
from storage.database import Database
from storage.faults import StatementFailed, StorageError
from storage.turns import Committed, SlotTaken
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

ADA, BO = 7, 8
QUARTER = timedelta(minutes=15)
TUESDAY = MONDAY + timedelta(days=1)  # when both practitioners work
EVENING = MONDAY + timedelta(days=3, hours=7, minutes=45)


class Desk:
    """Does one thing after another for patients, each in a turn of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._revisions: dict[int, int | None] = {}

    async def turn(self, chat: int, *effects: Any, **changes: Any) -> turns.Outcome:
        before = self._revisions.get(chat)
        first = (a_decision(),) if before is None else ()
        conversation = changes.pop("conversation", a_conversation(chat))
        writes = a_turn(*first, *effects, before=before, conversation=conversation, **changes)
        outcome = await self.database.write(turns.commit, writes)
        if outcome == Committed():
            self._revisions[chat] = writes.conversation.revision
        return outcome

    async def rows(self) -> Sequence[Row[Any]]:
        query = select(models.Appointment).order_by(models.Appointment.starts_at)
        return await self.database.read(lambda c: c.execute(query).all())

    async def states(self) -> list[str]:
        return [row.state for row in await self.rows()]


@pytest.fixture
def desk(willow: Database) -> Desk:
    return Desk(willow)


async def test_a_hold_blocks_the_time_with_its_buffer(desk: Desk) -> None:
    await desk.turn(ADA, a_hold(a_slot()))

    (row,) = await desk.rows()
    assert (row.state, row.hold_until) == ("held", NOW + timedelta(minutes=10))
    assert (row.blocks_from, row.blocks_until) == (MONDAY, MONDAY + timedelta(minutes=75))


@pytest.mark.parametrize(
    ("later", "fits"),
    [(0, False), (60, False), (74, False), (75, True), (-60, False), (-75, True)],
)
async def test_appointments_fit_back_to_back_with_their_buffers(
    desk: Desk, later: int, fits: bool
) -> None:
    await desk.turn(ADA, a_hold(a_slot(EVENING)))
    other = a_slot(EVENING + timedelta(minutes=later))

    outcome = await desk.turn(BO, a_hold(other, series="bo"))

    assert outcome == (Committed() if fits else SlotTaken((other,)))


async def test_a_series_is_booked_whole(desk: Desk) -> None:
    series = four_weekly(a_slot())
    await desk.turn(ADA, a_hold(*series))
    await desk.turn(ADA, a_confirmation(*series))

    rows = await desk.rows()
    assert [(row.number, row.state, row.code) for row in rows] == [
        (n, "booked", "AB12") for n in (1, 2, 3, 4)
    ]


async def test_a_series_with_one_taken_time_is_not_booked_at_all(desk: Desk) -> None:
    series = four_weekly(a_slot())
    await desk.turn(BO, a_hold(series[2], series="bo"))

    outcome = await desk.turn(ADA, a_hold(*series))

    assert outcome == SlotTaken((series[2],))
    assert [row.chat_id for row in await desk.rows()] == [BO]


async def test_every_taken_time_of_a_series_is_named(desk: Desk) -> None:
    series = four_weekly(a_slot())
    await desk.turn(BO, a_hold(series[0], series[2], series="bo"))

    assert await desk.turn(ADA, a_hold(*series)) == SlotTaken((series[0], series[2]))


async def test_a_patient_cannot_be_with_two_practitioners_at_once(desk: Desk) -> None:
    await desk.turn(ADA, a_confirmation(a_slot(TUESDAY)))
    elsewhere = a_slot(TUESDAY + timedelta(minutes=30), practitioner="rowan")

    assert await desk.turn(ADA, a_hold(elsewhere, series="two")) == SlotTaken((elsewhere,))


async def test_a_patient_needs_no_buffer_between_two_practitioners(desk: Desk) -> None:
    await desk.turn(ADA, a_confirmation(a_slot(TUESDAY)))
    next_door = a_slot(TUESDAY + timedelta(minutes=60), practitioner="rowan")

    assert await desk.turn(ADA, a_hold(next_door, series="two")) == Committed()


async def test_a_new_hold_gives_the_patients_older_one_back(desk: Desk) -> None:
    await desk.turn(ADA, a_hold(a_slot()))
    await desk.turn(ADA, a_hold(a_slot(TUESDAY, practitioner="rowan"), series="two"))

    assert [row.series_id for row in await desk.rows()] == ["two"]


async def test_a_released_hold_is_free_again(desk: Desk) -> None:
    await desk.turn(ADA, a_hold(a_slot()))
    await desk.turn(ADA, ReleaseHold("series"))
    await desk.turn(ADA, ReleaseHold("series"))

    assert await desk.turn(BO, a_hold(a_slot(), series="bo")) == Committed()


async def test_nobody_can_release_anothers_hold(desk: Desk) -> None:
    await desk.turn(ADA, a_hold(a_slot()))
    await desk.turn(BO, ReleaseHold("series"))

    assert await desk.states() == ["held"]


@pytest.mark.parametrize(("minutes", "free"), [(9, False), (10, True)])
async def test_a_hold_that_ended_is_taken_over(desk: Desk, minutes: int, free: bool) -> None:
    await desk.turn(ADA, a_hold(a_slot()))
    later = NOW + timedelta(minutes=minutes)

    outcome = await desk.turn(BO, a_hold(a_slot(), series="bo"), now=later)

    assert (outcome == Committed()) is free


async def test_a_hold_that_ended_can_still_be_confirmed(desk: Desk) -> None:
    await desk.turn(ADA, a_hold(a_slot()))
    later = NOW + timedelta(hours=2)

    assert await desk.turn(ADA, a_confirmation(a_slot()), now=later) == Committed()
    assert await desk.states() == ["booked"]


async def test_a_hold_that_ended_and_was_taken_over_cannot_be_confirmed(desk: Desk) -> None:
    later = NOW + timedelta(hours=2)
    await desk.turn(ADA, a_hold(a_slot()))
    await desk.turn(BO, a_confirmation(a_slot(), series="bo"), now=later)

    assert await desk.turn(ADA, a_confirmation(a_slot()), now=later) == SlotTaken((a_slot(),))


async def test_a_clinic_that_confirms_requests_itself_gets_pending_ones(desk: Desk) -> None:
    await desk.turn(ADA, a_confirmation(a_slot(), pending=True))

    assert await desk.states() == ["pending"]


@pytest.mark.parametrize(
    "slot",
    [a_slot(practitioner="nobody"), a_slot(NOW), a_slot(NOW - timedelta(days=1))],
    ids=["someone who left", "now", "yesterday"],
)
async def test_times_that_cannot_be_are_gone(desk: Desk, slot: Any) -> None:
    assert await desk.turn(ADA, a_hold(slot)) == SlotTaken((slot,))


async def test_a_service_that_the_clinic_lacks_cannot_be_booked(desk: Desk) -> None:
    nowhere = a_conversation(clinic="nowhere")

    with pytest.raises(StorageError, match="no service"):
        await desk.turn(ADA, a_hold(a_slot()), conversation=nowhere)


async def test_a_moved_appointment_keeps_its_uid_and_frees_its_old_time(desk: Desk) -> None:
    await desk.turn(ADA, a_confirmation(a_slot()))
    later = a_slot(TUESDAY, practitioner="rowan")
    await desk.turn(ADA, MoveAppointment("series-1", later))

    (row,) = await desk.rows()
    assert (row.uid, row.starts_at, row.sequence, row.version) == (
        "series-1",
        later.starts_at,
        1,
        2,
    )
    assert await desk.turn(BO, a_hold(a_slot(), series="bo")) == Committed()


async def test_an_appointment_can_move_into_its_own_time(desk: Desk) -> None:
    await desk.turn(ADA, a_confirmation(a_slot()))
    nearby = a_slot(MONDAY + QUARTER)

    assert await desk.turn(ADA, MoveAppointment("series-1", nearby)) == Committed()


async def test_an_appointment_cannot_move_onto_another(desk: Desk) -> None:
    taken = a_slot(MONDAY + timedelta(hours=4))
    await desk.turn(ADA, a_confirmation(a_slot()))
    await desk.turn(BO, a_confirmation(taken, series="bo"))

    assert await desk.turn(ADA, MoveAppointment("series-1", taken)) == SlotTaken((taken,))
    assert (await desk.rows())[0].starts_at == MONDAY


async def test_an_appointment_can_move_onto_a_hold_that_ended(desk: Desk) -> None:
    wanted = a_slot(MONDAY + timedelta(hours=4))
    await desk.turn(ADA, a_confirmation(a_slot()))
    await desk.turn(BO, a_hold(wanted, series="bo"))
    later = NOW + timedelta(hours=1)

    outcome = await desk.turn(ADA, MoveAppointment("series-1", wanted), now=later)

    assert outcome == Committed()


async def test_a_patients_own_hold_that_ended_does_not_stand_in_the_way(desk: Desk) -> None:
    await desk.turn(ADA, a_confirmation(a_slot()))
    await desk.turn(ADA, a_hold(a_slot(TUESDAY, practitioner="rowan"), series="two"))

    move = MoveAppointment("series-1", a_slot(TUESDAY))

    assert await desk.turn(ADA, move, now=NOW + timedelta(minutes=10)) == Committed()


@pytest.mark.parametrize(
    ("chat", "uid", "at"),
    [(BO, "series-1", NOW), (ADA, "other", NOW), (ADA, "series-1", MONDAY)],
    ids=["another patient's", "unknown", "begun"],
)
async def test_only_a_patients_own_appointment_to_come_can_move(
    desk: Desk, chat: int, uid: str, at: Any
) -> None:
    await desk.turn(ADA, a_confirmation(a_slot()))
    later = a_slot(MONDAY + timedelta(days=7))

    with pytest.raises(NoSuchAppointment):
        await desk.turn(chat, MoveAppointment(uid, later), now=at)


async def test_cancelling_twice_is_cancelling_once(desk: Desk) -> None:
    await desk.turn(ADA, a_confirmation(*four_weekly(a_slot(), 2)))
    await desk.turn(ADA, CancelSeries("series"))
    await desk.turn(ADA, CancelSeries("series"))

    rows = await desk.rows()
    assert [(row.state, row.sequence, row.version) for row in rows] == [("cancelled", 1, 2)] * 2
    assert await desk.turn(BO, a_hold(a_slot(), series="bo")) == Committed()


async def test_an_appointment_that_has_begun_is_not_cancelled(desk: Desk) -> None:
    await desk.turn(ADA, a_confirmation(*four_weekly(a_slot(), 2)))
    await desk.turn(ADA, CancelSeries("series"), now=MONDAY + QUARTER)

    assert await desk.states() == ["booked", "cancelled"]


async def test_one_visit_is_cancelled_once_and_the_others_stay(desk: Desk) -> None:
    first, second = four_weekly(a_slot(), 2)
    await desk.turn(ADA, a_confirmation(first, second))
    await desk.turn(ADA, CancelAppointment("series-2"))
    await desk.turn(ADA, CancelAppointment("series-2"))

    rows = await desk.rows()
    assert [(row.state, row.sequence) for row in rows] == [("booked", 0), ("cancelled", 1)]
    assert await desk.turn(BO, a_hold(second, series="bo")) == Committed()


async def test_nobody_cancels_the_visit_of_another(desk: Desk) -> None:
    await desk.turn(ADA, a_confirmation(a_slot()))
    await desk.turn(BO, CancelAppointment("series-1"))

    assert await desk.states() == ["booked"]


async def test_two_visits_change_their_times_in_one_turn_or_not_at_all(desk: Desk) -> None:
    first, second, third = four_weekly(a_slot(), 3)
    await desk.turn(ADA, a_confirmation(first, second))
    moves = (MoveAppointment("series-2", third), MoveAppointment("series-1", second))

    assert await desk.turn(ADA, *moves) == Committed()

    await desk.turn(BO, a_confirmation(first, series="bo"))
    back = (MoveAppointment("series-1", first), MoveAppointment("series-2", second))
    assert isinstance(await desk.turn(ADA, *back), SlotTaken)
    times = {row.uid: row.starts_at for row in await desk.rows()}
    assert (times["series-1"], times["series-2"]) == (second.starts_at, third.starts_at)


async def test_a_cancelled_series_gives_its_holds_back(desk: Desk) -> None:
    await desk.turn(ADA, a_hold(a_slot()))
    await desk.turn(ADA, CancelSeries("series"))

    assert await desk.rows() == []


async def test_a_consultation_is_booked_after_a_review(willow: Database) -> None:
    slot = a_slot(minutes=30)
    turn = a_turn(a_decision(Outcome.REVIEW), a_confirmation(slot, service="consultation"))

    assert await willow.write(turns.commit, turn) == Committed()


@pytest.mark.parametrize("state", ["held", "pending", "booked", "arrived", "blocked"])
async def test_the_database_itself_refuses_an_overlapping_row(desk: Desk, state: str) -> None:
    await desk.turn(ADA, a_confirmation(a_slot()))
    await desk.turn(BO)
    (row,) = await desk.rows()
    whose = None if state == "blocked" else BO
    copied = dict(row._mapping) | {"uid": "copy", "chat_id": whose, "state": state}
    copied["hold_until"] = NOW if state == "held" else None

    with pytest.raises(StatementFailed):
        await desk.database.write(lambda c: c.execute(insert(models.Appointment), copied) and None)


async def test_the_database_itself_refuses_to_revive_into_a_taken_time(desk: Desk) -> None:
    await desk.turn(ADA, a_confirmation(a_slot()))
    await desk.turn(ADA, CancelSeries("series"))
    await desk.turn(BO, a_confirmation(a_slot(), series="bo"))
    revive = update(models.Appointment).where(models.Appointment.chat_id == ADA)

    with pytest.raises(StatementFailed):
        await desk.database.write(lambda c: c.execute(revive.values(state="booked")) and None)


async def test_a_fulfilled_appointment_no_longer_takes_time(desk: Desk) -> None:
    await desk.turn(ADA, a_confirmation(a_slot()))
    done = update(models.Appointment).values(state="fulfilled")
    await desk.database.write(lambda c: c.execute(done) and None)

    assert await desk.turn(BO, a_hold(a_slot(), series="bo")) == Committed()


async def test_a_time_of_a_closed_practitioner_is_gone(desk: Desk) -> None:
    leave = update(models.Practitioner).values(is_active=False)
    await desk.database.write(lambda c: c.execute(leave) and None)
    slot = a_slot()

    assert await desk.turn(ADA, a_hold(slot)) == SlotTaken((slot,))
