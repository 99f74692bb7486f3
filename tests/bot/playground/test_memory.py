"""What the playground keeps between two runs."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock import MovableClock
from bot.playground import patients
from bot.playground.memory import Memory
from bot.playground.standin import StandIn
from tests.standin import MONDAY_MORNING, StoppedClock


def test_chats_files_updates_and_the_clock_come_back(tmp_path: Path):
    before, memory = _run(tmp_path)
    memory.recall()
    chat = before.chats.open("Maya")
    patients.start(before, chat, "willow")
    patients.send_media(before, chat, "photo", "look")
    before.clock.move(timedelta(days=3))
    memory.write()

    after, memory = _run(tmp_path)
    memory.recall()
    (again,) = after.chats

    assert again == chat
    photo = again.last(from_bot=False).parts["photo"][0]
    assert after.chats.file(photo["file_id"]).content.startswith(b"\x89PNG")
    assert [update.kind for update in after.queue.pending] == ["message", "message"]
    assert after.queue.last_id > before.queue.last_id
    assert after.clock.now() == before.clock.now()


def test_nobody_gets_an_earlier_patients_chat(tmp_path: Path):
    before, memory = _run(tmp_path)
    memory.recall()
    old = before.chats.open("Maya")
    memory.write()

    after, memory = _run(tmp_path)
    memory.recall()

    assert after.chats.open("Noor").patient.chat_id > old.patient.chat_id


@pytest.mark.parametrize(
    "text", [None, "", "{}", "[]", '{"format": 0}', '{"format": 1, "chats": 5}']
)
def test_a_file_that_cannot_be_read_means_an_empty_playground_with_fresh_ids(
    tmp_path: Path, text: str | None
):
    if text is not None:
        (tmp_path / "playground.json").write_text(text)
    standin, memory = _run(tmp_path)
    memory.recall()

    seconds = int(MONDAY_MORNING.timestamp())
    assert list(standin.chats) == []
    assert standin.queue.last_id == seconds
    assert standin.chats.open("Maya").patient.chat_id == seconds + 1


async def test_every_change_reaches_the_file(tmp_path: Path):
    standin, memory = _run(tmp_path)
    keeping = asyncio.create_task(memory.keep())
    await asyncio.sleep(0)
    patients.start(standin, standin.chats.open("Maya"))
    async with asyncio.timeout(5):
        while not (tmp_path / "playground.json").exists():  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.02)
    standin.close()
    await keeping

    again, memory = _run(tmp_path)
    memory.recall()
    assert [chat.patient.first_name for chat in again.chats] == ["Maya"]


def _run(folder: Path) -> tuple[StandIn, Memory]:
    clock = MovableClock(StoppedClock())
    standin = StandIn(clock)
    return standin, Memory(folder / "playground.json", standin, clock)
