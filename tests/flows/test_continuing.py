"""What is left of a course, and the look a year later."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from flows import clinic_changes, continuing
from flows.conversation import Conversation, Stage, treating
from flows.effects import (
    ConfirmSeries,
    HandOffLead,
    HoldSeries,
    LeadKind,
    MoveAppointment,
    RecordDecision,
)
from flows.events import (
    Action,
    Answered,
    AnsweredNudge,
    AskedForPerson,
    Chose,
    NudgeAnswer,
    Repeated,
    SlotWasTaken,
    WentBack,
)
from flows.follow_up import NudgeKind
from flows.plan import Plan, rest
from flows.position import Position
from tests.flows.chat import CLEAR, Chat, a_view
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


def test_my_leads_back_to_the_visits_from_beside_them() -> None:
    moving = first_only().chooses(Action.CHANGE)
    writing = first_only().does(AskedForPerson())
    looking = waiting_for_the_rest()
    for chat in (moving, writing, looking):
        assert (chat.state, known(chat).overlay) != (Stage.BOOKED, None)

        chat.does(Repeated())

        assert (chat.state, known(chat).overlay) == (Stage.BOOKED, None)
        assert len(known(chat).booking.sessions) == 1


def test_my_does_not_leave_times_that_are_held() -> None:
    chat = waiting_for_the_rest().chooses(Action.BOOK, "0")

    assert chat.does(Repeated()).state == Stage.CONTACT


def test_the_next_session_keeps_its_distance_from_the_last_one() -> None:
    chat = later(first_only(), 3)
    (done,) = known(chat).booking.sessions

    answers(chat, NudgeKind.NEXT_SESSION, NudgeAnswer.GO)

    offered = known(chat).booking.offers[0].slots[0].starts_at.date()
    assert (offered - done.slot.starts_at.date()).days >= 28


def missed(number: int, **given: str) -> Chat:
    """Return a patient the day after a visit that the clinic's people have marked as missed."""
    chat = Chat().arrives_at(Stage.CONSULT if given else Stage.PLAN, **given)
    chat.chooses(Action.BOOK, "0").chooses(Action.REACH_HERE)
    booking = known(chat).booking
    gone = booking.sessions[number - 1]
    chat = later(chat, (gone.slot.starts_at - chat.scene.now).days + 1)
    changed = clinic_changes.after_change(
        known(chat),
        booking.series_id,
        tuple(replace(each, is_missed=each is gone) for each in booking.sessions),
        pending=False,
        today=chat.scene.now.date(),
    )
    return replace(chat, conversation=changed)


def finds_a_new_time(chat: Chat) -> Chat:
    gone = next(each.uid for each in known(chat).booking.sessions if each.is_missed)
    return answers(chat, NudgeKind.MISSED, NudgeAnswer.GO, gone)


def left(chat: Chat) -> int:
    return continuing.how_many_left(Position(known(chat), chat.scene))


def gaps(chat: Chat) -> list[int]:
    """Return how many days are between the visits that treat."""
    days = [each.slot.starts_at.date() for each in treating(known(chat).booking.booked)]
    return [(after - before).days for before, after in pairwise(days)]


def test_the_last_visit_that_was_missed_is_made_up_for_and_ends_the_course() -> None:
    chat = missed(4)
    assert left(chat) == 1

    finds_a_new_time(chat)
    assert {len(offer.slots) for offer in known(chat).booking.offers} == {1}
    chat.chooses(Action.BOOK, "0").chooses(Action.REACH_HERE)

    booking = known(chat).booking
    assert [(each.number, each.is_missed) for each in booking.sessions] == [
        (1, False),
        (2, False),
        (3, False),
        (4, True),
        (4, False),
    ]
    assert (left(chat), all(28 <= gap <= 42 for gap in gaps(chat))) == (0, True)


def test_a_gap_that_a_missed_visit_tore_is_closed_before_the_rest_is_booked() -> None:
    chat = missed(2)
    assert gaps(chat) == [56, 28]

    finds_a_new_time(chat)
    assert (chat.state, known(chat).booking.mend[0].number) == (Stage.MEND, 3)
    chat.chooses(Action.MEND)

    moves = [each for each in chat.effects if isinstance(each, MoveAppointment)]
    assert (chat.state, chat.notes, len(moves)) == (Stage.BOOKED, ["note.moved"], 1)
    chat.chooses(Action.BOOK_REST)
    assert chat.state == Stage.PLAN
    chat.chooses(Action.BOOK, "0").chooses(Action.REACH_HERE)
    assert (left(chat), len(gaps(chat))) == (0, 3)
    assert all(28 <= gap <= 42 for gap in gaps(chat))


def test_the_later_visits_may_stay_and_the_rest_is_offered_all_the_same() -> None:
    for way in (WentBack(), Chose(Action.KEEP)):
        chat = finds_a_new_time(missed(2))

        chat.does(way)

        assert (chat.state, gaps(chat)) == (Stage.PLAN, [56, 28])
        assert known(chat).booking.offers
        assert not known(chat).booking.before_rest


def test_a_gap_that_nothing_can_close_is_not_spoken_of() -> None:
    chat = missed(2)
    first = known(chat).booking.sessions[0].slot.starts_at
    chat.view = a_view(chat.scene.now, busy=((first, first + timedelta(days=43)),))

    finds_a_new_time(chat)

    assert (chat.state, chat.notes, gaps(chat)) == (Stage.PLAN, [], [56, 28])


def test_a_gap_is_measured_from_the_last_visit_that_took_place() -> None:
    chat = missed(2).chooses(Action.CHANGE).chooses(Action.MOVE, "3")
    first = known(chat).booking.sessions[0].slot.starts_at.date()

    shown = [on for on, _ in known(chat).booking.days]

    assert shown
    assert all(28 <= (on - first).days <= 42 for on in shown)


def test_a_missed_consultation_gets_a_new_time() -> None:
    chat = missed(1, age="18_21")

    finds_a_new_time(chat)

    assert chat.state == Stage.CONSULT
    chat.chooses(Action.BOOK, "0").chooses(Action.REACH_HERE)
    assert [each.is_missed for each in known(chat).booking.sessions] == [False]
    assert finds_nothing(chat)


def finds_nothing(chat: Chat) -> bool:
    """Say whether an old message about a missed visit leads nowhere any more."""
    return answers(chat, NudgeKind.MISSED, NudgeAnswer.GO, "x").notes == ["note.nudge_over"]


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
    assert (len(known(chat).booking.sessions), left(chat)) == (1, 0)


def test_with_visits_to_come_there_is_no_refresher() -> None:
    chat = booked()

    chat.does(AnsweredNudge(NudgeKind.REFRESHER, NudgeAnswer.GO, "x"))

    assert (chat.state, chat.notes) == (Stage.BOOKED, ["note.nudge_over"])
