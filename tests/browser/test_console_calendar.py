"""The clinic's calendar in a real browser while a patient chats with the real bot."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import Connection, select

from clinic.console import pages
from flows.conversation import Stage
from flows.slots import local
from storage.models import Appointment
from tests.browser.both_sides import delivered, times_of
from tests.browser.console_pages import signed_in_page
from tests.clinic.console.world import ConsoleWorld
from tests.journeys.world import World

LONDON = "Europe/London"


@pytest.mark.asyncio(loop_scope="session")
async def test_staff_move_a_session_and_the_patient_reads_the_new_times(
    chromium: Browser, console: ConsoleWorld, here: World
) -> None:
    async with signed_in_page(chromium, console) as desk:
        maya = await here.meets("Maya")
        await maya.answers()
        await maya.follows("All correct", "Book all")
        first = (await maya.conversation()).booking.sessions[0].slot
        week = f"{console.address}/calendar?on={first.starts_at:%Y-%m-%d}&who={first.practitioner}"
        await desk.goto(week)
        await expect(desk.get_by_text("Held until")).to_be_visible()

        here.moves_clock(minutes=1)
        assert await maya.taps("Here in Telegram") == Stage.BOOKED
        await expect(desk.get_by_text("Held until")).to_have_count(0)  # by itself
        await desk.get_by_role("link", name=re.compile("Maya")).click()
        await desk.get_by_role("link", name="Move").click()
        later = first.starts_at + timedelta(days=14)
        await desk.get_by_label("From").fill(f"{local(later, LONDON):%Y-%m-%d}")
        await desk.get_by_role("button", name="Show times").click()
        await desk.locator(".timechip").first.click()
        await expect(desk.get_by_text("To keep the gaps right")).to_be_visible()
        told = [await one.inner_text() for one in await desk.locator(".changes ins").all()]
        await desk.get_by_role("button", name=re.compile("^Move (both|all)")).click()
        await expect(desk.get_by_text("They are told in Telegram.")).to_be_visible()

        await delivered(here)
        await maya.patient.sees("Your visits have new times")
        now, times = here.clock.now(), await here.database.read(_times)
        stand = [pages.spell(local(at, LONDON), now) for at in times]
        assert len(told) > 1
        assert set(told) <= set(stand)
        for at in stand:
            assert re.sub(r"\w+ (\d+ \w+),.*", r"\1", at) in maya.patient.transcript()


@pytest.mark.asyncio(loop_scope="session")
async def test_an_afternoon_off_is_offered_to_nobody(
    chromium: Browser, console: ConsoleWorld, here: World
) -> None:
    async with signed_in_page(chromium, console) as desk:
        kofi = await here.meets("Kofi")
        await kofi.answers()
        await kofi.taps("All correct")
        offered = (await kofi.conversation()).booking.offers[0].slots[0]
        on = local(offered.starts_at, LONDON).date()

        await desk.goto(f"{console.address}/calendar")
        await desk.get_by_role("link", name="Time off").click()
        await desk.get_by_label("Whose time").select_option(label="Everybody")
        await desk.get_by_label("Day", exact=True).fill(on.isoformat())
        await desk.get_by_label("Afternoon").check(force=True)
        await desk.get_by_label("Note").fill("Training")
        await desk.get_by_role("button", name="Keep this time free").click()
        await expect(desk.get_by_text("Everybody: time off is noted.")).to_be_visible()
        await desk.goto(f"{console.address}/calendar?view=day&on={on}")
        await expect(desk.get_by_text("Training")).to_have_count(2)

        ada = await here.meets("Ada")
        await ada.answers()
        await ada.taps("All correct")
        assert await times_of(ada, f"{on:%a %-d %b}") == ["10:30"]


def _times(connection: Connection) -> list[datetime]:
    return list(
        connection.execute(select(Appointment.starts_at).order_by(Appointment.number)).scalars()
    )
