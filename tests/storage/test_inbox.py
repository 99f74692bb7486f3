"""Updates are dealt with once; one that keeps failing is put aside."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from storage import inbox
from storage.database import Database
from storage.models import Inbox
from tests.builders import NOW


async def test_an_update_is_claimed_once(database: Database) -> None:
    assert await database.write(inbox.claim, 1, NOW)
    assert not await database.write(inbox.claim, 1, NOW)
    assert await database.read(inbox.is_settled, 1)


async def test_a_lower_id_is_as_new_as_a_higher_one(database: Database) -> None:
    await database.write(inbox.claim, 900, NOW)

    assert await database.write(inbox.claim, 3, NOW)


async def test_failures_are_counted_until_the_update_is_parked(database: Database) -> None:
    counted = [await database.write(inbox.fail, 1, "KeyError", NOW) for _ in range(3)]
    await database.write(inbox.park, 1, "KeyError", NOW)

    assert counted == [1, 2, 3]
    assert await database.read(inbox.tries, 1) == 3
    assert await database.read(inbox.is_settled, 1)
    assert not await database.write(inbox.claim, 1, NOW)


async def test_a_failure_does_not_undo_what_was_done(database: Database) -> None:
    await database.write(inbox.claim, 1, NOW)
    await database.write(inbox.fail, 1, "KeyError", NOW)

    assert await database.read(inbox.is_settled, 1)


async def test_an_update_can_be_parked_at_once(database: Database) -> None:
    await database.write(inbox.park, 1, "KeyError", NOW)

    assert await database.read(inbox.tries, 1) == 1
    assert await database.read(inbox.tries, 2) == 0


async def test_two_bots_have_update_ids_of_their_own(database: Database) -> None:
    await database.write(lambda c: inbox.claim(c, 1, NOW, bot_id=11))

    assert not await database.read(inbox.is_settled, 1, bot_id=12)
    assert await database.write(lambda c: inbox.claim(c, 1, NOW, bot_id=12))


async def park(database: Database, update_id: int = 1, payload: str | None = "{}") -> None:
    await database.write(inbox.park, update_id, "KeyError", NOW, bot_id=5, payload=payload)


async def test_a_parked_update_is_listed_without_what_it_says(database: Database) -> None:
    await park(database, payload='{"message": "my skin"}')
    await database.write(inbox.claim, 2, NOW)

    (listed,) = await database.read(inbox.parked)

    assert listed == inbox.ParkedUpdate(5, 1, "KeyError", 1, NOW, "parked", is_kept=True)


async def test_a_replayed_update_is_taken_once_and_then_forgotten(database: Database) -> None:
    await park(database, payload='{"update_id": 1}')

    assert await database.write(inbox.replay, 1)
    assert await database.read(inbox.replayable, bot_id=6) == []
    assert await database.read(inbox.replayable, bot_id=5) == [
        inbox.KeptUpdate(1, '{"update_id": 1}')
    ]
    assert await database.write(inbox.claim, 1, NOW, bot_id=5)
    assert not await database.write(inbox.claim, 1, NOW, bot_id=5)
    assert await database.read(inbox.replayable, bot_id=5) == []
    assert not await database.write(inbox.replay, 1)
    assert await database.read(lambda c: c.execute(select(Inbox.payload)).scalar()) is None


async def test_a_replayed_update_gets_three_tries_and_survives_crashes(database: Database) -> None:
    await park(database)
    await database.write(inbox.replay, 1, bot_id=5)

    counted = [await database.write(inbox.fail, 1, "IndexError", NOW, bot_id=5) for _ in range(3)]

    assert counted == [1, 2, 3]
    assert len(await database.read(inbox.replayable, bot_id=5)) == 1
    await park(database, payload=None)
    (listed,) = await database.read(inbox.parked)
    assert (listed.state, listed.is_kept) == ("parked", True)


async def test_what_was_not_kept_cannot_be_replayed(database: Database) -> None:
    await park(database, payload=None)
    await database.write(inbox.claim, 2, NOW)

    assert not await database.write(inbox.replay, 1)
    assert not await database.write(inbox.replay, 2)
    assert not await database.write(inbox.replay, 3)


async def test_a_replay_of_one_bot_leaves_the_other_alone(database: Database) -> None:
    await park(database)

    assert not await database.write(inbox.replay, 1, bot_id=6)
    assert await database.write(inbox.replay, 1, bot_id=5)
    assert not await database.write(inbox.replay, 1, bot_id=5)


async def test_after_eight_days_only_the_list_of_parked_updates_is_left(database: Database) -> None:
    await database.write(inbox.claim, 2, NOW)
    await database.write(inbox.fail, 3, "KeyError", NOW)
    await park(database)
    late = NOW + timedelta(days=8, seconds=1)
    await database.write(inbox.claim, 4, late)

    assert await database.write(inbox.prune, late - timedelta(days=8)) == 2
    (listed,) = await database.read(inbox.parked)
    assert (listed.update_id, listed.is_kept) == (1, False)
    assert await database.read(inbox.is_settled, 4)
    assert not await database.write(inbox.claim, 1, late, bot_id=5)


async def test_little_is_pruned_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_PRUNED", 2)
    for update_id in range(5):
        await database.write(inbox.claim, update_id, NOW)

    pruned = [await database.write(inbox.prune, NOW + timedelta(days=9)) for _ in range(3)]

    assert pruned == [2, 2, 1]
