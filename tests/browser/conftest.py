"""A browser window on a stand-in with a scripted bot. Without a browser: one loud line.

With RESURFACE_REQUIRE_BROWSER set, as `.ci/run` does, a missing browser fails the tests instead.

Starting a browser takes seconds, so all tests of this folder share one, and one event loop.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from bot.clock import MovableClock
from bot.playground.server import Playground, playground
from bot.settings import Settings
from clinic.console.limits import Limits
from tests.browser.chromium import NoBrowser, browser
from tests.browser.reader import Reader
from tests.browser.scripted_bot import scripted_bot
from tests.clinic.console.world import ConsoleWorld, console_world
from tests.journeys.guide import Tour
from tests.journeys.world import World, world
from tests.standin import RunningStandIn, StoppedClock, running_standin

MISSING = pytest.StashKey[str]()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(request: pytest.FixtureRequest) -> AsyncIterator[Browser]:
    """Yield a browser, or skip."""
    try:
        async with browser() as running:
            yield running
    except NoBrowser as missing:
        if os.environ.get("RESURFACE_REQUIRE_BROWSER"):
            raise
        request.config.stash[MISSING] = str(missing)
        pytest.skip(str(missing))


@pytest_asyncio.fixture(loop_scope="session")
async def scripted() -> AsyncIterator[RunningStandIn]:
    """Yield a stand-in whose bot follows a script, on a clock that stands still."""
    clock = MovableClock(StoppedClock())
    async with (
        running_standin(clock, peek=_peek) as standin,
        scripted_bot(standin.url, standin.token),
    ):
        yield standin


@pytest_asyncio.fixture(loop_scope="session")
async def reader(chromium: Browser, scripted: RunningStandIn) -> AsyncIterator[Reader]:
    """Yield someone who has opened the page; in the end nothing may have gone wrong on it."""
    async with window(chromium) as reader:
        await reader.opens(scripted.url)
        yield reader
    assert reader.faults == []
    assert all(address.startswith((scripted.url, "blob:")) for address in reader.addresses)


@pytest_asyncio.fixture(loop_scope="session")
async def real(tmp_path: Path) -> AsyncIterator[Playground]:
    """Yield the whole playground, as `make run` starts it, on a Monday morning."""
    clock = MovableClock(StoppedClock())
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url="", http_port=0)
    async with playground(settings, clock) as running:
        yield running


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


@asynccontextmanager
async def window(running: Browser, **options: Any) -> AsyncIterator[Reader]:
    """Yield someone with a fresh window."""
    context = await running.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
    yield Reader(await context.new_page())
    await context.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once, loudly, that the browser tests did not run."""
    missing = terminalreporter.config.stash.get(MISSING, "")
    if missing:
        terminalreporter.write_line(f"BROWSER TESTS SKIPPED. {missing}", red=True, bold=True)


async def _peek(_chat_id: int) -> dict[str, object]:
    conversation = {"state": "scripted", "revision": 3, "run": 1, "clinic": "willow"}
    return {"zone": "Europe/London", "conversation": conversation, "agenda": [], "leads": []}
