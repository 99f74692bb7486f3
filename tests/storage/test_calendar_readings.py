"""What was read from practitioners' own calendars: busy times, clashes, and how old it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from flows.effects import CancelSeries, MoveAppointment
from flows.slots import CalendarView
from storage import (
    calendar_accounts,
    calendar_pushes,
    calendar_readings,
    calendar_store,
    clashes,
    turns,
)
from storage.calendar_accounts import Account, NoSuchPractitioner, Terms, WhenStale
from storage.calendar_pushes import Push
from storage.calendar_readings import Kept, Reading, Seen, Span
from storage.clashes import Clash, ClashKind
from storage.database import Database
from storage.models import CalendarAccount, Outbox, StaffMember
from storage.turns import SlotTaken
from tests.builders import MONDAY, NOW, a_confirmation, a_decision, a_hold, a_slot, a_turn

HOUR = timedelta(hours=1)
AT_TEN = Span(MONDAY, MONDAY + HOUR)
AT_NOON = Span(MONDAY + 2 * HOUR, MONDAY + 3 * HOUR)
LATER = NOW + timedelta(minutes=5)


def a_reading(*spans: Span, **changes: Any) -> Reading:
    reading = Reading(
        started_at=LATER,
        until=NOW + timedelta(days=300),
        token="t1",
        is_whole=True,
        busy={"/x.ics": spans},
    )
    return replace(reading, **changes)


async def connected(database: Database, **terms: Any) -> Account:
    known = Terms("https://calendar.example/amara/", "amara", "sealed")
    number = await database.write(
        calendar_accounts.connect, "willow", "amara", replace(known, **terms), NOW
    )
    account = await database.read(calendar_accounts.account, number)
    assert account is not None
    return account


async def kept(database: Database, account: Account, reading: Reading) -> Kept:
    return await database.write(calendar_readings.keep, account, reading, LATER, LATER + HOUR)


async def booked(database: Database, account: Account) -> None:
    """Book Monday at ten, and have it written to the calendar, which is known for the moment."""
    known = update(CalendarAccount).values(synced_at=NOW)
    await database.write(lambda c: c.execute(known) and None)
    await database.write(turns.commit, a_turn(a_decision(), a_confirmation(a_slot())))
    push = Push(account.id, "series-1", "/1.ics", "e1", 0, *span(AT_TEN), NOW)
    await database.write(calendar_pushes.note, push)


def span(of: Span) -> tuple[datetime, datetime]:
    return of.starts_at, of.ends_at


async def look(database: Database, now: datetime = LATER) -> CalendarView:
    day = MONDAY.date()
    return await database.read(calendar_store.view, "willow", "treatment", day, day, now, 99)


async def open_clashes(database: Database, now: datetime = LATER) -> list[Clash]:
    return await database.read(clashes.open_clashes, 1, now)


def ours(at: Span = AT_TEN, etag: str = "e2", **changes: Any) -> Seen:
    return replace(Seen("/1.ics", etag, "series-1", at), **changes)


async def test_what_was_read_is_busy(willow: Database) -> None:
    account = await connected(willow)
    await kept(willow, account, a_reading(AT_NOON, AT_TEN))

    amara, rowan = (await look(willow)).timetables

    assert amara.busy == (span(AT_TEN), span(AT_NOON))
    assert rowan.busy == ()


async def test_a_whole_reading_replaces_everything(willow: Database) -> None:
    account = await connected(willow)
    await kept(willow, account, a_reading(AT_TEN))
    await kept(willow, account, a_reading(busy={"/y.ics": (AT_NOON,)}))

    assert (await look(willow)).timetables[0].busy == (span(AT_NOON),)


async def test_a_later_reading_replaces_what_changed(willow: Database) -> None:
    account = await connected(willow)
    whole = {"/x.ics": (AT_TEN,), "/y.ics": (AT_TEN,), "/z.ics": (AT_NOON,)}
    await kept(willow, account, a_reading(busy=whole))
    changed = a_reading(is_whole=False, busy={"/x.ics": ()}, gone=frozenset({"/y.ics"}))
    await kept(willow, account, changed)

    assert (await look(willow)).timetables[0].busy == (span(AT_NOON),)


async def test_before_the_first_reading_nothing_is_offered(willow: Database) -> None:
    await connected(willow)

    amara, rowan = (await look(willow)).timetables

    assert (amara.hours, amara.overrides) == ((), ())
    assert rowan.hours


@pytest.mark.parametrize(("minutes", "is_open"), [(15, True), (16, False)])
async def test_what_is_too_old_closes_the_day(
    willow: Database, minutes: int, is_open: bool
) -> None:
    account = await connected(willow)
    await kept(willow, account, a_reading())

    view = await look(willow, LATER + timedelta(minutes=minutes))

    assert bool(view.timetables[0].hours) is is_open


async def test_a_clinic_may_go_on_with_what_was_known(willow: Database) -> None:
    account = await connected(willow, when_stale=WhenStale.SHOW_AGE)
    await kept(willow, account, a_reading(AT_TEN))

    view = await look(willow, LATER + timedelta(hours=3))

    assert view.timetables[0].hours
    assert view.timetables[0].busy == (span(AT_TEN),)
    (again,) = await willow.read(calendar_accounts.accounts, 1)
    assert again.is_stale(LATER + timedelta(hours=3))


async def test_with_something_unread_the_calendar_grows_old(willow: Database) -> None:
    account = await connected(willow)
    await kept(willow, account, a_reading(AT_TEN, unread=frozenset({"/odd.ics"})))

    (again,) = await willow.read(calendar_accounts.accounts)

    assert (again.synced_at, again.sync_token) == (None, "t1")


@pytest.mark.parametrize("is_whole", [True, False])
async def test_what_cannot_be_read_any_more_takes_the_time_it_took(
    willow: Database, is_whole: bool
) -> None:
    account = await connected(willow)
    await kept(willow, account, a_reading(busy={"/x.ics": (AT_TEN,), "/y.ics": (AT_NOON,)}))
    changed = {"busy": {"/y.ics": ()}, "unread": frozenset({"/x.ics"})}
    await kept(willow, account, a_reading(is_whole=is_whole, **changed))

    assert (await look(willow)).timetables[0].busy == (span(AT_TEN),)


async def test_an_appointment_that_cannot_be_read_any_more_is_let_be(willow: Database) -> None:
    account = await connected(willow)
    await booked(willow, account)

    result = await kept(willow, account, a_reading(unread=frozenset({"/1.ics"})))

    assert result.clashes == 0
    assert await willow.read(calendar_pushes.push, account.id, "series-1") is not None


@pytest.mark.parametrize("effect", [a_hold(a_slot()), a_confirmation(a_slot())])
async def test_a_time_taken_outside_meanwhile_is_refused(willow: Database, effect: Any) -> None:
    account = await connected(willow)
    just_before = Span(MONDAY + HOUR, MONDAY + HOUR + timedelta(minutes=5))  # in the buffer
    await kept(willow, account, a_reading(just_before))

    outcome = await willow.write(turns.commit, a_turn(a_decision(), effect))

    assert outcome == SlotTaken((a_slot(),))


async def test_nothing_is_moved_onto_a_time_taken_outside(willow: Database) -> None:
    account = await connected(willow)
    await booked(willow, account)
    await kept(willow, account, a_reading(AT_NOON, own=(ours(),)))
    noon = a_slot(AT_NOON.starts_at)

    outcome = await willow.write(turns.commit, a_turn(MoveAppointment("series-1", noon), before=0))

    assert outcome == SlotTaken((noon,))


async def test_something_over_an_appointment_is_a_clash_until_it_goes(willow: Database) -> None:
    account = await connected(willow)
    await booked(willow, account)

    first = await kept(willow, account, a_reading(AT_TEN, own=(ours(),)))
    again = await kept(willow, account, a_reading(AT_TEN, own=(ours(),)))
    (clash,) = await open_clashes(willow)
    assert (first.clashes, again.clashes, clash.kind) == (1, 0, ClashKind.OVERLAP)
    assert (clash.uid, clash.practitioner, clash.code) == ("series-1", "amara", "AB12")

    await kept(willow, account, a_reading(AT_NOON, own=(ours(),)))
    assert await open_clashes(willow) == []


async def test_a_clash_that_comes_back_is_shown_again(willow: Database) -> None:
    account = await connected(willow)
    await booked(willow, account)
    for reading in (a_reading(AT_TEN), a_reading(), a_reading(AT_TEN)):
        await kept(willow, account, replace(reading, own=(ours(),)))

    assert len(await open_clashes(willow)) == 1


async def test_a_clash_ends_with_its_appointment(willow: Database) -> None:
    account = await connected(willow)
    await booked(willow, account)
    await kept(willow, account, a_reading(AT_TEN, own=(ours(),)))

    await willow.write(turns.commit, a_turn(CancelSeries("series"), before=0))

    assert await open_clashes(willow) == []


async def test_touching_times_do_not_clash(willow: Database) -> None:
    account = await connected(willow)
    await booked(willow, account)
    around = (Span(MONDAY - HOUR, MONDAY), Span(MONDAY + HOUR, MONDAY + 2 * HOUR))

    assert (await kept(willow, account, a_reading(*around, own=(ours(),)))).clashes == 0


async def test_an_appointment_moved_outside_is_a_clash_and_written_again(
    willow: Database,
) -> None:
    account = await connected(willow)
    await booked(willow, account)

    result = await kept(willow, account, a_reading(own=(ours(AT_NOON),)))

    (clash,) = await open_clashes(willow)
    assert result == Kept(clashes=1, rewritten=0)  # its message waits already
    assert (clash.kind, Span(clash.starts_at, clash.ends_at)) == (ClashKind.MOVED, AT_NOON)
    push = await willow.read(calendar_pushes.push, account.id, "series-1")
    assert push is not None
    assert (push.sequence, push.etag) == (calendar_pushes.CHANGED_OUTSIDE, "e2")


async def test_an_appointment_altered_outside_is_a_clash(willow: Database) -> None:
    account = await connected(willow)
    await booked(willow, account)
    await kept(willow, account, a_reading(own=(ours(is_altered=True),)))

    assert [each.kind for each in await open_clashes(willow)] == [ClashKind.MOVED]


async def test_an_appointment_with_a_new_alarm_is_no_clash(willow: Database) -> None:
    account = await connected(willow)
    await booked(willow, account)
    await kept(willow, account, a_reading(own=(ours(),)))

    push = await willow.read(calendar_pushes.push, account.id, "series-1")
    assert push is not None
    assert (push.sequence, push.etag) == (0, "e2")
    assert await open_clashes(willow) == []


@pytest.mark.parametrize(
    "reading", [a_reading(), a_reading(is_whole=False, gone=frozenset({"/1.ics"}))]
)
async def test_an_appointment_deleted_outside_is_a_clash_and_written_again(
    willow: Database, reading: Reading
) -> None:
    account = await connected(willow)
    await booked(willow, account)
    await kept(willow, account, reading)

    assert [each.kind for each in await open_clashes(willow)] == [ClashKind.DELETED]
    assert await willow.read(calendar_pushes.push, account.id, "series-1") is None


async def test_what_was_written_while_reading_is_let_be(willow: Database) -> None:
    account = await connected(willow)
    await booked(willow, account)

    result = await kept(willow, account, a_reading(started_at=NOW))

    assert result.clashes == 0
    assert await willow.read(calendar_pushes.push, account.id, "series-1") is not None


async def test_what_was_not_read_is_not_missed(willow: Database) -> None:
    account = await connected(willow)
    await booked(willow, account)

    assert (await kept(willow, account, a_reading(until=MONDAY - HOUR))).clashes == 0


async def test_a_cancelled_appointment_that_is_gone_outside_is_no_clash(
    willow: Database,
) -> None:
    account = await connected(willow)
    await booked(willow, account)
    await willow.write(turns.commit, a_turn(CancelSeries("series"), before=0))

    assert (await kept(willow, account, a_reading())).clashes == 0


async def test_staff_settle_what_was_moved_outside(willow: Database) -> None:
    account = await connected(willow)
    await booked(willow, account)
    await kept(willow, account, a_reading(own=(ours(AT_NOON),)))
    (clash,) = await open_clashes(willow)

    assert not await willow.write(clashes.settle, 2, clash.id, LATER)  # another clinic
    assert await willow.write(clashes.settle, 1, clash.id, LATER)
    assert await open_clashes(willow) == []


async def test_staff_who_want_cards_are_told_of_a_clash(willow: Database) -> None:
    account = await connected(willow)
    await booked(willow, account)

    def hire(connection: Connection) -> None:
        for name, chat, wants in (("Robin", 5, True), ("Kim", 6, False)):
            values = {"clinic_id": 1, "name": name, "role": "staff", "created_at": NOW}
            connection.execute(
                insert(StaffMember).values(chat_id=chat, wants_cards=wants, **values)
            )

    await willow.write(hire)
    await kept(willow, account, a_reading(AT_TEN, own=(ours(),)))

    cards = select(Outbox.ref_type, Outbox.ref_id, Outbox.payload).where(Outbox.kind == "card")
    rows = await willow.read(lambda connection: connection.execute(cards).all())
    assert [tuple(row) for row in rows] == [("staff", "1", '{"clash": 1}')]
    card = await willow.read(clashes.card, 1, 1)
    assert card is not None
    assert (card.kind, card.practitioner, card.chat_id) == (ClashKind.OVERLAP, "Amara Osei", 5)
    assert await willow.read(clashes.card, 1, 2) is None


async def test_a_calendar_is_due_until_somebody_takes_it(willow: Database) -> None:
    account = await connected(willow)

    first = await willow.write(calendar_accounts.claim_due, NOW, HOUR)
    second = await willow.write(calendar_accounts.claim_due, NOW, HOUR)
    later = await willow.write(calendar_accounts.claim_due, NOW + HOUR, HOUR)

    assert first is not None
    assert (first.id, second) == (account.id, None)
    assert later is not None


async def test_failures_are_counted_until_all_is_well(willow: Database) -> None:
    account = await connected(willow)
    for _ in range(2):
        await willow.write(calendar_accounts.failed, account.id, "no answer", NOW, LATER)
    (failing,) = await willow.read(calendar_accounts.accounts)
    assert (failing.failures, failing.failure, failing.next_at) == (2, "no answer", LATER)

    await kept(willow, account, a_reading())
    (well,) = await willow.read(calendar_accounts.accounts)
    assert (well.failures, well.failure, well.synced_at) == (0, None, LATER)


async def test_a_calendar_at_another_address_begins_anew(willow: Database) -> None:
    account = await connected(willow)
    await booked(willow, account)
    await kept(willow, account, a_reading(AT_NOON, own=(ours(),)))

    again = await connected(willow, url="https://other.example/")

    assert (again.id, again.synced_at, again.sync_token) == (account.id, None, None)
    assert await willow.read(calendar_pushes.pushes, account.id) == ()


async def test_a_calendar_can_be_taken_off(willow: Database) -> None:
    account = await connected(willow)
    await booked(willow, account)
    await kept(willow, account, a_reading(AT_TEN, own=(ours(),)))

    assert await willow.write(calendar_accounts.disconnect, "willow", "amara")
    assert not await willow.write(calendar_accounts.disconnect, "willow", "amara")
    assert (await look(willow)).timetables[0].hours


async def test_only_someone_who_works_there_has_a_calendar(willow: Database) -> None:
    with pytest.raises(NoSuchPractitioner, match="must be one of amara, rowan, got 'x'"):
        await willow.write(calendar_accounts.disconnect, "willow", "x")
