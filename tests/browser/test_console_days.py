"""A day at the desk in a real browser: who came, who did not, and other opening hours."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from flows.conversation import Stage
from flows.slots import Slot, local
from storage import follow_ups
from tests.browser.both_sides import delivered, times_of
from tests.browser.console_pages import DESK, PHONE, signed_in_page
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


@pytest.mark.parametrize("viewport", [DESK, PHONE])
async def test_names_of_days_keep_away_from_their_fields_and_dates_stay_on_a_line(
    chromium: Browser, console: ConsoleWorld, viewport: dict[str, int]
) -> None:
    async with signed_in_page(chromium, console, viewport=viewport) as desk:
        await desk.goto(f"{console.address}/settings/people/amara")

        gap, lines = await desk.evaluate(LAID_OUT)

    assert gap >= 6
    assert lines < 1.5
