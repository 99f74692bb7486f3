"""The outbox is served: sent once, sorted when it fails, stopped quietly, and safe in a crash."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select
from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.request import NotSent, ServerFailed
from bot.sender import Unreachable
from bot.worker import Terms, Worker
from storage import outbox, patients
from storage.database import Database
from storage.faults import DatabaseUnavailable
from storage.models import Outbox, Patient
from storage.outbox import Message, OutboxRow
from storage.outbox_policy import Kind
from tests.builders import NOW

ADA = 7
#: The library announces that an attribute of its own error will change its type.
ignore_ptb = pytest.mark.filterwarnings("ignore:.*retry_after")

QUICK = Terms(idle_for=0.01, first_pause=0.001)


class Crash(BaseException):
    """The process is gone: nothing after this statement happens."""


@dataclass
class World:
    """A clock, fresh tokens, and a Telegram that remembers what arrived."""

    at: datetime = NOW
    arrived: Counter[str] = field(default_factory=Counter)
    errors: list[Exception] = field(default_factory=list)
    tokens: Iterator[int] = field(default_factory=count)

    def now(self) -> datetime:
        return self.at

    def token(self) -> str:
        return f"token-{next(self.tokens)}"

    async def deliver(self, row: OutboxRow) -> int | None:
        if self.errors:
            raise self.errors.pop(0)
        self.arrived[row.key] += 1
        return 4000 + row.id

    def worker(
        self,
        database: Database,
        deliver: Callable[[OutboxRow], Awaitable[int | None]] | None = None,
    ) -> Worker:
        return Worker(database, deliver or self.deliver, self, self.token, QUICK)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def ada(database: Database) -> Database:
    """Return a database that knows Ada."""
    await database.write(patients.save, ADA, first_name="Ada", locale="en", now=NOW)
    return database


async def enqueue(database: Database, key: str = "one", kind: Kind = Kind.NUDGE) -> None:
    await database.write(outbox.enqueue, Message(key, kind, NOW, ADA), NOW)


async def rows(database: Database) -> list[Any]:
    return await database.read(lambda c: c.execute(select(Outbox).order_by(Outbox.id)).all())


async def test_what_is_due_is_sent_and_noted(ada: Database, world: World) -> None:
    await enqueue(ada)

    assert await world.worker(ada).once() == 1

    (row,) = await rows(ada)
    assert (row.state, row.message_id, world.arrived) == ("sent", 4000 + row.id, {"one": 1})
    assert await world.worker(ada).once() == 0


FAILURES = [
    # A message that was certainly not sent is tried again; one that perhaps was, by its policy.
    (Kind.NUDGE, NotSent, ("x",), "pending", 5),
    (Kind.NUDGE, InvalidToken, ("x",), "pending", 5),
    (Kind.NUDGE, RetryAfter, (40,), "pending", 40),
    (Kind.NUDGE, TimedOut, (), "uncertain", 5),
    (Kind.NUDGE, NetworkError, ("reset",), "uncertain", 5),
    (Kind.NUDGE, ServerFailed, ("502",), "uncertain", 5),
    (Kind.NUDGE, TelegramError, ("not JSON",), "uncertain", 5),
    (Kind.NUDGE, KeyError, ("a fault of ours",), "uncertain", 5),
    (Kind.NUDGE, BadRequest, ("message is too long",), "dead", 0),
    (Kind.NUDGE, BadRequest, ("Chat not found",), "blocked", 0),
    (Kind.NUDGE, Forbidden, ("blocked by the user",), "blocked", 0),
    (Kind.NUDGE, Unreachable, (), "blocked", 0),
    (Kind.CONFIRMATION, TimedOut, (), "pending", 5),
    (Kind.CONFIRMATION, BadRequest, ("message is too long",), "dead", 0),
]


@ignore_ptb
@pytest.mark.parametrize(("kind", "error", "words", "state", "seconds"), FAILURES)
async def test_a_failure_is_sorted(
    ada: Database,
    world: World,
    kind: Kind,
    error: type[Exception],
    words: tuple[Any, ...],
    state: str,
    seconds: int,
) -> None:
    await enqueue(ada, kind=kind)
    world.errors.append(error(*words))

    await world.worker(ada).once()

    (row,) = await rows(ada)
    assert (row.state, row.last_error) == (state, error.__name__)
    assert row.due_at == NOW + timedelta(seconds=seconds)


async def test_a_blocked_patient_is_out_of_reach(ada: Database, world: World) -> None:
    await enqueue(ada)
    world.errors.append(Forbidden("blocked"))

    await world.worker(ada).once()

    assert await ada.read(lambda c: c.execute(select(Patient.unreachable_at)).scalar()) == NOW


@ignore_ptb
async def test_waiting_as_telegram_asks_uses_up_no_tries(ada: Database, world: World) -> None:
    await enqueue(ada)
    world.errors += [RetryAfter(timedelta(seconds=1)) for _ in range(9)]

    for _ in range(10):
        world.at += timedelta(seconds=2)
        await world.worker(ada).once()

    assert world.arrived == {"one": 1}


async def test_a_confirmation_outlasts_a_telegram_that_fails(ada: Database, world: World) -> None:
    await enqueue(ada, kind=Kind.CONFIRMATION)
    world.errors += [ServerFailed("502") for _ in range(7)]

    for _ in range(8):
        world.at += timedelta(minutes=11)
        await world.worker(ada).once()

    assert world.arrived == {"one": 1}


async def test_a_running_worker_sends_what_comes_and_stops_at_once(
    ada: Database, world: World
) -> None:
    worker = world.worker(ada)
    running = asyncio.create_task(worker.run())
    for number in range(20):
        await enqueue(ada, f"{number}")

    await until(lambda: len(world.arrived) == 20)
    await worker.stop()

    async with asyncio.timeout(1):
        await running
    assert set(world.arrived.values()) == {1}


async def test_a_worker_that_stops_finishes_its_send_and_gives_the_rest_back(
    ada: Database, world: World
) -> None:
    for number in range(5):
        await enqueue(ada, f"{number}")
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(row: OutboxRow) -> int:
        begun.set()
        await go_on.wait()
        return row.id

    worker = world.worker(ada, slowly)
    running = asyncio.create_task(worker.run())
    await begun.wait()
    stopping = asyncio.create_task(worker.stop())
    await asyncio.sleep(0.02)
    running.cancel()
    go_on.set()
    await stopping

    assert Counter(row.state for row in await rows(ada)) == {"sent": 1, "pending": 4}


async def test_a_send_that_hangs_does_not_keep_the_worker_from_stopping(
    ada: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.worker._GRACE", 0.05)
    await enqueue(ada)
    begun = asyncio.Event()

    async def for_ever(_row: OutboxRow) -> int:
        begun.set()
        await asyncio.Event().wait()
        return 0

    worker = world.worker(ada, for_ever)
    running = asyncio.create_task(worker.run())
    await begun.wait()
    await worker.stop()

    assert [row.state for row in await rows(ada)] == ["sending"]
    async with asyncio.timeout(1):
        await running


async def test_an_outcome_is_noted_once_the_database_is_back(ada: Database, world: World) -> None:
    await enqueue(ada)
    flaky = Flaky(ada, fail_on=outbox.finish, times=3)

    await Worker(flaky, world.deliver, world, world.token, QUICK).once()  # type: ignore[arg-type]

    assert [row.state for row in await rows(ada)] == ["sent"]
    assert world.arrived == {"one": 1}


async def test_what_was_never_noted_is_left_to_the_policy(ada: Database, world: World) -> None:
    await enqueue(ada)
    flaky = Flaky(ada, fail_on=outbox.finish, times=99)
    await Worker(flaky, world.deliver, world, world.token, QUICK).once()  # type: ignore[arg-type]

    world.at += timedelta(hours=1)
    await world.worker(ada).once()

    assert [row.state for row in await rows(ada)] == ["uncertain"]
    assert world.arrived == {"one": 1}


async def test_a_worker_outlives_a_database_that_is_away(ada: Database, world: World) -> None:
    flaky = Flaky(ada, fail_on=outbox.claim, times=5)
    worker = Worker(flaky, world.deliver, world, world.token, QUICK)  # type: ignore[arg-type]
    running = asyncio.create_task(worker.run())
    await enqueue(ada)

    await until(lambda: world.arrived == {"one": 1})

    await worker.stop()
    await running


class Flaky:
    """A database that fails for one function, some times."""

    def __init__(self, database: Database, fail_on: Callable[..., Any], times: int) -> None:
        self._database = database
        self._fail_on = fail_on
        self._left = times

    async def write(self, fn: Callable[..., Any], *args: Any) -> Any:
        if fn is self._fail_on and self._left:
            self._left -= 1
            raise DatabaseUnavailable("the server cannot be reached")
        return await self._database.write(fn, *args)


async def until(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not is_true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


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
