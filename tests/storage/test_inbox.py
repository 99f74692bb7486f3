"""Updates are dealt with once; one that keeps failing is put aside."""

from __future__ import annotations

from storage import inbox
from storage.database import Database
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

    assert await database.write(lambda c: inbox.claim(c, 1, NOW, bot_id=12))
