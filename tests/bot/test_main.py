"""The `resurface` command: it runs, it stops quietly, and every fault is one sentence."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from typer.testing import CliRunner

from bot.__main__ import app
from bot.playground.limits import TOKEN
from storage import clinics
from storage.database import connect
from tests.bot.test_request import unused_port
from tests.standin import running_standin

RUN = (sys.executable, "-m", "bot", "run")
WITHIN = 30  # seconds


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """Return an environment with these settings and no others of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    root = str(Path(__file__).parents[2])
    free = {"HTTP_PORT": "0", "CONSOLE_PORT": "0"}
    return {**kept, "PYTHONPATH": root, "DATA_DIR": str(folder), **free, **settings}


@asynccontextmanager
async def running(folder: Path, *options: str, **settings: str) -> AsyncIterator[Process]:
    """Start `resurface run` in an empty folder; kill it at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *RUN, *options, cwd=folder, env=environment(folder, **settings), stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def fault_of(folder: Path, *options: str, **settings: str) -> str:
    """Return what a run that must end with exit code 2 says."""
    async with running(folder, *options, **settings) as process, asyncio.timeout(WITHIN):
        out, err = await process.communicate()
    # A line of the log may stand before it, such as the warning about an old SQLite.
    words = "\n".join(line for line in err.decode().splitlines() if not line.startswith("{"))
    assert process.returncode == 2, words
    assert "Traceback" not in words
    assert out == b""
    return words.strip()


async def first_line(process: Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(WITHIN):
        return (await process.stdout.readline()).decode()


async def fill(folder: Path) -> str:
    """Make a database with the demo's clinics; return its address."""
    url = f"sqlite:///{folder / 'resurface.db'}"
    done = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "clinic", "demo", "--database-url", url),
        cwd=folder,
        env=environment(folder),
        stdout=PIPE,
    )
    await done.communicate()
    return url


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_without_a_token_the_playground_runs_until_told_to_stop(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with running(tmp_path) as process:
        assert "http://127.0.0.1:" in await first_line(process)

        process.send_signal(number)
        async with asyncio.timeout(WITHIN):
            _, err = await process.communicate()

    assert process.returncode == 0
    assert b"Traceback" not in err


async def test_the_playgrounds_console_is_for_this_machine_whatever_is_set(tmp_path: Path) -> None:
    elsewhere = {"CONSOLE_HOST": "0.0.0.0", "CONSOLE_URL": "https://desk.example.com"}
    async with running(tmp_path, **elsewhere) as process:
        assert "Playground" in await first_line(process)
        assert "The clinic's console: http://127.0.0.1:" in await first_line(process)


async def test_with_a_token_the_clinics_bot_answers_until_told_to_stop(tmp_path: Path) -> None:
    await fill(tmp_path)
    async with running_standin() as standin:
        keys = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": standin.url}
        async with running(tmp_path, **keys) as process, await standin.new_patient() as patient:
            assert "running as @resurface_playground_bot" in await first_line(process)
            await patient.starts("willow")
            await patient.sees("computer program")

            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(WITHIN):
                _, err = await process.communicate()

    assert process.returncode == 0
    assert TOKEN.encode() not in err


async def test_a_database_without_a_clinic_says_which_command_to_run(tmp_path: Path) -> None:
    words = await fault_of(tmp_path, TELEGRAM_BOT_TOKEN=TOKEN)

    assert "run `resurface clinic init`" in words


async def test_a_bad_token_is_one_sentence(tmp_path: Path) -> None:
    await fill(tmp_path)
    async with running_standin() as standin:
        words = await fault_of(
            tmp_path, TELEGRAM_BOT_TOKEN="123456:not-the-right-one", TELEGRAM_API_URL=standin.url
        )

    assert words.startswith("TELEGRAM_BOT_TOKEN was refused")
    assert "\n" not in words


async def test_a_bot_api_out_of_reach_is_one_sentence(tmp_path: Path) -> None:
    await fill(tmp_path)
    url = f"http://127.0.0.1:{unused_port()}"

    words = await fault_of(tmp_path, TELEGRAM_BOT_TOKEN=TOKEN, TELEGRAM_API_URL=url)

    assert words.startswith(f"the Bot API at {url} cannot be reached")


async def test_wrong_settings_are_one_sentence_each(tmp_path: Path) -> None:
    words = await fault_of(tmp_path, HTTP_PORT="x", LOG_LEVEL="LOUD", CONSOLE_PORT="y")

    names = [line.split()[0] for line in words.splitlines()]
    assert names == ["HTTP_PORT", "LOG_LEVEL", "CONSOLE_PORT"]


async def test_an_open_console_is_refused_before_telegram_is_called(tmp_path: Path) -> None:
    api = f"http://127.0.0.1:{unused_port()}"
    here = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": api}

    words = await fault_of(tmp_path, **here, CONSOLE_HOST="0.0.0.0")

    assert words.startswith("CONSOLE_HOST '0.0.0.0' can be reached from other machines")


@pytest.mark.parametrize(
    "command", ["clinic init", "clinic links", "clinic demo", "staff invite 1", "check"]
)
def test_a_misshapen_token_is_one_sentence_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    place = {"TELEGRAM_BOT_TOKEN": "123456", "DATABASE_URL": f"sqlite:///{tmp_path}/a.db"}

    ended = CliRunner().invoke(app, command.split(), env=place)

    assert ended.exit_code == 2
    assert ended.output.splitlines() == [
        "TELEGRAM_BOT_TOKEN must look like 123456:ABC-DEF; copy it from @BotFather"
    ]


async def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        words = await fault_of(tmp_path, HTTP_PORT=port)

    assert f"port {port} is in use" in words


async def test_a_foreign_database_is_one_sentence(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "resurface.db") as other:
        other.execute("CREATE TABLE recipes (id INTEGER)")
    other.close()

    words = await fault_of(tmp_path)

    assert "not made by Resurface" in words


async def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "resurface.db").write_bytes(b"a letter to my aunt " * 200)

    words = await fault_of(tmp_path)

    assert words.startswith("DATABASE_URL")


async def test_a_locked_database_is_one_sentence(tmp_path: Path) -> None:
    url = await fill(tmp_path)
    locker = sqlite3.connect(tmp_path / "resurface.db", isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")

    words = await fault_of(tmp_path, DATABASE_URL=url)

    locker.close()
    assert "locked by another program" in words


@pytest.mark.parametrize(
    ("role", "words"), [("worker", "worker is running"), ("console", "console is at http")]
)
async def test_a_role_alone_needs_no_telegram_and_says_when_it_is_ready(
    role: str, words: str, tmp_path: Path
) -> None:
    await fill(tmp_path)
    port = str(unused_port())
    keys = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": f"http://127.0.0.1:{unused_port()}"}
    keys |= {"HTTP_PORT": port, "CONSOLE_PORT": "0"}
    async with running(tmp_path, "--only", role, **keys) as process:
        assert words in await first_line(process)
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/readyz") as answer,
        ):
            ready = await answer.json()

        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(WITHIN):
            await process.wait()

    assert ready == {"database": "ok", role: "ok"}
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("role", "token", "words"),
    [
        ("worker", "", "set TELEGRAM_BOT_TOKEN, or leave out --only"),
        ("barber", TOKEN, "is not one of"),
    ],
)
async def test_a_role_that_cannot_be_taken_on_is_a_clear_fault(
    role: str, token: str, words: str, tmp_path: Path
) -> None:
    said = await fault_of(tmp_path, "--only", role, TELEGRAM_BOT_TOKEN=token)

    assert words in " ".join(said.replace("│", " ").split())


def test_the_version_is_printed_in_both_ways() -> None:
    asked, told = (CliRunner().invoke(app, [words]) for words in ("version", "--version"))

    assert asked.output == told.output
    assert asked.output.count(".") == 2


def test_the_diagram_is_mermaid() -> None:
    printed = CliRunner().invoke(app, ["diagram"])

    assert printed.exit_code == 0
    assert "stateDiagram" in printed.output


@pytest.mark.parametrize("command", ["protocol", "clinic", "leads", "run", "diagram"])
def test_every_command_explains_itself(command: str) -> None:
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


async def test_the_demo_command_fills_a_database(tmp_path: Path) -> None:
    url = await fill(tmp_path)
    database = connect(url)

    known = await database.read(clinics.load_all)

    await database.close()
    assert "willow" in known


async def test_the_staffs_commands_find_the_database_that_env_names(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"DATABASE_URL=sqlite:///{tmp_path}/own.db\n")

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "clinic", "demo", cwd=tmp_path, env=environment(tmp_path)
    )

    assert await process.wait() == 0
    assert (tmp_path / "own.db").exists()
