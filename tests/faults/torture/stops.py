"""Told to stop, under load or while nobody answers: it ends in time and leaves nothing behind."""

from __future__ import annotations

import asyncio
import random  # noqa: TID251 - seeded
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Connection, select
from sqlalchemy.engine import make_url

from bot.clock import SystemClock
from storage import outbox, patients
from storage.database import Database
from storage.models import Outbox
from storage.outbox import Message
from storage.outbox_policy import Kind
from tests.faults import cluster, programs
from tests.faults.crowd import WORDS, Crowd
from tests.faults.keepers import Keeper
from tests.faults.programs import Orders, Program
from tests.faults.proxy import Proxy, proxy_to
from tests.faults.torture.figures import POSTGRESQL, SQLITE, Figure, Piece, Trial
from tests.faults.waiting import until
from tests.standin import RunningStandIn, running_standin

WITHIN = 10.0  # seconds from SIGTERM to the end
REPLICAS = 2


async def stop_bots(trial: Trial) -> list[Figure]:
    """Tell bots to stop while patients write; each is started again."""
    stops, updates = trial.at(quick=(3, 150), full=(20, 3_000))
    rng = random.Random(trial.seed)
    replicas = REPLICAS if trial.database == POSTGRESQL else 0
    url = await trial.database_url()
    database = await cluster.with_clinics(url)
    try:
        async with running_standin() as standin:
            crowd = Crowd(standin, database, rng, at_once=trial.at(quick=8, full=24))
            orders = cluster.orders_for(trial, standin, url)
            async with cluster.bots(orders, replicas=replicas) as keepers:
                stopping = asyncio.create_task(_stop(crowd, keepers, rng, (stops, updates)))
                await crowd.chats(lambda: crowd.count < updates)
                times = await stopping
                await crowd.settles()
            tally = await crowd.tally()
    finally:
        await database.close()
    how = f"{replicas} replicas by webhook" if replicas else "one polling bot"
    return [
        Figure(
            "A bot told to stop under load ends in time and loses nothing",
            f"{len(times)} times SIGTERM, {crowd.count:,} updates, {how}",
            "0 lost, 0 doubled, each ended within 10 s",
            f"{tally}; at most {max(times):.1f} s",
            is_held=tally.is_clean and trial.is_soon(max(times), WITHIN),
        )
    ]


async def _stop(
    crowd: Crowd, keepers: list[Keeper], rng: random.Random, plan: tuple[int, int]
) -> list[float]:
    stops, updates = plan
    times = []
    last = updates - len(WORDS) * crowd.at_once // 2
    for after in sorted(rng.sample(range(last), stops)):
        await until(lambda after=after: crowd.count >= after)  # type: ignore[misc]
        keeper = rng.choice(keepers)
        ends = len(keeper.endings)
        await until(lambda keeper=keeper: keeper.is_running)  # type: ignore[misc]
        since = asyncio.get_running_loop().time()
        assert keeper.program is not None
        keeper.program.terminate()
        await until(lambda keeper=keeper, ends=ends: len(keeper.endings) > ends)  # type: ignore[misc]
        times.append(asyncio.get_running_loop().time() - since)
    return times


async def stop_workers(trial: Trial) -> list[Figure]:
    """Tell workers to stop in the middle of their messages, one after the other."""
    stops, messages = trial.at(quick=(2, 60), full=(20, 1_000))
    rng = random.Random(trial.seed)
    url = await trial.database_url()
    database = await cluster.with_clinics(url)
    times, claimed = [], 0
    try:
        async with running_standin() as standin:
            await _queue(database, standin, messages)
            orders = cluster.orders_for(trial, standin, url)
            for number in range(stops):
                done = (number + 1) * messages // (stops + 1)
                times.append(await _serve_until(orders, standin, done + rng.randrange(5)))
                claimed += (await database.read(_states))["claimed"]
            last = Program(programs.worker, orders)
            try:
                await _settled(database, trial.at(quick=60, full=600))
            finally:
                last.kill()
            states = await database.read(_states)
            copies = _arrivals(standin)
    finally:
        await database.close()
    twice = sum(1 for count in copies.values() if count > 1)
    lost = messages - len(copies)
    return [
        Figure(
            "A worker told to stop finishes its sends and gives back what it claimed",
            f"{stops} times SIGTERM in {messages:,} messages",
            "0 left claimed, 0 lost, 0 twice, each ended within 10 s",
            f"{claimed} left claimed, {lost} lost, {twice} twice, {states['sent']:,} noted as "
            f"sent; at most {max(times):.1f} s",
            is_held=not (claimed or lost or twice)
            and states["sent"] == messages
            and trial.is_soon(max(times), WITHIN),
        )
    ]


async def _queue(database: Database, standin: RunningStandIn, messages: int) -> None:
    chat, now = standin.state.chats.open("Pat"), SystemClock().now()
    chat.started = True
    chat_id = chat.patient.chat_id

    def fill(connection: Connection) -> None:
        patients.save(connection, chat_id, first_name="Pat", locale="en", now=now)
        for number in range(messages):
            _enqueue(connection, chat_id, number, now)

    await database.write(fill)


def _enqueue(connection: Connection, chat_id: int, number: int, now: datetime) -> None:
    message = Message(f"confirmation:{number}", Kind.CONFIRMATION, now, chat_id)
    outbox.enqueue(connection, message, now)


async def _serve_until(orders: Orders, standin: RunningStandIn, sent: int) -> float:
    """Run a worker until so many messages were sent, then tell it to stop; return the seconds."""
    worker = Program(programs.worker, orders)
    try:
        await worker.ready()
        if not await until(lambda: _arrivals(standin).total() >= sent, 60):
            raise TimeoutError("the worker does not send")
        since = asyncio.get_running_loop().time()
        worker.terminate()
        await worker.ended()
        return asyncio.get_running_loop().time() - since
    finally:
        worker.kill()


async def _settled(database: Database, within: float) -> None:
    async with asyncio.timeout(within):
        while set(await database.read(_states)) != {"sent"}:  # noqa: ASYNC110 - others write
            await asyncio.sleep(0.1)


def _arrivals(standin: RunningStandIn) -> Counter[str]:
    messages = (m for chat in standin.state.chats for m in chat.messages.values())
    return Counter(message.text for message in messages if message.from_bot)


def _states(connection: Connection) -> Counter[str]:
    return Counter(connection.execute(select(Outbox.state)).scalars())


async def stop_while_silent(trial: Trial) -> list[Figure]:
    """Tell a bot to stop while the Bot API, and then the database, says nothing any more."""
    figures = []
    for peer in ("the Bot API", "PostgreSQL")[: 2 if trial.database == POSTGRESQL else 1]:
        figures.append(await _stop_without(trial, peer))
    return figures


async def _stop_without(trial: Trial, peer: str) -> Figure:
    url = await trial.database_url()
    database = await cluster.with_clinics(url)
    rng = random.Random(trial.seed)
    try:
        async with AsyncExitStack() as running:
            standin = await running.enter_async_context(running_standin())
            orders = cluster.orders_for(trial, standin, url)
            if peer == "PostgreSQL":
                there = make_url(url)
                proxy = await running.enter_async_context(
                    proxy_to(there.host or "", there.port or 5432, rng)
                )
                spoiled = there.set(host="127.0.0.1", port=proxy.own_port)
                through = spoiled.render_as_string(hide_password=False)
                orders = replace(orders, database_url=through)
            else:
                port = urlsplit(standin.url).port or 0
                proxy = await running.enter_async_context(proxy_to("127.0.0.1", port, rng))
                orders = replace(orders, api_url=f"http://{proxy.address}")
            seconds = await _stop_in_silence(orders, standin, database, proxy)
    finally:
        await database.close()
    return Figure(
        f"A bot told to stop while {peer} is silent ends in time",
        "8 chats under way, SIGTERM once nothing passes any more",
        "ended within 10 s",
        f"{seconds:.1f} s",
        is_held=trial.is_soon(seconds, WITHIN),
    )


async def _stop_in_silence(
    orders: Orders, standin: RunningStandIn, database: Database, proxy: Proxy
) -> float:
    crowd = Crowd(standin, database, proxy.rng, at_once=8)
    program = Program(programs.bot, orders)
    try:
        await program.ready()
        chats = asyncio.create_task(crowd.chats(lambda: True))
        await until(lambda: crowd.count >= 40)
        proxy.is_silent = True
        await asyncio.sleep(1)
        since = asyncio.get_running_loop().time()
        program.terminate()
        await program.ended()
        chats.cancel()
        return asyncio.get_running_loop().time() - since
    finally:
        program.kill()


PIECES = (
    Piece("stops", stop_bots),
    Piece("stops_worker", stop_workers),
    Piece("stops_silent", stop_while_silent, (SQLITE, POSTGRESQL), tested_on=(POSTGRESQL,)),
)
