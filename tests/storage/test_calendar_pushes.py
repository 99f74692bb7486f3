"""What must be written to practitioners' own calendars."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from flows.effects import CancelSeries, MoveAppointment
from storage import calendar_accounts, calendar_pushes, calendar_readings, outbox, turns
from storage.calendar_accounts import Terms, WhenStale
from storage.calendar_pushes import Push
from storage.calendar_readings import Reading, Written
from storage.database import Database
from storage.models import Outbox
from tests.builders import (
    MONDAY,
    NOW,
    a_confirmation,
    a_decision,
    a_hold,
    a_slot,
    a_turn,
    four_weekly,
)

TERMS = Terms("https://calendar.example/amara/", "amara", "sealed", WhenStale.SHOW_AGE)


async def connected(database: Database, practitioner: str = "amara") -> int:
    return await database.write(calendar_accounts.connect, "willow", practitioner, TERMS, NOW)


async def booked(database: Database) -> None:
    await database.write(turns.commit, a_turn(a_decision(), a_confirmation(a_slot())))


async def waiting(database: Database) -> list[tuple[str, str]]:
    def rows(connection: Connection) -> list[tuple[str, str]]:
        found = connection.execute(
            select(Outbox.key, Outbox.state).where(Outbox.kind == "calendar").order_by(Outbox.id)
        )
        return [(row.key, row.state) for row in found]

    return await database.read(rows)


def settle_all(connection: Connection, state: str = "sent") -> None:
    connection.execute(update(Outbox).values(state=state))


def a_push(account_id: int, **changes: Any) -> Push:
    push = Push(account_id, "series-1", "/1.ics", "e1", 0, MONDAY, MONDAY + timedelta(hours=1), NOW)
    return replace(push, **changes)


async def test_without_a_calendar_there_is_nothing_to_write(willow: Database) -> None:
    await booked(willow)

    assert await waiting(willow) == []


async def test_every_session_that_is_booked_is_to_be_written(willow: Database) -> None:
    account_id = await connected(willow)
    await willow.write(turns.commit, a_turn(a_decision(), a_confirmation(*four_weekly(a_slot()))))

    keys = [f"calendar:series-{number}:0:{account_id}" for number in (1, 2, 3, 4)]
    assert await waiting(willow) == [(key, "pending") for key in keys]


async def test_a_hold_is_not_written(willow: Database) -> None:
    await connected(willow)
    await willow.write(turns.commit, a_turn(a_decision(), a_hold(a_slot())))

    assert await waiting(willow) == []


async def test_a_turn_that_is_refused_leaves_nothing_to_write(willow: Database) -> None:
    await connected(willow)
    late = a_slot(NOW - timedelta(hours=1))
    await willow.write(turns.commit, a_turn(a_decision(), a_confirmation(a_slot(), late)))

    assert await waiting(willow) == []


async def test_what_is_booked_already_is_written_to_a_new_calendar(willow: Database) -> None:
    await booked(willow)

    account_id = await connected(willow)

    assert await waiting(willow) == [(f"calendar:series-1:0:{account_id}", "pending")]


async def test_a_move_is_a_message_of_its_own(willow: Database) -> None:
    account_id = await connected(willow)
    await booked(willow)
    move = MoveAppointment("series-1", a_slot(MONDAY + timedelta(hours=2)))
    await willow.write(turns.commit, a_turn(move, before=0))

    assert (await waiting(willow))[1] == (f"calendar:series-1:1:{account_id}", "pending")
    task = await willow.read(calendar_pushes.task, account_id, "series-1")
    assert task.entry is not None
    assert task.entry.starts_at == MONDAY + timedelta(hours=2)


async def test_a_message_about_a_cancelled_appointment_is_still_sent(willow: Database) -> None:
    account_id = await connected(willow)
    await booked(willow)
    await willow.write(calendar_pushes.note, a_push(account_id))
    await willow.write(turns.commit, a_turn(CancelSeries("series"), before=0))

    claimed = await willow.write(outbox.claim, 9, NOW, timedelta(minutes=1), "t")
    armed = [
        await willow.write(outbox.arm, row.id, "t", NOW, timedelta(minutes=1)) for row in claimed
    ]
    assert [each.key for each in armed if each] == [
        f"calendar:series-1:{sequence}:{account_id}" for sequence in (0, 1)
    ]
    task = await willow.read(calendar_pushes.task, account_id, "series-1")
    assert (task.entry, task.push, task.is_done) == (None, a_push(account_id), False)


async def test_what_goes_to_another_practitioner_leaves_the_first_ones_calendar(
    willow: Database,
) -> None:
    amara, rowan = await connected(willow), await connected(willow, "rowan")
    await booked(willow)
    await willow.write(calendar_pushes.note, a_push(amara))
    move = MoveAppointment("series-1", a_slot(MONDAY + timedelta(days=1), practitioner="rowan"))
    await willow.write(turns.commit, a_turn(move, before=0))

    assert {key for key, _ in await waiting(willow)} >= {
        f"calendar:series-1:1:{account_id}" for account_id in (amara, rowan)
    }
    assert (await willow.read(calendar_pushes.task, amara, "series-1")).entry is None
    assert (await willow.read(calendar_pushes.task, rowan, "series-1")).entry is not None


async def test_what_was_given_up_is_taken_up_again(willow: Database) -> None:
    account_id = await connected(willow)
    await booked(willow)
    await willow.write(settle_all, "dead")

    assert await willow.write(calendar_pushes.catch_up, account_id, 1, NOW) == 1

    assert await waiting(willow) == [(f"calendar:series-1:0:{account_id}", "pending")]


def put_off(connection: Connection) -> None:
    connection.execute(update(Outbox).values(due_at=NOW + timedelta(hours=1), attempt=3))


@pytest.mark.parametrize(("is_back", "enqueued", "attempts"), [(True, 1, 0), (False, 0, 3)])
async def test_what_was_put_off_is_due_when_the_calendar_is_back(
    willow: Database, is_back: bool, enqueued: int, attempts: int
) -> None:
    account_id = await connected(willow)
    await booked(willow)
    await willow.write(put_off)
    catch_up = functools.partial(calendar_pushes.catch_up, is_back=is_back)

    assert await willow.write(catch_up, account_id, 1, NOW) == enqueued
    rows = await willow.read(
        lambda connection: connection.execute(select(Outbox.attempt)).scalars().all()
    )
    assert rows == [attempts]


async def test_why_something_was_not_written_is_kept_until_all_is(willow: Database) -> None:
    account_id = await connected(willow)
    await booked(willow)
    later = NOW + timedelta(minutes=1)
    reading = Reading(NOW, later, "t1", is_whole=False, busy={})
    await willow.write(calendar_accounts.write_failed, account_id, "no answer", later)
    await willow.write(calendar_accounts.write_failed, account_id, "not allowed", None)
    seen = []
    for _ in range(2):
        account = await willow.read(calendar_accounts.account, account_id)
        assert account is not None
        await willow.write(calendar_readings.keep, account, reading, NOW, later)
        again = await willow.read(calendar_accounts.account, account_id)
        assert again is not None
        seen.append((again.trouble, again.write_next_at, again.failures))
        task = await willow.read(calendar_pushes.task, account_id, "series-1")
        written = Written("/1.ics", "e1")
        await willow.write(
            calendar_readings.keep_written, account_id, "series-1", task, written, NOW
        )

    assert seen == [("not allowed", later, 0), (None, None, 0)]


async def test_what_is_as_it_must_be_is_not_written_again(willow: Database) -> None:
    account_id = await connected(willow)
    await booked(willow)
    await willow.write(settle_all)
    await willow.write(calendar_pushes.note, a_push(account_id))

    assert await willow.write(calendar_pushes.catch_up, account_id, 1, NOW) == 0


async def test_what_was_changed_outside_is_written_again(willow: Database) -> None:
    account_id = await connected(willow)
    await booked(willow)
    await willow.write(settle_all)
    await willow.write(calendar_pushes.note, a_push(account_id))
    await willow.write(calendar_pushes.write_again, account_id, "series-1", "e2")

    assert await willow.write(calendar_pushes.catch_up, account_id, 1, NOW) == 1
    task = await willow.read(calendar_pushes.task, account_id, "series-1")
    assert task.push is not None
    assert (task.is_done, task.push.etag) == (False, "e2")
