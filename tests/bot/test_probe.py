"""The health check of a container asks the right port and tells ready from not ready."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from bot import probe
from bot.clock import SystemClock
from bot.health import Health
from bot.listening import bind, listening
from bot.meters import Meters
from bot.settings import Settings
from storage import migrations
from storage.database import connect
from tests.bot.test_request import unused_port


@pytest.mark.parametrize("running", [True, False])
async def test_a_process_is_ready_when_its_roles_run(sqlite_url: str, *, running: bool) -> None:
    migrations.upgrade(sqlite_url)
    database = connect(sqlite_url)
    health = Health(database, SystemClock(), Meters(), ["worker"])
    health.watch("worker", lambda: running)
    async with listening(health.app(), bind("127.0.0.1", 0)) as address:
        code, words = await probed(HTTP_PORT=address.rpartition(":")[2])
    await database.close()

    assert (code, "not running" in words) == ((0, False) if running else (1, True))


async def test_a_port_that_nobody_listens_on_is_named() -> None:
    free = unused_port()

    assert await probed(HTTP_PORT=str(free)) == (
        1,
        f"port {free} does not answer: ConnectionRefusedError\n",
    )


def test_the_port_is_that_of_the_settings() -> None:
    defaults = Settings.model_fields

    assert probe.port({}) == defaults["http_port"].default
    assert probe.port({"HTTP_PORT": "1", "METRICS_PORT": "2"}) == 1
    assert probe.port({"PUBLIC_URL": "https://a.b"}) == defaults["metrics_port"].default
    assert probe.port({"PUBLIC_URL": "https://a.b", "METRICS_PORT": "2"}) == 2


async def probed(**environment: str) -> tuple[int | None, str]:
    """Run the program as a container does; return its exit code and what it printed."""
    root = str(Path(__file__).parents[2])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.probe"),
        env={"PYTHONPATH": root, **environment},
        stdout=PIPE,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()
