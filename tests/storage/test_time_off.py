"""Time off keeps patients out, and tells who is in the way instead of failing."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from storage import calendar_store, models, time_off, turns
from storage.bookings import NoSuchAppointment
from storage.clerks import NotAllowed, Seen
from storage.database import Database
from storage.time_off import Clashes, TimeOff
from tests.builders import MONDAY, a_decision, a_hold, a_slot, a_turn
from tests.storage.clerical import Desk, a_desk

HOUR = timedelta(hours=1)


@pytest.fixture
async def desk(willow: Database) -> Desk:
    return await a_desk(willow)


def off(
    starts_at: datetime = MONDAY, ends_at: datetime = MONDAY + 3 * HOUR, uid: str = "off"
) -> TimeOff:
    return TimeOff(uid, "amara", starts_at, ends_at)


async def test_blocked_time_takes_no_patient(desk: Desk) -> None:
    assert await desk.database.write(time_off.block, desk.clerk, off())

    with pytest.raises(AssertionError):
        await desk.books(a_slot())
    await desk.books(a_slot(MONDAY + 4 * HOUR))


@pytest.mark.parametrize("ignored", [{}, {"ignore_series": "series"}, {"ignore_uid": "x"}])
async def test_blocked_time_is_offered_to_nobody(desk: Desk, ignored: dict[str, str]) -> None:
    await desk.database.write(time_off.block, desk.clerk, off())

    view = await desk.database.read(
        partial(calendar_store.view, **ignored),
        *("willow", "treatment", MONDAY.date(), MONDAY.date(), desk.clerk.now, 7),
    )

    assert view.timetables[0].busy == ((MONDAY, MONDAY + 3 * HOUR),)


async def test_the_same_time_off_again_changes_nothing(desk: Desk) -> None:
    await desk.database.write(time_off.block, desk.clerk, off())

    assert not await desk.database.write(time_off.block, desk.clerk, off())

    query = select(models.Appointment.uid)
    assert await desk.database.read(lambda c: list(c.execute(query).scalars())) == ["off"]


async def test_who_is_in_the_way_is_named_by_code(desk: Desk) -> None:
    await desk.books(a_slot())

    with pytest.raises(Clashes) as clash:
        await desk.database.write(time_off.block, desk.clerk, off())

    assert [(each.code, each.starts_at) for each in clash.value.clashing] == [("AB12", MONDAY)]


async def test_a_hold_that_ended_is_not_in_the_way(desk: Desk) -> None:
    await desk.database.write(turns.commit, a_turn(a_decision(), a_hold(a_slot())))
    late = desk.at(desk.clerk.now + HOUR)

    assert await late.database.write(time_off.block, late.clerk, off())


@pytest.mark.parametrize(
    "wanted",
    [
        off(MONDAY, MONDAY),
        off(MONDAY - timedelta(days=30), MONDAY - timedelta(days=29)),
        off(MONDAY, MONDAY + timedelta(days=63)),
        TimeOff("off", "nobody", MONDAY, MONDAY + HOUR),
    ],
    ids=["no time", "the past", "too long", "nobody of the clinic"],
)
async def test_what_is_no_time_off_is_refused(desk: Desk, wanted: TimeOff) -> None:
    with pytest.raises(NotAllowed):
        await desk.database.write(time_off.block, desk.clerk, wanted)


async def test_blocked_time_is_given_back_by_its_own_clinic_alone(desk: Desk) -> None:
    await desk.database.write(time_off.block, desk.clerk, off())
    other = await a_desk(desk.database, "harbour")

    with pytest.raises(NoSuchAppointment):
        await desk.database.write(time_off.unblock, other.clerk, Seen("off", 1))
    await desk.database.write(time_off.unblock, desk.clerk, Seen("off", 1))

    await desk.books(a_slot())


async def test_a_patients_visit_is_no_time_off(desk: Desk) -> None:
    await desk.books(a_slot())

    with pytest.raises(NoSuchAppointment):
        await desk.database.write(time_off.unblock, desk.clerk, Seen("series-1", 1))
