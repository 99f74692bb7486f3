"""Staff book for a lead as the lead's own chat would: the same verdict, the same calendar."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from flows.conversation import Booking, Conversation, Offer, Overlay, Stage
from flows.effects import HandOffLead, HoldSeries, LeadKind, RecordDecision
from flows.protocol import Outcome
from storage import audit, lead_bookings, lead_channels, models, patients, staff_bookings, turns
from storage.bookings import SlotsGone
from storage.clerks import ChangedMeanwhile
from storage.database import Database
from storage.lead_bookings import ToBook, WhyNot
from storage.lead_channels import NewChannel
from storage.staff_bookings import WalkIn
from tests.builders import (
    MONDAY,
    NOW,
    a_conversation,
    a_decision,
    a_hold,
    a_slot,
    a_turn,
    four_weekly,
    sessions,
)
from tests.flows.calendars import a_plan
from tests.storage.clerical import ADA, Desk, a_desk

TOKEN = "0123456789abcdef0123456789abcdef"
TODAY = NOW.date()
COURSE = Offer(four_weekly(a_slot()))
PLAN = a_plan(starts_on=TODAY, proposed_on=tuple(each.starts_at.date() for each in COURSE.slots))


@pytest.fixture
async def desk(willow: Database) -> Desk:
    return await a_desk(willow)


async def decides(desk: Desk, *more: Any, **changes: Any) -> Conversation:
    """Let Ada come to a verdict and see her plan of four, but for these changes."""
    made: RecordDecision = changes.pop("made", replace(a_decision(), plan=PLAN))
    kind = changes.pop("kind", LeadKind.ELIGIBLE)
    conversation = a_conversation(**{"decided_on": TODAY, **changes})
    turn = a_turn(made, HandOffLead(kind, 80), *more, conversation=conversation)
    assert await desk.database.write(turns.commit, turn) == turns.Committed()
    return await desk.conversation()


async def look(desk: Desk, lead_id: int = 1) -> ToBook | WhyNot | None:
    clerk = desk.clerk
    return await desk.database.read(lead_bookings.look, clerk.clinic_id, lead_id, clerk.now)


async def books(desk: Desk, offer: Offer = COURSE, seen: ToBook | None = None) -> str:
    found = seen or await look(desk)
    assert isinstance(found, ToBook)
    return await desk.database.write(lead_bookings.book, desk.clerk, found, offer, TOKEN)


async def visits(desk: Desk) -> list[tuple[int, str, int | None]]:
    table = models.Appointment
    query = select(table.number, table.state, table.chat_id).order_by(table.starts_at)
    return [tuple(row) for row in await desk.database.read(lambda c: c.execute(query).all())]


async def test_a_course_is_booked_in_the_patient_s_own_chat(desk: Desk) -> None:
    before = await decides(desk)

    uid = await books(desk)

    after = await desk.conversation()
    assert await visits(desk) == [(number, "booked", ADA) for number in (1, 2, 3, 4)]
    assert (after.state, after.revision) == (Stage.BOOKED, before.revision + 1)
    assert [each.slot for each in after.booking.sessions] == list(COURSE.slots)
    assert (after.booking.sessions[0].uid, after.booking.pending) == (uid, False)
    told = [json.loads(row.payload) for row in await desk.messages() if row.kind == "confirmation"]
    assert told == [{"text": "message.booked_all"}]
    query = select(models.Lead.kind, models.Lead.status, models.Lead.score)
    assert await desk.database.read(lambda c: tuple(c.execute(query).one())) == (
        "booked",
        "accepted",
        80,
    )
    lines = await desk.database.read(audit.entries, desk.clerk.clinic_id)
    assert [line.what for line in lines] == ["lead.booked", "lead.accepted"]
    follow_up = select(models.FollowUp.look_at).where(models.FollowUp.chat_id == ADA)
    assert await desk.database.read(lambda c: c.execute(follow_up).scalar()) == NOW
    assert await look(desk) is WhyNot.ALL_BOOKED


async def test_nobody_is_told_any_more_that_a_booked_lead_is_new(desk: Desk) -> None:
    joins = update(models.StaffMember).values(chat_id=500, wants_cards=True)
    await desk.database.write(lambda c: c.execute(joins) and None)
    await decides(desk)

    await books(desk)

    query = select(models.Outbox.state).where(models.Outbox.key.like("card:1:eligible:%"))
    states = await desk.database.read(lambda c: c.execute(query).scalars().all())
    assert set(states) == {"cancelled"}


async def test_the_clinic_s_channels_hear_of_the_series(desk: Desk) -> None:
    hook = NewChannel("webhook", "https://willow.example/hook", "sealed")
    await decides(desk)
    await desk.database.write(lead_channels.add, desk.clerk.clinic_id, hook, NOW)

    await books(desk)

    told = [json.loads(row.payload)["type"] for row in await desk.messages() if row.kind == "lead"]
    assert told == [*["booking.confirmed"] * 4, "series.booked"]


async def test_the_next_visit_goes_on_with_the_course(desk: Desk) -> None:
    await decides(desk)
    await books(desk, Offer(COURSE.slots[:1]))
    later = Desk(desk.database, desk.clerk)
    found = await look(later)
    assert isinstance(found, ToBook)
    assert found.plan is not None
    assert (found.booked, found.plan.sessions) == (1, 3)
    assert found.from_on == MONDAY.date() + timedelta(days=found.plan.spacing.min_days)

    token = TOKEN[::-1]
    offer = Offer(COURSE.slots[1:2])
    await desk.database.write(lead_bookings.book, desk.clerk, found, offer, token)

    booking = (await desk.conversation()).booking
    assert [each.number for each in booking.sessions] == [1, 2]
    assert booking.series_id == TOKEN[:16]
    codes = select(models.Appointment.code).distinct()
    assert len(await desk.database.read(lambda c: c.execute(codes).all())) == 1


async def test_a_consultation_is_one_visit_from_the_day_that_the_verdict_names(desk: Desk) -> None:
    made = a_decision(Outcome.REVIEW)
    on = TODAY + timedelta(days=10)
    made = replace(made, verdict=replace(made.verdict, recheck_on=on))
    await decides(desk, made=made, kind=LeadKind.REVIEW, state=Stage.CONSULT.value)

    found = await look(desk)
    await books(desk, Offer((a_slot(MONDAY + timedelta(days=7), minutes=30),)))

    assert isinstance(found, ToBook)
    assert (found.service, found.plan, found.from_on) == ("consultation", None, on)
    assert (await desk.conversation()).booking.service == "consultation"
    assert await look(desk) is WhyNot.ALL_BOOKED


async def test_what_the_patient_holds_is_given_back(desk: Desk) -> None:
    held = a_slot(MONDAY + timedelta(hours=1))
    booking = Booking(
        "treatment",
        series_id="series",
        sessions=sessions(held, uid="series"),
        hold_until=NOW + timedelta(minutes=10),
    )
    hold: HoldSeries = a_hold(held)
    await decides(desk, hold, state=Stage.CONTACT.value, booking=booking)

    await books(desk)

    assert [state for _, state, _ in await visits(desk)] == ["booked"] * 4
    assert (await desk.conversation()).booking.hold_until is None


async def test_times_held_for_the_rest_of_a_course_are_given_back_and_its_visits_stay(
    desk: Desk,
) -> None:
    await decides(desk)
    await books(desk, Offer(COURSE.slots[:1]))
    before = await desk.conversation()
    held = (replace(before.booking.sessions[0], uid="held-2", slot=COURSE.slots[1], number=2),)
    until = NOW + timedelta(minutes=10)
    booking = replace(before.booking, done=before.booking.sessions, sessions=held, hold_until=until)
    holding = replace(before, state=Stage.CONTACT.value, booking=booking)
    hold = HoldSeries(booking.series_id, "treatment", held, until)
    turn = a_turn(hold, before=before.revision, conversation=holding)
    assert await desk.database.write(turns.commit, turn) == turns.Committed()
    found = await look(desk)
    assert isinstance(found, ToBook)

    offer = Offer(COURSE.slots[1:])
    await desk.database.write(lead_bookings.book, desk.clerk, found, offer, TOKEN[::-1])

    after = (await desk.conversation()).booking
    assert (found.booked, found.held) == (1, booking.series_id)
    assert [each.number for each in after.sessions] == [1, 2, 3, 4]
    assert (after.done, after.hold_until) == ((), None)
    assert [state for _, state, _ in await visits(desk)] == ["booked"] * 4


async def test_a_missed_visit_counts_for_nothing(desk: Desk) -> None:
    await decides(desk)
    uid = await books(desk, Offer(COURSE.slots[:1]))
    await desk.at(MONDAY + timedelta(hours=2)).does(staff_bookings.mark_noshow, uid)

    found = await look(desk)

    assert isinstance(found, ToBook)
    assert found.plan is not None
    assert (found.booked, found.plan.sessions) == (0, 4)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"decided_on": None, "state": "age"}, WhyNot.UNDECIDED),
        ({"decided_on": None, "state": "review"}, WhyNot.UNDECIDED),
        ({"red_flag": "emergency"}, WhyNot.RED_FLAG),
        ({"kind": LeadKind.URGENT}, WhyNot.RED_FLAG),
        ({"state": Stage.URGENT.value}, WhyNot.RED_FLAG),
        ({"state": Stage.NO_CONSENT.value}, WhyNot.NO_CONSENT),
        ({"made": a_decision(Outcome.DEFERRED)}, WhyNot.UNSUITABLE),
        ({"made": a_decision(Outcome.REVIEW, open_ended=True)}, WhyNot.UNSUITABLE),
    ],
)
async def test_without_a_verdict_that_stands_nothing_is_booked(
    desk: Desk, changes: dict[str, Any], why: WhyNot
) -> None:
    await decides(desk, **changes)

    assert await look(desk) is why


async def test_a_lead_without_any_verdict_waits_for_one(desk: Desk) -> None:
    person = HandOffLead(LeadKind.PERSON)
    turn = a_turn(person, conversation=a_conversation(state="age"))
    await desk.database.write(turns.commit, turn)

    assert await look(desk) is WhyNot.UNDECIDED


async def test_nothing_is_booked_for_a_lead_of_an_earlier_run_or_a_declined_one(
    desk: Desk,
) -> None:
    before = await decides(desk)
    declined = update(models.Lead).values(status="declined")
    await desk.database.write(lambda c: c.execute(declined) and None)
    assert await look(desk) is WhyNot.DECLINED

    anew = replace(before.fresh_run("age"), clinic="willow", protocol=before.protocol)
    turn = a_turn(before=before.revision, conversation=anew)
    assert await desk.database.write(turns.commit, turn) == turns.Committed()

    assert await look(desk) is WhyNot.ANEW
    assert await look(desk, 99) is None
    elsewhere = await a_desk(desk.database, "harbour")
    assert await look(elsewhere) is None


async def test_what_changed_since_it_was_seen_is_not_booked(desk: Desk) -> None:
    before = await decides(desk)
    seen = await look(desk)
    assert isinstance(seen, ToBook)
    editing = replace(before, state="age", decided_on=None)
    await desk.database.write(turns.commit, a_turn(before=before.revision, conversation=editing))

    with pytest.raises(ChangedMeanwhile):
        await books(desk, seen=seen)

    assert await visits(desk) == []


async def test_two_colleagues_book_once(desk: Desk) -> None:
    await decides(desk)
    seen = await look(desk)
    assert isinstance(seen, ToBook)
    await books(desk, seen=seen)

    with pytest.raises(ChangedMeanwhile):
        await desk.database.write(lead_bookings.book, desk.clerk, seen, COURSE, TOKEN[::-1])


@pytest.mark.parametrize(
    "slot",
    [
        a_slot(NOW - timedelta(hours=1)),
        a_slot(NOW + timedelta(hours=1)),  # within the clinic's notice
        a_slot(MONDAY.replace(hour=3)),  # at night
        a_slot(NOW + timedelta(days=7 * 60)),  # beyond the horizon
        a_slot(practitioner="nobody"),
    ],
)
async def test_the_clinic_s_own_rules_hold_for_staff_who_book_for_a_lead(
    desk: Desk, slot: Any
) -> None:
    before = await decides(desk)

    with pytest.raises(SlotsGone):
        await books(desk, Offer((slot,)))

    assert await visits(desk) == []
    assert await desk.conversation() == before


async def test_a_time_that_has_just_gone_books_nothing_at_all(desk: Desk) -> None:
    await decides(desk)
    last = COURSE.slots[-1]
    guest = WalkIn("w", "treatment", last, "AB23CD", "Tom")
    await desk.database.write(staff_bookings.walk_in, desk.clerk, guest)

    with pytest.raises(SlotsGone) as gone:
        await books(desk)

    assert gone.value.slots == (last,)
    assert [state for _, state, chat in await visits(desk) if chat == ADA] == []


async def test_whoever_wants_no_messages_is_booked_and_hears_nothing(desk: Desk) -> None:
    await decides(desk, state=Stage.STOPPED.value)
    await desk.database.write(patients.stop_messages, ADA, NOW)
    found = await look(desk)
    assert isinstance(found, ToBook)
    assert not found.hears

    await books(desk)

    after = await desk.conversation()
    assert (after.state, len(after.booking.sessions)) == (Stage.STOPPED, 4)


@pytest.mark.parametrize(
    ("overlay", "kept"),
    [(Overlay.ASK, Overlay.ASK), (Overlay.START_OVER, None), (Overlay.PHOTOS, Overlay.PHOTOS)],
)
async def test_what_is_laid_over_the_screen_stays_unless_visits_end_it(
    desk: Desk, overlay: Overlay, kept: Overlay | None
) -> None:
    await decides(desk, overlay=overlay)

    await books(desk)

    assert (await desk.conversation()).overlay is kept


async def test_a_shown_screen_stays_shown_and_an_unshown_one_waits(desk: Desk) -> None:
    await decides(desk)
    chats = models.Conversation
    shown = update(chats).values(shown_revision=0)
    await desk.database.write(lambda c: c.execute(shown) and None)

    await books(desk)

    query = select(chats.shown_revision, chats.revision)
    assert await desk.database.read(lambda c: tuple(c.execute(query).one())) == (1, 1)
