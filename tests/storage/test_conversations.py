"""Conversations come back as they were stored, and none is left without a reply."""

from __future__ import annotations

from datetime import datetime, timedelta

from storage import conversations, outbox, patients, turns
from storage.database import Database
from storage.outbox import Message
from storage.outbox_policy import Kind
from tests.builders import NOW, a_conversation, a_turn


async def test_a_chat_never_seen_has_no_conversation(database: Database) -> None:
    assert await database.read(conversations.load, 7) is None


async def test_what_was_shown_is_remembered(database: Database) -> None:
    await database.write(turns.commit, a_turn())
    await database.write(conversations.note_shown, 7, 0, 55)

    loaded = await database.read(conversations.load, 7)
    assert (loaded.shown_revision, loaded.message_id) == (0, 55)


async def test_an_older_screen_that_arrives_late_is_not_the_one_shown(database: Database) -> None:
    await database.write(turns.commit, a_turn())
    await database.write(turns.commit, a_turn(before=0))
    await database.write(conversations.note_shown, 7, 1, 56)
    await database.write(conversations.note_shown, 7, 0, 55)

    loaded = await database.read(conversations.load, 7)
    assert (loaded.shown_revision, loaded.message_id) == (1, 56)


async def test_whoever_was_left_without_a_reply_is_listed_longest_first(
    database: Database,
) -> None:
    for chat, minutes in ((1, 0), (2, 9), (3, 5)):
        at = NOW + timedelta(minutes=minutes)
        await database.write(turns.commit, a_turn(conversation=a_conversation(chat), now=at))
    await database.write(conversations.note_shown, 1, 0, 5)

    assert await database.read(conversations.unanswered) == [3, 2]


async def test_a_turn_after_the_shown_one_waits_for_its_reply(database: Database) -> None:
    await database.write(turns.commit, a_turn())
    await database.write(conversations.note_shown, 7, 0, 5)
    await database.write(turns.commit, a_turn(before=0))

    assert await database.read(conversations.unanswered) == [7]


async def test_nobody_waits_for_a_patient_who_blocked_the_bot(database: Database) -> None:
    await database.write(turns.commit, a_turn())
    await database.write(patients.mark_unreachable, 7, NOW)
    assert await database.read(conversations.unanswered) == []

    await database.write(turns.commit, a_turn(before=0))
    assert await database.read(conversations.unanswered) == [7]


async def test_one_process_takes_it_on_to_show_what_was_left_unanswered(
    database: Database,
) -> None:
    await database.write(turns.commit, a_turn())
    soon = NOW + timedelta(seconds=20)

    async def claims(at: datetime, revision: int = 0) -> bool:
        return await database.write(
            conversations.claim_reminder, 7, revision, at, at + timedelta(seconds=20)
        )

    assert not await claims(NOW, revision=1)
    assert [await claims(NOW), await claims(NOW), await claims(soon)] == [True, False, True]

    await database.write(conversations.note_shown, 7, 0, 4001)
    assert not await claims(soon + timedelta(seconds=20))


async def test_a_conversation_that_has_moved_on_is_not_written_over(database: Database) -> None:
    await database.write(turns.commit, a_turn())
    older = a_conversation(revision=9)

    assert not await database.write(conversations.save, older, 4, NOW)
    assert (await database.read(conversations.load, 7)).conversation.revision == 0


async def interrupted(database: Database) -> bool:
    loaded = await database.read(conversations.load, 7)
    assert loaded is not None
    return loaded.is_interrupted


async def test_a_message_that_came_after_the_last_turn_interrupts_until_the_next(
    database: Database,
) -> None:
    lease, soon = timedelta(minutes=2), NOW + timedelta(minutes=1)
    await database.write(turns.commit, a_turn())
    nudge = Message("nudge:7:reminder:1", Kind.NUDGE, soon, 7)
    await database.write(outbox.enqueue, nudge, NOW)
    assert not await interrupted(database)

    (row,) = await database.write(outbox.claim, 1, soon, lease, "mine")
    assert not await interrupted(database)

    await database.write(outbox.arm, row.id, "mine", soon, lease)
    assert await interrupted(database)  # perhaps it is being read already

    await database.write(outbox.finish, row.id, "mine", 55, soon)
    assert await interrupted(database)

    await database.write(turns.commit, a_turn(before=0, now=soon + timedelta(minutes=1)))
    assert not await interrupted(database)


async def test_a_message_that_perhaps_came_interrupts_and_one_to_somebody_else_does_not(
    database: Database,
) -> None:
    lease, soon = timedelta(minutes=2), NOW + timedelta(minutes=1)
    await database.write(turns.commit, a_turn())
    await database.write(turns.commit, a_turn(conversation=a_conversation(8)))
    await database.write(outbox.enqueue, Message("nudge:8:x", Kind.NUDGE, soon, 8), NOW)
    (row,) = await database.write(outbox.claim, 1, soon, lease, "mine")
    await database.write(outbox.arm, row.id, "mine", soon, lease)
    await database.write(outbox.finish, row.id, "mine", 55, soon)
    assert not await interrupted(database)

    await database.write(outbox.enqueue, Message("nudge:7:x", Kind.NUDGE, soon, 7), NOW)
    (row,) = await database.write(outbox.claim, 1, soon, lease, "mine")
    await database.write(outbox.arm, row.id, "mine", soon, lease)
    await database.write(outbox.uncertain, row.id, "mine", "TimedOut", soon)
    assert await interrupted(database)
