"""The chore that looks at patients: again and again, whatever the database does."""

from __future__ import annotations

import asyncio

from bot.follow_up import FollowUp
from storage import moments
from storage.database import Database
from storage.faults import StorageError
from tests.builders import NOW
from tests.standin import StoppedClock


class Failing:
    """A database that is away."""

    async def write(self, *_: object) -> object:
        raise StorageError("the database is away")


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
