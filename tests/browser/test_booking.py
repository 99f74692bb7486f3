"""The whole playground in a browser: from Start to a booked series, as a visitor would."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from bot.playground.server import Playground
from flows.texts import Catalogue
from storage import calendar_store
from tests.browser.conftest import window
from tests.browser.reader import Reader
from tests.flows.chat import CLEAR, catalogues

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_patient_goes_from_start_to_a_booked_series(chromium: Browser, real: Playground):
    async with window(chromium) as reader:
        await reader.opens(real.address)
        await books(reader, catalogues()["en"])

        panel = reader.page.get_by_role("complementary", name="Behind the chat")
        await expect(panel.locator(".agenda li.booked.mine")).to_have_count(4)
        await expect(panel.locator(".verdict")).to_contain_text("Can be treated")
        assert reader.faults == []
    now = real.clock.now()
    rows = await real.database.read(calendar_store.agenda, "willow", now, now + timedelta(days=300))
    assert [row.state for row in rows] == ["booked"] * 4


async def test_the_panel_follows_the_chat_step_by_step(chromium: Browser, real: Playground):
    async with window(chromium) as reader:
        await reader.opens(real.address)
        await reader.starts("willow")
        step = reader.page.locator(".where .step")
        await expect(step).to_have_text("consent")

        await reader.answers(catalogues()["en"].text("step.consent.agree.label"))

        await expect(step).to_have_text("age")
        await expect(reader.page.locator(".answers dd")).to_have_count(1)


async def books(reader: Reader, words: Catalogue) -> None:
    """Lead a clear candidate to booked."""
    await reader.starts("willow")
    for step, codes in CLEAR.items():
        await reader.answers(words.text(f"step.{step}.{codes[0]}.label"))
    await reader.answers("All correct", re.compile("^Book all 4"), "Here in Telegram")
    await reader.reads("You are booked!")
