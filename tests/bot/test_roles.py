"""Roles: which there are, and the worker's in a process of its own or beside the bot."""

from __future__ import annotations

import asyncio

from bot.roles import ALL, Role, chosen, working
from storage import outbox
from storage.database import Database
from storage.outbox import Message, OutboxRow
from storage.outbox_policy import Kind
from tests.builders import NOW
from tests.standin import StoppedClock


def test_without_a_choice_a_process_does_everything() -> None:
    assert chosen([]) == ALL == {Role.BOT, Role.WORKER, Role.CONSOLE}
    assert chosen([Role.WORKER, Role.WORKER]) == {Role.WORKER}


async def test_only_kinds_that_can_be_sent_are_taken_from_the_outbox(database: Database) -> None:
    sent: asyncio.Queue[str] = asyncio.Queue()

    async def deliver(row: OutboxRow) -> int | None:
        sent.put_nowait(row.key)
        return None

    for kind in (Kind.NUDGE, Kind.LEAD):
        await database.write(outbox.enqueue, Message(f"{kind}:1", kind, NOW), NOW)
    tokens = iter(f"token{number}" for number in range(1000))
    deliveries = {Kind.LEAD: deliver}
    async with working(database, StoppedClock(NOW), tokens.__next__, deliveries) as task:
        async with asyncio.timeout(10):
            key = await sent.get()
        assert not task.done()

    left = await database.read(outbox.lag, NOW)
    assert (key, sent.empty(), left.due) == ("lead:1", True, 1)


async def test_a_slow_receiver_keeps_no_patient_waiting(database: Database) -> None:
    stuck, sent = asyncio.Event(), asyncio.Event()

    async def never(_row: OutboxRow) -> int | None:
        await stuck.wait()
        return None

    async def deliver(_row: OutboxRow) -> int | None:
        sent.set()
        return None

    for number in range(20):
        await database.write(outbox.enqueue, Message(f"lead:{number}", Kind.LEAD, NOW), NOW)
    tokens = iter(f"token{number}" for number in range(10_000))
    deliveries = {Kind.LEAD: never, Kind.CARD: deliver}
    async with working(database, StoppedClock(NOW), tokens.__next__, deliveries):
        await database.write(outbox.enqueue, Message("card:1", Kind.CARD, NOW), NOW)
        async with asyncio.timeout(10):
            await sent.wait()
        stuck.set()

    assert sent.is_set()
