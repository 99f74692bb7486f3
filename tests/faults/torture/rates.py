"""How fast messages leave: on time when all is well, never faster than Telegram allows."""

from __future__ import annotations

import asyncio
import secrets
from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert
from telegram import Bot

from bot.app import a_pace
from bot.clock import SystemClock
from bot.markup import Screen
from bot.playground.faults import Fault, FaultKind, Faults
from bot.request import AiohttpRequest
from bot.sender import Sender
from bot.worker import Terms, Worker
from storage import outbox
from storage.database import Database, connect
from storage.models import Patient
from storage.outbox import Message, OutboxRow
from storage.outbox_policy import Kind
from tests.faults.torture.figures import Figure, Piece, Trial
from tests.faults.waiting import until
from tests.standin import RunningStandIn, running_standin

LATE = 5.0  # seconds that 99 of 100 messages may come after their time
FASTEST = 30  # messages in any second, to all chats together (Telegram's FAQ)
WAIT = 3.0  # seconds for which Telegram wants nothing sent to some chats
PATIENCE = 180.0  # seconds


@dataclass
class Watched(Faults):
    """Notes when each chat is sent to; the first send to some of them is answered 429."""

    refused: frozenset[int] = frozenset()
    sends: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))

    def take(self, method: str, chat_id: int | None) -> Fault | None:
        """Return the refusal of a chat's first message, where it is to have one."""
        if method != "sendMessage" or chat_id is None:
            return None
        self.sends[chat_id].append(_now().timestamp())
        if chat_id in self.refused and len(self.sends[chat_id]) == 1:
            return Fault(FaultKind.TOO_MANY_REQUESTS, seconds=WAIT)
        return None

    @property
    def fastest(self) -> int:
        """Return how many sends there were in the busiest second."""
        times = sorted(at for each in self.sends.values() for at in each)
        return max(bisect_left(times, at + 1) - number for number, at in enumerate(times))


async def keep_pace(trial: Trial) -> list[Figure]:
    """Send what falls due bit by bit, and then a pile that is due at once."""
    return [await _on_time(trial), *await _pile(trial)]


async def _on_time(trial: Trial) -> Figure:
    """Let ten messages a second fall due; measure how long after its time each one is sent."""
    messages = trial.at(quick=30, full=600)
    first = _now() + timedelta(seconds=trial.at(quick=1, full=3))
    due = [first + timedelta(seconds=number / 10) for number in range(messages)]
    watched = await _sent(trial, due, refused=0)
    waits = sorted(
        watched.sends[chat][0] - at.timestamp()
        for chat, at in zip(sorted(watched.sends), due, strict=True)  # chats are numbered in order
    )
    p99, early = waits[messages * 99 // 100], sum(wait < 0 for wait in waits)
    return Figure(
        "A message leaves at its time",
        f"{messages} messages, 10 due a second, one worker",
        f"0 early, p99 <= {LATE:.0f} s late",
        f"{early} early, p99 {p99:.2f} s late",
        is_held=early == 0 and trial.is_soon(p99, LATE),
    )


async def _pile(trial: Trial) -> list[Figure]:
    """Let all be due at once, and Telegram refuse the first message of every tenth chat."""
    messages = trial.at(quick=60, full=600)
    watched = await _sent(trial, [_now()] * messages, refused=messages // 10)
    soon = sum(
        second - first < WAIT
        for first, second in (watched.sends[chat][:2] for chat in watched.refused)
    )
    return [
        Figure(
            "A pile of messages leaves no faster than Telegram allows",
            f"{messages} messages due at once, one worker",
            f"<= {FASTEST} in any second",
            f"{watched.fastest} in the busiest second",
            is_held=watched.fastest <= FASTEST,
        ),
        Figure(
            "Whoever is to wait is not sent to meanwhile",
            f"{len(watched.refused)} times 429 with {WAIT:.0f} s",
            "0 sends within, all arrive",
            f"{soon} sends within, {len(watched.refused)} arrived",
            is_held=soon == 0,
        ),
    ]


async def _sent(trial: Trial, due: Sequence[datetime], refused: int) -> Watched:
    """Send one message to each of so many chats, at its time; some are refused at first."""
    database = connect(await trial.database_url())
    try:
        async with running_standin() as standin:
            chats = [standin.state.chats.open("Pat") for _ in due]
            for chat in chats:
                chat.started = True
            numbers = [chat.patient.chat_id for chat in chats]
            watched = Watched(refused=frozenset(numbers[:: len(due) // refused] if refused else ()))
            standin.state.faults = watched
            await database.write(_queue, numbers, due)
            async with _working(standin, database):
                arrived = await until(
                    lambda: all(chat.last(from_bot=True) for chat in chats), PATIENCE
                )
    finally:
        await database.close()
    assert arrived, "some messages did not arrive"
    return watched


def _queue(connection: Connection, chats: Sequence[int], due: Sequence[datetime]) -> None:
    now = _now()
    rows = [
        {"chat_id": chat, "first_name": "x", "locale": "en", "created_at": now} for chat in chats
    ]
    connection.execute(insert(Patient), rows)
    for chat, at in zip(chats, due, strict=True):
        outbox.enqueue(connection, Message(f"nudge:{chat}", Kind.NUDGE, at, chat), now)


@asynccontextmanager
async def _working(standin: RunningStandIn, database: Database) -> AsyncIterator[None]:
    """Run a worker with the pace and the terms that the product has."""
    request = AiohttpRequest()
    api = Bot(standin.token, base_url=f"{standin.url}/bot", request=request)
    sender = Sender(api, a_pace(), asyncio.sleep, _unreachable)

    async def deliver(row: OutboxRow) -> int:
        return await sender.once(row.chat_id or 0, Screen(row.key))

    worker = Worker(database, deliver, SystemClock(), lambda: secrets.token_hex(16), Terms())
    await request.initialize()
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        await worker.stop()
        await running
        await request.shutdown()


async def _unreachable(_chat_id: int) -> None:
    raise AssertionError("nobody blocked the bot")


def _now() -> datetime:
    return SystemClock().now()


PIECES = (Piece("rates", keep_pace, tested_on=("sqlite",)),)
