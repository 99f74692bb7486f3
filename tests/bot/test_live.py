"""The clinic's bot inside this process: it says that it runs, and stops when told."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.clinic_side import NONE
from bot.faults import BotFault
from bot.live import new_token, run_bot, until_told
from bot.log import LogFormat
from bot.playground.limits import TOKEN
from bot.roles import ALL
from bot.settings import Settings
from storage import clinics
from storage.database import connect
from tests.standin import running_standin


def settings(folder: Path, api_url: str = "") -> Settings:
    return Settings(
        _env_file=None,  # type: ignore[call-arg]  # an argument of pydantic's
        telegram_bot_token=TOKEN,
        telegram_api_url=api_url,
        data_dir=folder,
        http_port=0,
    )


@pytest.fixture
async def _clinic(sqlite_url: str) -> None:
    database = connect(sqlite_url)
    await database.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")
    await database.close()


@pytest.mark.usefixtures("_clinic")
async def test_the_bot_runs_until_a_signal_and_a_second_one_does_no_harm(tmp_path: Path) -> None:
    told: list[str] = []

    def tell(words: str) -> None:
        told.append(words)
        os.kill(os.getpid(), signal.SIGTERM)
        asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), signal.SIGINT)

    async with running_standin() as standin:
        await until_told(run_bot(settings(tmp_path, standin.url), tell, ALL, NONE))

    (words,) = told
    assert words.startswith("Resurface is running as @resurface_playground_bot. The clinic's")
    assert words.endswith(" Press Ctrl+C to stop.")


@pytest.mark.usefixtures("_clinic")
@pytest.mark.parametrize(("log_format", "is_read"), [("text", True), ("json", False)])
async def test_a_faulty_sqlite_is_told_to_a_person_in_a_sentence_and_to_programs_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log_format: LogFormat, is_read: bool
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    told: list[str] = []

    def tell(words: str) -> None:
        told.append(words)
        os.kill(os.getpid(), signal.SIGTERM)

    async with running_standin() as standin:
        terms = settings(tmp_path, standin.url).model_copy(update={"log_format": log_format})
        with capture_logs() as logged:
            await until_told(run_bot(terms, tell, ALL, NONE))

    doubts = [each for each in logged if each.get("action") == "sqlite_faulty"]
    assert (len(told), len(doubts)) == ((2, 0) if is_read else (1, 1))
    assert not is_read or told[1].startswith("Stop the bot before `resurface clinic init`, `staff`")


async def test_without_a_clinic_nothing_starts(tmp_path: Path) -> None:
    with pytest.raises(BotFault, match="resurface clinic init"):
        await until_told(run_bot(settings(tmp_path), print, ALL, NONE))


def test_tokens_are_fresh_letters_and_digits() -> None:
    first, second = new_token(), new_token()

    assert first != second
    assert first.isalnum()
    assert len(first) >= 16
