"""Taking a picture: the sizes, waiting until nothing moves, and writing a small file."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from PIL import Image
from playwright.async_api import Page

from bot.clock import MovableClock
from bot.playground.server import Playground, playground
from bot.settings import Settings
from tests.browser.reader import Reader
from tests.sides import clinic_side
from tests.standin import StoppedClock

PHONE = {"viewport": {"width": 412, "height": 860}, "device_scale_factor": 2, "has_touch": True}
DESKTOP = {"viewport": {"width": 1440, "height": 1080}, "device_scale_factor": 1.25}
SIDE_BY_SIDE = {"viewport": {"width": 1600, "height": 1000}, "device_scale_factor": 1.25}
COLOURS = 256  # enough for flat drawings, and a quarter of the size

_STILL = """async () => {
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


@asynccontextmanager
async def fresh_playground() -> AsyncIterator[Playground]:
    """Yield a playground with its console, on a clock that stands on a Monday morning."""
    clock = MovableClock(StoppedClock())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(_env_file=None, data_dir=folder, database_url="", http_port=0)
        async with playground(settings, clock, clinic_side(folder)) as running:
            yield running


async def settled(page: Page) -> None:
    """Wait until nothing has changed on a page for a moment, pictures included."""
    await page.evaluate(_STILL)


async def top_of(reader: Reader, words: str) -> None:
    """Scroll to the beginning of the newest message that holds these words."""
    await settled(reader.page)
    message = reader.page.locator(".message", has_text=words).last
    await message.evaluate(
        "node => document.getElementById('scroller').scrollTo(0, node.offsetTop - 12)"
    )


async def take(page: Page, path: Path) -> None:
    """Write what a page shows."""
    await settled(page)
    await page.evaluate("document.activeElement?.blur()")
    await page.mouse.move(0, 0)
    await keep(await page.screenshot(), path)


async def keep(shot: bytes, path: Path) -> None:
    """Write a picture with few colours."""
    await asyncio.to_thread(_save, shot, path)


def _save(shot: bytes, path: Path) -> None:
    with Image.open(io.BytesIO(shot)) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
