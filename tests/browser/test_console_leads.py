"""The clinic's desk in a real browser while a patient chats with the real bot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from sqlalchemy import Connection, select

from bot.app import a_pace
from bot.clinic_side import TelegramFiles
from bot.clock import MovableClock
from bot.deliveries import delivering
from bot.pace import UNLIMITED
from bot.worker import Terms, Worker
from clinic.console.limits import Limits
from flows.conversation import Stage
from flows.events import Media
from storage.models import Photo
from storage.outbox import OutboxRow
from tests.browser.console_pages import signed_in_page
from tests.clinic.console.world import ConsoleWorld, console_world
from tests.flows.chat import catalogues
from tests.journeys.guide import Tour
from tests.journeys.world import World, world
from tests.standin import StoppedClock


@pytest_asyncio.fixture(loop_scope="session")
async def console(sqlite_url: str, tmp_path: Path) -> AsyncIterator[ConsoleWorld]:
    """Yield a console that looks for changes often."""
    async with console_world(sqlite_url, tmp_path, pace=Limits(times=1000)) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def here(console: ConsoleWorld) -> AsyncIterator[World]:
    """Yield the bot on the console's database."""
    clock = MovableClock(StoppedClock(console.clock()))
    async with world(console.database, Tour(), clock=clock) as running:
        yield running


async def delivered(here: World) -> None:
    """Send what waits for patients."""
    async with delivering(
        token=here.standin.token,
        api_url=here.standin.url,
        database=here.database,
        clock=here.clock,
        pace=a_pace(UNLIMITED),
        catalogues=catalogues(),
    ) as by_kind:

        async def deliver(row: OutboxRow) -> int | None:
            return await by_kind[row.kind](row)

        terms = Terms(kinds=tuple(by_kind))
        await Worker(here.database, deliver, here.clock, lambda: "t", terms).once()


@pytest.mark.asyncio(loop_scope="session")
async def test_a_lead_arrives_while_its_patient_books_and_their_question_is_answered(
    chromium: Browser, console: ConsoleWorld, here: World
) -> None:
    async with signed_in_page(chromium, console) as desk:
        await desk.goto(f"{console.address}/leads")
        await expect(desk.get_by_text("Nobody yet.")).to_be_visible()

        maya = await here.meets("Maya")
        await maya.answers()
        await maya.follows("All correct", "Book all")
        assert await maya.taps("Here in Telegram") == Stage.BOOKED
        lead = desk.get_by_role("link", name="Maya")
        await expect(lead).to_be_visible()  # by itself

        await lead.click()
        await expect(desk.get_by_text("Soft waves, no sharp edge").first).to_be_visible()
        await desk.get_by_role("button", name="Accept", exact=True).click()
        await expect(desk.get_by_text("Accepted by Amara Osei")).to_be_visible()

        await desk.goto(f"{console.address}/messages")
        await maya.taps("Talk to a person")
        await maya.says("Do you have parking?")
        await desk.get_by_role("link", name="Maya").click()
        await desk.get_by_label("Your answer").fill("Yes, in Mill Lane.")
        await desk.get_by_role("button", name="Send").click()
        await expect(desk.get_by_text("waiting to be sent")).to_be_visible()

        await delivered(here)
        await maya.patient.sees("Yes, in Mill Lane.")
        await expect(desk.get_by_text("waiting to be sent")).to_have_count(0)  # by itself
        here.moves_clock(minutes=1)
        await maya.says("Lovely, thank you!")
        await expect(desk.get_by_text("Lovely, thank you!")).to_be_visible()  # by itself


@pytest.mark.asyncio(loop_scope="session")
async def test_photos_are_shown_and_a_note_survives_news(
    chromium: Browser, console: ConsoleWorld, here: World
) -> None:
    async with signed_in_page(chromium, console) as desk:
        maya = await here.meets("Maya")
        await maya.answers()
        await maya.follows("All correct", "Send a photo", "Yes, I agree")
        await maya.sends(Media.PHOTO)
        (name,) = await here.database.read(_photos)
        async with TelegramFiles(here.standin.token, here.standin.url) as files:
            console.telegram.pictures[name] = await files.photo(name)
        await desk.goto(f"{console.address}/leads")
        await desk.get_by_role("link", name="Maya").click()
        picture = desk.get_by_role("img", name="Photo 1")
        await expect(picture).to_be_visible()
        await picture.scroll_into_view_if_needed()
        await expect(picture).to_have_js_property("naturalWidth", 320)

        note = desk.get_by_placeholder("Write a note")
        await note.fill("Half a note")
        await maya.taps("I am done")
        await maya.taps("Talk to a person")
        await maya.says("Is it free?")
        await expect(desk.get_by_text("Is it free?")).to_be_visible()
        await expect(note).to_have_value("Half a note")


def _photos(connection: Connection) -> list[str]:
    return list(connection.execute(select(Photo.file_id)).scalars())
