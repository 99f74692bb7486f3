"""The console beside the chat: one press, this machine alone, and never a frame elsewhere."""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.clinic_side import TelegramFiles
from bot.clock import MovableClock
from bot.listening import bind, listening
from bot.playground.server import Playground, playground
from bot.settings import Settings
from clinic.settings import ConsoleRefused, ConsoleSettings
from clinic.side import Side
from storage import staff
from storage.database import Database
from tests.sides import clinic_side
from tests.standin import StoppedClock


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Playground]:
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url="", http_port=0)
    clock = MovableClock(StoppedClock())
    async with playground(settings, clock, clinic_side(tmp_path)) as place:
        yield place


@pytest.fixture
async def visitor() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield http


async def signed_in(running: Playground, visitor: aiohttp.ClientSession) -> dict[str, str]:
    """Press the button; return the header that a browser sends from then on."""
    async with visitor.post(f"{running.address}/playground/console") as answer:
        assert running.console.endswith(f":{(await answer.json())['port']}")
        (cookie,) = answer.headers.getall("Set-Cookie")
        return {"Cookie": cookie.partition(";")[0]}


async def today(
    running: Playground, visitor: aiohttp.ClientSession, cookie: dict[str, str]
) -> tuple[int, str]:
    page = visitor.get(f"{running.console}/today", headers=cookie, allow_redirects=False)
    async with page as answer:
        return answer.status, await answer.text()


async def test_one_press_signs_the_demos_owner_in(
    running: Playground, visitor: aiohttp.ClientSession
) -> None:
    assert (await today(running, visitor, {}))[0] == 303

    status, page = await today(running, visitor, await signed_in(running, visitor))

    assert (status, "Demo Owner" in page) == (200, True)
    async with visitor.post(f"{running.address}/playground/console") as again:
        assert "Set-Cookie" in again.headers
    assert len(await running.database.read(staff.members)) == 1


async def test_who_is_signed_in_stays_so_over_months_of_moved_time(
    running: Playground, visitor: aiohttp.ClientSession
) -> None:
    cookie = await signed_in(running, visitor)

    for body in ({"hours": 24 * 200}, {"reset": True}):
        await visitor.post(f"{running.address}/playground/clock", json=body)
        assert (await today(running, visitor, cookie))[0] == 200
    async with visitor.post(f"{running.address}/playground/console", headers=cookie) as again:
        assert "Set-Cookie" not in again.headers


async def test_the_page_and_its_console_frame_each_other_and_nothing_else(
    running: Playground, visitor: aiohttp.ClientSession
) -> None:
    async with visitor.get(running.address) as page, visitor.get(running.console) as console:
        frames = re.findall(r"frame-src ([^;]*)", page.headers["Content-Security-Policy"])
        framed = re.findall(r"frame-ancestors ([^;]*)", console.headers["Content-Security-Policy"])

    assert frames == [f"{running.console} {running.console.replace('127.0.0.1', 'localhost')}"]
    assert framed == [f"{running.address} {running.address.replace('127.0.0.1', 'localhost')}"]


async def test_no_page_from_elsewhere_gets_a_way_in(
    running: Playground, visitor: aiohttp.ClientSession
) -> None:
    headers = {"Origin": "http://evil.example"}
    async with visitor.post(f"{running.address}/playground/console", headers=headers) as answer:
        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers
    async with visitor.get(f"{running.address}/playground/console") as looked:
        assert looked.status == 405


async def test_a_taken_port_gives_way_to_a_free_one(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url="", http_port=0)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        async with playground(settings, clinic_side=clinic_side(tmp_path, taken)) as running:
            assert not running.console.endswith(f":{taken}")


async def test_a_clinics_own_console_is_shown_in_no_frame(
    database: Database, tmp_path: Path, visitor: aiohttp.ClientSession
) -> None:
    now, telegram = StoppedClock().now, TelegramFiles("1:a", None)
    app = clinic_side(tmp_path).console(database, now, telegram)
    async with listening(app, bind("127.0.0.1", 0)) as address, visitor.get(address) as answer:
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"
    reached = ConsoleSettings(
        _env_file=None, data_dir=tmp_path, console_url="https://desk.example.com"
    )

    with pytest.raises(ConsoleRefused, match="unset CONSOLE_URL"):
        Side(reached).console(database, now, telegram, framed_by="http://127.0.0.1:8080")
