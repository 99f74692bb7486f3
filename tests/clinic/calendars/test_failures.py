"""Reading and writing when a real CalDAV server, or an entry, is not as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from clinic.calendars import writing
from clinic.calendars.faults import CalendarAway, NoCalendar, NotAllowed, UidTaken, WrongPassword
from clinic.calendars.remote import RemoteCalendar
from storage import calendar_pushes
from storage.calendar_accounts import WhenStale
from storage.calendar_readings import Kept
from storage.models import Outbox
from storage.outbox_policy import Kind
from tests.builders import MONDAY, a_slot
from tests.clinic.calendars.entries import by_icalendar, odd, once
from tests.clinic.calendars.radicale import PASSWORD, USER, Radicale
from tests.clinic.calendars.world import World

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NOON = a_slot(MONDAY + 2 * HOUR)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Radicale]:
    """Return a server of the test's own, which it may stop."""
    server = Radicale(tmp_path / "own")
    server.start()
    yield server
    server.stop()


async def read_for(world: World, minutes: int) -> None:
    """Let time pass, and have the calendar read and written as the running program does."""
    for _ in range(minutes):
        world.clock.at += MINUTE
        await world.calendars.read_due()
        await world.push()


async def tries(world: World) -> dict[str, tuple[int, str]]:
    """Return how often each visit was tried, and what became of it last."""
    waiting = select(Outbox.ref_id, Outbox.attempt, Outbox.last_error).where(
        Outbox.kind == Kind.CALENDAR.value, Outbox.state == "pending"
    )
    rows = await world.database.read(lambda connection: connection.execute(waiting).all())
    return {uid: (attempt, error) for uid, attempt, error in rows}


async def test_a_calendar_that_takes_no_visits_is_still_read(
    world: World, server: Radicale
) -> None:
    world.outside = server.calendar()
    await world.connect(url=world.outside.url)
    server.stop()
    server.is_read_only = True
    server.start()
    await world.book(a_slot())
    for _ in range(6):
        await read_for(world, 4)
        account = await world.account()
        assert not account.is_stale(world.clock.at)
        assert (account.failures, account.failure) == (0, None)
        assert account.trouble is not None
        assert "give the user the right to write" in account.trouble
        assert await world.offered(10) != []

    server.stop()
    server.is_read_only = False
    server.start()
    await read_for(world, 40)
    assert world.outside.names() == {"s7-1.ics"}
    assert (await world.account()).trouble is None


async def test_a_refused_visit_is_seldom_tried_and_keeps_no_other_back(
    world: World, server: Radicale
) -> None:
    world.outside = server.calendar()
    await world.connect(url=world.outside.url)
    server.stop()
    server.is_read_only = True
    server.start()
    await world.book(a_slot(), chat=1)
    await world.push()
    assert await tries(world) == {"s1-1": (1, "NotAllowed")}

    await world.book(NOON, chat=2)
    await world.push()
    assert await tries(world) == {"s1-1": (1, "NotAllowed"), "s2-1": (1, "NotAllowed")}

    await read_for(world, 60)  # tried after 15 minutes and after 30 more
    assert await tries(world) == {"s1-1": (3, "NotAllowed"), "s2-1": (3, "NotAllowed")}


async def test_an_odd_entry_stops_no_writing(world: World) -> None:
    world.outside.put("a.ics", odd("a", MONDAY + 5 * HOUR))
    for _ in range(6):
        await world.read()
    await world.book(a_slot())
    await world.push()

    assert world.outside.names() == {"a.ics", "s7-1.ics"}
    account = await world.account()
    assert account.failures == 6
    assert account.next_at > world.clock.at + 20 * MINUTE


async def test_a_server_that_is_away_is_not_asked_to_write_until_it_can_be_read(
    world: World, server: Radicale
) -> None:
    world.outside = server.calendar()
    await world.connect(url=world.outside.url, when_stale=WhenStale.SHOW_AGE)
    await world.read()
    due_at = (await world.account()).next_at
    server.stop()
    await world.book(a_slot(), chat=1)
    await world.push()
    account = await world.account()
    assert (account.next_at, account.failures, account.failure) == (due_at, 0, None)
    assert account.write_next_at == world.clock.at + MINUTE
    assert account.trouble is not None
    assert "does not answer" in account.trouble

    for _ in range(5):
        with pytest.raises(CalendarAway):
            await world.read()
    await world.book(NOON, chat=2)
    await world.push()
    account = await world.account()
    assert account.write_next_at == account.next_at == world.clock.at + 16 * MINUTE

    server.start()
    await world.read()
    await world.push()
    assert world.outside.names() == {"s1-1.ics", "s2-1.ics"}
    await world.read()
    assert (await world.account()).trouble is None


class Forbidding(RemoteCalendar):
    """A server that answers a UID which it has already with 403, as RFC 4791 allows."""

    def put(self, href: str, text: str, etag: str | None) -> str:
        """Write as ever."""
        try:
            return super().put(href, text, etag)
        except UidTaken:
            raise NotAllowed from None


async def test_a_uid_that_is_taken_may_be_answered_as_forbidden(world: World) -> None:
    await world.book(a_slot())
    world.outside.put("imported.ics", once("s7-1", a_slot().starts_at, a_slot().ends_at))
    task = await world.database.read(calendar_pushes.task, world.account_id, "s7-1")
    remote = Forbidding(world.outside.url, USER, PASSWORD, private=True)
    written = writing.write(remote, task, "s7-1")
    remote.close()

    assert written.href.endswith("/imported.ics")
    assert world.outside.names() == {"imported.ics"}
    assert by_icalendar(world.outside.everything())["s7-1"].status == "CONFIRMED"


async def test_an_entry_that_nobody_understands_lets_the_calendar_grow_old(world: World) -> None:
    world.outside.put("a.ics", odd("a", MONDAY))
    for _ in range(2):
        await world.read()
        account = await world.account()
        assert account.synced_at is None
        assert account.failure is not None
        assert account.failure.startswith("1 entry of the calendar cannot be understood")

    world.outside.delete("a.ics")
    await world.read()
    account = await world.account()
    assert (account.failure, account.synced_at) == (None, world.clock.at)


@pytest.mark.parametrize("is_known", [True, False])
async def test_an_entry_that_became_odd_takes_the_time_it_took(
    world: World, is_known: bool
) -> None:
    world.outside.put("a.ics", once("a", MONDAY, MONDAY + HOUR))
    await world.read()
    if not is_known:
        await world.change_account(sync_token="")
    world.outside.put("a.ics", odd("a", MONDAY))
    world.outside.put("b.ics", once("b", MONDAY + 3 * HOUR, MONDAY + 4 * HOUR))
    for _ in range(2):
        await world.read()
        assert not (await world.account()).is_stale(world.clock.at)
        assert [span.starts_at for span in await world.busy()] == [MONDAY, MONDAY + 3 * HOUR]
        assert MONDAY not in {slot.starts_at for slot in await world.offered(10)}

    world.outside.delete("a.ics")
    await world.read()
    assert [span.starts_at for span in await world.busy()] == [MONDAY + 3 * HOUR]


async def test_an_appointment_that_nobody_understands_any_more_is_not_deleted(world: World) -> None:
    await world.book(a_slot())
    await world.push()
    world.outside.put("s7-1.ics", odd("s7-1", MONDAY))

    assert await world.read() == Kept(0, 0)
    assert await world.read() == Kept(0, 0)
    assert await world.clashes() == []


async def test_a_wrong_password_is_told_in_words_and_not_tried_again_soon(world: World) -> None:
    await world.connect("wrong")
    await world.book(a_slot())
    with pytest.raises(WrongPassword):
        await world.read()

    account = await world.account()
    assert account.failure is not None
    assert "refuses the user name or password" in account.failure
    assert "wrong" not in account.failure
    assert account.next_at == world.clock.at + timedelta(minutes=15)
    await world.push()  # asks nobody, as it is put off
    assert (await world.account()).failures == 1
    world.clock.at += HOUR
    assert await world.offered(10) == []


async def test_with_the_right_password_all_is_made_good(world: World) -> None:
    await world.connect("wrong")
    await world.book(a_slot())
    with pytest.raises(WrongPassword):
        await world.read()
    await world.push()
    await world.connect()
    await world.read()
    await world.push()

    assert world.outside.names() == {"s7-1.ics"}
    assert (await world.account()).failure is None
    assert await world.offered(10) != []


async def test_pauses_grow_and_end(world: World) -> None:
    await world.connect(url="http://127.0.0.1:1/x/")
    pauses = []
    for _ in range(7):
        with pytest.raises(CalendarAway):
            await world.read()
        pauses.append((await world.account()).next_at - world.clock.at)

    assert [pause.total_seconds() / 60 for pause in pauses] == [1, 2, 4, 8, 16, 30, 30]


async def test_an_address_without_a_calendar_is_told(world: World, radicale: Radicale) -> None:
    await world.connect(url=f"{radicale.url}/amara/nothing/")
    with pytest.raises(NoCalendar, match="copy the calendar's address anew"):
        await world.read()


async def test_a_server_may_go_away_and_come_back_with_nothing_lost(
    world: World, tmp_path: Path
) -> None:
    server = Radicale(tmp_path / "own")
    server.start()
    try:
        world.outside = server.calendar()
        await world.connect(url=world.outside.url, when_stale=WhenStale.SHOW_AGE)
        for chat in range(1, 11):
            await world.book(a_slot(MONDAY + chat * 2 * HOUR), chat=chat)
            if chat == 4:
                await world.push()
                server.stop()
            if chat == 7:
                await world.push()
                with pytest.raises(CalendarAway):
                    await world.read()
        assert (await world.account()).is_stale(world.clock.at + HOUR)
        server.start()
        world.clock.at += HOUR
        await world.read()
        await world.push()

        found = by_icalendar(world.outside.everything())
        assert {uid: one.starts_at for uid, one in found.items()} == {
            f"s{chat}-1": MONDAY + chat * 2 * HOUR for chat in range(1, 11)
        }
        assert (await world.account()).failure is None
    finally:
        server.stop()
