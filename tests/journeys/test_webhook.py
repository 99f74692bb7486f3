"""Whole conversations by webhook, with one bot and with replicas that share the chats."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.clock import MovableClock, SystemClock
from bot.playground.faults import FaultKind
from bot.webhook import WebhookTerms
from flows.conversation import Stage
from storage.database import Database, connect
from storage.models import Event
from tests.journeys.balancer import SECRET, Balancer, balancer
from tests.journeys.guide import Guide, Tour
from tests.journeys.world import World, bot_on, world

ROOT = Path(__file__).parents[2]
BOOKING = ("All correct", "Book all 4", "Here in Telegram")


@dataclass
class Town:
    """A world whose bots are reached through a load balancer."""

    here: World
    front: Balancer


@asynccontextmanager
async def town_of(count: int, database: Database, tour: Tour) -> AsyncIterator[Town]:
    """Run `count` replicas, each with connections of its own to the same database."""

    @asynccontextmanager
    async def replicas(here: World) -> AsyncIterator[None]:
        url = database.url.render_as_string(hide_password=False)
        async with AsyncExitStack() as running:
            for number in range(count):
                own = connect(url, jitter=lambda: 0.5)
                running.push_async_callback(own.close)
                terms = WebhookTerms(front.url, SECRET, "127.0.0.1", 0)
                bot = bot_on(here, webhook=terms, database=own, number=number)
                front.replicas.append((await running.enter_async_context(bot)).address)
            yield

    async with balancer() as front, world(database, tour, replicas) as here:
        yield Town(here, front)


@pytest.fixture
async def town(database: Database, tour: Tour) -> AsyncIterator[Town]:
    async with town_of(1, database, tour) as running:
        yield running


@pytest.fixture
async def pair(postgres_server, tour: Tour) -> AsyncIterator[Town]:
    database = connect(await postgres_server.clone())
    async with town_of(2, database, tour) as running:
        yield running
    await database.close()


async def updates_of(database: Database, chat_id: int) -> list[int]:
    """Return the update of every turn that was committed for a chat, oldest first."""
    statement = select(Event.update_id).where(Event.chat_id == chat_id).order_by(Event.id)
    return await database.read(lambda c: list(c.execute(statement).scalars()))


async def said_to(guide: Guide) -> int:
    """Return how many messages of the bot are in the chat."""
    await guide.patient.still_sees("")
    return sum(said.from_bot for said in guide.patient.said)


async def test_a_clear_candidate_books_a_series_by_webhook(town: Town) -> None:
    guide = await town.here.meets("Maya")

    assert await guide.answers() == Stage.REVIEW
    for label in BOOKING:
        await guide.taps(label)

    assert (await guide.conversation()).state == Stage.BOOKED
    assert guide.patient.tap_count <= 1 + 14  # Start is not one of them
    assert set(town.front.statuses) == {200}


async def test_a_repeated_delivery_changes_and_says_nothing(town: Town) -> None:
    guide = await town.here.meets("Maya")
    await guide.taps("let’s start")
    await guide.taps("22 or older")
    before, said = await guide.conversation(), await said_to(guide)

    statuses = [await town.front.delivers(body) for body in town.front.bodies[:] * 2]

    assert set(statuses) == {200}
    assert await guide.conversation() == before
    assert await said_to(guide) == said


async def test_deliveries_in_any_order_are_harmless(town: Town) -> None:
    guide = await town.here.meets("Maya")
    await guide.answers()
    before = await guide.conversation()

    await asyncio.gather(*map(town.front.delivers, reversed(town.front.bodies[:])))

    updates = await updates_of(town.here.database, guide.patient.chat_id)
    assert await guide.conversation() == before
    assert len(updates) == len(set(updates)) == len(town.front.bodies)


async def test_telegram_is_told_200_only_after_the_commit(sqlite_url: str, tour: Tour) -> None:
    database = connect(sqlite_url)
    async with town_of(1, database, tour) as town:
        guide = await town.here.meets("Maya")
        other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")  # nothing can be committed now
        await guide.patient.says("yes")
        await asyncio.sleep(0.3)
        answered = len(town.front.statuses)
        other.execute("ROLLBACK")
        other.close()
        state = await guide.arrives()
    await database.close()

    assert (answered, len(town.front.statuses)) == (1, 2)
    assert state == "age"


async def test_two_replicas_share_every_chat_and_nothing_is_lost_or_doubled(
    pair: Town, record: Callable[[str], None]
) -> None:
    alone = await pair.here.meets("Alone")
    await alone.answers()
    guides = [await pair.here.meets(f"Patient {number}") for number in range(12)]

    states = await asyncio.gather(*(guide.answers() for guide in guides))

    everybody = [alone, *guides]
    turns = [await updates_of(pair.here.database, g.patient.chat_id) for g in everybody]
    assert set(states) == {Stage.REVIEW}
    assert {len(each) for each in turns} == {12}
    assert all(len(each) == len(set(each)) for each in turns)
    assert {await said_to(guide) for guide in everybody} == {await said_to(alone)}
    assert len(set(pair.front.taken_by)) == 2
    record(f"two replicas: {sum(map(len, turns))} turns of 13 chats, 0 lost, 0 doubled")


async def test_the_same_deliveries_at_both_replicas_at_once_count_once(pair: Town) -> None:
    guides = [await pair.here.meets(f"Patient {number}") for number in range(6)]
    bodies = []
    for guide in guides:
        body = json.loads(pair.front.bodies[0])
        body["update_id"] += 5000 + guide.patient.chat_id
        body["message"] |= {"text": "yes", "message_id": 900}
        body["message"]["from"]["id"] = body["message"]["chat"]["id"] = guide.patient.chat_id
        body["message"].pop("entities", None)
        bodies += [json.dumps(body).encode()] * 4

    statuses = await asyncio.gather(*map(pair.front.delivers, bodies))

    assert set(statuses) == {200}
    for guide in guides:
        assert len(await updates_of(pair.here.database, guide.patient.chat_id)) == 2
        await guide.patient.sees("How old are you")
        assert Counter("How old" in said.text for said in guide.patient.said)[True] == 1


async def test_a_patient_who_writes_fast_is_answered_in_order_by_two_replicas(pair: Town) -> None:
    guide = await pair.here.meets("Maya")
    pair.here.standin.fault(FaultKind.DELAY, "sendMessage", seconds=0.5)

    for words in ("yes", "27", "no spots"):
        await guide.patient.says(words)

    await guide.patient.sees("Which picture")
    assert [s.text for s in guide.patient.said if s.buttons] == [guide.patient.last.text]
    assert len(await updates_of(pair.here.database, guide.patient.chat_id)) == 4


@dataclass
class Crew:
    """Replicas that are programs of their own."""

    processes: list[Process] = field(default_factory=list)


@asynccontextmanager
async def programs(here: World, front: Balancer, crew: Crew) -> AsyncIterator[None]:
    """Run two `resurface run` behind the balancer."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    settings = {
        "TELEGRAM_BOT_TOKEN": here.standin.token,
        "TELEGRAM_API_URL": here.standin.url,
        "DATABASE_URL": here.database.url.render_as_string(hide_password=False),
        "PUBLIC_URL": front.url,
        "WEBHOOK_SECRET": SECRET,
        "HTTP_PORT": "0",
        "CONSOLE_PORT": "0",
        "METRICS_PORT": "0",
        "PYTHONPATH": str(ROOT),
    }
    try:
        for _ in range(2):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "run"),
                env={**kept, **settings},
                stdout=PIPE,
                stderr=DEVNULL,
            )
            crew.processes.append(process)
            assert process.stdout is not None
            async with asyncio.timeout(30):
                words = (await process.stdout.readline()).decode()
            front.replicas.append(words.partition("listening on ")[2].partition(". ")[0])
        yield
    finally:
        for process in crew.processes:
            if process.returncode is None:
                process.kill()
            await process.wait()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_two_programs_share_the_chats_and_one_of_them_may_go(
    postgres_server, tour: Tour, end: signal.Signals, record: Callable[[str], None]
) -> None:
    database = connect(await postgres_server.clone())
    crew, clock = Crew(), MovableClock(SystemClock())
    async with (
        balancer() as front,
        world(database, tour, lambda here: programs(here, front, crew), clock) as here,
    ):
        guides = [await here.meets(f"Patient {number}") for number in range(6)]
        walks = asyncio.gather(*(guide.answers() for guide in guides))
        await asyncio.sleep(1)
        crew.processes[0].send_signal(end)
        states = await walks
        both = set(front.taken_by)

        turns = [await updates_of(database, guide.patient.chat_id) for guide in guides]
        said = [await said_to(guide) for guide in guides]
    await database.close()

    assert set(states) == {Stage.REVIEW}
    assert {len(each) for each in turns} == {12}
    assert all(len(each) == len(set(each)) for each in turns)
    assert len(both) == 2
    if end is signal.SIGTERM:
        assert crew.processes[0].returncode == 0
        assert len(set(said)) == 1
    record(f"two programs, one ended by {end.name}: {sum(map(len, turns))} turns, 0 lost")
