"""A day at the desk in a real browser: who came, who did not, and other opening hours."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from PIL import Image
from playwright.async_api import Browser, expect

from flows.conversation import Stage
from flows.slots import Slot, local
from storage import follow_ups
from tests.browser.both_sides import delivered, times_of
from tests.browser.console_pages import DESK, PHONE, signed_in_page
from tests.builders import a_slot
from tests.clinic.console.world import ConsoleWorld
from tests.journeys.guide import Guide
from tests.journeys.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

LONDON = "Europe/London"

#: Pixels between the longest name of a day and its field, and the lines of the tallest date.
LAID_OUT = """() => {
    const box = each => {
        const words = document.createRange();
        words.selectNodeContents(each);
        return words.getBoundingClientRect();
    };
    const named = box(document.querySelector("label[for$=-wed]"));
    const field = document.querySelector("input[name=wed]").getBoundingClientRect();
    const dates = [...document.querySelectorAll(".free li > span:first-child")];
    return [
        field.left - named.right,
        Math.max(...dates.map(each => box(each).height)) / named.height,
    ];
}"""


async def first_visit(here: World, name: str) -> tuple[Guide, Slot]:
    """Return a patient who has booked, and their first visit."""
    patient = await here.meets(name)
    await patient.answers()
    await patient.follows("All correct", "Book all")
    assert await patient.taps("Here in Telegram") == Stage.BOOKED
    return patient, (await patient.conversation()).booking.sessions[0].slot


async def test_one_patient_arrives_and_another_does_not_and_hears_of_it(
    chromium: Browser, console: ConsoleWorld, here: World
) -> None:
    maya, first = await first_visit(here, "Maya")
    kofi, second = await first_visit(here, "Kofi")
    assert local(first.starts_at, LONDON).date() == local(second.starts_at, LONDON).date()
    console.clock.at = max(first.starts_at, second.starts_at) + timedelta(minutes=5)
    here.clock.move(console.clock() - here.clock.now())

    async with signed_in_page(chromium, console, "staff") as desk:
        await desk.get_by_role("button", name=re.compile("^Is here: Maya")).click()
        await expect(desk.get_by_text("Maya is here.")).to_be_visible()
        await desk.get_by_role("button", name=re.compile("^Did not come: Kofi")).click()
        await expect(desk.get_by_text("Kofi did not come.")).to_be_visible()
        await expect(desk.locator(".visit.arrived").get_by_text("Maya")).to_be_visible()
        await expect(desk.locator(".visit.noshow").get_by_text("Kofi")).to_be_visible()

    here.moves_clock(days=1)
    await here.database.write(follow_ups.look, here.clock.now())
    await delivered(here)
    await kofi.patient.sees("We missed you")
    assert "We missed you" not in maya.patient.transcript()


async def test_other_opening_hours_bring_other_times_at_once(
    chromium: Browser, console: ConsoleWorld, here: World
) -> None:
    ada = await here.meets("Ada")
    await ada.answers()
    await ada.taps("All correct")
    await ada.patient.sees("1. Wed 25 Nov 2026, 10:30")

    async with signed_in_page(chromium, console) as desk:
        await desk.get_by_role("link", name="Settings").click()
        await desk.get_by_role("link", name="Practitioners and hours").click()
        await desk.get_by_role("link", name="Rowan Pell", exact=True).click()
        await desk.get_by_label("Wednesday").fill("15-17")
        await desk.get_by_role("button", name="Save").first.click()
        await expect(desk.get_by_text("in these hours from now on")).to_be_visible()

    assert await times_of(ada, "Wed 25 Nov") == ["15:00", "15:30", "16:00"]


@pytest.mark.parametrize("form", ["Single days", "Weekly hours of Amara Osei"])
async def test_on_a_phone_the_next_free_times_stand_below_the_form_that_was_saved(
    chromium: Browser, console: ConsoleWorld, form: str
) -> None:
    async with signed_in_page(chromium, console, viewport=PHONE) as desk:
        await desk.goto(f"{console.address}/settings/people/amara")
        card = desk.get_by_role("region", name=form)
        if form == "Single days":
            await card.get_by_label("Date").fill("2026-12-01")
        await card.get_by_role("button", name=re.compile("Save|Add")).click()
        await expect(desk.locator("[data-notice]")).to_be_visible()

        saved = await card.bounding_box()
        free = await desk.get_by_role("region", name="Next free times").bounding_box()

    assert saved
    assert free
    assert free["y"] - saved["y"] - saved["height"] == pytest.approx(16)


async def test_all_pages_of_the_settings_stand_in_one_row_of_a_desk(
    chromium: Browser, console: ConsoleWorld
) -> None:
    async with signed_in_page(chromium, console) as desk:
        await desk.goto(f"{console.address}/settings")
        links = await desk.locator(".set-tabs a").all()
        boxes = [await link.bounding_box() for link in links]

    assert len({box and box["y"] for box in boxes}) == 1


async def test_the_time_of_day_keeps_away_from_the_name_above(
    chromium: Browser, console: ConsoleWorld
) -> None:
    await console.books(a_slot(console.clock() + timedelta(hours=2)))
    async with signed_in_page(chromium, console) as desk:
        name = await desk.get_by_role("heading", name="Amara Osei").bounding_box()
        badge = await desk.locator(".now span").first.bounding_box()

    assert name
    assert badge
    assert badge["y"] - name["y"] - name["height"] >= 6


async def test_opening_hours_that_begin_at_the_half_hour_have_a_line_at_each_hour_alone(
    chromium: Browser, console: ConsoleWorld
) -> None:
    async with signed_in_page(chromium, console) as desk:
        await desk.goto(f"{console.address}/calendar?view=week&who=amara")
        saturday = desk.locator("i.open.h9.m30")  # from 9:30
        await saturday.evaluate("each => each.className = 'open h9 m30 u13 v0'")
        drawn = Image.open(io.BytesIO(await saturday.screenshot())).convert("RGB")

    ground = drawn.getpixel((40, 5))
    lines = [y for y in range(drawn.height) if drawn.getpixel((40, y)) != ground]
    assert (drawn.height, lines) == (224, [32, 96, 160])


@pytest.mark.parametrize("viewport", [DESK, PHONE])
async def test_names_of_days_keep_away_from_their_fields_and_dates_stay_on_a_line(
    chromium: Browser, console: ConsoleWorld, viewport: dict[str, int]
) -> None:
    async with signed_in_page(chromium, console, viewport=viewport) as desk:
        await desk.goto(f"{console.address}/settings/people/amara")

        gap, lines = await desk.evaluate(LAID_OUT)

    assert gap >= 6
    assert lines < 1.5
