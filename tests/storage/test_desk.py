"""Threads: what a patient writes reaches the clinic's people, and what they answer is sent once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from flows.effects import DeletePhotos, KeepPhoto
from storage import (
    audit,
    console_sessions,
    conversations,
    desk,
    live_marks,
    outbox,
    photos,
    staff,
)
from storage.database import Database
from storage.models import Outbox
from tests.builders import NOW
from tests.storage.desk_world import Desk, a_desk

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
async def here(database: Database) -> Desk:
    return await a_desk(database)


async def the_thread(here: Desk) -> desk.ThreadRow:
    (row,) = await here.database.read(desk.threads, here.clinic_id)
    return row


def replies(connection: Connection) -> list[tuple[str, int, str]]:
    rows = connection.execute(select(Outbox.kind, Outbox.chat_id, Outbox.payload))
    return [tuple(row) for row in rows]


async def test_a_patients_words_open_a_thread_that_awaits_an_answer(here: Desk) -> None:
    await here.writes(7, "Do you have parking?")

    row = await the_thread(here)
    assert (row.is_open, row.awaits, row.messages) == (True, True, 1)
    assert (row.first_name, row.preview) == ("Ada", "Do you have parking?")
    assert await here.database.read(desk.waiting, here.clinic_id) == 1


async def test_the_bot_knows_while_a_thread_is_open(here: Desk) -> None:
    await here.writes(7, "Hello?")
    loaded = await here.database.read(conversations.load, 7)
    thread = await the_thread(here)
    await here.database.write(
        desk.set_open, here.clinic_id, here.ann, thread.id, LATER, is_open=False
    )

    assert loaded is not None
    assert loaded.is_talking
    assert not (await here.database.read(conversations.load, 7)).is_talking


async def test_an_answer_is_sent_by_the_outbox_with_nothing_but_its_number(here: Desk) -> None:
    await here.writes(7, "Hello?")
    thread = await the_thread(here)

    message = await here.database.write(
        desk.answer, here.clinic_id, here.ann, thread.id, " Yes, we do. ", LATER
    )

    assert await here.database.read(replies) == [("reply", 7, f'{{"message": {message}}}')]
    row = await the_thread(here)
    assert (row.awaits, row.staff_id, row.preview) == (False, here.ann, "Yes, we do.")


async def test_a_story_says_what_became_of_each_answer(here: Desk) -> None:
    lead = await here.lead()
    await here.writes(7, "Hello?")
    thread = await the_thread(here)
    await here.database.write(desk.answer, here.clinic_id, here.bo, thread.id, "Hi", LATER)

    story = await here.database.read(desk.thread, here.clinic_id, thread.id)
    assert story is not None
    assert [(said.author, said.staff, said.delivery) for said in story.messages] == [
        ("patient", "", ""),
        ("staff", "Bo", "pending"),
    ]
    assert (story.lead_id, story.can_be_reached) == (lead, True)


async def test_a_closed_thread_opens_again_when_the_patient_writes_again(here: Desk) -> None:
    await here.writes(7, "Hello?")
    thread = await the_thread(here)
    await here.database.write(
        desk.set_open, here.clinic_id, here.ann, thread.id, LATER, is_open=False
    )
    assert await here.database.read(desk.threads, here.clinic_id) == []

    await here.writes(7, "One more thing", LATER + timedelta(hours=1))
    assert (await the_thread(here)).messages == 2


async def test_a_thread_is_taken_and_handed_over_within_the_clinic_only(here: Desk) -> None:
    await here.writes(7, "Hello?")
    thread = (await the_thread(here)).id
    hand = desk.hand_over

    assert await here.database.write(hand, here.clinic_id, here.ann, thread, here.bo, LATER)
    assert not await here.database.write(
        hand, here.clinic_id, here.ann, thread, here.stranger, LATER
    )
    assert (await the_thread(here)).staff == "Bo"


async def test_another_clinic_sees_and_changes_nothing(here: Desk) -> None:
    await here.writes(7, "Hello?")
    thread, other = (await the_thread(here)).id, here.other_clinic_id

    assert await here.database.read(desk.threads, other) == []
    assert await here.database.read(desk.thread, other, thread) is None
    answered = await here.database.write(desk.answer, other, here.stranger, thread, "Hi", LATER)
    assert answered is None
    assert not await here.database.write(
        desk.set_open, other, here.stranger, thread, LATER, is_open=False
    )


@pytest.mark.parametrize("body", ["", "   ", "x" * (desk.LONGEST + 1)])
async def test_an_answer_without_words_or_with_too_many_is_refused(here: Desk, body: str) -> None:
    await here.writes(7, "Hello?")
    thread = await the_thread(here)

    with pytest.raises(ValueError, match="1 to 3500 characters"):
        await here.database.write(desk.answer, here.clinic_id, here.ann, thread.id, body, LATER)


async def test_staff_may_write_first_to_a_leads_patient(here: Desk) -> None:
    lead = await here.lead()
    begun = await here.database.write(desk.begin, here.clinic_id, lead, here.ann, LATER)
    foreign = await here.database.write(
        desk.begin, here.other_clinic_id, lead, here.stranger, LATER
    )

    assert begun == (await the_thread(here)).id
    assert foreign is None


async def test_what_staff_do_with_a_thread_is_recorded(here: Desk) -> None:
    await here.writes(7, "Hello?")
    thread = (await the_thread(here)).id
    await here.database.write(desk.hand_over, here.clinic_id, here.ann, thread, here.ann, LATER)
    await here.database.write(desk.answer, here.clinic_id, here.ann, thread, "Hi", LATER)

    lines = await here.database.read(audit.entries, here.clinic_id)
    assert [line.what for line in lines] == ["thread.answered", "thread.taken"]


async def test_staff_get_a_card_when_a_patient_goes_on_and_not_for_every_message(
    here: Desk,
) -> None:
    await here.lead()
    for member, chat_id in ((here.ann, 901), (here.bo, 902)):
        token = f"token-of-{chat_id}"
        await here.database.write(staff.invite, member, token, NOW)
        await here.database.write(staff.join, token, chat_id, NOW)
    await here.writes(7, "Hello?")
    thread = (await the_thread(here)).id
    await here.database.write(desk.answer, here.clinic_id, here.bo, thread, "Hi", LATER)

    for words in ("Thank you", "One more thing"):
        await here.writes(7, words, LATER)
    cards = [row for row in await here.database.read(replies) if row[0] == "card"]
    assert len(cards) == 1  # for Bo, who is on it
    assert "Thank" not in cards[0][2]


async def test_photos_belong_to_the_run_and_go_at_a_word(here: Desk) -> None:
    lead = await here.lead()
    await here.says(7, KeepPhoto("AgAC-1"))
    await here.says(7, KeepPhoto("AgAC-2"))
    kept = await here.database.read(photos.of_lead, here.clinic_id, lead)
    foreign = await here.database.read(photos.of_lead, here.other_clinic_id, lead)

    await here.says(7, DeletePhotos())

    assert [photo.file_id for photo in kept] == ["AgAC-1", "AgAC-2"]
    assert foreign == []
    assert await here.database.read(photos.of_lead, here.clinic_id, lead) == []


async def test_staff_delete_a_photo_of_their_own_clinic_only(here: Desk) -> None:
    lead = await here.lead()
    await here.says(7, KeepPhoto("AgAC-1"))
    (kept,) = await here.database.read(photos.of_lead, here.clinic_id, lead)
    foreign = (here.other_clinic_id, here.stranger, lead, kept.id, LATER)
    own = (here.clinic_id, here.ann, lead, kept.id, LATER)

    assert not await here.database.write(photos.remove, *foreign)
    assert await here.database.write(photos.remove, *own)
    assert await here.database.read(photos.of_lead, here.clinic_id, lead) == []


async def test_the_messages_mark_moves_when_an_answer_is_under_way_and_sent(here: Desk) -> None:
    start = console_sessions.start
    await here.database.write(start, here.ann, "t" * 43, NOW, is_verified=True)
    await here.writes(7, "Hello?")
    marks = [await mark(here)]
    thread = await the_thread(here)
    await here.database.write(desk.answer, here.clinic_id, here.ann, thread.id, "Hi", NOW)
    marks.append(await mark(here))
    (row,) = await here.database.write(outbox.claim, 1, NOW, timedelta(minutes=2), "t")
    await here.database.write(outbox.arm, row.id, "t", NOW, timedelta(minutes=2))
    marks.append(await mark(here))
    await here.database.write(outbox.finish, row.id, "t", 5, LATER)
    marks.append(await mark(here))

    assert len(set(marks)) == 4


async def mark(here: Desk) -> str:
    marks = await here.database.read(live_marks.look, here.clinic_id, "t" * 43, NOW)
    assert marks is not None
    return marks["messages"]
