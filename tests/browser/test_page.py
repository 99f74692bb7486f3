"""What the page does, with a scripted bot behind it."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import window
from tests.browser.reader import Reader
from tests.standin import RunningStandIn

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_first_visit_shows_one_patient_the_description_and_start(reader: Reader):
    await expect(reader.page.get_by_text("I show what this page can do.")).to_be_visible()
    await expect(reader.page.locator("#chats li")).to_have_count(1)
    await expect(reader.field).to_be_hidden()
    await expect(reader.page.get_by_text("Nothing leaves this machine.")).to_be_visible()


async def test_formatting_is_shown_and_commands_can_be_pressed(reader: Reader):
    await reader.starts()
    hello = await reader.reads("Shall we begin?")

    assert await hello.locator("strong").inner_text() == "Maya"
    assert await hello.locator("em").inner_text() == "scripted"
    await hello.get_by_role("button", name="/help").click()
    await reader.reads("You said: /help")


async def test_words_that_look_like_html_stay_words(reader: Reader):
    await reader.starts()
    await reader.writes('<script>document.title = "broken"</script><img src=x onerror=alert(1)>')
    said = await reader.reads("You said: <script>")

    assert await said.locator("script, img").count() == 0
    assert await reader.page.title() == "Resurface playground"
    assert "onerror=alert(1)>" in await said.inner_text()


async def test_a_toast_and_an_alert_answer_a_tap(reader: Reader):
    await reader.starts()
    await reader.taps("Not now")
    await expect(reader.page.locator("#toasts")).to_contain_text("Take your time")

    await reader.taps("Tell me more")
    await expect(reader.page.get_by_role("dialog")).to_contain_text("This is an alert")
    await reader.button("OK").click()
    await expect(reader.page.get_by_role("dialog")).to_be_hidden()


async def test_a_picture_can_be_enlarged(reader: Reader):
    await reader.starts()
    await reader.taps("Yes, let's begin")
    await reader.button("Enlarge: Which one?").click()

    await expect(reader.page.get_by_role("dialog", name="Picture")).to_be_visible()
    shown = "img => img.decode().then(() => img.naturalWidth)"
    assert await reader.page.locator("#viewed").evaluate(shown) == 640


async def test_sharing_the_number_takes_the_keyboard_away_and_brings_a_file(reader: Reader):
    await reader.starts()
    await reader.taps("Yes, let's begin", "Left", "Share my number")
    await reader.reads("All done")
    await expect(reader.page.locator("#reply-keyboard")).to_be_hidden()

    async with reader.page.expect_download() as download:
        await reader.log.get_by_role("link", name="visits.ics").click()
    path = await (await download.value).path()
    assert path.read_bytes() == b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


async def test_the_newest_own_message_can_be_edited_from_the_keyboard(reader: Reader):
    await reader.starts()
    await reader.writes("tomorow")
    await reader.reads("You said: tomorow")
    await reader.field.press("ArrowUp")
    await reader.writes("tomorrow")

    await reader.reads("Now it says: tomorrow")
    await expect(reader.log.get_by_text("tomorow", exact=True)).to_have_count(0)


async def test_photos_voice_notes_and_stickers_can_be_sent(reader: Reader):
    await reader.starts()
    for number, kind in enumerate(("A photo", "A voice note", "A sticker", "A location"), 1):
        await reader.sends(kind)
        await expect(reader.log.get_by_text("I can only read words")).to_have_count(number)

    await expect(reader.log.get_by_role("img", name="Voice note, 3 seconds")).to_be_visible()


async def test_the_whole_chat_works_without_a_mouse(reader: Reader):
    await reader.tabs_to("Start")
    await reader.page.keyboard.press("Enter")
    await reader.reads("Shall we begin?")
    await reader.tabs_to("Yes, let's begin", "Shift+Tab")
    await reader.page.keyboard.press("Enter")
    await reader.reads("Which one?")

    await reader.tabs_to("Left")
    await reader.page.keyboard.press("Space")
    await reader.reads("How can we reach you?")
    await reader.tabs_to("Message")
    await reader.page.keyboard.type("hello")
    await reader.page.keyboard.press("Enter")
    await reader.reads("You said: hello")


async def test_several_patients_chat_side_by_side(reader: Reader):
    await reader.starts()
    await reader.reads("Hello Maya")
    await reader.button("New patient").click()
    await expect(reader.page.locator("#chats li")).to_have_count(2)
    await reader.starts()
    await reader.reads("Hello Daniel")

    await reader.page.locator("#chats button").first.click()
    await reader.reads("Hello Maya")
    await expect(reader.log.get_by_text("Hello Daniel")).to_have_count(0)


async def test_a_message_for_another_patient_is_counted_in_the_list(
    reader: Reader, scripted: RunningStandIn
):
    await reader.starts()
    async with await scripted.new_patient("Noor") as noor:
        await noor.starts()
        await noor.sees("Hello Noor")

    await expect(reader.page.get_by_role("button", name="Noor")).to_contain_text("1")


async def test_blocking_the_bot_hides_the_field_until_it_is_unblocked(reader: Reader):
    await reader.starts()
    await reader.reads("Shall we begin?")
    await reader.button("More").click()
    await reader.button("Block the bot").click()
    await expect(reader.field).to_be_hidden()

    await reader.button("Unblock the bot").click()
    await expect(reader.field).to_be_visible()


async def test_the_clock_moves_and_goes_back(reader: Reader):
    clock = reader.page.locator("#clock-time")
    await expect(clock).to_have_text("Mon, 23 Nov 2026, 09:00")
    await reader.button("+1 week").click()
    await expect(clock).to_have_text("Mon, 30 Nov 2026, 09:00")

    await reader.button("Reset").click()
    await expect(clock).to_have_text("Mon, 23 Nov 2026, 09:00")


async def test_the_panel_shows_the_state_behind_the_chat(reader: Reader):
    panel = reader.page.get_by_role("complementary", name="Behind the chat")

    await expect(panel.get_by_text("scripted")).to_be_visible()
    await expect(panel.get_by_text("No appointments in the coming weeks.")).to_be_visible()


async def test_on_a_phone_there_is_only_the_chat_and_the_rest_slides_in(
    chromium: Browser, scripted: RunningStandIn
):
    async with window(chromium, viewport={"width": 390, "height": 844}) as reader:
        await reader.opens(scripted.url)
        await reader.starts()
        await reader.reads("Shall we begin?")
        patients = reader.page.get_by_role("complementary", name="Patients")
        await expect(patients).to_be_hidden()
        assert await reader.page.evaluate("document.documentElement.scrollWidth") == 390

        await reader.button("Patients").click()
        await expect(patients).to_be_visible()
        await reader.page.keyboard.press("Escape")
        await expect(patients).to_be_hidden()


async def test_the_page_is_dark_where_the_system_is(chromium: Browser, scripted: RunningStandIn):
    async with window(chromium, color_scheme="dark") as reader:
        await reader.opens(scripted.url)
        colour = "getComputedStyle(document.querySelector('.bar')).backgroundColor"

        assert await reader.page.evaluate(colour) == "rgb(22, 32, 30)"


async def test_the_page_finds_its_chat_again_after_a_reload(reader: Reader):
    await reader.starts()
    await reader.reads("Shall we begin?")
    await reader.page.reload()

    await reader.reads("Shall we begin?")
    await expect(reader.page.locator("#chats li")).to_have_count(1)
