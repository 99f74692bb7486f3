"""Times stay on a patient's screen: what the clinic would not offer any more is not booked."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from flows.effects import MoveAppointment
from flows.slots import Slot
from storage import staff_bookings
from storage.calendar_accounts import WhenStale
from storage.database import Database
from storage.models import CalendarAccount, Clinic
from storage.turns import Committed, SlotTaken
from tests.builders import MONDAY, NOW, a_confirmation, a_hold, a_slot, four_weekly
from tests.storage import clerical
from tests.storage.test_bookings import ADA, BO, Desk
from tests.storage.test_calendar_readings import connected
from tests.storage.test_outside_hours import change

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CLOSED = [{"from": "2026-03-09", "until": "2026-03-09", "note": ""}]
SECOND_CLOSED = [{"from": "2026-04-06", "until": "2026-04-06", "note": ""}]


@pytest.fixture
def desk(willow: Database) -> Desk:
    return Desk(willow)


async def sets(willow: Database, part: str, value: Any) -> None:
    """Let staff change a part of Willow's settings."""
    await change(willow, await clerical.a_desk(willow), part, value)


async def closes_the_day(willow: Database) -> None:
    await sets(willow, "closures", CLOSED)


async def shortens_the_day(willow: Database) -> None:
    await sets(willow, "hours:amara", {"mon": ["09:00-10:30"]})


async def takes_the_day_off(willow: Database) -> None:
    await sets(willow, "days:amara", [{"on": "2026-03-09", "hours": []}])


async def wants_more_notice(willow: Database) -> None:
    longer = update(Clinic).values(notice_minutes=8 * 24 * 60)
    await willow.write(lambda c: c.execute(longer) and None)


async def looks_less_far_ahead(willow: Database) -> None:
    shorter = update(Clinic).values(horizon_days=5)
    await willow.write(lambda c: c.execute(shorter) and None)


async def loses_the_calendar(willow: Database) -> None:
    await connected(willow)  # and never read


Meanwhile = Callable[[Database], Coroutine[Any, Any, None]]
HOURS: list[Meanwhile] = [closes_the_day, shortens_the_day, takes_the_day_off]
TERMS: list[Meanwhile] = [wants_more_notice, looks_less_far_ahead, loses_the_calendar]


@pytest.mark.parametrize("meanwhile", HOURS + TERMS)
async def test_what_is_not_offered_any_more_is_not_booked(
    desk: Desk, willow: Database, meanwhile: Meanwhile
) -> None:
    await meanwhile(willow)

    assert await desk.turn(ADA, a_hold(a_slot())) == SlotTaken((a_slot(),))
    assert await desk.turn(ADA, a_confirmation(a_slot())) == SlotTaken((a_slot(),))
    assert await desk.rows() == []


@pytest.mark.parametrize("meanwhile", HOURS + TERMS)
async def test_nothing_is_moved_there_by_its_patient(
    desk: Desk, willow: Database, meanwhile: Meanwhile
) -> None:
    await desk.turn(ADA, a_confirmation(a_slot(MONDAY + DAY)))
    await meanwhile(willow)

    move = MoveAppointment("series-1", a_slot())

    assert await desk.turn(ADA, move) == SlotTaken((a_slot(),))


@pytest.mark.parametrize("meanwhile", HOURS + TERMS)
async def test_staff_may_move_a_visit_there(willow: Database, meanwhile: Meanwhile) -> None:
    staff = await clerical.a_desk(willow)
    await staff.books(a_slot(MONDAY + DAY))
    await meanwhile(willow)

    row = await staff.does(staff_bookings.move, "series-1", a_slot())

    assert row.starts_at == MONDAY


async def test_only_the_closed_ones_of_a_series_are_named(desk: Desk, willow: Database) -> None:
    series = four_weekly(a_slot())
    await sets(willow, "closures", SECOND_CLOSED)

    assert await desk.turn(ADA, a_hold(*series)) == SlotTaken((series[1],))


@pytest.mark.parametrize(
    ("slot", "is_booked"),
    [
        (a_slot(MONDAY - HOUR), True),  # amara's Monday begins at nine
        (a_slot(MONDAY - HOUR - MINUTE), False),
        (a_slot(MONDAY + 2 * HOUR), True),  # and breaks off at one
        (a_slot(MONDAY + 2 * HOUR + MINUTE), False),
        (a_slot(MONDAY + 2 * DAY), False),  # she is away on Wednesdays
        (a_slot(MONDAY + 2 * DAY, practitioner="rowan"), True),
        (a_slot(NOW + DAY), True),  # the notice is a day
        (a_slot(NOW + DAY - MINUTE), False),
        (a_slot(NOW + 300 * DAY + HOUR), False),  # the horizon is 300 days
    ],
)
async def test_the_hours_the_notice_and_the_horizon_have_sharp_ends(
    desk: Desk, slot: Slot, *, is_booked: bool
) -> None:
    wanted = Committed() if is_booked else SlotTaken((slot,))

    assert await desk.turn(ADA, a_hold(slot)) == wanted


async def test_a_public_holiday_is_closed(desk: Desk, willow: Database) -> None:
    good_friday, a_week_later = a_slot(MONDAY + 25 * DAY), a_slot(MONDAY + 32 * DAY)
    await sets(willow, "holidays", {"country": "GB", "subdivision": "ENG"})

    assert await desk.turn(ADA, a_hold(good_friday)) == SlotTaken((good_friday,))
    assert await desk.turn(ADA, a_hold(a_week_later)) == Committed()


@pytest.mark.parametrize("meanwhile", TERMS)
async def test_what_is_held_was_promised(
    desk: Desk, willow: Database, meanwhile: Meanwhile
) -> None:
    await desk.turn(ADA, a_hold(*four_weekly(a_slot())))
    await meanwhile(willow)

    assert await desk.turn(ADA, a_confirmation(*four_weekly(a_slot()))) == Committed()


@pytest.mark.parametrize("meanwhile", HOURS)
async def test_what_is_held_is_not_booked_into_a_closed_day(
    desk: Desk, willow: Database, meanwhile: Meanwhile
) -> None:
    await desk.turn(ADA, a_hold(a_slot()))
    await meanwhile(willow)

    assert await desk.turn(ADA, a_confirmation(a_slot())) == SlotTaken((a_slot(),))


@pytest.mark.parametrize("meanwhile", TERMS)
async def test_a_hold_that_ended_promises_nothing(
    desk: Desk, willow: Database, meanwhile: Meanwhile
) -> None:
    await desk.turn(ADA, a_hold(a_slot()))
    await desk.turn(BO, a_hold(a_slot(MONDAY + DAY), series="bo"))
    await meanwhile(willow)
    later = NOW + 10 * MINUTE

    assert await desk.turn(ADA, a_confirmation(a_slot()), now=later) == SlotTaken((a_slot(),))


async def test_anothers_hold_promises_nothing(desk: Desk, willow: Database) -> None:
    await desk.turn(BO, a_hold(a_slot(), series="bo"))
    await wants_more_notice(willow)

    assert await desk.turn(ADA, a_confirmation(a_slot())) == SlotTaken((a_slot(),))


@pytest.mark.parametrize(
    ("when_stale", "minutes", "is_booked"),
    [
        (WhenStale.CLOSED, 15, True),
        (WhenStale.CLOSED, 16, False),
        (WhenStale.SHOW_AGE, 16, True),
    ],
)
async def test_a_calendar_closes_when_it_is_too_old_and_the_clinic_wants_that(
    desk: Desk, willow: Database, when_stale: WhenStale, minutes: int, *, is_booked: bool
) -> None:
    await connected(willow, when_stale=when_stale)
    read = update(CalendarAccount).values(synced_at=NOW - minutes * MINUTE)
    await willow.write(lambda c: c.execute(read) and None)

    outcome = await desk.turn(ADA, a_hold(a_slot()))

    assert (outcome == Committed()) is is_booked
    other = a_slot(MONDAY + DAY, practitioner="rowan")
    assert await desk.turn(BO, a_hold(other, series="bo")) == Committed()
