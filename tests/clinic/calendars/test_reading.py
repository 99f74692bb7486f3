"""A practitioner's own calendar read from a real CalDAV server."""

from __future__ import annotations

import random  # noqa: TID251 - seeded
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from storage.calendar_readings import Kept, Span
from storage.clashes import ClashKind
from storage.models import Clinic
from tests.builders import MONDAY, NOW, a_slot
from tests.clinic.calendars.entries import by_icalendar, entry, once, utc
from tests.clinic.calendars.radicale import Outside
from tests.clinic.calendars.world import World

HOUR = timedelta(hours=1)
LONDON = ZoneInfo("Europe/London")
TEN = (MONDAY, MONDAY + HOUR)
FORTY_DAYS = NOW + timedelta(days=40)


def overlapping(world_offers: list, spans: list[Span]) -> list:
    """Return offers whose time, or the quarter of an hour after it, is taken."""
    buffer = timedelta(minutes=15)
    return [
        slot
        for slot in world_offers
        if any(s.starts_at < slot.ends_at + buffer and s.ends_at > slot.starts_at for s in spans)
    ]


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """Return an instant by the clinic's clock, `day` days from now."""
    on = NOW.date() + timedelta(days=day)
    return datetime.combine(on, time(hour, minute), LONDON)


def fifty_events(outside: Outside) -> list[Span]:
    """Write fifty entries of every sort; return the times they take, worked out by hand."""
    taken: list[Span] = []
    for n in range(50):
        day, hour = 1 + n * 7 % 30, 8 + n % 11
        uid, when = f"event{n}", local(day, hour, 15 * (n % 4))
        days, lines = list(_days(n)), list(_rule(n, when))
        overrides: tuple[tuple[str, ...], ...] = ()
        starts = {step: local(day + step, hour, 15 * (n % 4)) for step in days}
        if n % 5 == 1 and len(days) > 1:  # one is moved to the afternoon
            second = starts[days[1]]
            there = local(day + days[1], 15)
            overrides = ((_at("RECURRENCE-ID", second), _at("DTSTART", there), "DURATION:PT1H"),)
            starts[days[1]] = there
        elif n % 5 == 2 and len(days) > 1:  # one is left out
            lines.append(_at("EXDATE", starts.pop(days[1])))
        if n % 10 == 9:
            lines.append(("STATUS:CANCELLED", "TRANSP:TRANSPARENT")[n % 20 // 10])
            starts = {}
        outside.put(f"{uid}.ics", entry(uid, *lines, overrides=overrides))
        taken += [_span(n, at) for at in starts.values()]
    return taken


def _days(n: int) -> Iterator[int]:
    """Yield on which days after the first one an event happens."""
    match n % 4:
        case 0:
            yield 0
        case 1:
            yield from range(0, 22, 7)
        case 2:
            yield from range(5)
        case _:
            yield from (0, 2, 4)


def _rule(n: int, when: datetime) -> Iterator[str]:
    if n % 8 == 0:
        yield f"DTSTART;VALUE=DATE:{when:%Y%m%d}"
        return
    yield _at("DTSTART", when)
    yield "DURATION:PT1H"
    yield from (
        (),
        ("RRULE:FREQ=WEEKLY;COUNT=4",),
        (f"RRULE:FREQ=DAILY;UNTIL={utc(when + timedelta(days=4, hours=2))}",),
        ("RRULE:FREQ=DAILY;INTERVAL=2;COUNT=3",),
    )[n % 4]


def _at(name: str, at: datetime) -> str:
    return f"{name};TZID=Europe/London:{at:%Y%m%dT%H%M%S}"


def _span(n: int, at: datetime) -> Span:
    if n % 8 == 0:
        midnight = datetime.combine(at.date(), time(), LONDON)
        after = datetime.combine(at.date() + timedelta(days=1), time(), LONDON)
        return Span(midnight.astimezone(UTC), after.astimezone(UTC))
    return Span(at.astimezone(UTC), at.astimezone(UTC) + HOUR)


async def test_fifty_events_leave_exactly_the_times_they_do_not_take(world: World) -> None:
    await world.change_account(synced_at=NOW)
    everything = await world.offered(40)
    taken = fifty_events(world.outside)
    await world.read()

    offered = await world.offered(40)

    assert taken
    assert overlapping(offered, taken) == []
    lost = set(everything) - set(offered) - set(overlapping(everything, taken))
    assert {
        slot for slot in lost if slot.starts_at < world.clock.at + 2 * timedelta(days=1)
    } == lost


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_done_outside_nothing_offered_overlaps_it(
    world: World, seed: int
) -> None:
    chance = random.Random(seed)
    there: dict[str, Span] = {}
    for _ in range(5):
        for _ in range(8):
            name = f"e{chance.randrange(20)}"
            if name in there and chance.random() < 0.3:
                world.outside.delete(f"{name}.ics")
                del there[name]
                continue
            starts_at = NOW + timedelta(minutes=15 * chance.randrange(96 * 30))
            span = Span(starts_at, starts_at + timedelta(minutes=chance.randrange(5, 600)))
            world.outside.put(f"{name}.ics", once(name, span.starts_at, span.ends_at))
            there[name] = span
        await world.read()
        offered = await world.offered(30)
        assert overlapping(offered, list(there.values())) == []
        assert offered


async def test_only_what_changed_is_read_again(world: World) -> None:
    world.outside.put("a.ics", once("a", *TEN))
    await world.read()
    before = await world.account()
    assert before.sync_token is not None
    assert before.sync_token.startswith("sync http")
    world.outside.put("b.ics", once("b", MONDAY + 3 * HOUR, MONDAY + 4 * HOUR))
    world.outside.delete("a.ics")

    await world.read()

    assert (await world.account()).read_at == before.read_at
    starts = {slot.starts_at for slot in await world.offered(10)}
    assert TEN[0] in starts
    assert MONDAY + 3 * HOUR not in starts


@pytest.mark.parametrize("token", ["sync http://radicale.org/ns/sync/" + "0" * 64, "ctag 1", ""])
async def test_a_token_that_is_no_longer_known_costs_a_whole_reading(
    world: World, token: str
) -> None:
    await world.read()
    world.outside.put("a.ics", once("a", *TEN))
    await world.change_account(sync_token=token)

    await world.read()

    account = await world.account()
    assert account.read_at == world.clock.at
    assert TEN[0] not in {slot.starts_at for slot in await world.offered(10)}


async def test_once_a_day_everything_is_read_for_the_days_that_come_nearer(world: World) -> None:
    world.outside.put("a.ics", entry("a", f"DTSTART:{utc(TEN[0])}", "RRULE:FREQ=DAILY"))
    await world.read()
    world.clock.at += timedelta(days=1)

    await world.read()

    assert (await world.account()).read_at == world.clock.at


@pytest.mark.parametrize("hours", [-7, 9])
async def test_whole_days_and_times_without_a_zone_count_until_they_are_over(
    world: World, hours: int
) -> None:
    """To the server they are in UTC, so that a Monday in the west is over in the afternoon."""
    zone = ZoneInfo("America/Los_Angeles" if hours < 0 else "Asia/Tokyo")
    await world.database.write(
        lambda connection: connection.execute(update(Clinic).values(zone=zone.key)) and None
    )
    world.clock.at = datetime(2026, 3, 9, 17, 29, tzinfo=zone)
    world.outside.put("day.ics", entry("day", "DTSTART;VALUE=DATE:20260309"))
    floating = ("DTSTART:20260309T183000", "DTEND:20260310T003000")
    world.outside.put("floating.ics", entry("floating", *floating))
    world.outside.put("over.ics", entry("over", "DTSTART:20260309T150000", "DURATION:PT1H"))
    await world.read()

    midnight = datetime(2026, 3, 9, tzinfo=UTC) - timedelta(hours=hours)
    assert await world.busy() == [
        Span(midnight, midnight + 24 * HOUR),
        Span(midnight + 18.5 * HOUR, midnight + 24.5 * HOUR),
    ]


async def test_something_over_an_appointment_is_a_clash_until_it_is_gone(world: World) -> None:
    await world.book(a_slot())
    await world.push()
    world.outside.put("a.ics", once("a", MONDAY + HOUR / 2, MONDAY + 2 * HOUR))

    assert await world.read() == Kept(clashes=1, rewritten=0)
    (clash,) = await world.clashes()
    assert (clash.kind, clash.code) == (ClashKind.OVERLAP, "AB12")

    world.outside.delete("a.ics")
    await world.read()
    assert await world.clashes() == []


async def test_our_own_appointments_are_not_busy_times(world: World) -> None:
    await world.book(a_slot())
    await world.push()

    assert await world.read() == Kept(0, 0)
    assert await world.read() == Kept(0, 0)


@pytest.mark.parametrize("is_whole", [True, False])
async def test_an_appointment_moved_outside_is_shown_and_put_back(
    world: World, is_whole: bool
) -> None:
    await world.book(a_slot())
    await world.push()
    if not is_whole:
        await world.read()
    world.outside.put("s7-1.ics", once("s7-1", MONDAY + 3 * HOUR, MONDAY + 4 * HOUR))

    assert await world.read() == Kept(clashes=1, rewritten=1)
    await world.push()
    assert by_icalendar(world.outside.everything())["s7-1"].starts_at == MONDAY
    assert [each.kind for each in await world.clashes()] == [ClashKind.MOVED]
    assert await world.read() == Kept(0, 0)


@pytest.mark.parametrize(
    ("lines", "seen_at"),
    [
        (("RRULE:FREQ=DAILY;COUNT=5",), MONDAY + 24 * HOUR),
        (("RDATE:20260310T150000Z",), MONDAY + 29 * HOUR),
        (("RRULE:FREQ=DAILY;COUNT=2", "EXDATE:20260309T100000Z"), MONDAY + 24 * HOUR),
    ],
)
async def test_an_appointment_made_a_series_outside_is_shown_and_put_back(
    world: World, lines: tuple[str, ...], seen_at: datetime
) -> None:
    await world.book(a_slot())
    await world.push()
    world.outside.put("s7-1.ics", once("s7-1", *TEN, *lines))

    assert await world.read() == Kept(clashes=1, rewritten=1)
    assert MONDAY not in {span.starts_at for span in await world.busy()}
    (clash,) = await world.clashes()
    assert (clash.kind, clash.starts_at) == (ClashKind.MOVED, seen_at)

    await world.push()
    assert "RRULE" not in world.outside.everything()
    assert await world.read() == Kept(0, 0)
    assert await world.busy() == []


async def test_a_past_appointment_made_a_series_outside_takes_time(world: World) -> None:
    await world.book(a_slot())
    await world.push()
    world.clock.at = MONDAY + 2 * HOUR
    world.outside.put("s7-1.ics", once("s7-1", *TEN, "RRULE:FREQ=DAILY;COUNT=3"))
    await world.read()

    days = [MONDAY + n * 24 * HOUR for n in (1, 2)]
    assert [span.starts_at for span in await world.busy()] == days
    assert await world.clashes() == []


@pytest.mark.parametrize("is_whole", [True, False])
async def test_an_appointment_deleted_outside_is_shown_and_put_back(
    world: World, is_whole: bool
) -> None:
    await world.book(a_slot())
    await world.push()
    if not is_whole:
        await world.read()
    world.outside.delete("s7-1.ics")

    assert await world.read() == Kept(clashes=1, rewritten=1)
    await world.push()
    assert world.outside.names() == {"s7-1.ics"}
    assert [each.kind for each in await world.clashes()] == [ClashKind.DELETED]


async def test_a_due_calendar_is_read_by_itself(world: World) -> None:
    assert await world.calendars.read_due()
    assert not await world.calendars.read_due()
    world.clock.at += timedelta(minutes=4)

    assert await world.calendars.read_due()
    assert (await world.account()).synced_at == world.clock.at
