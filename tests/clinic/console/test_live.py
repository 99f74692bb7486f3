"""Live changes: what is told, to whom, and until when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx

from storage import console_sessions, staff
from tests.builders import a_slot
from tests.clinic.console.world import Browser, ConsoleWorld


async def events(answer: httpx.Response) -> AsyncIterator[str]:
    """Yield what a stream tells, as "changed today"."""
    name = ""
    async for line in answer.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: "):
            yield f"{name} {line.removeprefix('data: ')}"


async def test_a_booking_is_told_live(world: ConsoleWorld, member: Browser) -> None:
    async with member.stream("/live") as answer, asyncio.timeout(20):
        told = events(answer)
        await asyncio.sleep(0.2)
        await world.books(a_slot(world.clock()))

        assert {await anext(told) for _ in range(3)} == {
            "changed leads",
            "changed calendar",
            "changed today",
        }


async def test_another_clinic_s_changes_are_not_told(world: ConsoleWorld) -> None:
    harbour = await world.signed_in_client("owner", "harbour")
    async with harbour.stream("/live") as answer, asyncio.timeout(20):
        told = events(answer)
        await asyncio.sleep(0.2)
        await world.books(a_slot(world.clock()))
        await asyncio.sleep(0.2)
        session = harbour.cookies["__Host-console"]
        found = await world.database.read(console_sessions.find, session, world.clock())
        assert found
        await world.database.write(staff.end_all, found[1].id, world.clock())

        assert await anext(told) == "ended signed out"


async def test_a_stream_ends_with_the_session(world: ConsoleWorld, member: Browser) -> None:
    async with member.stream("/live") as answer, asyncio.timeout(20):
        told = events(answer)
        await asyncio.sleep(0.1)
        world.clock.moves(minutes=31)

        assert [event async for event in told] == ["ended signed out"]


async def test_a_session_has_four_streams_at_most(world: ConsoleWorld, member: Browser) -> None:
    held = [member.stream("/live") for _ in range(5)]
    statuses, reading = [], []
    for stream in held:
        answer = await stream.__aenter__()
        statuses.append(answer.status_code)
        reading.append(lines := answer.aiter_lines())
        await anext(lines)
    for stream in held:
        await stream.__aexit__(None, None, None)

    assert statuses == [200, 200, 200, 200, 429]


async def test_a_stream_makes_room_when_it_is_left(world: ConsoleWorld, member: Browser) -> None:
    for _ in range(6):
        async with member.stream("/live") as answer:
            assert answer.status_code == 200
            await anext(answer.aiter_lines())
        await asyncio.sleep(0.2)
