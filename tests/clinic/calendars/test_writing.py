"""Appointments written to a real CalDAV server."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from clinic.calendars import writing
from clinic.calendars.entry_files import resource
from clinic.calendars.remote import RemoteCalendar
from flows.effects import CancelSeries, MoveAppointment
from flows.slots import Slot
from storage import calendar_accounts, calendar_pushes
from storage.calendar_entries import Entry
from storage.calendar_readings import Span
from storage.clashes import ClashKind
from tests.builders import MONDAY, a_slot
from tests.clinic.calendars.entries import Read, by_icalendar, by_vobject, once
from tests.clinic.calendars.radicale import PASSWORD, USER, Radicale
from tests.clinic.calendars.world import World

HOUR = timedelta(hours=1)
NOON = a_slot(MONDAY + 2 * HOUR)


def read(slot: Slot, sequence: int = 0, status: str = "CONFIRMED") -> Read:
    return Read(slot.starts_at, slot.ends_at, sequence, status)


def seen_by_both(world: World) -> dict[str, Read]:
    """Return the server's calendar, on which two readers must agree."""
    text = world.outside.everything()
    found = by_icalendar(text)
    assert by_vobject(text) == found
    return found


async def test_two_hundred_appointments_are_written_moved_and_cancelled(world: World) -> None:
    slots = [a_slot(MONDAY + n * 2 * HOUR) for n in range(200)]
    for chat in range(1, 51):
        await world.book(*slots[4 * chat - 4 : 4 * chat], chat=chat)
    await world.push()
    booked = {f"s{n // 4 + 1}-{n % 4 + 1}": read(slot) for n, slot in enumerate(slots)}
    assert seen_by_both(world) == booked

    later = [a_slot(slot.starts_at + timedelta(days=28, hours=1)) for slot in slots[:80]]
    for n, slot in enumerate(later):
        effect = MoveAppointment(f"s{n // 4 + 1}-{n % 4 + 1}", slot)
        await world.change(effect, chat=n // 4 + 1, before=n % 4)
    for chat in range(31, 51):
        await world.change(CancelSeries(f"s{chat}"), chat=chat)
    await world.push()

    moved = {f"s{n // 4 + 1}-{n % 4 + 1}": read(slot, 1) for n, slot in enumerate(later)}
    kept = {uid: one for uid, one in booked.items() if int(uid[1:].partition("-")[0]) <= 30}
    assert seen_by_both(world) == {**kept, **moved}
    assert await world.clashes() == []


async def test_an_appointment_says_nothing_about_patient_or_treatment(world: World) -> None:
    await world.book(a_slot(), NOON)
    await world.push()

    text = world.outside.everything()

    assert "SUMMARY:Session 1 of 2 · code AB12" in text
    assert not [word for word in ("Ada", "reatment", "needling", "willow") if word in text]


async def test_a_request_is_tentative(world: World) -> None:
    await world.book(a_slot(), pending=True)
    await world.push()

    assert seen_by_both(world) == {"s7-1": read(a_slot(), 0, "TENTATIVE")}


async def test_lanes_do_not_write_over_each_other(world: World) -> None:
    slots = [a_slot(MONDAY + n * 2 * HOUR) for n in range(8)]
    await world.book(*slots)
    await world.push(lanes=4)

    assert len(seen_by_both(world)) == 8
    assert await world.clashes() == []


async def test_what_was_moved_outside_is_moved_back_and_shown(world: World) -> None:
    await world.book(a_slot())
    await world.push()
    world.outside.put("s7-1.ics", once("s7-1", NOON.starts_at, NOON.ends_at))
    late = a_slot(MONDAY + 5 * HOUR)
    await world.change(MoveAppointment("s7-1", late))
    await world.push()

    assert seen_by_both(world) == {"s7-1": read(late, 1)}
    (clash,) = await world.clashes()
    assert (clash.kind, clash.starts_at) == (ClashKind.MOVED, NOON.starts_at)


async def test_what_was_made_a_series_outside_is_put_back_and_shown(world: World) -> None:
    await world.book(a_slot())
    await world.push()
    daily = "RRULE:FREQ=DAILY;COUNT=5"
    world.outside.put("s7-1.ics", once("s7-1", a_slot().starts_at, a_slot().ends_at, daily))
    await world.change(MoveAppointment("s7-1", NOON))
    await world.push()

    assert seen_by_both(world) == {"s7-1": read(NOON, 1)}
    (clash,) = await world.clashes()
    assert (clash.kind, clash.starts_at) == (ClashKind.MOVED, MONDAY + 24 * HOUR)


async def test_what_was_deleted_outside_comes_back_and_is_shown(world: World) -> None:
    await world.book(a_slot())
    await world.push()
    world.outside.delete("s7-1.ics")
    await world.change(MoveAppointment("s7-1", NOON))
    await world.push()

    assert seen_by_both(world) == {"s7-1": read(NOON, 1)}
    assert [each.kind for each in await world.clashes()] == [ClashKind.DELETED]


@pytest.mark.parametrize("is_deleted", [True, False])
async def test_what_was_changed_outside_can_still_be_cancelled(
    world: World, is_deleted: bool
) -> None:
    await world.book(a_slot())
    await world.push()
    if is_deleted:
        world.outside.delete("s7-1.ics")
    else:
        world.outside.put("s7-1.ics", once("s7-1", NOON.starts_at, NOON.ends_at))
    await world.change(CancelSeries("s7"))
    await world.push()

    assert world.outside.names() == set()
    assert await world.read() is not None
    assert await world.clashes() == []


async def test_a_subscription_imported_as_a_copy_is_taken_over(world: World) -> None:
    await world.book(a_slot())
    world.outside.put("imported.ics", once("s7-1", a_slot().starts_at, a_slot().ends_at))
    await world.push()

    assert world.outside.names() == {"imported.ics"}
    assert seen_by_both(world) == {"s7-1": read(a_slot())}
    assert await world.clashes() == []


async def test_what_was_written_but_not_noted_is_written_once(world: World) -> None:
    await world.book(a_slot())
    task = await world.database.read(calendar_pushes.task, world.account_id, "s7-1")
    remote = RemoteCalendar(world.outside.url, USER, PASSWORD, private=True)
    writing.write(remote, task, "s7-1")  # and here the program was stopped
    remote.close()
    await world.change(MoveAppointment("s7-1", NOON))
    await world.push()

    assert seen_by_both(world) == {"s7-1": read(NOON, 1)}
    assert await world.clashes() == []


async def test_a_change_of_practitioner_is_a_change_of_calendar(
    world: World, radicale: Radicale
) -> None:
    await world.book(a_slot())
    await world.push()
    rowans = radicale.calendar()
    terms = calendar_accounts.Terms(rowans.url, USER, world.seal.close(PASSWORD))
    await world.database.write(calendar_accounts.connect, "willow", "rowan", terms, world.clock.at)
    tuesday = a_slot(NOON.starts_at + timedelta(days=1), practitioner="rowan")
    await world.change(MoveAppointment("s7-1", tuesday))
    await world.push()

    assert world.outside.names() == set()
    assert by_icalendar(rowans.everything()) == {"s7-1": read(tuesday, 1)}


async def test_what_was_written_over_is_handed_back(world: World) -> None:
    await world.book(a_slot())
    task = await world.database.read(calendar_pushes.task, world.account_id, "s7-1")
    assert task.entry is not None
    push = calendar_pushes.Push(
        world.account_id, "s7-1", "/x", '"old"', 0, *_span(task.entry), world.clock.at
    )
    remote = RemoteCalendar(world.outside.url, USER, PASSWORD, private=True)
    href = remote.href_of("s7-1")
    remote.put(href, resource(task.entry), None)
    written = writing.write(remote, replace(task, push=replace(push, href=href)), "s7-1")
    remote.close()

    assert written.href == href
    assert written.found.seen is not None
    assert written.found.seen.span == Span(*_span(task.entry))


def _span(entry: Entry) -> tuple[datetime, datetime]:
    return entry.starts_at, entry.ends_at
