"""What patients write about their visits, and what comes of it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from flows.conversation import Booking, Stage
from flows.events import Action, AskedForPerson
from tests.flows.chat import Chat
from tests.flows.test_rebooking import booked, booking, later, starts


def day(chat: Chat, number: int) -> date:
    return starts(chat)[number - 1].date()


def test_a_visit_and_a_day_lead_straight_to_its_times() -> None:
    chat = booked()
    on = day(chat, 2) + timedelta(days=1)

    chat.says(f"please move my second visit to {on:%d %B} in the afternoon")

    assert chat.state == Stage.PICK_TIME
    assert (booking(chat).day_on, booking(chat).part) == (on, "afternoon")
    assert booking(chat).moving == booking(chat).sessions[1].uid
    assert booking(chat).times


def test_a_day_and_a_free_time_move_the_visit_at_once() -> None:
    chat = booked()
    on = day(chat, 4) + timedelta(days=1)

    chat.says(f"move my last visit to {on:%d %B} at 3pm")

    assert (chat.state, chat.notes) == (Stage.BOOKED, ["note.moved"])
    assert starts(chat)[3].hour == 15


def test_a_day_whose_gap_is_too_short_is_not_taken() -> None:
    chat = booked()
    on = day(chat, 1) + timedelta(days=5)

    chat.says(f"move my 2nd appointment to {on:%d %B}")

    assert (chat.state, chat.notes) == (Stage.PICK_DAY, ["note.day_not_possible"])


def test_which_of_several_is_asked_and_the_wish_waits() -> None:
    chat = booked()
    on = day(chat, 3) + timedelta(days=2)
    chat.says(f"can i move my appointment to {on:%d %B}?")
    assert chat.state == Stage.CHANGE

    chat.chooses(Action.MOVE, "3")

    assert (chat.state, booking(chat).day_on) == (Stage.PICK_TIME, on)


def test_a_wish_given_up_is_forgotten() -> None:
    chat = booked().says("move my appointment to next friday").chooses(Action.KEEP)

    chat.chooses(Action.CHANGE).chooses(Action.MOVE, "3")

    assert chat.state == Stage.PICK_DAY


def test_a_part_of_the_day_alone_means_the_visits_own_day() -> None:
    chat = booked()

    chat.says("move my next visit to the afternoon")

    assert (chat.state, booking(chat).day_on) == (Stage.PICK_TIME, day(chat, 1))


def test_a_visit_is_named_by_its_day_too() -> None:
    chat = booked()
    third = day(chat, 3)

    chat.says(f"move my appointment on {third:%d %B} to {third + timedelta(days=1):%d %B}")

    assert booking(chat).moving == booking(chat).sessions[2].uid


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("move my next visit", 1),
        ("I would like to reschedule my third session please", 3),
        ("can you change visit two", 2),
        ("move my visit to the second one", 2),
    ],
)
def test_a_visit_alone_leads_to_its_days(words: str, number: int) -> None:
    chat = booked().says(words)

    assert chat.state == Stage.PICK_DAY
    assert booking(chat).moving == booking(chat).sessions[number - 1].uid


@pytest.mark.parametrize(
    ("words", "number"),
    [("cancel my last visit", 4), ("please cancel the 2nd session", 2), ("cancel my next one", 1)],
)
def test_one_visit_is_cancelled_after_a_yes(words: str, number: int) -> None:
    chat = booked().says(words)

    assert (chat.state, booking(chat).cancelling) == (
        Stage.CANCEL,
        booking(chat).sessions[number - 1].uid,
    )


@pytest.mark.parametrize("words", ["cancel", "cancel all my visits", "cancel my appointment"])
def test_which_to_cancel_is_asked(words: str) -> None:
    chat = booked().says(words)

    assert (chat.state, booking(chat).cancelling) == (Stage.CANCEL, None)
    assert chat.says("9").state == Stage.CANCEL


@pytest.mark.parametrize(
    ("words", "note"),
    [
        ("how do I prepare?", "care.before"),
        ("where are you?", "note.where"),
        ("what do i do after", "care.expect"),
        ("when is my next visit?", None),
    ],
)
def test_what_else_is_asked_of_booked_visits_is_answered(words: str, note: str | None) -> None:
    chat = booked().says(words)

    assert chat.state == Stage.BOOKED
    assert chat.notes[:1] == ([note] if note else [])


def test_the_file_for_the_calendar_is_sent_for_words() -> None:
    chat = booked().says("add to calendar")

    assert chat.turn is not None
    assert chat.turn.files == ("calendar",)


@pytest.mark.parametrize(
    "words",
    [
        "move mountains",
        "what happens if i cancel late?",
        "move my sofa to friday",
        "cancel my gym",
        "move my visit of 3 march",
        "move my appointment on 3 march",
        "move the 9th visit",
    ],
)
def test_what_says_something_else_changes_nothing(words: str) -> None:
    chat = booked()
    before = starts(chat)

    chat.says(words)

    assert chat.state in (Stage.BOOKED, Stage.CHANGE)
    assert (starts(chat), booking(chat).moving) == (before, None)


def test_a_repair_is_agreed_on_in_words() -> None:
    def mending() -> Chat:
        return booked().says("cancel 2").says("yes")

    assert mending().says("yes").state == Stage.BOOKED
    assert mending().says("no").state == Stage.BOOKED


def test_beside_a_message_to_the_clinic_nothing_is_moved() -> None:
    chat = booked().does(AskedForPerson()).says("move my last visit")

    assert booking(chat).moving is None


def test_after_the_last_visit_a_wish_is_not_guessed_at() -> None:
    chat = booked()
    later(chat, starts(chat)[-1] + timedelta(days=1))

    assert chat.says("cancel my last visit").state == Stage.BOOKED
    assert booking(chat) != Booking()
