"""The playground as a program: real bot, real database, real port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.clock import MovableClock
from bot.listening import address
from bot.playground.listening import bind
from bot.playground.refusals import PlaygroundRefused
from bot.playground.server import Playground, playground, run_playground
from bot.settings import Settings
from storage import clinics, staff
from tests.flows.chat import CLEAR, catalogues
from tests.patient import Patient, new_patient
from tests.standin import StoppedClock

Json = dict[str, Any]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, database_url="", http_port=0)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


async def test_a_fresh_playground_has_the_demo_clinics_and_a_talking_bot(settings: Settings):
    async with playground(settings, _clock()) as running:
        known = await running.database.read(clinics.load_all)
        async with await new_patient(running.address) as maya:
            await maya.starts("willow")
            await maya.sees("Willow Skin Clinic")

    assert "willow" in known


async def test_a_patient_keeps_chat_and_place_over_a_restart(settings: Settings):
    words = catalogues()["en"]
    async with _maya(settings) as (running, maya):
        await maya.starts("willow")
        await maya.taps(words.text("step.consent.agree.label"))
        await maya.sees("How old")
    async with playground(settings, _clock()) as running:
        chat = running.standin.chats.chat(maya.chat_id)
        again = await Patient.again(running.address, maya.chat_id)
        await again.still_sees("How old")
        await again.taps("22 or older")
        await again.sees("Question 2")
        await again.close()

    assert chat.patient.first_name == "Maya"


async def test_peek_tells_state_answers_verdict_plan_and_calendar(settings: Settings):
    words = catalogues()["en"]
    async with _maya(settings) as (running, maya):
        empty = await _peek(running.address, maya)
        await maya.starts("willow-poster")
        asked = await _until(running.address, maya, "consent")
        for step, codes in CLEAR.items():
            await maya.taps(words.text(f"step.{step}.{codes[0]}.label"))
        await maya.taps("All correct")
        await maya.taps("Book all 4")
        held = await _until(running.address, maya, "contact")
        await maya.taps("Here in Telegram")
        booked = await _until(running.address, maya, "booked")

    assert (empty["zone"], empty.get("conversation")) == ("Europe/London", None)
    assert asked["conversation"]["campaign"] == "poster"
    assert held["verdict"]["outcome"] == "eligible"
    assert held["verdict"]["decided"] is True
    assert [row["state"] for row in held["agenda"]] == ["held"] * 4
    assert held["booking"]["hold_until"] is not None
    assert {row["step"]: row["answer"] for row in booked["answers"]}["age"] == "22 or older"
    assert booked["plan"]["sessions"] == len(booked["booking"]["sessions"]) == 4
    assert all(row["mine"] for row in booked["agenda"])
    assert booked["leads"][0]["kind"] == "booked"
    assert booked["score"]["total"] == 100


async def test_peek_shows_reasons_in_words_and_dates(settings: Settings):
    words = catalogues()["en"]
    async with _maya(settings) as (running, maya):
        await maya.starts("willow")
        for step, code in (("consent", "agree"), ("age", "22_plus"), ("acne_now", "inflamed")):
            await maya.taps(words.text(f"step.{step}.{code}.label"))
        seen = await _until(running.address, maya, "acne_ill")
        await maya.says("I want to kill myself")
        urgent = await _until(running.address, maya, "urgent")

    (reason,) = seen["verdict"]["reasons"]
    assert (reason["rule"], reason["severity"]) == ("acne_now.inflamed", "deferred")
    assert reason["recheck_on"] == "2026-12-21"
    assert seen["verdict"]["decided"] is False
    assert urgent["verdict"]["outcome"] == "urgent"


async def test_an_occupied_port_is_one_sentence_that_names_the_setting(
    settings: Settings, taken_port: int
):
    busy = settings.model_copy(update={"http_port": taken_port})

    with pytest.raises(PlaygroundRefused) as refused:
        await run_playground(busy)
    assert str(refused.value) == (
        f"port {taken_port} is in use by another program; set HTTP_PORT to a free one"
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.org", "::"])
async def test_other_machines_cannot_be_let_in(settings: Settings, host: str):
    open_to_all = settings.model_copy(update={"http_host": host})

    with pytest.raises(PlaygroundRefused, match=r"HTTP_HOST must be 127\.0\.0\.1"):
        await run_playground(open_to_all)


async def test_the_playground_never_starts_beside_a_real_token(tmp_path: Path):
    real = Settings(
        _env_file=None, data_dir=tmp_path, telegram_bot_token="1234567890:AAErealLookingToken"
    )

    with pytest.raises(PlaygroundRefused, match="made-up token only"):
        await run_playground(real)


async def test_a_data_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    blocked = Settings(_env_file=None, data_dir=tmp_path / "file", http_port=0, database_url="")

    with pytest.raises(PlaygroundRefused, match="DATA_DIR must be a folder"):
        await run_playground(blocked)


async def test_it_prints_where_it_is_and_stops_when_told(settings: Settings):
    told: list[str] = []
    ready = asyncio.Event()

    def tell(line: str) -> None:
        told.append(line)
        ready.set()

    running = asyncio.create_task(run_playground(settings, tell))
    await ready.wait()
    running.cancel()
    await asyncio.wait({running}, timeout=10)

    assert running.cancelled()
    assert told[0].startswith("Playground: http://127.0.0.1:")
    assert "Ctrl+C" in told[1]


def test_an_address_of_the_newer_kind_is_written_in_brackets():
    with bind("::1", 0) as bound:
        assert address(bound).startswith("http://[::1]:")


def _clock() -> MovableClock:
    return MovableClock(StoppedClock())


@asynccontextmanager
async def _maya(settings: Settings) -> AsyncIterator[tuple[Playground, Patient]]:
    async with playground(settings, _clock()) as running:
        maya = await new_patient(running.address)
        yield running, maya
        await maya.close()


async def _peek(url: str, patient: Patient) -> Json:
    address = f"{url}/playground/peek/{patient.chat_id}"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        return await answer.json()


async def _until(url: str, patient: Patient, state: str) -> Json:
    async with asyncio.timeout(10):
        while True:
            seen = await _peek(url, patient)
            if (seen.get("conversation") or {}).get("state") == state:
                return seen
            await asyncio.sleep(0.01)


async def test_what_happens_in_one_chat_reaches_the_clinics_people_in_another(settings: Settings):
    async with (
        playground(settings, _clock()) as running,
        await new_patient(running.address, "Noor") as noor,
        await new_patient(running.address) as maya,
    ):
        now = running.clock.now()
        staff_id = await running.database.write(staff.add, "willow", "Noor", "owner", now)
        await noor.starts(await running.database.write(staff.invite, staff_id, "token", now))
        await noor.sees("You are connected to Willow Skin Clinic")
        await maya.starts("willow")
        await maya.sees("assistant")
        await maya.says("person")

        card = await noor.sees("Somebody would like to talk to a person")

    assert "Maya" not in card.text
