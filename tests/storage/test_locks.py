"""Who comes second waits, and then sees what the first one did: each lock at its own moment."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from flows.effects import CancelSeries, MoveAppointment
from storage import clinics, outbox, patients, turns, waitlist
from storage.database import Database, connect
from storage.outbox import Message
from storage.outbox_policy import Kind
from storage.turns import Committed, SlotTaken, Stale
from tests import postgres
from tests.builders import (
    MONDAY,
    NOW,
    a_confirmation,
    a_conversation,
    a_decision,
    a_slot,
    a_turn,
)
from tests.storage.test_waitlist import ADA, BO, HOUR, Waiting, two_wait, yes

MINUTE = timedelta(minutes=1)
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = $1"

Other = asyncpg.Connection


@pytest.fixture
async def server_url(postgres_server: postgres.Server) -> str:
    return await postgres_server.clone()


@pytest.fixture
async def ours(server_url: str) -> AsyncIterator[Database]:
    """Yield a database on a server, with Ada, who is to be treated on Monday."""
    database = connect(server_url, jitter=lambda: 0.5)
    await database.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")
    await database.write(turns.commit, a_turn(a_decision(), a_confirmation(a_slot())))
    yield database
    await database.close()


@pytest.fixture
async def other(server_url: str) -> AsyncIterator[Other]:
    """Yield another program's connection, in a transaction."""
    connection = await asyncpg.connect(server_url)
    await connection.execute("BEGIN")
    yield connection
    await connection.close()


async def second(other: Other, url: str, work: Awaitable[Any], first: Callable[[], Any]) -> Any:
    """Begin `work`, let the other finish once it waits for a lock, and return its result."""
    watch = await asyncpg.connect(url)
    task = asyncio.ensure_future(work)
    async with asyncio.timeout(10):
        while not await watch.fetchval(WAITING, make_url(url).database):
            assert not task.done(), "nobody waited"
            await asyncio.sleep(0.01)
    await first()
    await watch.close()
    async with asyncio.timeout(10):
        return await task


async def test_a_turn_waits_for_the_turn_before_it_and_is_stale_then(
    ours: Database, other: Other, server_url: str
) -> None:
    await other.execute("UPDATE conversations SET revision = revision + 1")
    turn = ours.write(turns.commit, a_turn(before=0))

    outcome = await second(other, server_url, turn, lambda: other.execute("COMMIT"))

    assert outcome == Stale()


async def test_movers_of_one_practitioner_go_one_after_the_other(
    ours: Database, other: Other, server_url: str
) -> None:
    await other.execute("SELECT pg_advisory_xact_lock(hashtext('appointments of 1'))")
    move = MoveAppointment("series-1", a_slot(MONDAY + timedelta(days=7)))
    turn = ours.write(turns.commit, a_turn(move, before=0))

    outcome = await second(other, server_url, turn, lambda: other.execute("COMMIT"))

    assert outcome == Committed()


async def test_a_claim_passes_over_what_another_worker_is_claiming(
    ours: Database, other: Other
) -> None:
    for key in ("one", "two"):
        await ours.write(outbox.enqueue, Message(key, Kind.NUDGE, NOW, 7), NOW)
    await other.fetch("SELECT id FROM outbox WHERE key = 'one' FOR UPDATE")

    async with asyncio.timeout(10):
        rows = await ours.write(outbox.claim, 2, NOW, MINUTE, "t", (Kind.NUDGE,))

    assert [row.key for row in rows] == ["two"]


async def test_what_is_taken_back_at_the_last_moment_is_not_armed(
    ours: Database, other: Other, server_url: str
) -> None:
    await ours.write(outbox.enqueue, Message("one", Kind.NUDGE, NOW, 7), NOW)
    (row,) = await ours.write(outbox.claim, 1, NOW, MINUTE, "t", (Kind.NUDGE,))
    await other.execute("UPDATE outbox SET state = 'cancelled' WHERE key = 'one'")
    arming = ours.write(outbox.arm, row.id, "t", NOW, MINUTE)

    assert await second(other, server_url, arming, lambda: other.execute("COMMIT")) is None


async def test_whoever_may_write_on_sqlite_has_the_lock_from_the_start(sqlite_url: str) -> None:
    database = connect(sqlite_url)

    def only_reads(connection: Connection) -> bool:
        connection.execute(text("SELECT count(*) FROM patients"))
        stranger = sqlite3.connect(database.url.database or "", timeout=0, isolation_level=None)
        try:
            stranger.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            return "locked" in str(error)
        finally:
            stranger.close()
        return False

    assert await database.write(only_reads)
    await database.close()


async def test_one_update_that_comes_twice_at_once_is_taken_once(willow: Database) -> None:
    await willow.write(turns.commit, a_turn())
    again = connect(willow.url.render_as_string(hide_password=False))
    turn = a_turn(before=0)

    outcomes = await asyncio.gather(
        willow.write(turns.commit, turn),
        again.write(turns.commit, replace(turn, conversation=a_conversation(revision=1))),
    )

    assert sorted(type(each).__name__ for each in outcomes) == ["Committed", "Duplicate"]
    await again.close()


async def claimed(database: Database, *messages: Message) -> list[int]:
    """Enqueue messages to Ada, claim all of them at once, and arm them."""
    await database.write(turns.commit, a_turn())
    for message in messages:
        await database.write(outbox.enqueue, message, NOW)
    rows = await database.write(outbox.claim, 9, NOW, MINUTE, "t", (Kind.NUDGE,))
    for row in rows:
        assert await database.write(outbox.arm, row.id, "t", NOW, MINUTE)
    return [row.id for row in rows]


async def test_of_two_messages_claimed_at_once_each_is_settled_alone(willow: Database) -> None:
    nudges = (Message(key, Kind.NUDGE, NOW, 7) for key in ("one", "two"))
    first, second = await claimed(willow, *nudges)

    assert await willow.write(outbox.finish, first, "t", 5, NOW)

    assert await willow.write(outbox.fail, second, "t", "NotSent", None)
    (dead,) = await willow.read(outbox.dead)
    assert dead.id == second


async def test_a_nudge_whose_sender_vanished_is_not_sent_again(willow: Database) -> None:
    await claimed(willow, Message("one", Kind.NUDGE, NOW, 7))

    await willow.write(outbox.rescue, NOW + 2 * MINUTE)

    (doubted,) = await willow.read(outbox.dead)
    assert (doubted.state, doubted.last_error) == ("uncertain", "LeaseEnded")


async def test_a_stop_takes_back_what_waits(willow: Database) -> None:
    await willow.write(turns.commit, a_turn())
    await willow.write(outbox.enqueue, Message("one", Kind.NUDGE, NOW, 7), NOW)

    await willow.write(patients.stop_messages, 7, NOW)

    assert await willow.write(outbox.claim, 1, NOW, MINUTE, "t", (Kind.NUDGE,)) == []


CLOSE = "UPDATE waitlist_offers SET state = $1 WHERE state = 'offered'"


async def test_a_yes_waits_for_the_end_of_its_offer_and_comes_too_late_then(
    server_url: str, other: Other
) -> None:
    async with one_offered(server_url) as clinic:
        await other.execute(CLOSE, "expired")

        answer = clinic.turn(BO, yes("8-1", a_slot()))
        outcome = await second(other, server_url, answer, lambda: other.execute("COMMIT"))

        assert outcome == SlotTaken((a_slot(),))


async def test_an_offer_that_is_being_taken_is_not_passed_on(server_url: str, other: Other) -> None:
    async with one_offered(server_url) as clinic:
        await other.execute(CLOSE, "accepted")

        late = clinic.database.write(waitlist.expire, NOW + 3 * HOUR)
        passed_on = await second(other, server_url, late, lambda: other.execute("COMMIT"))

        assert passed_on == 0
        assert await clinic.offers() == [(BO, "accepted")]


@asynccontextmanager
async def one_offered(server_url: str) -> AsyncIterator[Waiting]:
    """Yield a clinic where Ada's time was offered to Bo."""
    database = connect(server_url, jitter=lambda: 0.5)
    try:
        await database.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")
        clinic = await two_wait(database)
        await clinic.turn(ADA, CancelSeries("7"))
        assert await clinic.offers() == [(BO, "offered")]
        yield clinic
    finally:
        await database.close()
