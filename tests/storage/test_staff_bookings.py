"""Staff change the calendar: allowed steps only, one clinic only, and the patient is told once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from flows.conversation import Booking, Stage
from flows.effects import CancelSeries, PauseVisit
from storage import audit, histories, models, outbox, staff_bookings, turns, visit_answers
from storage.bookings import NoSuchAppointment, SlotsGone
from storage.clerks import ChangedMeanwhile, NotAllowed, Seen
from storage.database import Database
from storage.outbox import Message
from storage.outbox_policy import Kind
from storage.staff_bookings import ALLOWED, UNDOES, WalkIn
from tests.builders import MONDAY, NOW, a_slot, a_turn, four_weekly
from tests.storage.clerical import ADA, Desk, a_desk

LATER = a_slot(MONDAY + timedelta(hours=4))
AFTERWARDS = MONDAY + timedelta(hours=2)

ACTS: dict[str, Callable[..., Any]] = {
    "booked": staff_bookings.confirm,
    "cancelled": staff_bookings.cancel,
    "arrived": staff_bookings.mark_arrived,
    "fulfilled": staff_bookings.mark_fulfilled,
    "noshow": staff_bookings.mark_noshow,
}
BEGUN = ("arrived", "fulfilled", "noshow")


@pytest.fixture
async def desk(willow: Database) -> Desk:
    return await a_desk(willow)


async def set_state(desk: Desk, state: str) -> None:
    changed: dict[str, Any] = {"state": state}
    if state == "held":
        changed["hold_until"] = NOW + timedelta(days=30)
    table = models.Appointment
    statement = update(table).where(table.uid == "series-1").values(**changed)
    await desk.database.write(lambda c: c.execute(statement) and None)


@pytest.mark.parametrize("before", [state for state in ALLOWED if state != "blocked"])
async def test_only_the_steps_of_the_table_can_be_made(desk: Desk, before: str) -> None:
    await desk.books(a_slot())
    made = set()
    for wanted, act in ACTS.items():
        await set_state(desk, before)
        now = AFTERWARDS if wanted in BEGUN else NOW
        try:
            made.add((await desk.at(now).does(act, "series-1")).state)
        except NotAllowed:
            assert (await desk.row("series-1")).state == before

    assert made == ALLOWED[before]


async def pauses(desk: Desk) -> None:
    """Let Ada say that something has changed before her visit."""
    await desk.database.write(visit_answers.take, ADA, PauseVisit("series-1"), NOW)


async def is_paused(desk: Desk) -> bool:
    history = await desk.database.read(histories.load, ADA, NOW)
    assert history is not None
    return history.holds_back("series-1")


async def test_whoever_looked_at_what_changed_lets_the_visit_go_ahead(desk: Desk) -> None:
    await desk.books(a_slot())
    stale = await desk.seen("series-1")
    await pauses(desk)
    with pytest.raises(ChangedMeanwhile):  # made without knowing of the pause
        await desk.database.write(staff_bookings.go_ahead, desk.clerk, stale)

    row = await desk.does(staff_bookings.go_ahead, "series-1")

    assert (row.paused_at, row.state, row.updated_at) == (None, "booked", NOW)
    assert not await is_paused(desk)
    assert await desk.messages() == []
    lines = await desk.database.read(audit.entries, desk.clerk.clinic_id)
    assert [line.what for line in lines] == ["appointment.looked_at"]
    with pytest.raises(NotAllowed):
        await desk.does(staff_bookings.go_ahead, "series-1")


async def test_a_move_keeps_the_pause_and_who_comes_ends_it(desk: Desk) -> None:
    await desk.books(a_slot())
    await pauses(desk)

    await desk.does(staff_bookings.move, "series-1", LATER)
    moved = await is_paused(desk)
    here = desk.at(LATER.starts_at)
    await here.does(staff_bookings.mark_arrived, "series-1")
    arrived = await is_paused(desk)
    await here.does(staff_bookings.undo, "series-1")  # a slip of the finger looked at nothing

    assert (moved, arrived, await is_paused(desk)) == (True, False, True)


@pytest.mark.parametrize(("before", "after"), sorted(UNDOES.items()))
async def test_a_slip_of_the_finger_can_be_undone(desk: Desk, before: str, after: str) -> None:
    await desk.books(a_slot())
    await set_state(desk, before)

    assert (await desk.does(staff_bookings.undo, "series-1")).state == after


async def test_the_patient_s_own_view_knows_what_was_missed(desk: Desk) -> None:
    await desk.books(*four_weekly(a_slot(), 3))

    async def missed() -> list[bool]:
        return [each.is_missed for each in (await desk.conversation()).booking.sessions]

    await desk.at(AFTERWARDS).does(staff_bookings.mark_noshow, "series-1")
    assert await missed() == [True, False, False]

    await desk.at(AFTERWARDS).does(staff_bookings.undo, "series-1")
    assert await missed() == [False, False, False]


async def test_a_missed_visit_whose_time_is_taken_stays_missed(desk: Desk) -> None:
    await desk.books(a_slot())
    await set_state(desk, "noshow")
    await desk.books(a_slot(), chat_id=8)

    with pytest.raises(SlotsGone):
        await desk.does(staff_bookings.undo, "series-1")


async def test_a_request_is_confirmed_and_the_patient_told(desk: Desk) -> None:
    await desk.books(a_slot(), pending=True)

    row = await desk.does(staff_bookings.confirm, "series-1")

    assert (row.state, row.sequence, row.version) == ("booked", 1, 2)
    (message,) = await desk.messages()
    assert (message.kind, message.chat_id, message.ref_id) == ("confirmation", ADA, "series-1")
    assert message.payload == '{"text": "message.confirmed"}'
    assert not (await desk.conversation()).booking.pending


async def test_a_whole_series_is_confirmed_with_one_message(desk: Desk) -> None:
    await desk.books(*four_weekly(a_slot(), 3), pending=True)
    seen = tuple([await desk.seen(f"series-{n}") for n in (1, 2, 3)])

    await desk.database.write(staff_bookings.confirm_series, desk.clerk, seen)

    (message,) = await desk.messages()
    assert message.payload == '{"text": "message.confirmed_all"}'
    assert {(await desk.row(each.uid)).state for each in seen} == {"booked"}


async def test_a_declined_request_frees_the_time_and_the_patient_may_choose_anew(
    desk: Desk,
) -> None:
    await desk.books(a_slot(), pending=True)

    assert (await desk.does(staff_bookings.decline, "series-1")).state == "cancelled"

    conversation = await desk.conversation()
    assert (conversation.state, conversation.booking.sessions) == (Stage.PLAN, ())
    assert [m.payload for m in await desk.messages()] == ['{"text": "message.declined"}']
    await desk.books(a_slot(), chat_id=8)


async def test_a_moved_visit_keeps_its_uid_and_the_chat_knows(desk: Desk) -> None:
    await desk.books(a_slot())

    row = await desk.does(staff_bookings.move, "series-1", LATER)

    assert (row.starts_at, row.sequence) == (LATER.starts_at, 1)
    (session,) = (await desk.conversation()).booking.sessions
    assert (session.slot, session.sequence) == (LATER, 1)


async def test_a_series_is_moved_past_itself_with_one_message(desk: Desk) -> None:
    first, second, third = (a_slot(MONDAY + timedelta(hours=h)) for h in (0, 2, 4))
    await desk.books(first, second)
    moves = (
        (await desk.seen("series-1"), second),
        (await desk.seen("series-2"), third),
    )

    await desk.database.write(staff_bookings.move_series, desk.clerk, moves)

    assert [m.payload for m in await desk.messages()] == ['{"text": "message.moved_all"}']
    kept = (await desk.conversation()).booking.sessions
    assert [session.slot for session in kept] == [second, third]


async def test_a_move_to_a_taken_time_changes_nothing(desk: Desk) -> None:
    await desk.books(a_slot())
    await desk.books(LATER, chat_id=8)

    with pytest.raises(SlotsGone):
        await desk.does(staff_bookings.move, "series-1", LATER)

    assert (await desk.row("series-1")).version == 1
    assert await desk.messages() == []


async def test_what_waited_to_be_said_of_a_cancelled_visit_is_taken_back(desk: Desk) -> None:
    await desk.books(a_slot())
    reminder = Message("reminder", Kind.NUDGE, MONDAY, ADA, "appointment", "series-1")
    await desk.database.write(outbox.enqueue, reminder, NOW)

    await desk.does(staff_bookings.cancel, "series-1")

    assert [(m.kind, m.state) for m in await desk.messages()] == [
        ("nudge", "cancelled"),
        ("confirmation", "pending"),
    ]


async def test_one_cancelled_visit_leaves_the_others_of_the_series(desk: Desk) -> None:
    await desk.books(*four_weekly(a_slot(), 3))

    await desk.does(staff_bookings.cancel, "series-2")

    conversation = await desk.conversation()
    assert [session.number for session in conversation.booking.sessions] == [1, 3]
    assert conversation.state == Stage.BOOKED


async def test_who_acts_on_an_old_view_is_told_so(desk: Desk) -> None:
    await desk.books(a_slot())
    old = await desk.seen("series-1")
    await desk.does(staff_bookings.move, "series-1", LATER)

    with pytest.raises(ChangedMeanwhile):
        await desk.database.write(staff_bookings.cancel, desk.clerk, old)


async def test_another_clinic_finds_nothing(desk: Desk) -> None:
    await desk.books(a_slot())
    other = await a_desk(desk.database, "harbour")

    for act in ACTS.values():
        with pytest.raises(NoSuchAppointment):
            await other.database.write(act, other.clerk, Seen("series-1", 1))


async def test_the_past_stays_as_it_is(desk: Desk) -> None:
    await desk.books(a_slot())
    after = desk.at(AFTERWARDS)

    for act, more in ((staff_bookings.cancel, ()), (staff_bookings.move, (LATER,))):
        with pytest.raises(NotAllowed):
            await after.does(act, "series-1", *more)


async def test_nobody_arrives_before_the_day_or_misses_what_has_not_begun(desk: Desk) -> None:
    await desk.books(a_slot())

    for act in (staff_bookings.mark_arrived, staff_bookings.mark_noshow):
        with pytest.raises(NotAllowed):
            await desk.does(act, "series-1")


async def test_somebody_is_written_in_who_has_no_chat(desk: Desk) -> None:
    guest = WalkIn("guest", "treatment", a_slot(), "WK12", "Bo", "123")
    await desk.database.write(staff_bookings.walk_in, desk.clerk, guest)

    row = await desk.does(staff_bookings.move, "guest", LATER)

    assert (row.state, row.walk_in_name, row.starts_at) == ("booked", "Bo", LATER.starts_at)
    assert row.blocks_until == LATER.ends_at + timedelta(minutes=15)
    assert await desk.messages() == []


async def test_a_walk_in_cannot_take_a_patients_time(desk: Desk) -> None:
    await desk.books(a_slot())
    guest = WalkIn("guest", "treatment", a_slot(), "WK12", "Bo")

    with pytest.raises(SlotsGone):
        await desk.database.write(staff_bookings.walk_in, desk.clerk, guest)


async def test_everything_is_on_the_record(desk: Desk) -> None:
    await desk.books(a_slot())
    await desk.does(staff_bookings.move, "series-1", LATER)
    await desk.does(staff_bookings.cancel, "series-1")

    entries = await desk.database.read(
        audit.entries, desk.clerk.clinic_id, subject="appointment", subject_id="series-1"
    )
    assert [(entry.what, entry.staff) for entry in entries] == [
        ("appointment.cancelled", "Noor"),
        ("appointment.moved", "Noor"),
    ]


@pytest.mark.parametrize("first", ["staff", "patient"])
async def test_a_patient_and_staff_at_once_never_disagree_afterwards(
    desk: Desk, first: str
) -> None:
    await desk.books(a_slot())
    before = await desk.conversation()
    emptied = replace(before, state=Stage.PLAN.value, booking=Booking("treatment"))
    turn = a_turn(CancelSeries("series"), before=before.revision, conversation=emptied)
    moves = desk.does(staff_bookings.move, "series-1", LATER)
    cancels = desk.database.write(turns.commit, turn)

    both = (moves, cancels) if first == "staff" else (cancels, moves)
    await asyncio.gather(*both, return_exceptions=True)

    row, after = await desk.row("series-1"), await desk.conversation()
    assert row.version == 2
    assert [each.slot.starts_at for each in after.booking.sessions] == (
        [] if row.state == "cancelled" else [row.starts_at]
    )
