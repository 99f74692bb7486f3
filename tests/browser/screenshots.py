"""Takes the pictures of docs/images: the real playground in a real browser.

Run it with `make screenshots`. The clock stands on a Monday morning, so that pictures taken again
differ only where the product does.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from playwright.async_api import Browser

from bot.playground.server import Playground
from tests.browser import desk_pictures
from tests.browser.chromium import NoBrowser, browser
from tests.browser.conftest import window
from tests.browser.desk_pictures import INFLAMED
from tests.browser.pictures import DESKTOP, PHONE, fresh_playground, keep, settled, take, top_of
from tests.browser.reader import Reader
from tests.flows.chat import CLEAR, catalogues

IMAGES = Path(__file__).parents[2] / "docs" / "images"


async def take_all(images: Path = IMAGES) -> None:
    """Write every picture into a folder that exists; raises NoBrowser."""
    async with browser() as running:
        await _on_a_phone(running, images)
        await _not_yet(running, images)
        await _at_a_desk(running, images)
        await desk_pictures.take_all(running, images)


async def _on_a_phone(running: Browser, images: Path) -> None:
    async with fresh_playground() as place, window(running, **PHONE) as reader:
        await reader.opens(place.address)
        await reader.starts("willow")
        await take(reader.page, images / "consent.png")
        await _answer(reader, until="scar_type")
        await take(reader.page, images / "scar-types.png")
        await _answer(reader, since="scar_type")
        await reader.answers("All correct")
        await top_of(reader, "Times that fit your plan")
        await take(reader.page, images / "verdict.png")
        await _fetch(reader, images / "plan.png")
        await reader.answers("Other times")
        await take(reader.page, images / "days.png")
        await reader.answers(re.compile(r"^(Mon|Tue|Wed|Thu|Fri|Sat)"))
        await take(reader.page, images / "slots.png")
        await reader.answers(re.compile(r"^\d\d:\d\d"))
        await reader.answers(re.compile("^Book all"))
        await reader.answers("Here in Telegram")
        await top_of(reader, "You are booked!")
        await take(reader.page, images / "confirmation.png")


async def _not_yet(running: Browser, images: Path) -> None:
    async with fresh_playground() as place, window(running, **PHONE) as reader:
        await reader.opens(place.address)
        await reader.starts("willow")
        await _answer(reader, **INFLAMED)
        await reader.answers("All correct")
        await top_of(reader, "Not yet")
        await take(reader.page, images / "not-yet.png")


async def _at_a_desk(running: Browser, images: Path) -> None:
    async with fresh_playground() as place, window(running, **DESKTOP) as reader:
        await _busy_day(reader, place)
        await take(reader.page, images / "behind.png")


async def _busy_day(reader: Reader, place: Playground) -> None:
    """Let three patients come as far as the plan, a deferral and a booked series."""
    await reader.opens(place.address)
    await reader.starts("willow")
    await _answer(reader)
    await reader.answers("All correct")
    await reader.button("New patient").click()
    await reader.starts("willow-poster")
    await _answer(reader, **INFLAMED)
    await reader.answers("All correct")
    await reader.button("New patient").click()
    await reader.starts("willow")
    await _answer(reader)
    await reader.answers("All correct", re.compile("^Book all"), "Here in Telegram")
    await reader.reads("You are booked!")


async def _answer(reader: Reader, since: str = "", until: str = "", **given: str) -> None:
    """Answer like the clear candidate but for `given`, from one question to another."""
    words = catalogues()["en"]
    wanted = {step: codes[0] for step, codes in CLEAR.items()} | given
    begun = not since
    while True:
        step = await _step(reader)
        begun = begun or step == since
        if not begun or step == until or step not in wanted:
            return
        await reader.answers(words.text(f"step.{step}.{wanted[step]}.label"))


async def _step(reader: Reader) -> str:
    """Return the step that the panel shows once it has caught up with the chat."""
    await settled(reader.page)
    return await reader.page.locator(".where .step").text_content() or ""


async def _fetch(reader: Reader, path: Path) -> None:
    """Keep the newest picture of the chat as the bot drew it."""
    source = await reader.page.locator(".photo img").last.evaluate("image => image.src")
    answer = await reader.page.request.get(source)
    await keep(await answer.body(), path)


def main() -> int:
    """Take the pictures; 2 and one sentence when there is no browser."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(take_all())
    except NoBrowser as missing:
        sys.stderr.write(f"{missing}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
