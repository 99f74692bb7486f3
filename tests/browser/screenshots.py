"""Takes the pictures of docs/images: the real playground in a real browser.

Run it with `make screenshots`. The clock stands on a Monday morning, so that pictures taken again
differ only where the product does.
"""

from __future__ import annotations

import asyncio
import io
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser

from bot.clock import MovableClock
from bot.playground.server import Playground, playground
from bot.settings import Settings
from tests.browser.chromium import NoBrowser, browser
from tests.browser.conftest import window
from tests.browser.reader import Reader
from tests.flows.chat import CLEAR, catalogues
from tests.standin import StoppedClock

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PHONE = {"viewport": {"width": 412, "height": 860}, "device_scale_factor": 2, "has_touch": True}
DESKTOP = {"viewport": {"width": 1440, "height": 1080}, "device_scale_factor": 1.25}
INFLAMED = {
    "acne_now": "inflamed",
    "acne_ill": "no",
    "acne_signs": "none",
    "acne_medicine": "no",
}
COLOURS = 256  # enough for flat drawings, and a quarter of the size


async def take_all(images: Path = IMAGES) -> None:
    """Write every picture into a folder that exists; raises NoBrowser."""
    async with browser() as running:
        await _on_a_phone(running, images)
        await _not_yet(running, images)
        await _at_a_desk(running, images)


async def _on_a_phone(running: Browser, images: Path) -> None:
    async with _fresh() as place, window(running, **PHONE) as reader:
        await reader.opens(place.address)
        await _take(reader, images / "phone.png")
        await reader.starts("willow")
        await _take(reader, images / "consent.png")
        await _answer(reader, until="scar_type")
        await _take(reader, images / "scar-types.png")
        await _answer(reader, since="scar_type")
        await reader.answers("All correct")
        await _top_of(reader, "Times that fit your plan")
        await _take(reader, images / "verdict.png")
        await _fetch(reader, images / "plan.png")
        await reader.answers("Other times")
        await _take(reader, images / "days.png")
        await reader.answers(re.compile(r"^(Mon|Tue|Wed|Thu|Fri|Sat)"))
        await _take(reader, images / "slots.png")
        await reader.answers(re.compile(r"^\d\d:\d\d"))
        await reader.answers(re.compile("^Book all"))
        await reader.answers("Here in Telegram")
        await _top_of(reader, "You are booked!")
        await _take(reader, images / "confirmation.png")


async def _not_yet(running: Browser, images: Path) -> None:
    async with _fresh() as place, window(running, **PHONE) as reader:
        await reader.opens(place.address)
        await reader.starts("willow")
        await _answer(reader, **INFLAMED)
        await reader.answers("All correct")
        await _top_of(reader, "Not yet")
        await _take(reader, images / "not-yet.png")


async def _at_a_desk(running: Browser, images: Path) -> None:
    async with _fresh() as place:
        async with window(running, **DESKTOP) as reader:
            await _busy_day(reader, place)
            await _take(reader, images / "overview.png")
            address = reader.page.url
        async with window(running, **DESKTOP, color_scheme="dark") as reader:
            await reader.page.goto(address)
            await reader.reads("You are booked!")
            await _take(reader, images / "dark.png")


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
    await _settle(reader)
    return await reader.page.locator(".where .step").text_content() or ""


async def _settle(reader: Reader) -> None:
    """Wait until nothing has changed on the page for a moment, pictures included."""
    await reader.page.evaluate(
        """async () => {
          await new Promise((done) => {
            let timer = setTimeout(done, 500);
            const watch = new MutationObserver(() => {
              clearTimeout(timer);
              timer = setTimeout(done, 500);
            });
            watch.observe(document.body, { subtree: true, childList: true });
          });
          await Promise.all([...document.images].filter((i) => i.src).map((i) => i.decode()));
        }"""
    )


async def _top_of(reader: Reader, words: str) -> None:
    """Scroll to the beginning of the message that holds these words."""
    await _settle(reader)
    message = reader.page.locator(".message", has_text=words).last
    await message.evaluate(
        "node => document.getElementById('scroller').scrollTo(0, node.offsetTop - 12)"
    )


async def _fetch(reader: Reader, path: Path) -> None:
    """Keep the newest picture of the chat as the bot drew it."""
    source = await reader.page.locator(".photo img").last.evaluate("image => image.src")
    answer = await reader.page.request.get(source)
    await asyncio.to_thread(_save, await answer.body(), path)


async def _take(reader: Reader, path: Path) -> None:
    await _settle(reader)
    await reader.page.evaluate("document.activeElement?.blur()")
    await reader.page.mouse.move(0, 0)
    await asyncio.to_thread(_save, await reader.page.screenshot(), path)


def _save(shot: bytes, path: Path) -> None:
    with Image.open(io.BytesIO(shot)) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


@asynccontextmanager
async def _fresh() -> AsyncIterator[Playground]:
    clock = MovableClock(StoppedClock())
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder), database_url="", http_port=0)
        async with playground(settings, clock) as running:
            yield running


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
