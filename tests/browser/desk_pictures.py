"""The pictures of the clinic's side, and of what comes to a patient after the chat."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, Page
from sqlalchemy import Connection, select

from bot.playground.server import Playground
from clinic.console.app import PAGES
from storage import staff
from storage.models import Appointment
from storage.models import Patient as PatientRow
from tests.browser import console_pages
from tests.browser.conftest import window
from tests.browser.pictures import PHONE, SIDE_BY_SIDE, fresh_playground, settled, take, top_of
from tests.flows.chat import CLEAR, catalogues, protocol
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
RECALL = "/recall"  # taken a week on, when somebody is due
NOT_SHOWN = "/people"
SHOWN: Mapping[str, tuple[str, ...]] = {
    "": tuple(link.path for link in PAGES if link.path not in (RECALL, NOT_SHOWN)),
    "-phone": ("/today", "/leads"),
    "-dark": ("/leads",),
}
UNTIL_TUESDAY = 25.5  # hours: the first of them are there
A_WEEK = 24 * 6  # hours: whoever came and did not book has had both reminders
YEAR_ON = 24 * 424  # hours from the second visit's reminder to the yearly refresher
STAY: Mapping[str, Mapping[str, str]] = {  # answer everything and book nothing
    "Dana": {"timing": "quarter", "scar_type": "boxcar_shallow"},
    "Femi": {"timing": "later", "goal": "texture"},
    "Hugo": INFLAMED,
    "Iris": INFLAMED,
    "Jonas": {**INFLAMED, "timing": "quarter"},
    "Lena": {**INFLAMED, "goal": "pores"},
}
LEAVE = ("Marco", "Nina", "Oscar", "Petra", "Quinn", "Rosa", "Sven", "Uma")  # one step further each


async def take_all(running: Browser, images: Path) -> None:
    """Write the pictures into a folder that exists."""
    async with fresh_playground() as place, AsyncExitStack() as closing:
        people = Crowd(place, closing)
        await people.come()
        maya = await people.books("Maya")
        await _side_by_side(running, place, maya, images)
        joe = await people.joins("Joe")
        aisha = await people.books("Aisha")
        await aisha.follows("Move a visit", "2.", "Later ›", "free)", ":")
        await _chat(
            running, place, aisha.patient, images / "repair.png", "One more thing before we move"
        )
        await joe.sees("Open in the console")
        await _chat(running, place, joe, images / "card.png")
        await people.look_in()
        priya = await people.comes_on("Priya", "8 December")
        noor = await people.comes_on("Noor", "15 December")
        await noor.taps("Tell me if something earlier")
        await _moves(place, UNTIL_TUESDAY)
        await _console(running, place, images)
        await maya.says("/my")
        await _chat(running, place, maya.patient, images / "my.png")
        await _moves(place, A_WEEK)
        await priya.follows("Cancel", "Yes, cancel it")
        await noor.patient.sees("Something earlier is free")
        await _recall(running, place, images)
        await _jumps_to(place, "Maya got a reminder of the visit")
        await _chat(running, place, maya.patient, images / "reminder.png")
        await _moves(place, YEAR_ON)
        await _chat(running, place, maya.patient, images / "refresher.png")


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
        guide = await self.starts(name, payload)
        await guide.answers(**given)
        return guide

    async def starts(self, name: str, payload: str) -> Guide:
        """Let a new patient press Start."""
        words = catalogues()["en"]
        guide = Guide(await self.meets(name), self._place.database, protocol(), words)
        await guide.starts(payload)
        return guide

    async def books(self, name: str) -> Guide:
        """Let a new patient book a course."""
        guide = await self.chats(name)
        await guide.follows("All correct", "Book all 4", "Here in Telegram")
        return guide

    async def comes_on(self, name: str, day: str) -> Guide:
        """Let a new patient book one first visit on a day of their own."""
        guide = await self.chats(name, age="18_21")
        await guide.taps("All correct")
        await guide.says(f"{day} at 11:00")
        await guide.taps("Here in Telegram")
        return guide

    async def look_in(self) -> None:
        """Let people come who do not book: some after all questions, some before."""
        for name, given in STAY.items():
            await (await self.chats(name, **given)).taps("All correct")
        for steps, name in enumerate(LEAVE):
            guide = await self.starts(name, "willow-poster")
            for _ in range(steps):
                asked = protocol().step((await guide.conversation()).state)
                await guide.gives(asked, CLEAR[asked.id])

    async def come(self) -> None:
        """Let patients come whom the clinic sees in different lights."""
        daniel = await self.chats("Daniel", "willow-poster", **INFLAMED)
        elena = await self.chats("Elena", scar_type="icepick")
        tom = await self.chats("Tom")
        for each in (daniel, elena, tom):
            await each.taps("All correct")
        for guide, words in (
            (tom, "Is there parking close to you?"),
            (elena, "May I bring my sister along?"),
        ):
            await guide.taps("Talk to a person")
            await guide.says(words)
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
    """The pages of the navigation, a lead, a conversation, and a move with its repair."""
    for suffix, paths in SHOWN.items():
        async with _desk(running, place, suffix) as page:
            if not suffix:
                await _sign(page, place.console)
                await _mark_who_came(page, place.console)
                await _answer_leads(page, place.console)
            for path in paths:
                await _open(page, place.console + path)
                await take(page, images / f"console{path.replace('/', '-')}{suffix}.png")
            if suffix:
                continue
            for path, name in (("/leads", "Maya"), ("/messages", "Tom")):
                await _open(page, place.console + path)
                await page.get_by_role("link", name=name).first.click()
                await page.get_by_role("heading", name=name).wait_for()
                await page.wait_for_load_state()
                kind = {"/leads": "lead", "/messages": "conversation"}[path]
                await take(page, images / f"console-{kind}.png")
            await _repair(page, place, images)


async def _repair(page: Page, place: Playground, images: Path) -> None:
    """A second session moved two weeks on, and the later ones that follow."""
    uid, at = await place.database.read(_second_visit, "Ivan")
    later = f"{at + timedelta(days=14):%Y-%m-%d}"
    await page.goto(f"{place.console}/calendar/visits/{uid}/move?on={later}")
    await page.locator(".timechip").first.click()
    await page.get_by_text("To keep the gaps right").wait_for()
    await take(page, images / "console-repair.png")


def _second_visit(connection: Connection, name: str) -> tuple[str, datetime]:
    row = connection.execute(
        select(Appointment.uid, Appointment.starts_at)
        .join(PatientRow, PatientRow.chat_id == Appointment.chat_id)
        .where(PatientRow.first_name == name, Appointment.number == 2)
    ).one()
    return row.uid, row.starts_at


async def _recall(running: Browser, place: Playground, images: Path) -> None:
    for suffix in ("", "-phone"):
        async with _desk(running, place, suffix) as page:
            await _open(page, place.console + RECALL)
            await take(page, images / f"console-recall{suffix}.png")


@asynccontextmanager
async def _desk(running: Browser, place: Playground, suffix: str) -> AsyncIterator[Page]:
    """Yield a window in which the demo's owner is signed in."""
    async with window(running, **LOOKS[suffix]) as reader:
        await reader.page.request.post(f"{place.address}/playground/console")
        yield reader.page


async def _open(page: Page, address: str) -> None:
    await page.goto(address)
    await settled(page)


async def _sign(page: Page, console: str) -> None:
    """Sign the protocol, as a clinic does before its first day."""
    await page.goto(f"{console}/settings/protocol")
    await page.get_by_label("Clinician’s name").fill("Dr Amara Osei")
    await page.get_by_label("Post and registration number").fill("Dermatologist, GMC 0000000")
    await page.get_by_role("checkbox").check()
    async with page.expect_navigation():
        await page.get_by_role("button", name="Sign", exact=True).click()


async def _mark_who_came(page: Page, console: str) -> None:
    await page.goto(f"{console}/today")
    for label in ("Is here", "Done", "Is here", "Did not come"):
        button = page.get_by_role("button", name=re.compile(f"^{label}: ")).first
        async with page.expect_navigation():
            await button.click()


async def _answer_leads(page: Page, console: str) -> None:
    for name, label in (("Grace", "Accept"), ("Ivan", "Accept"), ("Dana", "Contacted")):
        await page.goto(f"{console}/leads")
        await page.get_by_role("link", name=name).first.click()
        async with page.expect_navigation():
            await page.get_by_role("button", name=label, exact=True).click()


async def _moves(place: Playground, hours: float) -> None:
    async with aiohttp.ClientSession() as http:
        await http.post(f"{place.address}/playground/clock", json={"hours": hours})


async def _jumps_to(place: Playground, words: str, most: int = 150) -> None:
    async with aiohttp.ClientSession() as http:
        for _ in range(most):
            async with http.post(f"{place.address}/playground/next") as answer:
                came: Sequence[Mapping[str, str]] = (await answer.json())["came"]
            if any(re.match(words, line["words"]) for line in came):
                return
    raise AssertionError(f"{words!r} did not come")


async def _chat(
    running: Browser, place: Playground, person: Patient, path: Path, words: str = ""
) -> None:
    """Take the end of a chat on a phone, or the newest message that holds these words."""
    async with window(running, **PHONE) as reader:
        await reader.page.goto(f"{place.address}#{person.chat_id}")
        await reader.page.locator(".message").last.wait_for()
        if words:
            await top_of(reader, words)
        await take(reader.page, path)
