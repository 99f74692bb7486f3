"""The pictures of the clinic's side, and of what comes to a patient after the chat."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, Page

from bot.playground.server import Playground
from clinic.console.app import PAGES
from storage import staff
from tests.browser import console_pages
from tests.browser.conftest import window
from tests.browser.pictures import PHONE, SIDE_BY_SIDE, fresh_playground, settled, take, top_of
from tests.flows.chat import catalogues, protocol
from tests.journeys.guide import Guide
from tests.patient import Patient, new_patient

INFLAMED = {
    "acne_now": "inflamed",
    "acne_ill": "no",
    "acne_signs": "none",
    "acne_medicine": "no",
}
LOOKS: Mapping[str, Mapping[str, Any]] = {
    "": {"viewport": console_pages.DESK, "device_scale_factor": 1.25},
    "-phone": {"viewport": console_pages.PHONE, "device_scale_factor": 2, "has_touch": True},
    "-dark": {
        "viewport": console_pages.DESK,
        "device_scale_factor": 1.25,
        "color_scheme": "dark",
    },
}
DARK = ("/leads", "/calendar")  # the other pages are taken by day alone
UNTIL_TUESDAY = 25.5  # hours: the first of them are there
YEAR_ON = 24 * 424  # hours from the second visit's reminder to the yearly refresher


async def take_all(running: Browser, images: Path) -> None:
    """Write the pictures into a folder that exists."""
    async with fresh_playground() as place, AsyncExitStack() as closing:
        people = Crowd(place, closing)
        await people.come()
        maya = await people.books("Maya")
        await _side_by_side(running, place, maya, images)
        joe = await people.joins("Joe")
        await people.books("Aisha")
        await joe.sees("Open in the console")
        await _chat(running, place, joe, images / "card.png")
        await _moves(place, UNTIL_TUESDAY)
        await _console(running, place, images)
        await _follow_up(running, place, maya, images)


class Crowd:
    """Patients with stories of their own, and one of the clinic's people."""

    def __init__(self, place: Playground, closing: AsyncExitStack) -> None:
        self._place = place
        self._closing = closing

    async def meets(self, name: str) -> Patient:
        """Return somebody new."""
        return await self._closing.enter_async_context(await new_patient(self._place.address, name))

    async def chats(self, name: str, payload: str = "willow", **given: str) -> Guide:
        """Let a new patient answer the questions."""
        words = catalogues()["en"]
        guide = Guide(await self.meets(name), self._place.database, protocol(), words)
        await guide.starts(payload)
        await guide.answers(**given)
        return guide

    async def books(self, name: str) -> Guide:
        """Let a new patient book a course."""
        guide = await self.chats(name)
        await guide.follows("All correct", "Book all 4", "Here in Telegram")
        return guide

    async def come(self) -> None:
        """Let patients come whom the clinic sees in different lights."""
        daniel = await self.chats("Daniel", "willow-poster", **INFLAMED)
        elena = await self.chats("Elena", scar_type="icepick")
        tom = await self.chats("Tom")
        for each in (daniel, elena, tom):
            await each.taps("All correct")
        await tom.taps("Talk to a person")
        await tom.says("Is there parking close to you?")
        for name in ("Grace", "Kofi", "Ivan"):
            await self.books(name)

    async def joins(self, name: str) -> Patient:
        """Return one of the clinic's people, connected to the bot."""
        place, now = self._place, self._place.clock.now()
        person = await self.meets(name)
        staff_id = await place.database.write(staff.add, "willow", name, staff.STAFF, now)
        await person.starts(await place.database.write(staff.invite, staff_id, "invited", now))
        await person.sees("You are connected")
        return person


async def _side_by_side(running: Browser, place: Playground, maya: Guide, images: Path) -> None:
    for name, scheme in (("overview", "light"), ("dark", "dark")):
        async with window(running, **SIDE_BY_SIDE, color_scheme=scheme) as reader:
            await reader.page.goto(f"{place.address}#{maya.patient.chat_id}")
            await reader.reads("You are booked!")
            await reader.button("Clinic").click()
            desk = reader.page.frame_locator("iframe")
            await desk.get_by_role("link", name="Leads").click()
            lead = desk.get_by_role("link", name="Maya")
            await lead.wait_for()
            if scheme == "dark":
                await lead.click()
                await desk.get_by_role("heading", name="What next").wait_for()
            await top_of(reader, "You are booked!")
            await take(reader.page, images / f"{name}.png")


async def _console(running: Browser, place: Playground, images: Path) -> None:
    """Every page of the navigation that is there, a lead, and a conversation."""
    for suffix, look in LOOKS.items():
        async with window(running, **look) as reader:
            page = reader.page
            await page.request.post(f"{place.address}/playground/console")
            if not suffix:
                await _mark_who_came(page, place.console)
            for path in [link.path for link in PAGES if suffix != "-dark" or link.path in DARK]:
                await _open(page, place.console + path)
                await take(page, images / f"console{path.replace('/', '-')}{suffix}.png")
            if suffix == "-dark":
                continue
            for path, name in (("/leads", "Maya"), ("/messages", "Tom")):
                await _open(page, place.console + path)
                await page.get_by_role("link", name=name).first.click()
                await page.get_by_role("heading", name=name).wait_for()
                await page.wait_for_load_state()
                kind = {"/leads": "lead", "/messages": "conversation"}[path]
                await take(page, images / f"console-{kind}{suffix}.png")


async def _open(page: Page, address: str) -> None:
    await page.goto(address)
    await settled(page)


async def _mark_who_came(page: Page, console: str) -> None:
    await page.goto(f"{console}/today")
    for label in ("Is here", "Done", "Is here"):
        button = page.get_by_role("button", name=re.compile(f"^{label}: ")).first
        async with page.expect_navigation():
            await button.click()


async def _follow_up(running: Browser, place: Playground, maya: Guide, images: Path) -> None:
    await maya.says("/my")
    await _chat(running, place, maya.patient, images / "my.png")
    await _jumps_to(place, "Maya got a reminder of the visit")
    await _chat(running, place, maya.patient, images / "reminder.png")
    await _moves(place, YEAR_ON)
    await _chat(running, place, maya.patient, images / "refresher.png")


async def _moves(place: Playground, hours: float) -> None:
    async with aiohttp.ClientSession() as http:
        await http.post(f"{place.address}/playground/clock", json={"hours": hours})


async def _jumps_to(place: Playground, words: str, most: int = 30) -> None:
    async with aiohttp.ClientSession() as http:
        for _ in range(most):
            async with http.post(f"{place.address}/playground/next") as answer:
                came: Sequence[Mapping[str, str]] = (await answer.json())["came"]
            if any(re.match(words, line["words"]) for line in came):
                return
    raise AssertionError(f"{words!r} did not come")


async def _chat(running: Browser, place: Playground, person: Patient, path: Path) -> None:
    """Take the end of a chat on a phone."""
    async with window(running, **PHONE) as reader:
        await reader.page.goto(f"{place.address}#{person.chat_id}")
        await reader.page.locator(".message").last.wait_for()
        await take(reader.page, path)
