"""The bot's `/console` leads into the real console: both sides agree on what a link is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from bot.clock import MovableClock
from bot.listening import bind, listening
from bot.live import new_token
from clinic.console.app import create_console
from clinic.settings import ConsoleSettings
from storage import staff
from storage.database import Database
from tests.clinic.console.world import Browser, QuietTelegram, enter
from tests.journeys.guide import Tour
from tests.journeys.world import World, bot_on, world
from tests.standin import StoppedClock


@pytest.fixture
async def console(
    database: Database, tour: Tour, tmp_path: Path
) -> AsyncIterator[tuple[World, str]]:
    """Yield a world whose bot knows the address of the console that runs beside it."""
    clock = MovableClock(StoppedClock())
    settings = ConsoleSettings(_env_file=None, data_dir=tmp_path)
    app = create_console(database, clock.now, QuietTelegram(), settings)
    async with listening(app, bind("127.0.0.1", 0)) as address:

        def bots(here: World) -> AbstractAsyncContextManager[object]:
            return bot_on(here, console_url=address, new_token=new_token)

        async with world(database, tour, bots, clock) as here:
            yield here, address


async def test_the_link_that_an_invited_owner_asks_for_signs_in_once(
    console: tuple[World, str],
) -> None:
    here, address = console
    staff_id = await here.database.write(staff.add, "willow", "Noor", "owner", here.clock.now())
    invited = await here.database.write(staff.invite, staff_id, new_token(), here.clock.now())
    noor = await here.standin.new_patient("Noor")
    here.patients.append(noor)
    await noor.starts(invited)
    await noor.sees("You are connected")
    await noor.says("/console")
    said = await noor.sees(f"{address}/sign-in/")
    found = re.search(r"(/sign-in/[^\s\"<]+)", said.text)
    assert found is not None

    async with Browser(address) as browser, Browser(address) as stranger:
        entered = await enter(browser, found[1])
        today = await browser.get("/today")
        again = await enter(stranger, found[1])

    assert (entered.status_code, today.status_code, again.status_code) == (303, 200, 403)
