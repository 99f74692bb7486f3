"""A change of health two days before a visit pauses that visit, and no other."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, select

from storage.models import Appointment, Outbox
from tests.journeys.year import Year, booked

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def _paused(connection: Connection) -> list[int]:
    numbers = select(Appointment.number).where(Appointment.paused_at.is_not(None))
    return list(connection.execute(numbers).scalars())


def _said_about(connection: Connection, uid: str) -> list[str]:
    rows = connection.execute(
        select(Outbox.key)
        .where(Outbox.kind == "nudge", Outbox.state == "sent", Outbox.key.contains(uid))
        .order_by(Outbox.id)
    )
    return [row.key.split(":")[2] for row in rows]


async def test_only_the_visit_before_which_something_changed_waits(year: Year) -> None:
    noor = await year.invites("Noor")
    maya = await booked(year.here)
    chat = maya.patient.chat_id
    await year.keeps(chat, 1)
    second, third = (await year.visits(chat))[1:3]
    await year.passes(second[1] - 2 * DAY + MINUTE)
    await maya.patient.sees("Is anything new since we last spoke?")

    await maya.taps("Something has changed")
    await year.sends()
    await noor.sees("Something has changed before a visit")
    await year.passes(third[1] - MINUTE)

    read = year.here.database.read
    assert await read(_paused) == [2]
    states = [state for *_, state, _ in await year.visits(chat)]
    assert states == ["fulfilled", "booked", "booked", "booked"]
    assert await read(_said_about, second[0].uid) == ["prepare_week", "reminder"]
    assert await read(_said_about, third[0].uid) == [
        "prepare_week",
        "reminder",
        "prepare_day",
        "today",
    ]
