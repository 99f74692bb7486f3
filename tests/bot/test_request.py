"""The transport against a real HTTP server: bodies, timeouts, and never the address in words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from telegram import Bot, InputFile
from telegram.error import InvalidToken, NetworkError, TelegramError, TimedOut

from bot.request import AiohttpRequest, NotSent, ServerFailed

TOKEN = "123456:secret-token-of-a-bot"
ANSWER = {"ok": True, "result": {"message_id": 1, "date": 1, "chat": {"id": 7, "type": "private"}}}


@asynccontextmanager
async def a_bot(
    handler: web.AbstractRouteDef | None = None, url: str = "", **timeouts: float
) -> AsyncIterator[Bot]:
    """Yield a bot whose Bot API is one handler."""
    app = web.Application(client_max_size=2**22)
    if handler is not None:
        app.add_routes([handler])
    async with TestServer(app) as server:
        request = AiohttpRequest(**timeouts)  # type: ignore[arg-type]
        await request.initialize()
        root = url or str(server.make_url("")).rstrip("/")
        bot = Bot(TOKEN, base_url=f"{root}/bot", request=request)
        yield bot
        await request.shutdown()


def answering(body: object, seen: list[web.Request] | None = None) -> web.AbstractRouteDef:
    async def answer(request: web.Request) -> web.Response:
        if seen is not None:
            await request.read()
            seen.append(request)
        return web.json_response(body)

    return web.post("/bot{token}/{method}", answer)


async def test_parameters_travel_as_json_with_their_types() -> None:
    seen: list[web.Request] = []
    async with a_bot(answering(ANSWER, seen)) as bot:
        await bot.send_message(7, "grüß Gott", disable_notification=True)

    assert seen[0].content_type == "application/json"
    assert await seen[0].json() == {
        "chat_id": 7,
        "text": "grüß Gott",
        "disable_notification": True,
    }


async def test_files_travel_as_multipart() -> None:
    parts: dict[str, bytes] = {}

    async def answer(request: web.Request) -> web.Response:
        async for part in await request.multipart():
            parts[str(part.name)] = await part.read()
        return web.json_response(ANSWER)

    async with a_bot(web.post("/bot{token}/sendDocument", answer)) as bot:
        await bot.send_document(7, InputFile(b"BEGIN:VCALENDAR", filename="a.ics"))

    assert parts["chat_id"] == b"7"
    assert b"BEGIN:VCALENDAR" in parts.values()


async def test_a_server_that_is_not_there_was_certainly_not_reached() -> None:
    async with a_bot(url=f"http://127.0.0.1:{unused_port()}") as bot:
        with pytest.raises(NotSent) as failure:
            await bot.send_message(7, "hello")

    assert TOKEN not in str(failure.value)
    assert failure.value.__cause__ is None


async def test_an_answer_that_does_not_come_in_time_is_ambiguous() -> None:
    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(0.4)
        return web.json_response(ANSWER)

    async with a_bot(web.post("/bot{token}/{method}", answer), read_timeout=0.05) as bot:
        with pytest.raises(TimedOut) as failure:
            await bot.send_message(7, "hello")

    assert not isinstance(failure.value, NotSent)


async def test_a_connection_that_breaks_is_ambiguous() -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with a_bot(web.post("/bot{token}/{method}", answer)) as bot:
        with pytest.raises(NetworkError) as failure:
            await bot.send_message(7, "hello")

    assert not isinstance(failure.value, NotSent)
    assert TOKEN not in str(failure.value)


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_server_that_says_that_it_failed_is_told_apart(status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="<html>Bad Gateway</html>", status=status)

    async with a_bot(web.post("/bot{token}/{method}", answer)) as bot:
        with pytest.raises(ServerFailed, match=str(status)):
            await bot.send_message(7, "hello")


async def test_an_address_that_is_none_does_not_show_the_token() -> None:
    async with a_bot(url="http://") as bot:
        with pytest.raises(NotSent) as failure:
            await bot.send_message(7, "hello")

    assert TOKEN not in repr(failure.value)


async def test_an_answer_that_is_not_json_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="<html>my private words</html>")

    async with a_bot(web.post("/bot{token}/{method}", answer)) as bot:
        with pytest.raises(TelegramError, match="not JSON"):
            await bot.send_message(7, "hello")

    assert "private words" not in caplog.text


async def test_refusals_of_the_bot_api_keep_their_meaning() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"ok": False, "description": "Unauthorized"}, status=401)

    async with a_bot(web.post("/bot{token}/{method}", answer)) as bot:
        with pytest.raises(InvalidToken):
            await bot.send_message(7, "hello")


async def test_files_can_be_fetched_and_no_limit_means_none() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"bytes")

    async with a_bot(web.get("/file", answer)) as bot:
        root = bot.base_url.rpartition("/bot")[0]
        got = await bot.request.retrieve(f"{root}/file", read_timeout=None)

    assert got == b"bytes"
    assert bot.request.read_timeout == 20.0


async def test_the_pool_must_be_open_before_it_is_used() -> None:
    request = AiohttpRequest()

    with pytest.raises(RuntimeError, match="must be initialized"):
        await request.do_request("http://127.0.0.1/", "GET")
    await request.shutdown()
