"""An owner changes opening hours in the console, and the bot offers other times."""

from __future__ import annotations

import secrets
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.listening import bind, listening
from clinic.console import sessions
from clinic.console.app import create_console
from clinic.settings import ConsoleSettings
from flows.slots import Slot
from storage import console_sessions, staff
from tests.clinic.console.test_setting_pages import send
from tests.clinic.console.world import Browser, QuietTelegram
from tests.journeys.world import World

CLOSED = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "")


async def offered(here: World, name: str) -> list[Slot]:
    """Let a new patient answer everything; return the times that are then held for them."""
    guide = await here.meets(name)
    await guide.answers()
    await guide.taps("All correct")
    await guide.taps("Book all")
    return [session.slot for session in (await guide.conversation()).booking.sessions]


async def owner_of(here: World, address: str) -> Browser:
    """Return the browser of a signed-in owner of Willow."""
    browser, token = Browser(address), secrets.token_urlsafe(32)
    now = here.clock.now()
    owner = await here.database.write(staff.add, "willow", "Noor", "owner", now)
    await here.database.write(console_sessions.start, owner, token, now, is_verified=True)
    browser.cookies[sessions.COOKIE] = token
    return browser


async def test_changed_opening_hours_change_what_patients_are_offered(
    here: World, tmp_path: Path
) -> None:
    settings = ConsoleSettings(_env_file=None, data_dir=tmp_path)
    app = create_console(here.database, here.clock.now, QuietTelegram(), settings)
    before = await offered(here, "Maya")
    async with (
        listening(app, bind("127.0.0.1", 0)) as address,
        await owner_of(here, address) as owner,
    ):
        wednesdays = {**CLOSED, "wed": "7:30-10"}
        status, _ = await send(owner, "/settings/people/amara", "hours:amara", wednesdays)
        await send(owner, "/settings/people/rowan", "people", {}, "remove")

    after = await offered(here, "Kofi")

    local = [slot.starts_at.astimezone(ZoneInfo("Europe/London")) for slot in after]
    assert (status, len(before) >= 3, len(after) >= 3) == (303, True, True)
    assert {(at.weekday(), 7 <= at.hour < 10) for at in local} == {(2, True)}
    assert not {slot.starts_at for slot in before} & {slot.starts_at for slot in after}
