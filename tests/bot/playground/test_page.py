"""The page's own endpoints: who may ask, what is told, and how it is followed live."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from telegram import Bot

from bot.clock import SystemClock
from bot.playground import create_app
from bot.playground.app import ASSETS, PAGES
from bot.playground.refusals import PlaygroundRefused
from tests.patient import Patient
from tests.standin import RunningStandIn, StoppedClock, running_standin


async def test_the_page_and_its_parts_are_served_under_a_strict_policy(
    standin: RunningStandIn, http: aiohttp.ClientSession
):
    for name in ("", *ASSETS):
        async with http.get(f"{standin.url}/{name}") as answer:
            assert answer.status == 200
            policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    async with http.get(f"{standin.url}/secrets.txt") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("name", ["index.html", *ASSETS])
def test_the_page_asks_no_other_machine_for_anything(name: str):
    text = (PAGES / name).read_text(encoding="utf-8").replace("http://www.w3.org/", "")

    assert "http://" not in text
    assert "https://" not in text
    assert "innerHTML" not in text


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Host": "127.0.0.1.evil.example"},
    ],
)
async def test_requests_from_elsewhere_are_turned_away(
    standin: RunningStandIn, http: aiohttp.ClientSession, headers: dict[str, str]
):
    async with http.post(f"{standin.url}/playground/patients", headers=headers) as answer:
        assert answer.status == 403


async def test_requests_by_the_name_of_this_machine_are_answered(
    standin: RunningStandIn, http: aiohttp.ClientSession
):
    for host in ("localhost:1", "[::1]:1", "localhost", "127.0.0.1"):
        async with http.get(f"{standin.url}/playground/state", headers={"Host": host}) as answer:
            assert answer.status == 200


@pytest.mark.parametrize("token", ["", "1234567890:AAErealLookingToken", "1000000001:playground2"])
def test_no_real_token_is_ever_taken(token: str):
    with pytest.raises(PlaygroundRefused, match="made-up token only") as refused:
        create_app(token=token, clock=SystemClock())

    assert not token or token not in str(refused.value)


async def test_the_state_lists_patients_bot_and_clock(
    standin: RunningStandIn, bot: Bot, maya: Patient, http: aiohttp.ClientSession
):
    await bot.set_my_description("Hello")
    async with http.get(f"{standin.url}/playground/state") as answer:
        state = await answer.json()

    assert state["bot"]["description"] == "Hello"
    assert [one["first_name"] for one in state["patients"]] == ["Maya"]
    assert state["patients"][0]["last"]["text"] == "/start"
    assert (state["zone"], state["moved"], state["can_peek"]) == ("Europe/London", 0.0, False)


async def test_events_are_streamed_as_they_happen(
    standin: RunningStandIn, maya: Patient, http: aiohttp.ClientSession
):
    async with http.get(f"{standin.url}/playground/events") as stream:
        await stream.content.readuntil(b"\n\n")
        await maya.says("hello")
        kind, body = await _event(stream)
        assert (kind, body["message"]["text"], body["chat_id"]) == (
            "message",
            "hello",
            maya.chat_id,
        )

        await maya.blocks()
        assert await _event(stream) == ("patient", {"blocked": True, "chat_id": maya.chat_id})


async def test_a_follower_can_catch_up_from_where_it_stopped(
    standin: RunningStandIn, maya: Patient, http: aiohttp.ClientSession
):
    await maya.says("missed")
    async with http.get(
        f"{standin.url}/playground/events", headers={"Last-Event-ID": "2"}
    ) as stream:
        await stream.content.readuntil(b"\n\n")
        assert (await _event(stream))[1]["message"]["text"] == "missed"


async def test_the_clock_is_moved_by_hours_and_reset(
    standin: RunningStandIn, http: aiohttp.ClientSession
):
    before = standin.clock.now()
    address = f"{standin.url}/playground/clock"
    async with http.post(address, json={"hours": 25}) as answer:
        assert (await answer.json())["moved"] == 25 * 3600
    async with http.post(address, json={"reset": True}) as answer:
        assert (await answer.json())["moved"] == 0
    async with http.post(address, json={"hours": "many"}) as answer:
        assert answer.status == 400

    assert standin.clock.now() == before


async def test_a_clock_that_stands_cannot_be_moved(http: aiohttp.ClientSession):
    async with running_standin(StoppedClock()) as standin:
        async with http.post(f"{standin.url}/playground/clock", json={"hours": 1}) as answer:
            assert answer.status == 400
        async with http.get(f"{standin.url}/playground/state") as answer:
            assert (await answer.json())["moved"] == 0


async def test_faults_and_disturbances_can_be_ordered_over_http(
    standin: RunningStandIn, maya: Patient, http: aiohttp.ClientSession
):
    fault = {"kind": "delay", "method": "sendMessage", "seconds": 0.01}
    async with http.post(f"{standin.url}/playground/faults", json=fault) as answer:
        assert await answer.json() == {"planned": 1}
    async with http.post(f"{standin.url}/playground/faults", json={"kind": "rain"}) as answer:
        assert "bad_gateway" in (await answer.json())["description"]
    disturb = {"jump": True, "redeliver": True}
    async with http.post(f"{standin.url}/playground/updates", json=disturb) as answer:
        assert (await answer.json())["last_id"] == standin.state.queue.last_id
    assert [update.again for update in standin.state.queue.pending] == [False, True]


async def test_what_lies_behind_a_chat_is_asked_of_peek(http: aiohttp.ClientSession):
    async def peek(chat_id: int) -> dict[str, object]:
        return {"chat": chat_id}

    async with running_standin(peek=peek) as standin:
        assert await _json(http, f"{standin.url}/playground/peek/7") == {"chat": 7}
    async with running_standin() as standin:
        assert await _json(http, f"{standin.url}/playground/peek/7") == {}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("patients/1/text", "{}"),
        ("patients/{maya}/text", "[]"),
        ("patients/{maya}/tap", '{"row": true}'),
    ],
)
async def test_requests_that_make_no_sense_get_400(
    standin: RunningStandIn, maya: Patient, http: aiohttp.ClientSession, path: str, body: str
):
    address = f"{standin.url}/playground/{path.format(maya=maya.chat_id)}"
    async with http.post(address, data=body) as answer:
        assert answer.status == 400


async def test_unknown_chats_and_files_get_400(
    standin: RunningStandIn, http: aiohttp.ClientSession
):
    for path in ("patients/1", "files/none"):
        async with http.get(f"{standin.url}/playground/{path}") as answer:
            assert answer.status == 400


async def test_files_that_are_no_pictures_are_never_shown_as_pages(
    standin: RunningStandIn, bot: Bot, maya: Patient, http: aiohttp.ClientSession
):
    sent = await bot.send_document(maya.chat_id, b"<script>1</script>", filename="x.html")
    address = f"{standin.url}/playground/files/{sent.document.file_id}"
    async with http.get(address) as answer:
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_stopping_ends_every_wait(http: aiohttp.ClientSession):
    async with running_standin() as standin, await standin.new_patient() as patient:
        await patient.starts()
        address = f"{standin.url}/playground/patients/{patient.chat_id}?since=99&wait=30"
        waits = [asyncio.create_task(_status(http, address))]
        poll = f"{standin.url}/bot{standin.token}/getUpdates?timeout=30&offset=2"
        waits.append(asyncio.create_task(_status(http, poll)))
        await _until_both_wait(standin)

    async with asyncio.timeout(5):
        assert await asyncio.gather(*waits) == [200, 200]


async def _until_both_wait(standin: RunningStandIn) -> None:
    feed = standin.state.feed
    await feed.next(0.2)  # nothing happens: time for both to arrive


async def _json(http: aiohttp.ClientSession, address: str) -> dict[str, object]:
    async with http.get(address) as answer:
        body: dict[str, object] = await answer.json()
        return body


async def _status(http: aiohttp.ClientSession, address: str) -> int:
    async with http.get(address) as answer:
        return answer.status


async def _event(stream: aiohttp.ClientResponse) -> tuple[str, dict[str, object]]:
    lines = (await stream.content.readuntil(b"\n\n")).decode().splitlines()
    fields = dict(line.split(": ", 1) for line in lines if line)
    return fields["event"], json.loads(fields["data"])
