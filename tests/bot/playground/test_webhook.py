"""Delivery by HTTP POST, to a real server that sometimes refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from telegram import Bot
from telegram.error import BadRequest, Conflict

from tests.patient import Patient
from tests.standin import RunningStandIn


class Receiver:
    """A web server that takes updates, or refuses the next ones."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []  # (secret, text)
        self.refusals = 0
        self.url = ""
        self._news = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        """Take one update."""
        update = await request.json()
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=500)
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        self.got.append((secret, update["message"]["text"]))
        self._news.set()
        return web.Response()

    async def has(self, count: int) -> None:
        """Wait until so many updates have come."""
        async with asyncio.timeout(10):
            while len(self.got) < count:
                self._news.clear()
                await self._news.wait()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"http://127.0.0.1:{port}/hook"
    yield receiver
    await runner.cleanup()


async def test_updates_are_posted_with_the_secret(bot: Bot, maya: Patient, receiver: Receiver):
    await bot.set_webhook(receiver.url, secret_token="hush", allowed_updates=["message"])
    await maya.says("hello")
    await receiver.has(2)

    assert receiver.got == [("hush", "/start"), ("hush", "hello")]
    info = await bot.get_webhook_info()
    assert (info.url, info.pending_update_count) == (receiver.url, 0)
    assert info.allowed_updates == ("message",)


async def test_what_is_refused_comes_again_in_order(bot: Bot, maya: Patient, receiver: Receiver):
    receiver.refusals = 3
    await bot.set_webhook(receiver.url)
    for word in ("one", "two", "three"):
        await maya.says(word)
    await receiver.has(4)

    assert [text for _, text in receiver.got] == ["/start", "one", "two", "three"]
    assert "500" in (await bot.get_webhook_info()).last_error_message


async def test_polling_and_a_webhook_exclude_each_other(bot: Bot, receiver: Receiver):
    await bot.set_webhook(receiver.url)
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()

    await bot.delete_webhook()
    assert await bot.get_updates() == ()


async def test_pending_updates_can_be_dropped(bot: Bot, maya: Patient):
    await bot.delete_webhook(drop_pending_updates=True)

    assert await bot.get_updates() == ()


async def test_an_empty_address_takes_the_webhook_away(bot: Bot, receiver: Receiver):
    await bot.set_webhook(receiver.url)
    await bot.set_webhook("")

    assert (await bot.get_webhook_info()).url == ""


async def test_a_receiver_that_is_away_is_noted(
    standin: RunningStandIn, bot: Bot, maya: Patient, receiver: Receiver
):
    await bot.set_webhook("http://127.0.0.1:9/nobody")
    for _ in range(50):
        if (await bot.get_webhook_info()).last_error_message:
            break
    assert (await bot.get_webhook_info()).last_error_message == "Connection refused"

    await bot.set_webhook(receiver.url)
    await receiver.has(1)


async def test_nothing_is_delivered_to_another_machine(bot: Bot):
    with pytest.raises(BadRequest, match="this machine only"):
        await bot.set_webhook("https://example.org/hook")
    with pytest.raises(BadRequest, match="unallowed characters"):
        await bot.set_webhook("http://127.0.0.1:9/", secret_token="not allowed!")
