"""Moving visits in the calendar: free times, the repair of a series, and writing somebody in."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import insert, select

from clinic.console.free_times import key_of
from flows.protocol import Spacing
from flows.slots import Slot
from storage import calendar_accounts, staff_bookings
from storage.clerks import Clerk, Seen
from storage.models import Appointment, ExternalBusy, Outbox
from tests.builders import a_slot, four_weekly
from tests.clinic.console.world import Browser, ConsoleWorld
from tests.flows.calendars import a_plan

WEEK = timedelta(weeks=1)


async def series_of(world: ConsoleWorld, count: int = 4) -> tuple[str, tuple[Slot, ...]]:
    """Book Maya's Thursdays at 13:00, four weeks apart, from the day after tomorrow."""
    first = a_slot(world.clock().replace(day=26, hour=13, minute=0))
    times = four_weekly(first, count)
    uid = await world.books(*times, name="Maya", plan=a_plan(count))
    return uid.removesuffix("-1"), times


def later(slot: Slot, by: timedelta, who: str = "amara") -> Slot:
    return Slot(slot.starts_at + by, slot.ends_at + by, who)


async def look(browser: Browser, uid: str, slot: Slot) -> str:
    path = f"/calendar/visits/{uid}/move?who={slot.practitioner}&on={slot.starts_at:%Y-%m-%d}"
    return (await browser.get(f"{path}&slot={quote(key_of(slot))}")).text


def offered(page: str) -> dict[str, dict[str, str]]:
    """Return the fields of each way to move that a page offers, by `how`."""
    forms = re.findall(r'<form method="post" action="[^"]+/move".*?</form>', page, re.S)
    found = [
        {
            name: html.unescape(value)
            for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', one)
        }
        for one in forms
    ]
    return {fields["how"]: fields for fields in found}


async def starts(world: ConsoleWorld, series: str) -> list[Slot]:
    query = (
        select(Appointment.starts_at)
        .where(Appointment.series_id == series)
        .order_by(Appointment.number)
    )
    return await world.database.read(lambda c: list(c.execute(query).scalars()))


async def messages(world: ConsoleWorld) -> list[str]:
    query = select(Outbox.payload).where(Outbox.kind == "confirmation").order_by(Outbox.id)
    return await world.database.read(lambda c: list(c.execute(query).scalars()))


async def test_a_move_that_keeps_the_gaps_is_one_step(world: ConsoleWorld, member: Browser) -> None:
    series, times = await series_of(world)
    wanted = later(times[1], WEEK)

    page = await look(member, f"{series}-2", wanted)
    ways = offered(page)
    assert list(ways) == ["alone"]
    answer = await member.post(f"/calendar/visits/{series}-2/move", ways["alone"])

    assert (
        "Maya is moved to Thu 31 Dec, 13:00. They are told" in (await member.follows(answer)).text
    )
    assert (await starts(world, series))[1] == wanted.starts_at
    assert await messages(world) == ['{"text": "message.moved"}']


async def test_the_smallest_repair_is_shown_and_applied_at_once(
    world: ConsoleWorld, member: Browser
) -> None:
    series, times = await series_of(world)
    wanted = later(times[1], 2 * WEEK)

    page = await look(member, f"{series}-2", wanted)
    assert "It would be 14 days before session 3 (Thu 21 Jan 2027)" in page
    assert "To keep the gaps right this one would move too" in page
    assert "<ins>Thu 28 Jan 2027, 13:00</ins>" in page
    await member.post(f"/calendar/visits/{series}-2/move", offered(page)["together"])

    assert await starts(world, series) == [
        times[0].starts_at,
        wanted.starts_at,
        times[2].starts_at + WEEK,
        times[3].starts_at,
    ]
    assert await messages(world) == ['{"text": "message.moved_all"}']


async def test_staff_may_move_one_alone_and_see_the_gap_then(
    world: ConsoleWorld, member: Browser
) -> None:
    series, times = await series_of(world)
    page = await look(member, f"{series}-2", later(times[1], 2 * WEEK))

    await member.post(f"/calendar/visits/{series}-2/move", offered(page)["alone"])

    assert (await starts(world, series))[2:] == [each.starts_at for each in times[2:]]
    visit = (await member.get(f"/calendar/visits/{series}-2")).text
    assert "14 days: outside the 21 to 42 that the course asks for" in visit


async def test_too_near_to_the_session_before_offers_no_repair(
    world: ConsoleWorld, member: Browser
) -> None:
    series, times = await series_of(world)

    page = await look(member, f"{series}-2", later(times[1], -2 * WEEK))

    assert "It would be 14 days after session 1 (Thu 26 Nov)" in page
    assert "No other free times keep the gaps right" in page
    assert list(offered(page)) == ["alone"]


async def test_a_visit_goes_to_another_practitioner(world: ConsoleWorld, member: Browser) -> None:
    series, times = await series_of(world, 1)
    page = await look(member, f"{series}-1", later(times[0], timedelta(hours=1), "rowan"))
    assert "now with Rowan Pell" in page

    answer = await member.post(f"/calendar/visits/{series}-1/move", offered(page)["alone"])

    assert "who=rowan" in answer.headers["location"]


async def test_what_changed_since_it_was_shown_is_shown_anew(
    world: ConsoleWorld, member: Browser
) -> None:
    series, times = await series_of(world)
    page = await look(member, f"{series}-2", later(times[1], 2 * WEEK))
    joe = world.people["willow", "staff"]
    clerk = Clerk(joe.clinic_id, joe.id, world.clock())
    elsewhere = later(times[2], timedelta(hours=1))
    await world.database.write(staff_bookings.move, clerk, Seen(f"{series}-3", 1), elsewhere)

    answer = await member.post(f"/calendar/visits/{series}-2/move", offered(page)["together"])

    assert answer.status_code == 422
    assert "Somebody else changed this a moment ago" in answer.text
    assert "<ins>Thu 28 Jan 2027, 14:00</ins>" in answer.text
    assert (await starts(world, series))[1] == times[1].starts_at


async def test_a_time_that_is_taken_is_refused_with_a_sentence(
    world: ConsoleWorld, member: Browser
) -> None:
    series, times = await series_of(world)
    wanted = later(times[1], WEEK)
    page = await look(member, f"{series}-2", wanted)
    await world.books(wanted, name="Kofi")

    answer = await member.post(f"/calendar/visits/{series}-2/move", offered(page)["alone"])

    assert answer.status_code == 422
    assert "That time was taken a moment ago." in answer.text


@pytest.mark.parametrize(
    "slot", ["x", "amara", "amara 2026-11-26T13:30", "nobody 2026-11-26T13:00Z"]
)
async def test_a_time_that_is_none_is_refused(
    world: ConsoleWorld, member: Browser, slot: str
) -> None:
    series, _ = await series_of(world, 1)

    answer = await member.post(f"/calendar/visits/{series}-1/move", {"slot": slot, "how": "alone"})

    assert answer.status_code == 422


async def test_what_has_begun_cannot_be_moved(world: ConsoleWorld, member: Browser) -> None:
    uid = await world.books(a_slot(world.clock() - timedelta(minutes=10)))

    answer = await member.get(f"/calendar/visits/{uid}/move")

    assert "This visit cannot be moved any more." in (await member.follows(answer)).text


async def test_a_missed_visit_leads_to_the_gap_that_it_left(
    world: ConsoleWorld, member: Browser
) -> None:
    begun = a_slot(world.clock() - timedelta(minutes=10))
    times = (later(begun, -WEEK), begun, later(begun, WEEK))
    uid = await world.books(*times, name="Maya", plan=a_plan(3, Spacing(7, 7, 10)))
    second = uid.replace("-1", "-2")
    await member.post(f"/today/visits/{second}/missed", {"version": "1"})

    today = (await member.get("/today")).text
    assert f'href="/calendar/visits/{second}"' in today
    page = (await member.get(f"/calendar/visits/{second}")).text
    assert "14 days: outside the 7 to 10 that the course asks for" in page
    (path,) = re.findall(r'href="([^"]+/move\?on=[^"]+)"', page)

    on = (times[0].starts_at + timedelta(days=10)).date()
    assert path == f"/calendar/visits/{uid.replace('-1', '-3')}/move?on={on}"
    assert (await member.get(path)).status_code == 200


async def test_somebody_is_written_in_at_a_free_time(world: ConsoleWorld, member: Browser) -> None:
    page = (await member.get("/calendar/new?service=treatment&who=rowan&on=2026-11-27")).text
    key = html.unescape(re.findall(r'name="slot" value="(rowan [^"]+)"', page)[0])

    fields = {"service": "treatment", "who": "rowan", "on": "2026-11-27", "slot": key}
    answer = await member.post("/calendar/new", {**fields, "name": "Tom"})

    assert "Tom is booked for Fri 27 Nov, 09:00." in (await member.follows(answer)).text


def other(at: str, on: str = "2026-11-27", **fields: str) -> dict[str, str]:
    """Return the form of somebody written in at a time that is typed."""
    asked = {"service": "treatment", "who": "amara", "slot": "other", "on": on, "at": at}
    return {**asked, "name": "Tom", **fields}


async def test_a_time_outside_opening_hours_is_booked_after_a_second_look(
    world: ConsoleWorld, member: Browser
) -> None:
    doubted = await member.post("/calendar/new", other("18:30"))
    assert doubted.status_code == 422
    assert "It is outside their opening hours." in doubted.text
    assert 'value="Tom"' in doubted.text

    booked = await member.post("/calendar/new", other("18:30", anyway="yes"))
    assert "Tom is booked for Fri 27 Nov, 18:30." in (await member.follows(booked)).text


async def test_a_time_that_is_taken_outside_is_warned_of(
    world: ConsoleWorld, member: Browser
) -> None:
    terms = calendar_accounts.Terms("https://calendar.example/x/", "x", "sealed")
    account = await world.database.write(
        calendar_accounts.connect, "willow", "amara", terms, world.clock()
    )
    at = world.clock().replace(day=27, hour=14, minute=0)
    busy = {"account_id": account, "href": "x", "starts_at": at, "ends_at": at + timedelta(hours=1)}
    await world.database.write(lambda c: c.execute(insert(ExternalBusy), busy) and None)

    answer = await member.post("/calendar/new", other("14:00"))

    assert "Their own calendar has something else then." in answer.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (other("14:00", name=""), "Write down a name"),
        (other("14:00", note="x" * 600), "The note is too long."),
        (other(""), "Choose a time."),
        (other("25:00"), "Choose a day and a time"),
        (other("14:00", on="x"), "Choose a day and a time"),
        (other("01:30", on="2027-03-28"), "there is no 01:30 that day"),
        (other("08:00", on="2026-11-24"), "That time has passed."),
        (other("14:00", on="2099-01-01"), "That is too far ahead."),
        (other("14:00", who="nobody"), "Choose who sees them."),
        (other("14:00", service="x"), "Choose what they come for."),
        (other("", slot="amara 2026-11-29T10:00:00+00:00"), "That time is not free any more."),
        (other("", slot="rowan 2026-11-27T09:00:00+00:00"), "That time is with somebody else."),
    ],
)
async def test_a_visit_that_cannot_be_is_refused_with_a_sentence(
    member: Browser, fields: dict[str, str], words: str
) -> None:
    answer = await member.post("/calendar/new", fields)

    assert (answer.status_code, words in answer.text) == (422, True)


@pytest.mark.parametrize(
    "pressed", [{"act": "times", "from": "2026-12-02"}, {"day": "2026-12-02"}], ids=["from", "day"]
)
async def test_other_times_keep_what_was_typed(member: Browser, pressed: dict[str, str]) -> None:
    typed = other("18:15", who="rowan", phone="0123", note="test patch")

    answer = await member.post("/calendar/new", {**typed, **pressed})

    assert answer.status_code == 200
    assert "Time, Wed 2 Dec 2026 with Rowan Pell" in answer.text
    for value in ("Tom", "0123", "test patch", "18:15"):
        assert f'value="{value}"' in answer.text


async def test_a_time_that_somebody_has_is_refused(world: ConsoleWorld, member: Browser) -> None:
    at = world.clock().replace(day=27, hour=14, minute=0)
    await world.books(a_slot(at), name="Maya")

    answer = await member.post("/calendar/new", other("14:30", anyway="yes"))

    assert (answer.status_code, "Somebody else has that time." in answer.text) == (422, True)


async def test_free_times_are_looked_for_from_the_day_asked_for(member: Browser) -> None:
    page = (await member.get("/calendar/new?who=amara&on=2026-12-02")).text

    assert f"Time, {date(2026, 12, 2):%a %-d %b %Y}" in page
    assert "Thu 3</strong><small>Dec" in page
