"""What those who watch over a bot are told, and that it is about nobody in particular."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import aiohttp
import pytest

from bot.health import Health
from bot.listening import bind, listening
from bot.meters import Meters
from storage import inbox, migrations, outbox
from storage.database import Database, connect
from storage.outbox import Message
from storage.outbox_policy import Kind
from tests.builders import NOW
from tests.journeys.guide import Tour
from tests.journeys.world import bot_on, world
from tests.standin import StoppedClock


@dataclass
class Watch:
    """Somebody who asks."""

    health: Health
    url: str

    async def asks(self, path: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as answer:
            return answer.status, await answer.text()

    async def figures(self) -> dict[str, float]:
        _, text = await self.asks("/metrics")
        found = re.findall(r"^(resurface_[^ ]+) (\S+)$", text, flags=re.MULTILINE)
        return {name: float(value) for name, value in found}

    async def sees(self, name: str, value: float) -> None:
        async with asyncio.timeout(10):
            while (await self.figures())[name] != value:  # noqa: ASYNC110 - sets no event
                await asyncio.sleep(0.01)


@asynccontextmanager
async def watching(
    database: Database, meters: Meters | None = None, look_within: float = 3.0
) -> AsyncIterator[Watch]:
    clock = StoppedClock(NOW)
    health = Health(database, clock, meters or Meters(), ("bot",), look_within=look_within)
    async with listening(health.app(), bind("127.0.0.1", 0)) as url:
        yield Watch(health, url)


async def test_a_bot_that_runs_on_a_current_database_is_ready(database: Database) -> None:
    async with watching(database) as watch:
        before = await watch.asks("/readyz")
        watch.health.watch("bot", lambda: True)
        after = await watch.asks("/readyz")

    assert before == (503, '{"database":"ok","bot":"not running"}')
    assert after == (200, '{"database":"ok","bot":"ok"}')


async def test_tables_of_another_version_are_not_ready(database_url: str) -> None:
    await asyncio.to_thread(migrations.downgrade, database_url, "-1")
    database = connect(database_url)
    async with watching(database) as watch:
        watch.health.watch("bot", lambda: True)
        status, text = await watch.asks("/readyz")
    await database.close()

    assert (status, text) == (503, '{"database":"other version","bot":"ok"}')


async def test_a_database_that_is_away_is_not_ready_but_the_process_is_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        slow = connect(f"postgresql://x@127.0.0.1:{port}/x")
        async with watching(slow, look_within=0.1) as watch:
            alive, (status, text) = await watch.asks("/healthz"), await watch.asks("/readyz")
            figures = await watch.figures()
        await slow.close()

    assert alive == (200, "ok")
    assert status == 503
    assert "too slow" in text
    assert figures["resurface_updates_parked"] != figures["resurface_updates_parked"]  # NaN


async def test_a_failing_database_is_counted_and_not_ready(sqlite_url: str) -> None:
    meters = Meters()
    database = connect(sqlite_url + "-gone", on_fault=meters.database_failed)
    async with watching(database, meters) as watch:
        status, _ = await watch.asks("/readyz")
        figures = await watch.figures()
    await database.close()

    assert status == 503
    assert figures['resurface_database_errors_total{error="DatabaseOutdated"}'] >= 1


async def test_parked_updates_and_the_outbox_are_measured(database: Database) -> None:
    await database.write(inbox.park, 5, "KeyError", NOW, bot_id=1, payload="{}")
    message = Message("a:1", Kind.LEAD, NOW - timedelta(minutes=2))
    await database.write(outbox.enqueue, message, NOW)

    async with watching(database) as watch:
        figures = await watch.figures()

    assert figures["resurface_updates_parked"] == 1
    assert figures["resurface_outbox_lag_seconds"] == 120
    assert figures["resurface_outbox_due"] == 1
    assert figures["resurface_outbox_given_up"] == 0


async def test_turns_and_bookings_are_counted_and_nobody_is_named(
    sqlite_url: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    database, meters = connect(sqlite_url), Meters()

    async with (
        world(database, Tour(), partial(bot_on, meters=meters)) as here,
        watching(database, meters) as watch,
    ):
        guide = await here.meets("Ophelia")
        await guide.answers()
        for label in ("All correct", "Book all 4", "Here in Telegram"):
            await guide.taps(label)
        here.standin.state.queue.redeliver()
        await watch.sees('resurface_turns_total{outcome="repeated"}', 1)
        figures, (_, text) = await watch.figures(), await watch.asks("/metrics")
        private = (here.standin.token, str(guide.patient.chat_id), "Ophelia", "willow")
    await database.close()

    assert figures['resurface_turns_total{outcome="committed"}'] == 15
    assert figures["resurface_turn_seconds_count"] == 16
    assert figures["resurface_bookings_confirmed_total"] == 1
    printed = text + caplog.text + "".join(capsys.readouterr())
    assert [words for words in private if words in printed] == []


def test_two_bots_in_one_process_count_apart() -> None:
    first, second = Meters(), Meters()

    first.refused(403)

    assert b'resurface_deliveries_refused_total{status="403"} 1.0' in first.text()
    assert b"403" not in second.text()
