"""Bad days: limits, faults on demand, and what a client then sees."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import aiohttp
import pytest
from telegram import Bot
from telegram.error import BadRequest, Forbidden, NetworkError

from bot.playground.faults import ChatLimit, Fault, FaultKind, Faults
from bot.playground.refusals import Refusal
from tests.patient import Patient
from tests.standin import RunningStandIn, running_standin


async def test_too_many_requests_names_the_seconds(
    standin: RunningStandIn, maya: Patient, http: aiohttp.ClientSession
):
    standin.fault(FaultKind.TOO_MANY_REQUESTS, "sendMessage", seconds=7)
    address = f"{standin.url}/bot{standin.token}/sendMessage"
    body = {"chat_id": maya.chat_id, "text": "x"}

    async with http.post(address, json=body) as refused:
        assert (await refused.json())["parameters"] == {"retry_after": 7}
    async with http.post(address, json=body) as sent:
        assert sent.status == 200


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.BLOCKED, Forbidden),
        (FaultKind.BAD_REQUEST, BadRequest),
        (FaultKind.BAD_GATEWAY, NetworkError),
    ],
)
async def test_a_planned_fault_happens_once(
    standin: RunningStandIn, bot: Bot, maya: Patient, kind: FaultKind, error: type[Exception]
):
    standin.fault(kind, "sendmessage")

    with pytest.raises(error):
        await bot.send_message(maya.chat_id, "lost")
    await bot.send_message(maya.chat_id, "arrives")
    await maya.sees("arrives")
    assert "lost" not in maya.transcript()


async def test_a_reset_comes_after_the_message_was_delivered(
    standin: RunningStandIn, bot: Bot, maya: Patient
):
    standin.fault(FaultKind.RESET_AFTER_DELIVERY, "sendMessage")

    with pytest.raises(NetworkError):
        await bot.send_message(maya.chat_id, "delivered all the same")
    await maya.sees("delivered all the same")


async def test_a_delay_holds_one_call_back(standin: RunningStandIn, bot: Bot, maya: Patient):
    standin.fault(FaultKind.DELAY, "sendMessage", seconds=0.05)
    began = asyncio.get_running_loop().time()
    await bot.send_message(maya.chat_id, "late")

    assert asyncio.get_running_loop().time() - began >= 0.05


def test_faults_wait_for_their_method_chat_and_turn():
    faults = Faults()
    faults.plan(Fault(FaultKind.DELAY, "sendMessage", count=2, chat_id=7, skip=1))

    taken = [faults.take("sendMessage", chat) for chat in (8, 7, 7, 7, 7)]

    assert [fault is not None for fault in taken] == [False, False, True, True, False]
    assert faults.take("getMe", 7) is None


def test_faults_can_be_called_off():
    faults = Faults([Fault(FaultKind.DELAY)])
    faults.clear()

    assert faults.take("getMe", None) is None


def test_a_chat_gets_a_burst_and_then_one_a_second():
    seconds = iter([0.0, 0.0, 0.0, 0.0, 1.0, 1.0])
    limit = ChatLimit(per_second=1, burst=2, seconds=lambda: next(seconds))
    limit.take(1)
    limit.take(1)

    with pytest.raises(Refusal) as refused:
        limit.take(1)
    assert refused.value.retry_after == 1
    limit.take(2)  # another chat has its own bucket
    limit.take(1)


async def test_the_limit_is_what_the_bot_meets(http: aiohttp.ClientSession):
    limit = ChatLimit(per_second=0.01, burst=1)
    async with running_standin(limit=limit) as slow, await slow.new_patient() as patient:
        await patient.starts()
        body = {"chat_id": patient.chat_id, "text": "x"}
        address = f"{slow.url}/bot{slow.token}/sendMessage"
        async with http.post(address, json=body) as first:
            assert first.status == 200
        async with http.post(address, json=body) as second:
            answer = await second.json()

    assert (answer["error_code"], second.headers["Retry-After"]) == (429, "100")
    assert answer["description"] == "Too Many Requests: retry after 100"


async def test_a_bot_that_vanishes_in_the_middle_of_a_call_is_no_fault_of_the_playground(
    standin: RunningStandIn, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
):
    there = urlsplit(standin.url)
    _, call = await asyncio.open_connection(there.hostname, there.port)
    call.write(
        f"POST /bot{standin.token}/sendMessage HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\na=".encode()
    )
    await call.drain()
    call.close()
    await call.wait_closed()

    async with http.post(f"{standin.url}/bot{standin.token}/getMe") as next_call:
        assert next_call.status == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
