"""A crash at every point of sending: confirmations arrive once or twice, nudges at most once."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, func, select

from bot.clock import SystemClock
from storage import outbox, patients
from storage.database import Database, connect
from storage.models import Outbox
from storage.outbox import Message
from storage.outbox_policy import Kind
from tests.faults import cluster, programs
from tests.faults.keepers import Keeper, kept
from tests.faults.programs import Point
from tests.faults.torture.figures import POSTGRESQL, Figure, Piece, Size, Trial
from tests.faults.waiting import until
from tests.standin import running_standin

KINDS = (Kind.CONFIRMATION, Kind.NUDGE)
_SETTLED_WITHIN = 60.0  # seconds
_ENDED_WITHIN = 10.0
_AT_ONCE = 4

#: What an idle worker does again and again; once is enough.
_IDLE = ("outbox.rescue", "outbox.claim")

Arrived = tuple[int, int]  # copies of the confirmation and of the nudge


async def crash_worker(trial: Trial) -> list[Figure]:
    """Crash the worker at each point that two messages pass."""
    names = trial.folder / "outbox-points"
    await _send(trial, None, str(names))
    passed = _read(names)
    left = [
        (name, at)
        for name, times in passed.items()
        for at in range(1, 1 + _times(trial, name, times))
    ]
    points, arrived, missed = len(left), Counter[Arrived](), list[Point]()

    async def lane() -> None:
        while left:
            point = left.pop()
            copies, is_reached = await _send(trial, point)
            arrived[copies] += 1
            if not is_reached:
                missed.append(point)
                trial.tell(f"not passed: {point}")

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(lane())
    lost = sum(n for (confirmations, _), n in arrived.items() if not confirmations)
    most = max(confirmations for confirmations, _ in arrived)
    extra = sum(n for (_, nudges), n in arrived.items() if nudges > 1)
    silent = sum(n for (_, nudges), n in arrived.items() if not nudges)
    return [
        Figure(
            "A crash at any point of sending loses no confirmation and doubles no nudge",
            f"{points - len(missed)} crashes at {len(passed)} named points",
            "0 confirmations lost, <= 2 copies; 0 nudges extra",
            f"{lost} lost, at most {most} copies; {extra} extra, {silent} nudges not sent when in "
            f"doubt; {len(missed)} points not passed",
            is_held=not (lost or extra or missed) and most <= 2,
        )
    ]


def _read(names: Path) -> Counter[str]:
    return Counter(names.read_text(encoding="utf-8").splitlines())


def _times(trial: Trial, name: str, times: int) -> int:
    return 1 if trial.size is Size.QUICK or name.startswith(_IDLE) else min(times, len(KINDS))


async def _send(trial: Trial, point: Point | None, points: str = "") -> tuple[Arrived, bool]:
    """Have a worker send two messages; return what arrived, and whether it crashed."""
    url = await trial.database_url()
    database = connect(url)
    try:
        async with running_standin() as standin:
            chat = standin.state.chats.open("Pat")
            chat.started = True
            await database.write(_queue, chat.patient.chat_id)
            orders = replace(cluster.orders_for(trial, standin, url), points=points)
            keeper = Keeper(orders, [point] if point else [], run=programs.worker)
            async with kept(keeper):
                await _settled(database)
                # The last point lies after the last message.
                await until(lambda: not keeper.ends_at, within=_ENDED_WITHIN)
            texts = Counter(m.text for m in chat.messages.values())
    finally:
        await database.close()
    confirmations, nudges = (texts[kind.value] for kind in KINDS)
    return (confirmations, nudges), bool(keeper.reached)


def _queue(connection: Connection, chat_id: int) -> None:
    now = SystemClock().now()
    patients.save(connection, chat_id, first_name="Pat", locale="en", now=now)
    for kind in KINDS:
        outbox.enqueue(connection, Message(kind.value, kind, now, chat_id), now)


async def _settled(database: Database) -> None:
    async with asyncio.timeout(_SETTLED_WITHIN):
        while await database.read(_open):  # noqa: ASYNC110 - the worker is another process
            await asyncio.sleep(0.05)


def _open(connection: Connection) -> int:
    waiting = Outbox.state.in_(("pending", "claimed", "sending"))
    return connection.execute(select(func.count()).where(waiting)).scalar_one()


PIECES = (Piece("outbox_points", crash_worker, tested_on=(POSTGRESQL,)),)
