"""The outbox under crashes at every point and a Telegram that fails: what arrives is foretold."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select
from telegram.error import RetryAfter, TimedOut

from bot.request import NotSent
from bot.worker import Worker
from storage import outbox, patients
from storage.database import Database
from storage.models import Outbox, Patient
from storage.outbox import Message, OutboxRow
from storage.outbox_policy import Kind
from tests.bot.test_worker import QUICK, World, ignore_ptb, rows
from tests.builders import NOW

MESSAGES = 1500
POINTS = ("claimed", "armed", "sent", "noted")
STEPS = {
    outbox.arm: ("claimed", "armed"),
    outbox.finish: ("sent", "noted"),
    **dict.fromkeys((outbox.fail, outbox.uncertain, outbox.postpone), ("", "noted")),
}
FAULTS = ("not_sent", "flood", "lost_answer", "lost_question")
STOPPED = range(1, 31)  # chats that want nothing more

#: What arrives after one mishap, by kind; every other message arrives once.
ARRIVES = {
    Kind.CONFIRMATION: {"sent": 2, "lost_answer": 2},
    Kind.NUDGE: {"armed": 0, "lost_question": 0},
}


class Crash(BaseException):
    """The process is gone: nothing after this statement happens."""


@dataclass
class Torture:
    """Workers whose process ends at chosen points, and a Telegram that fails now and then.

    Every mishap strikes a message of its own, so what arrives can be foretold.
    """

    database: Database
    world: World
    mishaps: dict[str, str]  # key -> point of a crash, or fault
    keys: dict[int, str]
    left: dict[str, str] = field(default_factory=dict)
    crashes: int = 0

    async def deliver(self, row: OutboxRow) -> int | None:
        fault = self.left.pop(row.key, "") if self.left.get(row.key) in FAULTS else ""
        if fault == "not_sent":
            raise NotSent("x")
        if fault == "flood":
            raise RetryAfter(3)
        if fault != "lost_question":
            self.world.arrived[row.key] += 1
        if fault:
            raise TimedOut
        return row.id

    async def write(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Write as the database does, unless the process ends right before or after it."""
        before, after = STEPS.get(fn, ("", ""))
        self.passed(before, args)
        result = await self.database.write(fn, *args)
        self.passed(after, args)
        return result

    def passed(self, point: str, args: tuple[Any, ...]) -> None:
        key = self.keys[args[0]] if point else ""
        if point and self.left.get(key) == point:
            del self.left[key]
            self.crashes += 1
            raise Crash

    async def lane(self) -> None:
        """Work as one process after the other, until nothing is open."""
        while await self.database.read(open_messages):
            worker = Worker(self, self.deliver, self.world, self.world.token, QUICK)  # type: ignore[arg-type]
            with contextlib.suppress(Crash):
                while await worker.once():
                    self.world.at += timedelta(seconds=1)
            self.world.at += timedelta(seconds=1)


def open_messages(connection: Connection) -> int:
    waiting = Outbox.state.in_(("pending", "claimed", "sending"))
    return connection.execute(select(func.count()).where(waiting)).scalar_one()


def fill(connection: Connection, keys: range) -> None:
    for number in keys:
        kind = list(ARRIVES)[number % 2]
        message = Message(f"{number}", kind, NOW, 1 + number % 300)
        outbox.enqueue(connection, message, NOW)


@ignore_ptb
async def test_1500_messages_survive_crashes_at_every_point(database: Database) -> None:
    chats = [
        {"chat_id": chat, "first_name": "x", "locale": "en", "created_at": NOW}
        for chat in range(1, 301)
    ]
    await database.write(lambda c: c.execute(insert(Patient), chats) and None)
    await database.write(fill, range(MESSAGES // 2))
    for chat in STOPPED:
        await database.write(patients.stop_messages, chat, NOW)
    await database.write(fill, range(MESSAGES // 2, MESSAGES))
    keys = {row.id: row.key for row in await rows(database)}
    wanted = [number for number in range(MESSAGES) if 1 + number % 300 not in STOPPED]
    struck = enumerate(wanted[::7][:160])
    mishaps = {f"{number}": (POINTS + FAULTS)[i // 2 % 8] for i, number in struck}
    torture = Torture(database, World(), mishaps, keys, dict(mishaps))

    await asyncio.gather(*(torture.lane() for _ in range(4)))

    expected = {
        f"{number}": ARRIVES[list(ARRIVES)[number % 2]].get(mishaps.get(f"{number}", ""), 1)
        for number in wanted
    }
    arrived = torture.world.arrived
    assert (torture.crashes, torture.left) == (80, {})
    assert {key: arrived[key] for key in expected} == expected
    assert set(arrived) <= set(expected)
    report(database, torture, expected)


def report(database: Database, torture: Torture, expected: dict[str, int]) -> None:
    by_kind = {
        kind.value: Counter(expected[key] for key in expected if int(key) % 2 == index)
        for index, kind in enumerate(ARRIVES)
    }
    print(f"{database.url.get_backend_name()}: {torture.crashes} crashes, copies {by_kind}")
