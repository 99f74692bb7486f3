"""The chore that looks at patients: again and again, whatever the database does."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from bot.follow_up import FollowUp
from flows.conversation import Answer
from storage import follow_ups, moments, turns, waitlist
from storage.database import Database
from storage.faults import DatabaseUnavailable
from storage.models import Conversation, Outbox
from tests.builders import NOW, a_conversation, a_turn
from tests.standin import StoppedClock


class Failing:
    """A database that is away."""

    async def write(self, *_: object) -> object:
        raise DatabaseUnavailable("the database is away")


async def test_a_database_that_is_away_does_not_end_the_chore() -> None:
    chore = FollowUp(Failing(), StoppedClock(NOW), asyncio.sleep)  # type: ignore[arg-type]  # a fault

    assert await chore.once() == 0


async def test_it_rests_when_nobody_is_to_be_looked_at(database: Database) -> None:
    rests: list[float] = []
    ended = asyncio.Event()

    async def sleep(seconds: float) -> None:
        rests.append(seconds)
        ended.set()
        await asyncio.Event().wait()

    chore = asyncio.create_task(FollowUp(database, StoppedClock(NOW), sleep, idle_for=2).run())
    async with asyncio.timeout(10):
        await ended.wait()
    chore.cancel()
    await asyncio.gather(chore, return_exceptions=True)

    assert rests == [2]
    assert await database.read(moments.next_moment, NOW) is None


async def test_a_patient_who_cannot_be_read_keeps_nobody_waiting(willow: Database) -> None:
    for chat_id in (7, 8):
        chat = a_conversation(chat_id, state="age", answers={"consent": Answer(("agree",))})
        await willow.write(turns.commit, a_turn(conversation=chat))
    damaged = update(Conversation).where(Conversation.chat_id == 7).values(document="{")
    await willow.write(lambda connection: connection.execute(damaged))
    tomorrow = NOW + timedelta(hours=24)
    chore = FollowUp(willow, StoppedClock(tomorrow), asyncio.sleep)

    with capture_logs() as logs:
        assert [await chore.once(), await chore.once()] == [2, 0]

    assert [line["action"] for line in logs] == ["look_put_off"]
    assert await willow.read(lambda c: list(c.scalars(select(Outbox.chat_id)))) == [8]
    assert await willow.write(follow_ups.due, tomorrow + timedelta(days=1)) == (7,)


async def test_a_fault_of_ours_does_not_end_the_chore(
    willow: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(waitlist, "expire", broken)

    assert await FollowUp(willow, StoppedClock(NOW), asyncio.sleep).once() == 0
