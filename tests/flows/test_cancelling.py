"""Cancelling one visit of a course, or what is left of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest

from flows import continuing
from flows.conversation import Offer, Stage
from flows.effects import CancelAppointment, CancelSeries, MoveAppointment
from flows.events import Action, SlotWasTaken, Started, Stopped, WentBack
from flows.position import Position
from tests.flows.chat import Chat, a_scene, a_view
from tests.flows.test_rebooking import booked, booking, later, starts


def days(chat: Chat) -> list[date]:
    return [start.date() for start in starts(chat)]


def without(number: int) -> Chat:
    """Return a patient who cancelled one of four sessions."""
    chat = booked().chooses(Action.CANCEL).chooses(Action.CANCEL_ONE, str(number))
    return chat.chooses(Action.CANCEL_YES)


def test_the_last_visit_is_cancelled_and_the_others_stay() -> None:
    before = starts(booked())

    chat = without(4)

    assert (chat.state, chat.notes) == (Stage.BOOKED, ["note.cancelled_this"])
    assert starts(chat) == before[:3]
    assert isinstance(chat.effects[-1], CancelAppointment)
    assert chat.turn is not None
    assert chat.turn.files == ("cancelled",)


def test_nothing_is_cancelled_before_a_yes() -> None:
    chat = booked().chooses(Action.CANCEL).chooses(Action.CANCEL_ONE, "2")

    assert chat.state == Stage.CANCEL
    assert not any(isinstance(effect, CancelAppointment) for effect in chat.effects)


def test_a_gap_torn_in_the_middle_is_offered_to_be_closed_once() -> None:
    chat = without(2)

    assert chat.state == Stage.MEND
    assert [each.number for each in booking(chat).mend] == [3]

    chat.chooses(Action.MEND)

    gaps = [(b - a).days for a, b in pairwise(days(chat))]
    assert (chat.state, len(gaps)) == (Stage.BOOKED, 2)
    assert all(28 <= gap <= 42 for gap in gaps)


def test_a_visit_that_is_gone_leaves_no_hole_in_how_the_others_are_counted() -> None:
    left = booking(without(2).chooses(Action.KEEP))
    foreign = replace(left.sessions[0], uid="another")

    assert [each.number for each in left.sessions] == [1, 3, 4]
    assert [left.place(each) for each in left.sessions] == [1, 2, 3]
    assert left.place(foreign) == 1


def test_the_other_visits_may_also_stay_as_they_are() -> None:
    chat = without(2)
    before = starts(chat)

    assert chat.chooses(Action.KEEP).state == Stage.BOOKED
    assert starts(chat) == before
    assert not any(isinstance(effect, MoveAppointment) for effect in chat.effects)


def test_where_nothing_nearer_is_free_nothing_is_asked() -> None:
    chat = booked()
    chat.view = a_view(busy=((starts(chat)[0], starts(chat)[2] + timedelta(days=90)),))

    chat.chooses(Action.CANCEL).chooses(Action.CANCEL_ONE, "2").chooses(Action.CANCEL_YES)

    assert (chat.state, chat.notes) == (Stage.BOOKED, ["note.cancelled_this"])


def test_a_nearer_time_taken_meanwhile_is_replaced_by_another() -> None:
    chat = without(2)
    gone = booking(chat).mend[0].slot
    view = a_view(busy=((gone.starts_at, gone.ends_at),))

    chat.does(SlotWasTaken(Offer((gone,)), view))

    assert (chat.state, chat.notes) == (Stage.MEND, ["note.slot_taken"])
    assert gone not in [each.slot for each in booking(chat).mend]


def test_the_cancelled_session_can_be_booked_again_after_the_others() -> None:
    chat = without(2).chooses(Action.MEND)
    last = days(chat)[-1]

    chat.chooses(Action.BOOK_REST)

    assert chat.state == Stage.PLAN
    assert all(len(offer.slots) == 1 for offer in booking(chat).offers)
    assert (booking(chat).offers[0].slots[0].starts_at.date() - last).days >= 28

    chat.chooses(Action.BOOK, "0").chooses(Action.REACH_HERE)

    assert len(booking(chat).sessions) == 4


def looking_for_the_rest() -> Chat:
    return without(4).chooses(Action.BOOK_REST)


def test_booked_visits_are_not_forgotten_while_times_are_looked_at() -> None:
    for chat in (looking_for_the_rest(), looking_for_the_rest().chooses(Action.BOOK, "0")):
        visits = booking(chat).done

        assert chat.does(Started("willow")).state == Stage.BOOKED
        assert booking(chat).sessions == visits

    chat = looking_for_the_rest()
    assert chat.does(Stopped()).chooses(Action.CONTINUE).state == Stage.BOOKED


def test_a_red_flag_keeps_the_visits_there_are() -> None:
    chat = looking_for_the_rest()
    visits = booking(chat).done

    assert chat.says("I want to kill myself").state == Stage.URGENT
    assert booking(chat).sessions == visits


def test_after_the_first_visit_the_rest_is_cancelled_and_offered_anew() -> None:
    chat = booked()
    series = booking(chat).series_id
    now = starts(chat)[0] + timedelta(days=1)
    later(chat, now)
    chat.view = a_view(now)

    chat.chooses(Action.CANCEL).chooses(Action.CANCEL_YES).chooses(Action.CANCEL_YES)

    assert any(isinstance(effect, CancelSeries) for effect in chat.effects)
    assert (chat.state, booking(chat).series_id) == (Stage.PLAN, series)
    assert [each.number for each in booking(chat).done] == [1]
    assert {len(offer.slots) for offer in booking(chat).offers} == {3}
    assert chat.does(WentBack()).state == Stage.BOOKED


def test_all_are_cancelled_after_a_second_yes_alone() -> None:
    chat = booked().chooses(Action.CANCEL).chooses(Action.CANCEL_YES)
    assert (chat.state, len(booking(chat).sessions)) == (Stage.CANCEL, 4)

    kept = replace(chat).chooses(Action.KEEP)
    assert (kept.state, len(booking(kept).sessions)) == (Stage.BOOKED, 4)

    assert booking(chat.says("yes")).sessions == ()


def test_the_only_visit_to_come_needs_no_choosing() -> None:
    chat = booked()
    later(chat, starts(chat)[2] + timedelta(days=1))

    chat.chooses(Action.CANCEL).chooses(Action.CANCEL_ONE, "4")

    assert booking(chat).cancelling is None
    assert chat.chooses(Action.CANCEL_ONE, "1").notes == ["note.visit_over"]


def test_a_visit_nearer_than_the_cut_off_is_not_brought_nearer_still() -> None:
    chat = booked().chooses(Action.CANCEL).chooses(Action.CANCEL_ONE, "2")
    chat.scene = a_scene(now=starts(chat)[1] - timedelta(hours=1))

    assert chat.chooses(Action.CANCEL_YES).notes == ["note.too_late"]
    assert booking(chat).cancelling is None


@pytest.mark.parametrize("said", [True, False])
def test_a_visit_that_began_before_the_yes_takes_no_other_visit_with_it(said: bool) -> None:
    chat = booked().chooses(Action.CANCEL).chooses(Action.CANCEL_ONE, "1")
    before = starts(chat)
    later(chat, before[0] + timedelta(minutes=1))

    chat = chat.says("Yes") if said else chat.chooses(Action.CANCEL_YES)

    assert (chat.state, chat.notes) == (Stage.BOOKED, ["note.visit_over"])
    assert starts(chat) == before
    assert booking(chat).cancelling is None
    assert not any(isinstance(e, CancelSeries | CancelAppointment) for e in chat.effects)


def test_what_is_left_of_a_course_is_known() -> None:
    def left(chat: Chat) -> int:
        assert chat.conversation is not None
        return continuing.how_many_left(Position(chat.conversation, chat.scene))

    assert (left(booked()), left(without(4))) == (0, 1)
    chat = without(4)
    assert chat.conversation is not None
    assert continuing.is_left(Position(chat.conversation, chat.scene))


def test_a_gap_that_is_right_again_is_asked_about_no_more() -> None:
    chat = booked()
    assert chat.conversation is not None
    chat.conversation = replace(chat.conversation, state=Stage.MEND.value)

    assert chat.does(SlotWasTaken(Offer(()), chat.view)).state == Stage.BOOKED
