"""Sessions of the console, on both databases."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from storage import audit, console_sessions, live_marks, staff
from storage.console_sessions import IDLE_FOR, LASTS_FOR, SECOND_STEP_FOR
from storage.database import Database

TOKEN = "t" * 43


@pytest.fixture
async def amara(willow: Database, now: datetime) -> int:
    """Return the id of an owner."""
    return await willow.write(staff.add, "willow", "Amara", "owner", now)


async def is_in(database: Database, at: datetime, token: str = TOKEN) -> bool:
    return await database.read(console_sessions.find, token, at) is not None


async def test_a_session_holds_while_it_is_used(
    willow: Database, amara: int, now: datetime
) -> None:
    await willow.write(console_sessions.start, amara, TOKEN, now, is_verified=True)
    later = now + IDLE_FOR - timedelta(seconds=1)
    assert await is_in(willow, later)
    assert not await is_in(willow, now + IDLE_FOR)

    await willow.write(console_sessions.note_use, staff.digest(TOKEN), later)
    assert await is_in(willow, now + IDLE_FOR)


async def test_use_does_not_bring_an_ended_session_back(
    willow: Database, amara: int, now: datetime
) -> None:
    await willow.write(console_sessions.start, amara, TOKEN, now, is_verified=True)
    await willow.write(console_sessions.note_use, staff.digest(TOKEN), now + IDLE_FOR)

    assert not await is_in(willow, now + IDLE_FOR)


@pytest.mark.parametrize(
    ("is_verified", "lasts_for"), [(True, LASTS_FOR), (False, SECOND_STEP_FOR)]
)
async def test_a_session_ends_however_much_it_is_used(
    willow: Database, amara: int, now: datetime, is_verified: bool, lasts_for: timedelta
) -> None:
    await willow.write(console_sessions.start, amara, TOKEN, now, is_verified=is_verified)
    at = now
    while at + timedelta(minutes=9) < now + lasts_for:
        at += timedelta(minutes=9)
        await willow.write(console_sessions.note_use, staff.digest(TOKEN), at)

    assert await is_in(willow, now + lasts_for - timedelta(seconds=1))
    assert not await is_in(willow, now + lasts_for)


async def test_only_digests_are_kept(willow: Database, amara: int, now: datetime) -> None:
    await willow.write(staff.sign_in_link, amara, "http://127.0.0.1:1", "l" * 43, now)
    assert await willow.write(console_sessions.enter, "l" * 43, TOKEN, now)

    found = await willow.read(console_sessions.find, TOKEN, now)
    assert found
    assert (len(found[0].digest), TOKEN in found[0].digest) == (64, False)


async def test_of_two_who_use_a_code_at_once_one_gets_in(
    willow: Database, amara: int, now: datetime
) -> None:
    used = await asyncio.gather(
        *(willow.write(console_sessions.use_code, amara, 1000) for _ in range(5))
    )

    assert sorted(used) == [False] * 4 + [True]
    assert not await willow.write(console_sessions.use_code, amara, 999)
    assert await willow.write(console_sessions.use_code, amara, 1001)


async def test_a_colleague_cannot_end_a_session(
    willow: Database, amara: int, now: datetime
) -> None:
    joe = await willow.write(staff.add, "willow", "Joe", "staff", now)
    await willow.write(console_sessions.start, amara, TOKEN, now, is_verified=True)

    assert not await willow.write(console_sessions.end, joe, staff.digest(TOKEN), now)
    assert await willow.write(console_sessions.end, amara, staff.digest(TOKEN), now)
    assert not await is_in(willow, now)


async def test_marks_change_with_what_they_stand_for(
    willow: Database, amara: int, now: datetime
) -> None:
    await willow.write(console_sessions.start, amara, TOKEN, now, is_verified=True)
    clinic_id = (await willow.read(staff.members))[0].clinic_id

    marks = await willow.read(live_marks.look, clinic_id, TOKEN, now)
    assert marks
    assert set(marks) == {"leads", "calendar", "today", "messages"}
    await willow.write(audit.record, clinic_id, amara, "lead.viewed", "lead", 1, now)
    assert await willow.read(live_marks.look, clinic_id, TOKEN, now) == marks
    assert await willow.read(live_marks.look, clinic_id, TOKEN, now + IDLE_FOR) is None


@pytest.mark.parametrize("by", [timedelta(days=3), -timedelta(days=3)])
async def test_a_session_travels_with_a_moved_clock_and_no_further(
    willow: Database, amara: int, now: datetime, by: timedelta
) -> None:
    await willow.write(console_sessions.start, amara, TOKEN, now, is_verified=True)

    await willow.write(console_sessions.carry, amara, by, now + timedelta(minutes=1))

    assert await is_in(willow, now + by + timedelta(minutes=20))
    assert not await is_in(willow, now + by + IDLE_FOR)


async def test_an_ended_session_is_not_brought_back_by_a_moved_clock(
    willow: Database, amara: int, now: datetime
) -> None:
    await willow.write(console_sessions.start, amara, TOKEN, now, is_verified=True)
    late = now + IDLE_FOR

    await willow.write(console_sessions.carry, amara, timedelta(days=1), late)

    assert not await is_in(willow, late + timedelta(days=1))
