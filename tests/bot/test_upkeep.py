"""Parked updates are taken again when staff say so, and old ones are forgotten."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from telegram import Bot, Update

from bot.store import DatabaseStore
from bot.upkeep import Upkeep
from storage import inbox
from storage.database import Database
from storage.faults import DatabaseUnavailable
from tests.bot.telegram_objects import a_message
from tests.standin import StoppedClock


@dataclass
class Round:
    """One look of the upkeep over a real inbox, and what it handed on."""

    store: DatabaseStore
    taken: list[Update] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    async def handle(self, update: Update) -> None:
        self.taken.append(update)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if seconds >= 60:
            raise asyncio.CancelledError

    async def look(self) -> None:
        upkeep = Upkeep(Bot("1:A"), self.store, self.handle, self.sleep)
        with pytest.raises(asyncio.CancelledError):
            await upkeep.run()


@pytest.fixture
def work(database: Database) -> Round:
    return Round(DatabaseStore(database, StoppedClock(), lambda: 0.0, bot_id=5))


async def test_a_replayed_update_is_taken_as_it_came_and_once(
    database: Database, work: Round
) -> None:
    message = a_message(9, text="my skin is better 😀")
    await work.store.park(9, "KeyError", message.to_json())
    await work.look()
    assert work.taken == []

    await database.write(inbox.replay, 9)
    await work.look()
    await work.look()

    (update,) = work.taken
    assert update.to_dict() == message.to_dict()
    assert await database.read(inbox.parked) == []


async def test_an_update_that_fails_again_is_parked_again(database: Database, work: Round) -> None:
    await work.store.park(9, "KeyError", a_message(9, text="x").to_json())
    await database.write(inbox.replay, 9)

    async def fail(update: Update) -> None:
        await work.store.park(update.update_id, "IndexError", update.to_json())

    work.handle = fail  # type: ignore[method-assign]
    await work.look()

    (parked,) = await database.read(inbox.parked)
    assert (parked.state, parked.why, parked.is_kept) == ("parked", "IndexError", True)


@pytest.mark.parametrize("payload", ["not JSON", "[]", "{}"])
async def test_what_cannot_be_read_is_put_aside_again(
    database: Database, work: Round, payload: str
) -> None:
    await work.store.park(9, "KeyError", payload)
    await database.write(inbox.replay, 9)

    await work.look()

    (parked,) = await database.read(inbox.parked)
    assert (work.taken, parked.state, parked.why) == ([], "parked", "Unreadable")


async def test_updates_that_cannot_come_again_are_forgotten(
    database: Database, work: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_PRUNED", 1)
    monkeypatch.setattr("bot.upkeep.MOST_PRUNED", 1)
    for update_id, age in ((1, 9), (2, 9), (3, 7)):
        await database.write(
            inbox.claim, update_id, StoppedClock().now() - timedelta(days=age), bot_id=5
        )

    await work.look()

    settled = [await database.read(inbox.is_settled, n, bot_id=5) for n in (1, 2, 3)]
    assert settled == [False, False, True]


async def test_a_database_that_is_away_is_looked_at_again_later(work: Round) -> None:
    async def refuse() -> list[inbox.KeptUpdate]:
        raise DatabaseUnavailable("the server cannot be reached")

    work.store.replayable = refuse  # type: ignore[method-assign]

    await work.look()

    assert work.slept == [60.0]
