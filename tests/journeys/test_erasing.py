"""A patient deletes their data: one question, one last message, and nothing is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from flows.conversation import Stage
from storage.models import Appointment, Outbox, StaffMember
from tests.builders import NOW
from tests.journeys.guide import Guide
from tests.journeys.world import World
from tests.storage import persons


def staff(connection: Connection) -> None:
    row = {"clinic_id": 1, "name": "Robin", "role": "owner", "wants_cards": True, "chat_id": 11}
    connection.execute(insert(StaffMember).values(created_at=NOW, **row))


async def booked(here: World) -> Guide:
    maya = await here.meets("Maya")
    await maya.answers()
    await maya.taps("All correct")
    await maya.taps("Only the first visit")
    assert await maya.taps("Here in Telegram") == Stage.BOOKED
    return maya


def visits(connection: Connection) -> list[tuple[str, int | None]]:
    rows = connection.execute(select(Appointment.state, Appointment.chat_id))
    return [tuple(row) for row in rows]


def cards(connection: Connection) -> list[Any]:
    rows = connection.execute(select(Outbox).where(Outbox.kind == "card").order_by(Outbox.id))
    return [row for row in rows if "erased" in row.payload]


def files_with(here: World, word: str) -> list[str]:
    """Return SQLite's files that hold a word; none of another database."""
    file = Path(here.database.url.database or "")
    beside = file.parent.glob(f"{file.name}*") if file.is_file() else ()
    return [each.name for each in beside if word.encode() in each.read_bytes()]


async def test_everything_is_deleted_after_a_yes(here: World) -> None:
    await here.database.write(staff)
    maya = await booked(here)
    await maya.patient.says("/delete")
    await maya.patient.sees("Delete everything about you?")
    await maya.patient.sees("Your booked visit is cancelled.")

    assert here.database.url.get_backend_name() != "sqlite" or files_with(here, "Maya")

    await maya.patient.taps("Yes, delete everything")
    await maya.patient.sees("Everything I kept about you is deleted.")

    left = await here.database.read(persons.rows)
    assert persons.traces(left, maya.patient.chat_id, "Maya") == {}
    assert await here.database.read(visits) == [("cancelled", None)]
    assert files_with(here, "Maya") == []
    (card,) = await here.database.read(cards)
    assert '"visits": 1' in card.payload


async def test_a_no_keeps_everything(here: World) -> None:
    maya = await booked(here)
    await maya.patient.says("delete my data")
    await maya.patient.sees("Delete everything about you?")

    assert await maya.taps("No, keep it") == Stage.BOOKED
    assert [state for state, _ in await here.database.read(visits)] == ["booked"]


async def test_whoever_comes_back_begins_from_nothing(here: World) -> None:
    maya = await booked(here)
    await maya.patient.says("delete my data")
    await maya.patient.taps("Yes, delete everything")
    await maya.patient.sees("Everything I kept about you is deleted.")

    await maya.patient.taps("Start again")
    await maya.patient.sees("Which clinic")

    conversation = await maya.conversation()
    assert (conversation.run, conversation.answers, conversation.clinic) == (1, {}, None)
