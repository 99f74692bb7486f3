"""Visits that the opening hours do not cover any more: told, never moved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from storage import clinic_settings, outside_hours, staff_bookings
from storage.clinic_settings import Change
from storage.database import Database
from storage.staff_bookings import WalkIn
from tests.builders import MONDAY, a_slot
from tests.storage.clerical import Desk, a_desk
from tests.storage.test_calendar_readings import connected

DAY = timedelta(days=1)


async def booked(willow: Database) -> Desk:
    """Write somebody in with each practitioner, on Monday and Tuesday."""
    desk = await a_desk(willow)
    slots = (a_slot(MONDAY), a_slot(MONDAY + DAY, practitioner="rowan"))
    for number, slot in enumerate(slots):
        guest = WalkIn(f"guest-{number}", "treatment", slot, f"WK1{number}", "Bo")
        await willow.write(staff_bookings.walk_in, desk.clerk, guest)
    return desk


async def change(willow: Database, desk: Desk, part: str, value: Any) -> None:
    """Store a part of the settings."""
    document = await willow.read(clinic_settings.read, desk.clerk.clinic_id)
    seen = clinic_settings.mark(document, part)
    await willow.write(clinic_settings.change, desk.clerk, Change(part, value, seen))


async def outside(willow: Database, desk: Desk) -> list[str]:
    """Return which visits lie outside the hours."""
    found = await willow.read(outside_hours.read, desk.clerk.clinic_id, desk.clerk.now)
    return [f"{each.uid} {each.name}" for each in found]


async def test_visits_inside_the_hours_are_not_told(willow: Database) -> None:
    assert await outside(willow, await booked(willow)) == []


async def test_shorter_hours_leave_a_visit_outside(willow: Database) -> None:
    desk = await booked(willow)
    await change(willow, desk, "hours:amara", {"mon": ["09:00-10:30"]})

    assert await outside(willow, desk) == ["guest-0 Amara Osei"]


async def test_a_closed_day_leaves_everybody_s_visits_outside(willow: Database) -> None:
    desk = await booked(willow)
    closed = {"from": "2026-03-09", "until": "2026-03-10", "note": ""}
    await change(willow, desk, "closures", [closed])

    assert await outside(willow, desk) == ["guest-0 Amara Osei", "guest-1 Rowan Pell"]


async def test_who_has_left_has_no_hours(willow: Database) -> None:
    desk = await booked(willow)
    document = await willow.read(clinic_settings.read, desk.clerk.clinic_id)
    amara = [one for one in document["practitioners"] if one["slug"] == "amara"]
    await change(willow, desk, "people", amara)

    assert await outside(willow, desk) == ["guest-1 Rowan Pell"]


async def test_a_calendar_that_cannot_be_read_leaves_nobody_outside(willow: Database) -> None:
    desk = await booked(willow)
    await connected(willow)  # never read, so that nothing new is offered with Amara

    assert await outside(willow, desk) == []


async def test_what_is_over_or_cancelled_or_another_clinic_s_is_not_told(willow: Database) -> None:
    desk = await booked(willow)
    await change(willow, desk, "hours:amara", {})
    await change(willow, desk, "hours:rowan", {"wed": ["09:00-13:00"]})
    await desk.does(staff_bookings.cancel, "guest-0")

    assert await outside(willow, desk) == ["guest-1 Rowan Pell"]
    assert await outside(willow, desk.at(MONDAY + DAY)) == []
    assert await willow.read(outside_hours.read, desk.clerk.clinic_id + 1, desk.clerk.now) == ()
