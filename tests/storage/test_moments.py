"""What is awaited next, and what came of it, on both databases."""

from __future__ import annotations

from datetime import timedelta

from storage import follow_ups, moments, outbox, turns
from storage.database import Database
from storage.moments import Awaited, Due, GoneOut, Moment
from storage.outbox import Message
from storage.outbox_policy import Kind
from tests.builders import NOW, a_decision, a_hold, a_slot, a_turn

ADA = 7
HOUR = timedelta(hours=1)
OFFER = {"nudge": "waitlist_offer", "ref": "offer", "uid": ""}


async def message_due(database: Database, key: str, at: timedelta) -> None:
    message = Message(key, Kind.NUDGE, NOW + at, ADA, payload=OFFER)
    await database.write(outbox.enqueue, message, NOW)


async def ada_holds(database: Database) -> None:
    """Leave Ada with held times, and looked at."""
    writes = a_turn(a_decision(), a_hold(a_slot()))
    assert await database.write(turns.commit, writes) == turns.Committed()
    await database.write(follow_ups.look, NOW)


async def test_nothing_is_awaited_of_a_clinic_without_patients(willow: Database) -> None:
    assert await willow.read(moments.next_moment, NOW) is None


async def test_the_end_of_a_hold_a_message_and_a_look_are_awaited_in_turn(
    willow: Database,
) -> None:
    await ada_holds(willow)
    await message_due(willow, "later", 3 * HOUR)

    found, at = [], NOW
    while moment := await willow.read(moments.next_moment, at):
        found.append(moment)
        at = moment.at

    assert {each.awaited for each in found} >= {Awaited.HOLD, Awaited.MESSAGE}
    assert Moment(NOW + 3 * HOUR, Awaited.MESSAGE, ADA) in found
    assert [each.at for each in found] == sorted(each.at for each in found)


async def test_it_is_busy_until_what_is_due_was_done(willow: Database) -> None:
    await ada_holds(willow)
    assert not await willow.read(moments.is_busy, NOW)

    await willow.write(follow_ups.mark, ADA, NOW)
    assert await willow.read(moments.is_busy, NOW)
    await willow.write(follow_ups.look, NOW)
    await message_due(willow, "now", timedelta(0))
    assert await willow.read(moments.is_busy, NOW)
    await message_sent(willow)
    assert not await willow.read(moments.is_busy, NOW)


async def test_what_is_due_is_counted_and_the_next_time_is_known(willow: Database) -> None:
    await ada_holds(willow)
    await message_due(willow, "now", timedelta(0))
    await message_due(willow, "later", 3 * HOUR)

    due = await willow.read(moments.due, NOW)
    await willow.write(follow_ups.mark, ADA, NOW + HOUR)
    await message_sent(willow)

    assert (due.looks, due.messages, due.next_at) == (False, 1, NOW)
    assert await willow.read(moments.due, NOW) == Due(False, 0, NOW + HOUR)
    assert await willow.read(moments.due, NOW + 3 * HOUR) == Due(True, 1, NOW + HOUR)


async def test_what_went_out_is_told_since_a_moment(willow: Database) -> None:
    await ada_holds(willow)
    await message_due(willow, "now", timedelta(0))
    await message_sent(willow)

    assert await willow.read(moments.gone_out, NOW) == [GoneOut(Kind.NUDGE, ADA, OFFER, NOW)]
    assert await willow.read(moments.gone_out, NOW + HOUR) == []


async def message_sent(database: Database) -> None:
    """Send what is due."""
    for row in await database.write(outbox.claim, 8, NOW, HOUR, "token"):
        armed = await database.write(outbox.arm, row.id, "token", NOW, HOUR)
        assert armed is not None
        await database.write(outbox.finish, row.id, "token", 1, NOW)
