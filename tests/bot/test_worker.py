"""The outbox is served: sent once, sorted when it fails, stopped quietly, and safe in a crash."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select
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
    (Kind.NUDGE, TimedOut, (), "uncertain", 0),
    (Kind.NUDGE, NetworkError, ("reset",), "uncertain", 0),
    (Kind.NUDGE, ServerFailed, ("502",), "uncertain", 0),
    (Kind.NUDGE, TelegramError, ("not JSON",), "uncertain", 0),
    (Kind.NUDGE, KeyError, ("a fault of ours",), "uncertain", 0),
    (Kind.NUDGE, DatabaseUnavailable, ("away while its words were made",), "pending", 5),
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
@pytest.mark.parametrize(
    ("kind", "error", "words", "times"),
    [
        (Kind.NUDGE, RetryAfter, (timedelta(seconds=1),), 9),  # waiting uses up no tries
        (Kind.CONFIRMATION, DatabaseUnavailable, ("away",), 9),
        (Kind.CONFIRMATION, ServerFailed, ("502",), 7),
    ],
)
async def test_a_message_outlasts_a_telegram_or_a_database_that_fails(
    ada: Database, world: World, kind: Kind, error: type[Exception], words: Any, times: int
) -> None:
    await enqueue(ada, kind=kind)
    world.errors += [error(*words) for _ in range(times)]

    for _ in range(times + 1):
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


async def test_a_failure_before_a_send_frees_what_was_claimed_with_it(
    ada: Database, world: World
) -> None:
    await enqueue(ada, "one")
    await enqueue(ada, "two")
    flaky = Flaky(ada, fail_on=outbox.arm, times=1)

    with pytest.raises(DatabaseUnavailable):
        await Worker(flaky, world.deliver, world, world.token, QUICK).once()  # type: ignore[arg-type]
    await world.worker(ada).once()

    assert world.arrived == {"one": 1, "two": 1}


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
