"""The patient on the left, the clinic on the right: booked here, seen there, weeks in a minute."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from bot.clock import MovableClock
from bot.playground.server import Playground, playground
from bot.settings import Settings
from tests.browser.conftest import window
from tests.browser.reader import WITHIN, Reader
from tests.browser.test_booking import books
from tests.flows.chat import catalogues
from tests.sides import clinic_side
from tests.standin import StoppedClock

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVENTS = 6  # that may come before the reminder


@pytest_asyncio.fixture(loop_scope="session")
async def whole(tmp_path: Path) -> AsyncIterator[Playground]:
    """Yield the playground with its console, as `make run` starts it, on a Monday morning."""
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url="", http_port=0)
    clock = MovableClock(StoppedClock())
    async with playground(settings, clock, clinic_side(tmp_path)) as running:
        yield running


async def test_a_booking_is_seen_at_the_clinic_and_weeks_pass_in_a_minute(
    chromium: Browser, whole: Playground
) -> None:
    async with window(chromium) as reader:
        await reader.opens(whole.address)
        await reader.button("Clinic").click()
        desk = reader.page.frame_locator("iframe")
        await desk.get_by_role("link", name="Leads").click()
        await expect(desk.get_by_text("Nobody yet.")).to_be_visible()

        await books(reader, catalogues()["en"])
        lead = desk.get_by_role("link", name="Maya")
        await expect(lead).to_be_visible(timeout=WITHIN)  # by itself
        await lead.click()
        await desk.get_by_role("button", name="Accept", exact=True).click()
        await expect(desk.get_by_text("Accepted by Demo Owner")).to_be_visible()

        await goes_on_until(reader, "Maya got a reminder of the visit")
        await expect(reader.button("I am coming, nothing has changed")).to_be_visible()
        await expect(reader.page.locator("#clock-time")).to_have_text(
            re.compile(r"^\w{3}, \d+ (Nov|Dec) 2026, \d\d:\d\d$")
        )
        await desk.get_by_role("link", name="Today").click()  # still signed in, days later
        await expect(desk.get_by_role("heading", name="Today")).to_be_visible()
        assert reader.faults == []


async def goes_on_until(reader: Reader, words: str) -> None:
    """Jump from event to event until one of them says this."""
    came = reader.page.get_by_role("log", name="What came of it")
    for _ in range(EVENTS):
        await reader.button("To the next event").click()
        await expect(reader.button("To the next event")).to_be_enabled(timeout=WITHIN)
        if words in await came.inner_text():
            return
    raise AssertionError(await came.inner_text())
