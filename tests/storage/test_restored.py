"""After a restore nobody is told again by itself what they were perhaps told since the backup."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, select, update

from flows.conversation import Answer
from storage import follow_ups, outbox, restored, turns
from storage.database import Database
from storage.models import Conversation, Outbox
from storage.outbox import Message
from storage.outbox_policy import Kind
from tests.builders import (
    MONDAY,
    NOW,
    a_confirmation,
    a_conversation,
    a_decision,
    a_slot,
    a_turn,
)

ADA = 7
LEASE = timedelta(minutes=1)
#: The evening before, when the patient is told how to prepare.
EVE = MONDAY - timedelta(hours=18)


AGREED = {"consent": Answer(("agree",))}


async def booked(database: Database) -> None:
    chat = a_conversation(ADA, state="booked", answers=AGREED)
    await database.write(
        turns.commit, a_turn(a_decision(), a_confirmation(a_slot()), conversation=chat)
    )


def states(connection: Connection) -> dict[str, tuple[str, int]]:
    rows = connection.execute(select(Outbox.key, Outbox.state, Outbox.doubts))
    return {key.partition(":")[0]: (state, doubts) for key, state, doubts in rows}


async def test_a_nudge_that_came_due_since_the_backup_is_left_to_staff(willow: Database) -> None:
    await booked(willow)

    assert await restored.doubt(willow, EVE) == 1
    await willow.write(follow_ups.look, EVE + timedelta(minutes=1))

    assert await willow.write(outbox.claim, 9, EVE + timedelta(hours=1), LEASE, "t") == []
    (row,) = await willow.read(outbox.dead)
    assert (row.payload["nudge"], row.state, row.last_error) == (
        "prepare_day",
        "uncertain",
        "Restored",
    )


async def test_a_nudge_of_the_day_is_not_sent_in_the_morning_after_a_restore_at_night(
    willow: Database,
) -> None:
    await booked(willow)
    night = EVE.replace(hour=23)

    assert await restored.doubt(willow, night) == 1
    morning = night + timedelta(hours=9)
    await willow.write(follow_ups.look, morning)

    rows = await willow.write(outbox.claim, 9, morning, LEASE, "t")
    assert [row.payload["nudge"] for row in rows] == []


async def test_a_confirmation_is_sent_once_more_and_what_is_not_due_waits(willow: Database) -> None:
    await booked(willow)
    for name, due_at in (("due", NOW), ("later", NOW + timedelta(hours=1))):
        message = Message(f"{name}:1", Kind.CONFIRMATION, due_at, ADA)
        await willow.write(outbox.enqueue, message, NOW)

    assert await restored.doubt(willow, NOW) == 1
    assert await willow.read(states) == {"due": ("pending", 1), "later": ("pending", 0)}
    await restored.doubt(willow, NOW)
    assert (await willow.read(states))["due"] == ("uncertain", 2)


async def test_what_was_being_sent_when_the_backup_was_made_was_perhaps_sent(
    willow: Database,
) -> None:
    await booked(willow)
    await willow.write(outbox.enqueue, Message("nudge:1", Kind.NUDGE, NOW, ADA), NOW)
    (row,) = await willow.write(outbox.claim, 1, NOW, LEASE, "mine")
    assert await willow.write(outbox.arm, row.id, "mine", NOW, LEASE)

    assert await restored.doubt(willow, NOW) == 1
    assert not await willow.write(outbox.finish, row.id, "mine", 5, NOW)
    assert await willow.read(states) == {"nudge": ("uncertain", 1)}


async def test_one_who_cannot_be_read_keeps_nobody_else_from_being_looked_at(
    willow: Database,
) -> None:
    await booked(willow)
    bea = a_conversation(ADA - 1, state="age", answers=AGREED)
    await willow.write(turns.commit, a_turn(conversation=bea))
    damaged = update(Conversation).where(Conversation.chat_id == bea.chat_id).values(document="{")
    await willow.write(lambda connection: connection.execute(damaged) and None)

    assert await restored.doubt(willow, EVE) == 1
