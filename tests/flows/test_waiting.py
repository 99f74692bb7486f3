"""Waiting for something earlier: who asks, and what becomes of an offer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from flows import clinic_changes
from flows.conversation import BookedSession, Offer, Stage
from flows.effects import (
    DeclineOffer,
    JoinWaitlist,
    LeaveWaitlist,
    MoveAppointment,
    ReleaseHold,
)
from flows.events import Action, AnsweredNudge, NudgeAnswer, SlotWasTaken
from flows.follow_up import History, NudgeKind, Visit, VisitState
from flows.waiting import Offered, fits, read, treating_sessions
from tests.builders import MONDAY, a_slot
from tests.flows.chat import Chat, protocol
from tests.flows.test_cancelling import looking_for_the_rest
from tests.flows.test_rebooking import booked, booking, later, starts

DAY = timedelta(days=1)


def visit(chat: Chat, number: int) -> BookedSession:
    return booking(chat).sessions[number - 1]


def offered(chat: Chat, number: int, sooner: timedelta) -> Offered:
    start = visit(chat, number).slot.starts_at - sooner
    return Offered(number, start, chat.scene.now + timedelta(hours=2))


def answers(chat: Chat, answer: NudgeAnswer, ref: str) -> Chat:
    return chat.does(AnsweredNudge(NudgeKind.WAITLIST_OFFER, answer, ref))


def test_waiting_begins_and_ends_with_the_next_visit() -> None:
    chat = booked().chooses(Action.WAIT)
    assert chat.effects[-1] == JoinWaitlist(visit(chat, 1).uid)
    assert (booking(chat).waiting, chat.notes) == (visit(chat, 1).uid, ["note.waiting"])

    chat.chooses(Action.WAIT_NO_MORE)

    assert chat.effects[-1] == LeaveWaitlist(visit(chat, 1).uid)
    assert booking(chat).waiting is None
    assert chat.chooses(Action.WAIT_NO_MORE).effects[-1] == LeaveWaitlist(visit(chat, 1).uid)


def test_after_the_last_visit_there_is_nothing_to_wait_for() -> None:
    chat = booked()
    later(chat, starts(chat)[-1] + DAY)

    assert chat.chooses(Action.WAIT).notes == ["note.nothing_to_move"]


def test_a_reference_names_its_offer_in_few_letters() -> None:
    offer = offered(booked(), 2, DAY)

    assert read(offer.ref) == offer
    assert len(offer.ref) < 25
    assert read("another-1@resurface:0") is None


def earlier(chat: Chat) -> Offered:
    """Return an offer for the fourth session that keeps the gap to the third."""
    chat.chooses(Action.CHANGE).chooses(Action.MOVE, "4")
    on = starts(chat)[3].date() + 7 * DAY
    chat.chooses(Action.WEEK, on.isoformat()).chooses(Action.DAY, on.isoformat())
    chat.chooses(Action.TIME, "0").effects.clear()
    return offered(chat, 4, 7 * DAY)


def test_a_yes_moves_the_visit_in_the_same_turn() -> None:
    chat = booked()
    offer = earlier(chat)

    answers(chat, NudgeAnswer.GO, offer.ref)

    (move,) = chat.effects
    assert isinstance(move, MoveAppointment)
    assert (move.uid, move.slot.starts_at) == (visit(chat, 4).uid, offer.starts_at)
    assert move.is_offered
    assert (chat.state, chat.notes) == (Stage.BOOKED, ["note.moved"])
    assert visit(chat, 4).slot == move.slot


def refused(chat: Chat, ref: str) -> bool:
    answers(chat, NudgeAnswer.GO, ref)
    return chat.notes == ["note.offer_over"] and not chat.effects


def test_an_offer_that_no_longer_stands_moves_nothing() -> None:
    chat = booked()
    good = earlier(chat)

    assert refused(chat, offered(chat, 4, -DAY).ref)
    assert refused(chat, "w:9:1:1")
    assert refused(chat, "nonsense")
    later(chat, good.until_at + timedelta(minutes=1))
    assert refused(chat, good.ref)


def test_after_a_red_flag_nothing_is_moved() -> None:
    chat = booked()
    offer = earlier(chat)
    chat.says("I want to kill myself").effects.clear()

    assert refused(chat, offer.ref)


@pytest.mark.parametrize(("days", "keeps"), [(27, False), (28, True), (42, True), (43, False)])
def test_a_time_fits_when_it_keeps_the_gaps_to_both_sides(days: int, *, keeps: bool) -> None:
    spacing = protocol().spacing
    slot, other = a_slot(MONDAY), a_slot(MONDAY + days * DAY)

    assert fits(spacing, "Europe/London", slot, other, None) is keeps
    assert fits(spacing, "Europe/London", None, slot, other) is keeps


def test_gaps_count_from_sessions_that_were_or_will_be_and_from_requests() -> None:
    visits = tuple(
        Visit(f"{n}", "s", n, MONDAY - n * DAY, MONDAY - n * DAY + DAY / 24, state)
        for n, state in enumerate(VisitState)
    )
    history = History("Europe/London", visits=(*visits, replace(visits[2], series_id="other")))

    found = [visit.state for visit in treating_sessions(history, "s")]

    assert found == ["fulfilled", "arrived", "booked", "pending"]


def test_an_offer_that_went_leaves_the_screen_as_it_is() -> None:
    chat = looking_for_the_rest().chooses(Action.BOOK, "0")
    before = chat.conversation
    assert before is not None

    chat.does(SlotWasTaken(Offer((a_slot(MONDAY),)), chat.view, was_offered=True))

    assert (chat.state, booking(chat)) == (Stage.CONTACT, before.booking)
    assert chat.notes == ["note.offer_gone"]


def test_who_was_slower_hears_it_and_keeps_the_visit() -> None:
    chat = booked()
    before = starts(chat)

    chat.does(SlotWasTaken(Offer((visit(chat, 1).slot,)), chat.view))

    assert (chat.state, chat.notes, starts(chat)) == (Stage.BOOKED, ["note.offer_gone"], before)


def test_a_no_keeps_the_visit_and_frees_the_offer() -> None:
    chat = booked()

    answers(chat, NudgeAnswer.LATER, offered(chat, 2, DAY).ref)

    assert chat.effects[-1] == DeclineOffer(visit(chat, 2).uid)
    assert chat.notes == ["note.offer_declined"]
    assert answers(chat, NudgeAnswer.LATER, "nonsense").notes == ["note.offer_declined"]


def test_a_hold_beside_the_visits_is_given_back() -> None:
    chat = looking_for_the_rest()
    third = booking(chat).done[2]
    chat.chooses(Action.BOOK, "0").effects.clear()
    ref = Offered(3, third.slot.starts_at - timedelta(hours=-0.5), later_by(chat)).ref
    assert refused(chat, ref)

    shifted = third.slot.starts_at + timedelta(hours=1)
    offer = Offered(3, third.slot.starts_at - timedelta(minutes=30), later_by(chat))
    answers(chat, NudgeAnswer.GO, offer.ref)

    assert shifted > offer.starts_at
    assert isinstance(chat.effects[0], ReleaseHold)
    assert isinstance(chat.effects[1], MoveAppointment)


def later_by(chat: Chat) -> datetime:
    return chat.scene.now + timedelta(hours=2)


def test_waiting_ends_when_that_visit_is_moved_or_cancelled() -> None:
    moved = booked().chooses(Action.WAIT)
    first = starts(moved)[0].date()
    moved.chooses(Action.CHANGE).chooses(Action.MOVE, "1")
    moved.chooses(Action.DAY, first.isoformat()).chooses(Action.TIME, "3")
    assert booking(moved).waiting is None

    gone = booked().chooses(Action.WAIT).chooses(Action.CANCEL).chooses(Action.CANCEL_ONE, "1")
    assert booking(gone.chooses(Action.CANCEL_YES)).waiting is None


def test_the_clinic_ends_the_waiting_only_for_the_visit_it_moves() -> None:
    chat = booked().chooses(Action.WAIT)
    assert chat.conversation is not None
    held = booking(chat)
    today = chat.scene.now.date()

    same = clinic_changes.after_change(
        chat.conversation, held.series_id, held.sessions, pending=False, today=today
    )
    fewer = clinic_changes.after_change(
        chat.conversation, held.series_id, held.sessions[1:], pending=False, today=today
    )

    assert same is not None
    assert fewer is not None
    assert (same.booking.waiting, fewer.booking.waiting) == (held.sessions[0].uid, None)
