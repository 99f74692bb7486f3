"""One appointment with its series, as staff need it to move or cancel."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage import bookings, courses, staff_bookings, time_off, turns
from storage.courses import Course
from storage.database import Database
from storage.staff_bookings import WalkIn
from storage.time_off import TimeOff
from tests.builders import MONDAY, NOW, a_decision, a_hold, a_slot, a_turn, four_weekly
from tests.storage.clerical import Desk, a_desk


@pytest.fixture
async def desk(willow: Database) -> Desk:
    return await a_desk(willow)


async def course(desk: Desk, uid: str) -> Course:
    found = await desk.database.read(courses.find, desk.clerk.clinic_id, uid, desk.clerk.now)
    assert found is not None
    return found


async def test_a_session_knows_its_neighbours(desk: Desk) -> None:
    await desk.books(*four_weekly(a_slot(), 4))

    second = await course(desk, "series-2")

    assert [each.number for each in second.sessions] == [1, 2, 3, 4]
    assert (second.before, second.after) == (second.sessions[0], second.sessions[2])
    assert second.later(NOW) == second.sessions[2:]


async def test_what_was_cancelled_or_missed_counts_for_no_gap(desk: Desk) -> None:
    await desk.books(*four_weekly(a_slot(), 4))
    await desk.does(staff_bookings.cancel, "series-3")
    await desk.at(MONDAY + timedelta(hours=1)).does(staff_bookings.mark_noshow, "series-1")

    second = await course(desk, "series-2")

    assert second.before is None
    assert second.after is not None
    assert second.after.number == 4


async def test_what_has_begun_is_not_to_be_changed(desk: Desk) -> None:
    await desk.books(*four_weekly(a_slot(), 2))

    first = await course(desk, "series-1")

    assert first.session.can_change(NOW)
    assert not first.session.can_change(MONDAY)
    assert first.later(MONDAY + timedelta(days=60)) == ()


async def test_somebody_written_in_stands_alone(desk: Desk) -> None:
    guest = WalkIn("guest", "treatment", a_slot(), "WK12", "Bo", "123", "test patch")
    await desk.database.write(staff_bookings.walk_in, desk.clerk, guest)

    found = await course(desk, "guest")

    assert (found.patient, found.phone, found.note) == ("Bo", "123", "test patch")
    assert (found.is_walk_in, found.plan, len(found.sessions)) == (True, None, 1)
    assert "Bo" not in repr(found)


async def test_time_off_has_no_series(desk: Desk) -> None:
    off = TimeOff("off", "amara", MONDAY, MONDAY + timedelta(hours=1), "School play")
    await desk.database.write(time_off.block, desk.clerk, off)

    found = await course(desk, "off")

    assert (found.session.state, found.sessions, found.note) == ("blocked", (), "School play")


async def test_a_hold_that_ended_is_nothing(desk: Desk) -> None:
    await desk.database.write(turns.commit, a_turn(a_decision(), a_hold(a_slot())))

    found = await course(desk, "series-1")
    late = NOW + timedelta(minutes=11)

    assert found.session.hold_until == NOW + timedelta(minutes=10)
    clinic = desk.clerk.clinic_id
    assert await desk.database.read(courses.find, clinic, "series-1", late) is None


async def test_another_clinic_finds_nothing(desk: Desk) -> None:
    await desk.books(a_slot())
    other = await a_desk(desk.database, "harbour")

    clinic = other.clerk.clinic_id
    assert await other.database.read(courses.find, clinic, "series-1", NOW) is None


async def test_a_repair_moves_all_or_nothing(desk: Desk) -> None:
    first, second, third = four_weekly(a_slot(), 3)
    await desk.books(first, second)
    await desk.books(third, chat_id=8)
    moves = ((await desk.seen("series-1"), second), (await desk.seen("series-2"), third))

    with pytest.raises(bookings.SlotsGone):
        await desk.database.write(staff_bookings.move_series, desk.clerk, moves)

    assert (await desk.row("series-1")).starts_at == first.starts_at
    assert await desk.messages() == []


async def test_a_repair_goes_back_over_itself(desk: Desk) -> None:
    first, second, third = four_weekly(a_slot(), 3)
    await desk.books(second, third)
    moves = ((await desk.seen("series-1"), first), (await desk.seen("series-2"), second))

    await desk.database.write(staff_bookings.move_series, desk.clerk, moves)

    assert [(await desk.row(f"series-{n}")).starts_at for n in (1, 2)] == [
        first.starts_at,
        second.starts_at,
    ]
    assert [m.payload for m in await desk.messages()] == ['{"text": "message.moved_all"}']
