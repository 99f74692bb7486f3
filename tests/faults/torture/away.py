"""Patients who write while the database is away are told so once, soon, and answered later."""

from __future__ import annotations

import asyncio
import random  # noqa: TID251 - seeded
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from bot.playground import patients
from bot.playground.chats import Chat
from tests.faults import cluster
from tests.faults.crowd import Crowd
from tests.faults.torture.figures import Figure, Piece, Trial
from tests.faults.waiting import until
from tests.standin import running_standin

TOLD = "Sorry, this takes longer than it should."
WITHIN = 10.0  # seconds
WORDS = ("yes", "I'm 34")  # what each writes while the database is away


async def tell_of_trouble(trial: Trial) -> list[Figure]:
    """Lock the database, and let patients write meanwhile."""
    many, at_least = trial.at(quick=(3, 0.0), full=(50, 30.0))
    url = await trial.database_url()
    database = await cluster.with_clinics(url)
    try:
        async with running_standin() as standin:
            crowd = Crowd(standin, database, random.Random(trial.seed))
            async with cluster.bots(cluster.orders_for(trial, standin, url)):
                chats = [standin.state.chats.open("Pat") for _ in range(many)]
                for chat in chats:
                    _say(crowd, chat, "/start willow")
                await crowd.settles()
                await until(lambda: all(chat.last(from_bot=True) for chat in chats), 60)
                async with _locked(url):
                    for chat in chats:
                        _say(crowd, chat, *WORDS)
                    waits = asyncio.gather(*map(_hears, chats))
                    await asyncio.sleep(at_least)
                    times = await waits
                await crowd.settles()
            lost = crowd.count - await crowd.committed()
    finally:
        await database.close()
    once = sum(_copies(chat) == 1 for chat in chats)
    return [
        Figure(
            "Whoever writes while the database is away is told so",
            f"{many} patients write twice; locked until all are told, {at_least:.0f} s at least",
            "each told once within 10 s, 0 lost",
            f"{once} told once, at most {max(times):.1f} s, {lost} lost",
            is_held=once == many and not lost and trial.is_soon(max(times), WITHIN),
        )
    ]


def _say(crowd: Crowd, chat: Chat, *words: str) -> None:
    for each in words:
        patients.say(crowd.standin.state, chat, each)
        crowd.count += 1


async def _hears(chat: Chat) -> float:
    """Wait until a patient is told; return the seconds."""
    loop = asyncio.get_running_loop()
    since = loop.time()
    await until(lambda: _copies(chat) > 0, 60)
    return loop.time() - since


def _copies(chat: Chat) -> int:
    return sum(message.text.startswith(TOLD) for message in chat.messages.values())


@asynccontextmanager
async def _locked(url: str) -> AsyncIterator[None]:
    """Let a stranger hold what every turn needs."""
    if url.startswith("sqlite"):
        file = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=60)
        file.execute("BEGIN EXCLUSIVE")
        yield
        file.close()
        return
    server = await asyncpg.connect(url)
    async with server.transaction():
        await server.execute("LOCK TABLE conversations IN ACCESS EXCLUSIVE MODE")
        yield
    await server.close()


PIECES = (Piece("away", tell_of_trouble),)
