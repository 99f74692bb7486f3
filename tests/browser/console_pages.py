"""The console in a real browser: somebody who signs in by a link, in light or in dark."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from playwright.async_api import Browser, Page

from storage import staff_bookings, waitlist
from storage.clerks import Clerk, Seen
from storage.staff_bookings import WalkIn
from tests.builders import a_slot, four_weekly
from tests.clinic.console.world import ConsoleWorld

DESK = {"width": 1280, "height": 860}
AISHA = 105  # the chat of the fifth patient of the day
PHONE = {"width": 390, "height": 844}


@asynccontextmanager
async def signed_in_page(
    chromium: Browser, world: ConsoleWorld, role: str = "owner", **options: Any
) -> AsyncIterator[Page]:
    """Yield a page on which somebody signed in; in the end nothing may have gone wrong on it."""
    context = await chromium.new_context(**{"viewport": DESK, **options})
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    await page.goto(world.address + await world.link(role))
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/today")
    yield page
    await context.close()
    assert [fault for fault in faults if "status of 4" not in fault] == []


async def a_day(world: ConsoleWorld) -> None:
    """Fill today with patients in every state."""
    now = world.clock()
    amara = world.people["willow", "owner"]

    async def comes(name: str, hours: float, person: str, count: int = 1, **more: Any) -> str:
        first = a_slot(now + timedelta(hours=hours), practitioner=person)
        return await world.books(*four_weekly(first, count), name=name, **more)

    async def does(act: Any, *what: Any) -> None:
        clerk = Clerk(amara.clinic_id, amara.id, world.clock())
        await world.database.write(act, clerk, *what)

    done, here = await comes("Maya", -1.5, "amara", 4), await comes("Daniel", 0, "amara", 3)
    missed = await comes("Kofi", -1.5, "rowan")
    await comes("Elena", -0.2, "rowan", 4)
    sooner = await comes("Aisha", 3.7, "amara")
    await comes("Grace", 4.7, "rowan", 2, pending=True)
    await does(staff_bookings.mark_arrived, Seen(done, 1))
    await does(staff_bookings.mark_fulfilled, Seen(done, 2))
    await does(staff_bookings.mark_arrived, Seen(here, 1))
    await does(staff_bookings.mark_noshow, Seen(missed, 1))
    await world.database.write(waitlist.join, AISHA, sooner, now)
    slot = a_slot(now + timedelta(hours=6), minutes=30)
    await does(
        staff_bookings.walk_in,
        WalkIn("w1", "consultation", slot, "KX4T", "Tom", "+44 20 7946 0111", "test patch"),
    )
