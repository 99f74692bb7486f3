"""What is left of a course, and the look a year later."""

from __future__ import annotations

from datetime import date, timedelta

from flows import clinic_changes
from flows.conversation import Conversation, Stage
from flows.effects import ConfirmSeries, HandOffLead, HoldSeries, LeadKind, RecordDecision
from flows.events import Action, Answered, AnsweredNudge, NudgeAnswer, SlotWasTaken, WentBack
from flows.follow_up import NudgeKind
from flows.plan import Plan, rest
from flows.position import Position
from tests.flows.chat import CLEAR, Chat
from tests.flows.test_answering import answers, booked, later, uids


def known(chat: Chat) -> Conversation:
    assert chat.conversation is not None
    return chat.conversation


def first_only() -> Chat:
    chat = Chat().arrives_at(Stage.PLAN)
    return chat.chooses(Action.BOOK_FIRST, "0").chooses(Action.REACH_HERE)


def waiting_for_the_rest() -> Chat:
    """Return a patient who had one of four sessions and is shown times for the others."""
    chat = later(first_only(), 60)
    series = known(chat).booking.series_id
    return answers(chat, NudgeKind.NEXT_SESSION, NudgeAnswer.GO, series)


def known_plan() -> Plan:
    chat = Chat().arrives_at(Stage.PLAN)
    plan = Position(known(chat), chat.scene).plan()
    assert plan is not None
    return plan


def test_the_rest_of_a_course_is_offered_and_booked_under_the_same_name() -> None:
    chat = waiting_for_the_rest()
    before = known(chat).booking

    chat.chooses(Action.BOOK, "0").chooses(Action.REACH_HERE)

    hold, booking = chat.effects[0], known(chat).booking
    assert isinstance(hold, HoldSeries)
    assert [each.number for each in hold.sessions] == [2, 3, 4]
    assert (booking.series_id, booking.code) == (before.series_id, before.code)
    assert [each.number for each in booking.sessions] == [1, 2, 3, 4]
    assert len(set(uids(chat))) == 4
    assert (chat.state, booking.done) == (Stage.BOOKED, ())


def test_the_next_session_keeps_its_distance_from_the_last_one() -> None:
    chat = later(first_only(), 3)
    (done,) = known(chat).booking.sessions

    answers(chat, NudgeKind.NEXT_SESSION, NudgeAnswer.GO)

    offered = known(chat).booking.offers[0].slots[0].starts_at.date()
    assert (offered - done.slot.starts_at.date()).days >= 28


def test_a_missed_visit_is_made_up_for_at_the_end() -> None:
    chat = later(booked(), 200)
    missed = uids(chat)[1]

    answers(chat, NudgeKind.MISSED, NudgeAnswer.GO, missed)

    booking = known(chat).booking
    assert missed not in [each.uid for each in booking.done]
    assert [len(offer.slots) for offer in booking.offers] == [1] * len(booking.offers)


def test_back_leads_to_the_visits_there_are() -> None:
    chat = waiting_for_the_rest()
    done = known(chat).booking.done

    chat.does(WentBack())

    assert (chat.state, known(chat).booking.sessions) == (Stage.BOOKED, done)


def test_held_times_of_a_course_that_goes_on_can_be_let_go() -> None:
    chat = waiting_for_the_rest()
    series = known(chat).booking.series_id

    chat.chooses(Action.BOOK, "0").does(WentBack())

    assert (chat.state, known(chat).booking.series_id) == (Stage.PLAN, series)
    assert known(chat).booking.done


def test_times_that_somebody_else_took_are_offered_anew() -> None:
    chat = waiting_for_the_rest()
    offer = known(chat).booking.offers[0]

    chat.does(SlotWasTaken(offer, chat.view))

    assert (chat.state, len(known(chat).booking.done)) == (Stage.PLAN, 1)


def test_asking_twice_shows_the_same_times_again() -> None:
    chat = waiting_for_the_rest()

    answers(chat, NudgeKind.NEXT_SESSION, NudgeAnswer.GO)

    assert chat.state == Stage.PLAN


def test_with_nothing_left_there_is_nothing_to_offer() -> None:
    complete = later(booked(), 200)
    nothing = Chat().starts().comes_to("goal")

    for chat in (complete, nothing):
        state = chat.state
        answers(chat, NudgeKind.NEXT_SESSION, NudgeAnswer.GO)
        assert (chat.state, chat.notes) == (state, ["note.nudge_over"])


def test_the_clinic_may_change_a_visit_meanwhile() -> None:
    chat = waiting_for_the_rest()
    booking = known(chat).booking

    changed = clinic_changes.after_change(
        known(chat), booking.series_id, booking.done, pending=False, today=date(2027, 2, 1)
    )

    assert changed is not None
    assert (changed.state, changed.booking.done) == (Stage.PLAN, booking.done)


def test_the_rest_of_a_plan_counts_from_today_when_the_gap_is_long_over() -> None:
    today = date(2027, 6, 1)

    plan = known_plan()

    left = rest(plan, 1, today - timedelta(days=200), today)

    assert left is not None
    assert (left.sessions, left.starts_on, left.proposed_on[0]) == (3, today, today)
    assert rest(plan, 4, today, today) is None


def test_a_year_later_only_what_may_have_changed_is_asked_and_one_visit_booked() -> None:
    chat = answers(later(booked(), 500), NudgeKind.REFRESHER, NudgeAnswer.GO)
    asked = []
    while chat.state in CLEAR:
        asked.append(chat.state)
        chat.does(Answered(chat.state, CLEAR[chat.state]))
    chat.chooses(Action.CONFIRM)

    assert asked == ["acne_now", "today", "history"]
    assert (known(chat).run, known(chat).is_refresher) == (2, True)
    decided = [each for each in chat.effects if isinstance(each, RecordDecision)]
    assert [each.plan.sessions for each in decided if each.plan] == [1]

    chat.chooses(Action.BOOK, "0").chooses(Action.REACH_HERE)

    assert isinstance(chat.effects[-2], ConfirmSeries)
    assert chat.effects[-1] == HandOffLead(LeadKind.BOOKED, chat.effects[-1].score)  # type: ignore[union-attr]
    assert len(known(chat).booking.sessions) == 1


def test_with_visits_to_come_there_is_no_refresher() -> None:
    chat = booked()

    chat.does(AnsweredNudge(NudgeKind.REFRESHER, NudgeAnswer.GO, "x"))

    assert (chat.state, chat.notes) == (Stage.BOOKED, ["note.nudge_over"])
