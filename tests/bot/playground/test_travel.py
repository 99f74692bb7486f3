"""Time travel: jumps to what happens next, and tells what came of it and what is still to come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.clock import MovableClock
from bot.playground import ahead
from bot.playground.server import Playground, playground
from bot.settings import Settings
from flows.follow_up import NudgeKind
from storage.outbox_policy import Kind
from tests.flows.chat import CLEAR, catalogues
from tests.patient import Patient, new_patient
from tests.standin import StoppedClock

Json = dict[str, Any]


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Playground]:
    settings = Settings(_env_file=None, data_dir=tmp_path, database_url="", http_port=0)
    async with playground(settings, MovableClock(StoppedClock())) as place:
        yield place


@pytest.fixture
async def maya(running: Playground) -> AsyncIterator[Patient]:
    """Yield a patient who holds four times and was asked how to be reached."""
    async with await new_patient(running.address) as maya:
        words = catalogues()["en"]
        await maya.starts("willow")
        for step, codes in CLEAR.items():
            await maya.taps(words.text(f"step.{step}.{codes[0]}.label"))
        await maya.taps("All correct")
        await maya.taps("Book all 4")
        await maya.sees("One last step.")
        yield maya


async def jumps(running: Playground) -> list[str]:
    """Go to the next event; return what came of it."""
    address = f"{running.address}/playground/next"
    async with aiohttp.ClientSession() as http, http.post(address) as answer:
        return [line["words"] for line in (await answer.json())["came"]]


async def lies_ahead(running: Playground, patient: Patient) -> list[Json]:
    address = f"{running.address}/playground/peek/{patient.chat_id}"
    async with aiohttp.ClientSession() as http, http.get(address) as answer:
        found: list[Json] = (await answer.json())["ahead"]
        return found


async def test_where_nobody_has_written_nothing_lies_ahead(running: Playground) -> None:
    before = running.clock.now()

    assert await jumps(running) == ["nothing lies ahead of anybody"]
    assert running.clock.now() == before


async def test_the_end_of_a_hold_is_an_event(running: Playground, maya: Patient) -> None:
    assert await jumps(running) == ["Maya got a word that the held times end soon"]
    assert await jumps(running) == ["the times held for Maya are free"]


async def test_a_jump_leads_to_what_was_said_to_lie_ahead(
    running: Playground, maya: Patient
) -> None:
    await maya.taps("Here in Telegram")
    await maya.sees("You are booked!")
    rows = await lies_ahead(running, maya)
    first = next(row for row in rows if row["standing"] == "waiting")

    assert await jumps(running) == [f"Maya got {first['what']}"]

    assert running.clock.now().isoformat() == first["at"]
    assert {**first, "standing": "sent"} in await lies_ahead(running, maya)


async def test_a_move_tells_what_went_out_because_of_it(running: Playground, maya: Patient) -> None:
    await maya.taps("Here in Telegram")
    await maya.sees("You are booked!")
    address = f"{running.address}/playground/clock"
    async with aiohttp.ClientSession() as http:
        async with http.post(address, json={"hours": 0.25}) as answer:
            assert (await answer.json())["came"] == []
        async with http.post(address, json={"hours": 24 * 460}) as answer:
            (line,) = (await answer.json())["came"]

    assert line["words"] == "Maya got the yearly refresher"


async def test_after_a_stop_each_message_says_why_it_will_not_come(
    running: Playground, maya: Patient
) -> None:
    await maya.taps("Here in Telegram")
    await maya.sees("You are booked!")
    await maya.says("/stop")
    await maya.sees("You will get no more messages")

    rows = await lies_ahead(running, maya)

    assert {row["why"] for row in rows} == {"the patient wants no messages"}
    assert await jumps(running) == ["nothing lies ahead of anybody"]


def test_every_message_has_a_name() -> None:
    assert set(ahead.NUDGES) == set(NudgeKind)
    assert set(ahead.MESSAGES) == set(Kind)
    assert ahead.named(Kind.NUDGE, {"nudge": "refresher"}) == "the yearly refresher"
