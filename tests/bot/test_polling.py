"""Nothing is confirmed before it is dealt with; chats keep their order and do not wait."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs
from telegram import Update
from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.polling import Poller
from bot.unreadable import Park
from storage.faults import DatabaseUnavailable, StatementFailed
from tests.bot.telegram_objects import a_message, an_update


class Queue:
    """Telegram's side: keeps updates until a call with a higher offset confirms them."""

    def __init__(self) -> None:
        self.waiting: list[Update] = []
        self.failures: list[BaseException] = []
        self.raw: list[dict[str, Any]] = []
        self.offsets: list[int | None] = []
        self.news = asyncio.Event()

    def put(self, *updates: Update) -> None:
        self.waiting += updates
        self.news.set()

    async def get_updates(self, offset: int | None = None, **options: Any) -> tuple[Update, ...]:
        self.offsets.append(offset)
        if self.failures:
            raise self.failures.pop(0)
        self.waiting = [u for u in self.waiting if offset is None or u.update_id >= offset]
        if not self.waiting and options.get("timeout"):
            self.news.clear()
            await self.news.wait()
        await asyncio.sleep(0)
        return tuple(self.waiting[:100])

    async def do_api_request(self, *_: Any, **__: Any) -> list[dict[str, Any]]:
        return self.raw


class Desk:
    """Where updates are dealt with, one chat at a time blocked on demand."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.parked: list[tuple[int, str, str]] = []
        self.faults: list[Exception] = []
        self.gates: dict[int, asyncio.Event] = {}

    async def handle(self, update: Update) -> None:
        gate = self.gates.get(update.update_id)
        if gate is not None:
            await gate.wait()
        self.done.append(update.update_id)

    async def park(self, update_id: int, why: str, payload: str) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.parked.append((update_id, why, payload))


@asynccontextmanager
async def polling(
    queue: Queue,
    handle: Callable[[Update], Any],
    slept: list[float] | None = None,
    park: Park | None = None,
) -> AsyncIterator[Poller]:
    async def sleep(seconds: float) -> None:
        if slept is not None:
            slept.append(seconds)
        await asyncio.sleep(0)

    poller = Poller(
        queue,  # type: ignore[arg-type]  # only the two methods that are called
        handle,
        park or Desk().park,
        chance=lambda: 1.0,
        sleep=sleep,
    )
    task = asyncio.create_task(poller.run())
    yield poller
    task.cancel()
    await asyncio.wait({task})


async def until(ready: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not ready():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.005)


def in_chat(chat_id: int, number: int) -> Update:
    return a_message(number, chat={"id": chat_id, "type": "private"}, text="x")


async def test_an_update_is_confirmed_only_after_it_is_dealt_with() -> None:
    queue, desk = Queue(), Desk()
    desk.gates[11] = asyncio.Event()
    queue.put(in_chat(1, 10), in_chat(2, 11), in_chat(3, 12))

    async with polling(queue, desk.handle):
        await until(lambda: desk.done == [10, 12])
        await until(lambda: len(queue.offsets) >= 3)
        assert queue.offsets[-1] == 11

        desk.gates[11].set()
        await until(lambda: queue.offsets[-1] == 13)

    assert desk.done == [10, 12, 11]


async def test_one_chat_is_served_in_order_and_others_pass() -> None:
    queue, desk = Queue(), Desk()
    desk.gates[1] = asyncio.Event()
    queue.put(in_chat(1, 1), in_chat(1, 2), in_chat(2, 3))

    async with polling(queue, desk.handle):
        await until(lambda: desk.done == [3])
        desk.gates[1].set()
        await until(lambda: len(desk.done) == 3)

    assert desk.done == [3, 1, 2]


async def test_what_arrives_during_a_slow_turn_is_not_held_up() -> None:
    queue, desk = Queue(), Desk()
    desk.gates[1] = asyncio.Event()
    queue.put(in_chat(1, 1))

    async with polling(queue, desk.handle):
        await until(lambda: len(queue.offsets) > 1)
        queue.put(in_chat(2, 2))
        await until(lambda: desk.done == [2])
        desk.gates[1].set()


async def test_after_a_quiet_week_numbers_may_start_anywhere() -> None:
    queue, desk = Queue(), Desk()
    queue.put(in_chat(1, 900))

    async with polling(queue, desk.handle):
        await until(lambda: queue.offsets[-1:] == [901])
        queue.news.set()  # the long poll ends without news
        await until(lambda: queue.offsets[-1] is None)
        queue.put(in_chat(1, 5))
        await until(lambda: desk.done == [900, 5])


async def test_stopping_finishes_turns_under_way_and_confirms_them() -> None:
    queue, desk = Queue(), Desk()
    desk.gates[1] = asyncio.Event()
    queue.put(in_chat(1, 1))

    async with polling(queue, desk.handle) as poller:
        await until(lambda: len(queue.offsets) > 1)
    asyncio.get_running_loop().call_later(0.05, desk.gates[1].set)
    await poller.stop()

    assert desk.done == [1]
    assert queue.offsets[-1] == 2


async def test_stopping_without_telegram_is_quiet() -> None:
    queue, desk = Queue(), Desk()
    queue.put(in_chat(1, 1))
    async with polling(queue, desk.handle) as poller:
        await until(lambda: desk.done == [1])
    queue.failures.append(NetworkError("away"))

    await poller.stop()


async def test_network_errors_back_off_with_jitter_and_then_go_on() -> None:
    queue, desk, slept = Queue(), Desk(), []
    queue.failures += [NetworkError("a"), TelegramError("b"), NetworkError("c")]
    queue.put(in_chat(1, 1))

    async with polling(queue, desk.handle, slept):
        await until(lambda: desk.done == [1])

    assert slept == [0.5, 1.0, 2.0]


async def test_a_second_poller_is_named_loudly() -> None:
    queue, desk, slept = Queue(), Desk(), []
    queue.failures.append(Conflict("terminated by other getUpdates request"))
    queue.put(in_chat(1, 1))

    with capture_logs() as logs:
        async with polling(queue, desk.handle, slept):
            await until(lambda: desk.done == [1])

    assert logs[0]["log_level"] == "error"
    assert "another program is receiving" in logs[0]["event"]
    assert slept == [15.0]


@pytest.mark.filterwarnings("ignore:.*retry_after")
async def test_being_told_to_wait_is_obeyed() -> None:
    queue, desk, slept = Queue(), Desk(), []
    queue.failures.append(RetryAfter(9))
    queue.put(in_chat(1, 1))

    async with polling(queue, desk.handle, slept):
        await until(lambda: desk.done == [1])

    assert slept == [9]


async def test_a_token_that_was_revoked_ends_polling() -> None:
    queue = Queue()
    queue.failures.append(InvalidToken())
    poller = Poller(queue, Desk().handle, Desk().park, chance=lambda: 0.5)  # type: ignore[arg-type]  # as above

    with pytest.raises(InvalidToken):
        await poller.run()


TOO_FAR = {"message_id": 1, "date": 2**80, "chat": {"id": 1, "type": "private"}}


@pytest.mark.parametrize("unreadable", [{"poll_answer": {}}, {"message": TOO_FAR}])
async def test_an_update_that_cannot_be_read_is_put_aside(unreadable: dict[str, Any]) -> None:
    queue, desk = Queue(), Desk()
    queue.failures.append(OverflowError("anything the library may raise"))
    raw = {"update_id": 7, **unreadable}
    queue.raw = [raw, an_update(8).to_dict()]

    with capture_logs() as logs:
        async with polling(queue, desk.handle, park=desk.park):
            await until(lambda: desk.done == [8])
            await until(lambda: queue.offsets[-1] == 9)

    assert [log["update_id"] for log in logs] == [7]
    assert desk.parked == [(7, "Unreadable", json.dumps(raw))]


async def test_it_is_confirmed_when_nothing_else_has_come() -> None:
    queue, desk = Queue(), Desk()
    queue.failures.append(OverflowError("anything the library may raise"))
    queue.raw = [{"update_id": 7, "poll_answer": {}}]

    async with polling(queue, desk.handle, park=desk.park):
        await until(lambda: 8 in queue.offsets)

    assert len(desk.parked) == 1


async def test_it_comes_again_while_the_database_is_away() -> None:
    queue, desk = Queue(), Desk()
    queue.failures += [OverflowError("anything the library may raise")] * 2
    queue.raw = [{"update_id": 7, "poll_answer": {}}]
    desk.faults.append(DatabaseUnavailable("the server cannot be reached"))

    async with polling(queue, desk.handle, park=desk.park):
        await until(lambda: 8 in queue.offsets)

    assert queue.offsets[:3] == [None, None, 8]


async def test_one_that_no_database_takes_is_let_go() -> None:
    queue, desk = Queue(), Desk()
    queue.failures.append(OverflowError("anything the library may raise"))
    queue.raw = [{"update_id": 7, "poll_answer": {}}]
    desk.faults.append(StatementFailed("the number is out of range"))

    async with polling(queue, desk.handle, park=desk.park):
        await until(lambda: 8 in queue.offsets)


@pytest.mark.parametrize("steps", range(8))
async def test_it_ends_when_told_to_in_the_moment_in_which_a_turn_is_done(steps: int) -> None:
    queue, desk = Queue(), Desk()
    gate = desk.gates[1] = asyncio.Event()
    queue.put(a_message(1))
    poller = Poller(queue, desk.handle, desk.park, chance=lambda: 0.5)  # type: ignore[arg-type]  # as above
    running = asyncio.create_task(poller.run())
    await asyncio.sleep(0.02)  # it waits for the turn

    gate.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running}, timeout=1)

    assert running.cancelled()
