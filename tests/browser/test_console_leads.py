"""The clinic's desk in a real browser while a patient chats with the real bot."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import Connection, select

from bot.clinic_side import TelegramFiles
from flows.conversation import Stage
from flows.events import Media
from storage.models import Photo
from tests.browser.both_sides import delivered
from tests.browser.console_pages import signed_in_page
from tests.clinic.console.world import ConsoleWorld
from tests.journeys.world import World


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
async def test_a_course_that_is_booked_on_the_phone_stands_in_the_patient_s_chat(
    chromium: Browser, console: ConsoleWorld, here: World
) -> None:
    async with signed_in_page(chromium, console, "staff") as desk:
        maya = await here.meets("Maya")
        await maya.answers()
        await maya.taps("All correct")
        await desk.goto(f"{console.address}/leads")
        await desk.get_by_role("link", name="Maya").click()
        await desk.get_by_role("link", name="Book for this patient").click()
        await desk.get_by_role("navigation", name="Days with").get_by_role("link").nth(3).click()
        await desk.locator(".timechip").last.click()
        await expect(desk.locator(".timechip[aria-current]")).to_have_count(1)
        await desk.get_by_role("button", name="Book all").click()
        await expect(desk.get_by_text("They are told in Telegram.")).to_be_visible()
        await expect(desk.get_by_role("link", name="Book for this patient")).to_have_count(0)

        await delivered(here)
        await maya.patient.sees("Visits are booked for you.")
        assert (await maya.conversation()).state == Stage.BOOKED
        assert await maya.taps("My visits") == Stage.BOOKED
        await maya.patient.sees("Booking code")


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


@pytest.mark.parametrize("scripted", [True, False], ids=["with scripts", "without"])
@pytest.mark.asyncio(loop_scope="session")
async def test_a_search_stays_while_leads_come_in_and_one_goes_back_and_forth(
    chromium: Browser, console: ConsoleWorld, here: World, *, scripted: bool
) -> None:
    async with signed_in_page(chromium, console, java_script_enabled=scripted) as desk:
        await arrives(here, "Maya")
        await arrives(here, "Kofi")
        await desk.goto(f"{console.address}/leads")
        await desk.get_by_role("searchbox").fill("Maya")
        await desk.get_by_role("button", name="Find").click()
        await expect(desk.get_by_text("Searching for “Maya”")).to_be_visible()
        await expect(desk.get_by_role("link", name="Kofi")).to_have_count(0)
        assert "maya" not in desk.url.lower()

        await arrives(here, "Mayan")
        if not scripted:
            await desk.reload()
        await expect(desk.get_by_role("link", name="Mayan")).to_be_visible()
        await expect(desk.get_by_role("link", name="Kofi")).to_have_count(0)

        await desk.get_by_role("searchbox").fill("Kofi")
        await desk.get_by_role("searchbox").press("Enter")
        await expect(desk.get_by_role("link", name="Kofi")).to_be_visible()
        await desk.go_back()
        await expect(desk.get_by_text("Searching for “Maya”")).to_be_visible()
        await expect(desk.get_by_role("link", name="Kofi")).to_have_count(0)

        await desk.get_by_text("Filters and order").click()
        await desk.get_by_label("Readiness").select_option("high")
        if not scripted:
            await desk.get_by_role("button", name="Find").click()
        await expect(desk.get_by_text("Clear the filters")).to_be_visible()
        assert "band=high" in desk.url
        await expect(desk.get_by_role("searchbox")).to_have_value("Maya")
        await desk.get_by_role("link", name="Clear the search").click()
        await expect(desk.get_by_text("Searching for")).to_have_count(0)
        assert desk.url.endswith("/leads?band=high")


async def arrives(here: World, name: str) -> None:
    """Let a new patient come as far as the plan: they are a lead then."""
    patient = await here.meets(name)
    await patient.answers()
    await patient.taps("All correct")


def _photos(connection: Connection) -> list[str]:
    return list(connection.execute(select(Photo.file_id)).scalars())
