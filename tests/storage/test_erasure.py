"""One person is erased: nothing of theirs is left anywhere, and nobody else loses anything."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from flows.effects import ErasePatient, MessageToClinic
from storage import (
    audit,
    calendar_pushes,
    clinics,
    conversations,
    desk,
    erasure,
    feeds,
    follow_ups,
    lead_work,
    nudge_work,
    outbox,
    turns,
)
from storage.clerks import ChangedMeanwhile
from storage.database import Database, connect
from storage.lead_work import Change, Whose
from storage.models import Appointment, Lead, LeadNote, Outbox
from tests import postgres
from tests.builders import NOW, a_conversation, a_turn, open_always
from tests.storage import persons
from tests.storage.persons import ADA, BEA, CANARY, HARBOUR, WILLOW, Person


@dataclass(frozen=True)
class House:
    """Two people with visits, one of them branded; a channel and a calendar that listen."""

    database: Database
    ada: Person
    bea: Person
    ours: persons.Rows  # all rows before Bea came
    before: persons.Rows  # all rows then


@pytest.fixture
async def open_house(database: Database) -> Database:
    """Return a database whose first clinic is always open, with an owner, channel and calendar."""
    await persons.open_house(database)
    return database


@pytest.fixture
async def house(open_house: Database) -> House:
    """Return a house in which everything was said that can be said."""
    ada = await persons.meet(open_house, ADA, day=1)
    at = NOW + timedelta(days=8)
    written = calendar_pushes.Push(1, ada.to_come, "/a.ics", "e", 0, at, at, NOW)
    await open_house.write(calendar_pushes.note, written)
    await open_house.write(persons.brand)
    ours = await open_house.read(persons.rows)
    bea = await persons.meet(open_house, BEA, day=2)
    return House(open_house, ada, bea, ours, await open_house.read(persons.rows))


async def erased(house: House) -> erasure.Erased:
    done = await persons.erase(house.database, WILLOW, 1, house.ada.lead_id, NOW)
    assert done is not None
    return done


def messages(connection: Connection) -> list[Any]:
    return list(connection.execute(select(Outbox).order_by(Outbox.id)))


def visit(connection: Connection, uid: str) -> Any:
    return connection.execute(select(Appointment).where(Appointment.uid == uid)).one_or_none()


async def test_nothing_is_erased_when_other_visits_are_to_come_than_were_shown(
    house: House,
) -> None:
    lead = house.ada.lead_id

    with pytest.raises(ChangedMeanwhile):
        await house.database.write(erasure.erase, WILLOW, 1, lead, 7, NOW)

    assert await house.database.read(persons.rows) == house.before


async def test_every_table_with_a_personal_column_has_a_row_to_be_erased(house: House) -> None:
    empty = [each.__tablename__ for each in persons.PERSONAL if not house.ours[each.__tablename__]]

    assert empty == []  # a new table: let `persons` fill it, and `storage.erasure` empty it


async def test_no_trace_is_left_in_any_column_of_any_table(house: House) -> None:
    assert {*persons.traces(house.before, ADA, CANARY)} >= {
        each.__tablename__ for each in persons.PERSONAL
    }

    await erased(house)

    left = await house.database.read(persons.rows)
    assert persons.traces(left, ADA, CANARY) == {}


async def test_the_person_next_to_them_keeps_every_row(house: House) -> None:
    beas = {name: house.before[name] - house.ours[name] for name in house.before}

    await erased(house)

    left = await house.database.read(persons.rows)
    assert {name: rows - left[name] for name, rows in beas.items() if rows - left[name]} == {}


async def test_no_trace_is_left_in_the_file_or_beside_it(sqlite_url: str) -> None:
    database = connect(sqlite_url)
    await database.write(clinics.import_clinic, open_always(), "demo_clinic.toml")
    ada = await persons.meet(database, ADA, day=1)
    await database.write(persons.brand)
    folder = Path(sqlite_url.removeprefix("sqlite:///")).parent
    assert [each.name for each in folder.iterdir() if CANARY.encode() in each.read_bytes()]

    await persons.erase(database, WILLOW, None, ada.lead_id, NOW)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # as a turn of somebody else at this moment
    forgetting = asyncio.ensure_future(database.forget_deleted())
    await asyncio.sleep(0.2)
    other.execute("ROLLBACK")
    other.close()
    await forgetting

    assert [each.name for each in folder.iterdir() if CANARY.encode() in each.read_bytes()] == []
    await database.close()


async def test_times_stay_in_the_calendar_without_a_person(house: House) -> None:
    done = await erased(house)

    ahead = await house.database.read(visit, house.ada.to_come)
    over = await house.database.read(visit, house.ada.over)
    assert done.cancelled == (house.ada.to_come,)
    assert (ahead.state, ahead.sequence, over.state, over.sequence) == (
        "cancelled",
        1,
        "fulfilled",
        0,
    )
    assert {(row.chat_id, row.walk_in_name, row.note, row.run) for row in (ahead, over)} == {
        (None, "", None, 0)
    }


async def test_a_connected_calendar_and_a_feed_hear_of_what_is_cancelled(house: House) -> None:
    practitioner = (await house.database.read(visit, house.ada.to_come)).practitioner_id
    await house.database.write(feeds.renew, practitioner, "0a", NOW)

    await erased(house)

    task = await house.database.read(calendar_pushes.task, 1, house.ada.to_come)
    waiting = [
        row.state
        for row in await house.database.read(messages)
        if row.key == f"calendar:{house.ada.to_come}:1:1"
    ]
    feed = await house.database.read(feeds.feed, "0a", NOW)
    assert feed is not None
    states = {each.uid: each.state for each in feed.entries}
    assert (task.entry, task.is_done, waiting) == (None, False, ["pending"])
    assert states[house.ada.to_come] == "cancelled"


async def test_channels_hear_of_the_free_time_and_then_that_the_lead_is_gone(house: House) -> None:
    known = {row.id for row in await house.database.read(messages)}

    await erased(house)

    new = [row for row in await house.database.read(messages) if row.id not in known]
    told = [(json.loads(row.payload), row.ref_id) for row in new if row.kind == "lead"]
    (cancelled, about), (gone, lead) = told
    assert (cancelled["type"], cancelled["uid"], about) == (
        "booking.cancelled",
        house.ada.to_come,
        "",
    )
    assert "lead" not in cancelled
    assert {*gone} == {"lead", "type", "event", "channel", "at"}
    assert (gone["type"], gone["lead"], lead) == (
        "lead.erased",
        house.ada.lead_id,
        str(house.ada.lead_id),
    )


async def test_the_record_says_who_erased_whom_by_number(house: House) -> None:
    await erased(house)

    (line,) = await house.database.read(
        audit.entries, WILLOW, subject="lead", subject_id=house.ada.lead_id
    )
    assert (line.staff, line.what, line.at) == ("Robin", "person.erased", NOW)


async def test_what_would_be_erased_is_told_before(house: House) -> None:
    told = await house.database.read(erasure.foresee, WILLOW, house.ada.lead_id, NOW)

    assert told == erasure.Foreseen(
        leads=1,
        visits=1,
        photos=1,
        messages=1,
        is_elsewhere=False,
        first_name=f"{CANARY} patients.first_name",
    )


async def test_another_clinic_can_neither_foresee_nor_erase(house: House) -> None:
    assert await house.database.read(erasure.foresee, HARBOUR, house.ada.lead_id, NOW) is None
    assert await persons.erase(house.database, HARBOUR, 1, house.ada.lead_id, NOW) is None
    assert await house.database.read(persons.rows) == house.before


async def test_a_number_is_never_given_again(open_house: Database) -> None:
    ada = await persons.meet(open_house, ADA, day=1)
    await persons.erase(open_house, WILLOW, 1, ada.lead_id, NOW)

    bea = await persons.meet(open_house, BEA, day=2)

    assert bea.lead_id > ada.lead_id


async def test_a_turn_made_before_is_stale_and_the_chat_begins_from_nothing(house: House) -> None:
    turn = a_turn(
        MessageToClinic("Hello?"),
        conversation=a_conversation(ADA),
        before=1,
        update_id=5,
    )
    await erased(house)

    assert await house.database.write(turns.commit, turn) == turns.Stale()
    assert await house.database.read(conversations.load, ADA) is None
    left = await house.database.read(persons.rows)
    assert persons.traces(left, ADA, CANARY) == {}


async def test_a_patients_own_word_is_one_turn_that_leaves_nothing(house: House) -> None:
    known = {row.id for row in await house.database.read(messages)}
    conversation = a_conversation(ADA, first_name=CANARY)
    turn = a_turn(ErasePatient(), conversation=conversation, before=1, update_id=5)

    assert await house.database.write(turns.commit, turn) == turns.Committed()
    assert await house.database.write(turns.commit, turn) == turns.Duplicate()
    again = a_turn(conversation=a_conversation(ADA), update_id=5)
    assert await house.database.write(turns.commit, again) == turns.Duplicate()

    left = await house.database.read(persons.rows)
    assert persons.traces(left, ADA, CANARY) == {}
    new = [row for row in await house.database.read(messages) if row.id not in known]
    (card,) = [row for row in new if row.kind == "card"]
    assert json.loads(card.payload) == {"erased": house.ada.lead_id, "visits": 1}


async def test_a_patient_who_comes_back_is_a_new_one(open_house: Database) -> None:
    ada = await persons.meet(open_house, ADA, day=1)
    await open_house.write(erasure.erase_chat, ADA, NOW)

    again = await persons.meet(open_house, ADA + 1, day=1)
    assert again.lead_id != ada.lead_id


async def test_a_message_that_is_being_sent_ends_without_a_row(house: House) -> None:
    lease = timedelta(minutes=2)
    await house.database.write(outbox.claim, 500, NOW + timedelta(days=1), lease, "t")
    mine = [row for row in await house.database.read(messages) if row.chat_id == ADA]
    later = NOW + timedelta(days=1)
    armed = [await house.database.write(outbox.arm, row.id, "t", later, lease) for row in mine]

    await erased(house)

    ends = [await house.database.write(outbox.finish, row.id, "t", 5, NOW) for row in armed if row]
    assert not any(ends)


async def test_erasing_meets_everybody_else_who_writes(
    database_url: str, open_house: Database
) -> None:
    other = connect(database_url, jitter=lambda: 0.5)
    for round_ in range(8):
        chat = ADA + round_
        ada = await persons.meet(open_house, chat, day=10 + round_)
        thread = await open_house.read(desk.thread_of_lead, WILLOW, ada.lead_id)
        assert thread is not None
        whose = Whose(WILLOW, 1, ada.lead_id, NOW)
        said = MessageToClinic("Hello?")
        turn = a_turn(said, conversation=a_conversation(chat), before=1, update_id=round_)

        done = await asyncio.gather(
            other.write(turns.commit, turn),
            open_house.write(desk.answer, WILLOW, 1, thread, "Yes", NOW),
            persons.erase(other, WILLOW, 1, ada.lead_id, NOW),
            open_house.write(lead_work.add_note, whose, "called"),
            other.write(nudge_work.pause, whose),
            open_house.write(follow_ups.look, NOW),
            other.write(turns.call_person, chat, NOW),
        )

        assert isinstance(done[0], turns.Committed | turns.Stale)
        assert isinstance(done[2], erasure.Erased)
        assert done[3] in (Change.DONE, Change.UNKNOWN)
        left = await open_house.read(persons.rows)
        assert persons.traces(left, chat) == {}
    await other.close()


async def test_who_writes_about_somebody_erased_at_that_moment_finds_them_gone(
    postgres_server: postgres.Server,
) -> None:
    url = await postgres_server.clone()
    database, tries = connect(url, jitter=lambda: 0.5), list[int]()
    await database.write(clinics.import_clinic, open_always(), "demo_clinic.toml")
    ada = await persons.meet(database, ADA, day=1)

    def note(connection: Connection) -> bool:
        """Look for the lead, let it be erased, and write under it all the same."""
        lead = select(Lead.id).where(Lead.id == ada.lead_id)
        if connection.execute(lead).scalar() is None:
            return False
        tries.append(1)
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _erase_elsewhere(url, ada)).result()
        connection.execute(insert(LeadNote).values(lead_id=ada.lead_id, body="x", at=NOW))
        return True

    assert await database.write(note) is False
    assert tries == [1]
    await database.close()


async def _erase_elsewhere(url: str, person: Person) -> None:
    database = connect(url, jitter=lambda: 0.5)
    await persons.erase(database, WILLOW, None, person.lead_id, NOW)
    await database.close()
