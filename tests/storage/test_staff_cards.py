"""Cards of new leads: once a kind for each member, and of two who press, the first wins."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from flows.conversation import Booking, Stage
from flows.effects import HandOffLead, LeadKind, PauseVisit
from storage import (
    lead_work,
    models,
    outbox,
    staff,
    staff_bookings,
    staff_cards,
    turns,
    visit_answers,
)
from storage.database import Database
from storage.lead_work import Whose
from storage.staff import Member
from tests.builders import (
    NOW,
    a_confirmation,
    a_conversation,
    a_decision,
    a_slot,
    a_turn,
    four_weekly,
    sessions,
)
from tests.storage.clerical import ADA, Desk, a_desk

LATER = NOW + timedelta(minutes=11)


@pytest.fixture
async def desk(willow: Database) -> Desk:
    return await a_desk(willow)


async def joins(desk: Desk, chat_id: int, name: str = "Iris") -> Member:
    database = desk.database
    staff_id = await database.write(staff.add, "willow", name, "staff", NOW)
    await database.write(staff.invite, staff_id, f"token-{chat_id}", NOW)
    member = await database.write(staff.join, f"token-{chat_id}", chat_id, NOW)
    assert member is not None
    return member


async def hands_off(desk: Desk, *kinds: LeadKind, first: int = 0) -> None:
    for number, kind in enumerate(kinds, first):
        before = None if number == 0 else number - 1
        conversation = a_conversation()
        effects = (a_decision(), HandOffLead(kind, 80))
        writes = a_turn(*effects, before=before, conversation=conversation)
        assert await desk.database.write(turns.commit, writes) == turns.Committed()


async def keys(desk: Desk, state: str = "pending") -> list[str]:
    return [row.key for row in await desk.messages() if row.state == state]


async def test_each_member_who_wants_cards_gets_one_for_each_kind(desk: Desk) -> None:
    one, two = await joins(desk, 101), await joins(desk, 102, "Noor")
    await desk.database.write(staff.set_cards, two.id, wanted=False)

    await hands_off(desk, LeadKind.REVIEW, LeadKind.REVIEW, LeadKind.PERSON)

    assert await keys(desk) == [f"card:1:review:{one.id}", f"card:1:person:2:{one.id}"]


@pytest.mark.parametrize("alarm", [LeadKind.PERSON, LeadKind.URGENT])
async def test_each_new_alarm_rings_and_a_repeated_update_does_not(
    desk: Desk, alarm: LeadKind
) -> None:
    member = await joins(desk, 101)

    await hands_off(desk, alarm)
    await desk.database.write(
        lambda c: c.execute(update(models.Outbox).values(state="sent")) and None
    )
    await hands_off(desk, alarm, first=1)
    again = a_turn(HandOffLead(alarm), before=0)
    assert await desk.database.write(turns.commit, again) == turns.Duplicate()

    assert await keys(desk, "sent") == [f"card:1:{alarm}:0:{member.id}"]
    assert await keys(desk) == [f"card:1:{alarm}:1:{member.id}"]


async def test_an_alarm_that_was_not_sent_yet_is_not_rung_twice(desk: Desk) -> None:
    member = await joins(desk, 101)

    await hands_off(desk, LeadKind.PERSON, LeadKind.PERSON)

    assert await keys(desk) == [f"card:1:person:1:{member.id}"]
    assert await keys(desk, "cancelled") == [f"card:1:person:0:{member.id}"]


async def test_a_card_says_that_something_changed_before_a_visit(desk: Desk) -> None:
    member = await joins(desk, 101)
    await desk.books(a_slot())
    await desk.database.write(visit_answers.take, ADA, PauseVisit("series-1"), NOW)
    told = a_turn(HandOffLead(LeadKind.PERSON), before=0, conversation=a_conversation())
    await desk.database.write(turns.commit, told)

    facts = await desk.database.read(staff_cards.facts, 1, member.id, NOW)

    assert facts is not None
    assert facts.has_paused


async def test_a_booking_takes_the_place_of_a_card_that_waits(desk: Desk) -> None:
    member = await joins(desk, 101)

    await hands_off(desk, LeadKind.ELIGIBLE, LeadKind.BOOKED)

    assert await keys(desk) == [f"card:1:booked:{member.id}"]
    assert await keys(desk, "cancelled") == [f"card:1:eligible:{member.id}"]


@pytest.mark.parametrize("wish", ["no cards", "left"])
async def test_a_card_is_not_sent_to_who_no_longer_wants_it(desk: Desk, wish: str) -> None:
    member = await joins(desk, 101)
    await hands_off(desk, LeadKind.REVIEW)
    if wish == "left":
        await desk.database.write(staff.leave, member.id, NOW)
    else:
        await desk.database.write(staff.set_cards, member.id, wanted=False)

    lease = timedelta(minutes=1)
    (row,) = await desk.database.write(outbox.claim, 5, LATER, lease, "t")

    assert await desk.database.write(outbox.arm, row.id, "t", LATER, lease) is None
    assert [each.last_error for each in await desk.messages()] == ["MemberGone"]


async def test_of_two_at_once_the_first_wins(desk: Desk) -> None:
    one, two = await joins(desk, 101), await joins(desk, 102, "Noor")
    await hands_off(desk, LeadKind.REVIEW)

    won = await asyncio.gather(
        *(
            desk.database.write(staff_cards.settle, member, 1, "new", "accepted", NOW)
            for member in (one, two)
        )
    )

    facts = await desk.database.read(staff_cards.facts, 1, one.id, NOW)
    assert facts is not None
    assert sorted(won) == [False, True]
    assert (facts.status, facts.by) == ("accepted", (one, two)[won.index(True)].name)


@pytest.mark.parametrize(
    ("before", "wanted", "fits"),
    [
        ("new", "accepted", True),
        ("new", "declined", True),
        ("accepted", "contacted", True),
        ("contacted", "accepted", False),
        ("declined", "accepted", False),
        ("new", "new", False),
    ],
)
async def test_a_status_follows_from_another(
    desk: Desk, before: str, wanted: str, fits: bool
) -> None:
    member = await joins(desk, 101)
    await hands_off(desk, LeadKind.REVIEW)
    await desk.database.write(
        lambda c: c.execute(update(models.Lead).values(status=before)) and None
    )

    done = await desk.database.write(staff_cards.settle, member, 1, before, wanted, NOW)

    assert done is fits


async def has_their_card(desk: Desk, message_id: int) -> None:
    """Let the cards that wait be sent, each as this message."""
    sent = update(models.Outbox).where(models.Outbox.kind == "card")
    values = {"state": "sent", "message_id": message_id}
    await desk.database.write(lambda c: c.execute(sent.values(**values)) and None)


async def redrawn(desk: Desk, state: str = "pending") -> list[str]:
    """Return which cards are drawn anew, without the moment at which that was asked for."""
    parts = [key.split(":") for key in await keys(desk, state) if ":redraw:" in key]
    return [f"{':'.join(start)}:{member}" for *start, _, member in parts]


async def test_a_press_on_a_card_that_shows_another_status_changes_nothing(desk: Desk) -> None:
    one, two = await joins(desk, 101), await joins(desk, 102, "Noor")
    await hands_off(desk, LeadKind.REVIEW)
    await desk.database.write(staff_cards.settle, one, 1, "new", "accepted", NOW)

    for shown in ("new", ""):
        stale = await desk.database.write(staff_cards.settle, two, 1, shown, "declined", NOW)
        assert not stale
    assert await desk.database.write(staff_cards.settle, two, 1, "accepted", "declined", NOW)


async def test_a_card_declines_without_a_reason(desk: Desk) -> None:
    member = await joins(desk, 101)
    await hands_off(desk, LeadKind.REVIEW)

    await desk.database.write(staff_cards.settle, member, 1, "new", "declined", NOW)

    query = select(models.Lead.status, models.Lead.declined_why)
    assert await desk.database.read(lambda c: c.execute(query).one()) == ("declined", None)


async def test_every_card_is_drawn_anew_when_the_status_changes_in_the_console(desk: Desk) -> None:
    one, two = await joins(desk, 101), await joins(desk, 102, "Noor")
    await hands_off(desk, LeadKind.REVIEW)
    assert await redrawn(desk) == []
    await has_their_card(desk, 55)

    whose = Whose(desk.clerk.clinic_id, desk.clerk.staff_id, 1, NOW)
    await desk.database.write(lead_work.set_status, whose, "new", "accepted")

    both = [f"card:1:redraw:55:{member.id}" for member in (one, two)]
    assert await redrawn(desk) == both
    later = replace(whose, now=LATER)
    await desk.database.write(lead_work.set_status, later, "accepted", "contacted")
    assert await redrawn(desk, "cancelled") == both
    assert await redrawn(desk) == both


async def test_cards_are_drawn_anew_when_staff_change_the_visits_that_they_show(desk: Desk) -> None:
    member = await joins(desk, 101)
    slot = a_slot()
    asked = Booking("treatment", series_id="series", sessions=sessions(slot), pending=True)
    conversation = a_conversation(state=Stage.BOOKED.value, booking=asked)
    effects = (a_decision(), a_confirmation(slot, pending=True), HandOffLead(LeadKind.BOOKED, 80))
    await desk.database.write(turns.commit, a_turn(*effects, conversation=conversation))
    await has_their_card(desk, 55)
    of_card = f"card:1:redraw:55:{member.id}"

    await desk.does(staff_bookings.confirm, "series-1")
    assert await redrawn(desk) == [of_card]
    await desk.at(LATER).does(staff_bookings.move, "series-1", a_slot(slot.ends_at))
    assert (await redrawn(desk), await redrawn(desk, "cancelled")) == ([of_card], [of_card])
    await desk.at(LATER + timedelta(minutes=1)).does(staff_bookings.cancel, "series-1")
    assert await redrawn(desk) == [of_card]


async def test_a_visit_is_still_booked_until_its_time_comes(desk: Desk) -> None:
    member, slot = await joins(desk, 101), a_slot()
    effects = (a_decision(), a_confirmation(slot), HandOffLead(LeadKind.BOOKED, 80))
    await desk.database.write(turns.commit, a_turn(*effects))

    seen = [
        await desk.database.read(staff_cards.facts, 1, member.id, now)
        for now in (NOW, slot.starts_at)
    ]

    assert [each and each.next_booked for each in seen] == [slot.starts_at, None]


async def test_another_clinics_people_see_and_change_nothing(desk: Desk) -> None:
    other = await a_desk(desk.database, "harbour")
    await hands_off(desk, LeadKind.REVIEW)
    member = await desk.database.read(staff.member, other.clerk.clinic_id, other.clerk.staff_id)
    assert member is not None

    assert await desk.database.read(staff_cards.facts, 1, member.id, NOW) is None
    assert not await desk.database.write(staff_cards.settle, member, 1, "new", "accepted", NOW)
    query = select(models.Lead.status)
    assert await desk.database.read(lambda c: c.execute(query).scalar()) == "new"


async def test_a_card_confirms_the_visits_that_it_shows_and_no_others(desk: Desk) -> None:
    member = await joins(desk, 101)
    slots = four_weekly(a_slot(), 3)
    asked = Booking("treatment", series_id="series", sessions=sessions(*slots), pending=True)
    conversation = a_conversation(state=Stage.BOOKED.value, booking=asked)
    effects = (a_decision(), a_confirmation(*slots, pending=True), HandOffLead(LeadKind.BOOKED, 80))
    writes = a_turn(*effects, conversation=conversation)
    assert await desk.database.write(turns.commit, writes) == turns.Committed()
    shown = await desk.database.read(staff_cards.facts, 1, member.id, NOW)
    assert shown is not None

    other = await desk.database.write(staff_cards.confirm, member, 1, shown.asked + 1, NOW)
    done = await desk.database.write(staff_cards.confirm, member, 1, shown.asked, NOW)
    again = await desk.database.write(staff_cards.confirm, member, 1, shown.asked, NOW)

    after = await desk.database.read(staff_cards.facts, 1, member.id, NOW)
    assert after is not None
    assert (other, done, again) == (False, True, False)
    assert {state for _, _, state in after.booked} == {"booked"}
    assert (after.status, after.by, after.asked) == ("accepted", member.name, 0)
