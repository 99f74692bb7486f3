"""The patient's own desk: what is done, what is next, what is ahead, and what can be done."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from bot.markup import plain
from flows.clinics import BookingMode
from flows.conversation import Stage
from flows.events import Action, AnsweredNudge, AskedHelp, NudgeAnswer, Repeated, WentBack
from flows.follow_up import NudgeKind
from tests.bot.screen_checks import labels
from tests.bot.stages import STAGES, checked
from tests.flows.chat import Chat, a_clinic, a_scene
from tests.flows.test_continuing import finds_a_new_time, first_only, missed


def starts(chat: Chat) -> list[datetime]:
    assert chat.conversation is not None
    return [each.slot.starts_at for each in chat.conversation.booking.sessions]


def at(chat: Chat, now: datetime) -> Chat:
    scene = a_scene(a_clinic(map_url="https://maps.example/w"), now=now)
    return replace(chat, scene=scene).does(Repeated())


def text(chat: Chat) -> str:
    return plain(checked(chat).html)


def test_booked_is_said_once_and_then_the_visits_stand_there() -> None:
    chat = STAGES[Stage.BOOKED]()
    assert "You are booked!" in text(chat)

    again = text(chat.does(Repeated()))

    assert "You are booked!" not in again
    assert again.startswith("Your visits")


def test_a_single_visit_needs_no_number() -> None:
    chat = Chat().arrives_at(Stage.CONSULT, scar_type="icepick").chooses(Action.BOOK, "0")

    shown = text(chat.chooses(Action.REACH_HERE))
    asked = text(chat.chooses(Action.CANCEL))

    assert "➤ Next: Tue 24 Nov" in shown
    assert "1. " not in shown + asked


def test_help_beside_visits_names_what_can_be_done_with_them() -> None:
    chat = STAGES[Stage.BOOKED]().does(AskedHelp())

    screen = checked(chat)

    assert chat.notes == ["note.help_booked"]
    assert "Talk to a person" in labels(screen)[0]


def test_a_time_that_nobody_confirmed_is_no_visit_that_was() -> None:
    asked = a_clinic(booking_mode=BookingMode.REQUEST)
    chat = Chat(a_scene(asked)).arrives_at(Stage.PLAN)
    chat = chat.chooses(Action.BOOK_FIRST, "0").chooses(Action.REACH_HERE)
    assert "We have asked Willow Skin Clinic for this time" in text(chat)

    over = replace(chat, scene=a_scene(asked, now=starts(chat)[0] + timedelta(days=1)))
    shown = text(over.does(Repeated()))

    assert shown.startswith("This time was never confirmed")
    assert ("done" in shown, "✓" in shown) == (False, False)


def test_times_looked_at_beside_a_request_do_not_confirm_it() -> None:
    asked = a_clinic(booking_mode=BookingMode.REQUEST)
    chat = Chat(a_scene(asked)).arrives_at(Stage.PLAN)
    chat = chat.chooses(Action.BOOK_FIRST, "0").chooses(Action.REACH_HERE)

    chat.chooses(Action.BOOK_REST).does(WentBack())

    assert "not booked yet" in text(chat)


def test_a_timeline_tells_done_next_and_ahead_apart() -> None:
    chat = STAGES[Stage.BOOKED]()

    shown = text(at(chat, starts(chat)[1] - timedelta(days=3)))

    assert "✓ 1. " in shown
    assert "➤ Next: 2. " in shown
    assert "\n3. " in shown


def test_who_said_that_they_are_coming_sees_it() -> None:
    chat = STAGES[Stage.BOOKED]()
    assert chat.conversation is not None
    uid = chat.conversation.booking.sessions[0].uid
    assert "you said you are coming" not in text(chat)

    chat.does(AnsweredNudge(NudgeKind.REMINDER, NudgeAnswer.COMING, uid))

    assert text(chat).count("you said you are coming") == 1


def test_everything_that_can_be_done_with_visits_is_near() -> None:
    chat = STAGES[Stage.BOOKED]()

    names = labels(checked(at(chat, starts(chat)[0] - timedelta(days=2))))

    assert {
        "Add to calendar",
        "Open the map",
        "How to prepare",
        "After the visit",
        "Move a visit",
        "Cancel",
        "Talk to a person",
    } <= set(names)


def test_when_all_are_past_nothing_is_left_to_move() -> None:
    chat = STAGES[Stage.BOOKED]()

    screen = checked(at(chat, starts(chat)[-1] + timedelta(days=1)))

    assert plain(screen.html).startswith("Your visits are done")
    assert {"Move a visit", "Cancel", "Add to calendar"}.isdisjoint(labels(screen))
    assert {"After the visit", "Talk to a person"} <= set(labels(screen))


def test_what_is_left_of_a_course_can_be_booked() -> None:
    chat = first_only()
    assert "3 more visits have no time yet" in text(chat)

    done = at(chat, starts(chat)[0] + timedelta(days=40))

    assert "You can book what is left" in text(done)
    assert "Book the rest" in labels(checked(done))


def test_a_missed_visit_is_shown_as_one_and_the_rest_can_be_booked() -> None:
    chat = missed(4)

    screen = checked(chat.does(Repeated()))

    assert plain(screen.html).startswith("Your visits\n")
    assert "✓ 3. " in text(chat)
    assert re.search(r"\n4\. .+: missed\nOne more visit has no time yet", text(chat))
    assert "Book the rest" in labels(screen)


def test_a_repair_before_the_rest_is_booked_says_what_comes_next() -> None:
    screen = checked(finds_a_new_time(missed(2)))

    assert "After that you can choose a time for what is left" in plain(screen.html)
    assert "Leave them" in labels(screen)


def test_a_missed_consultation_can_be_booked_anew() -> None:
    chat = missed(1, age="18_21").does(Repeated())
    assert "Find a new time" in labels(checked(chat))

    assert chat.chooses(Action.BOOK_REST).state == Stage.CONSULT
    checked(chat)


def test_a_repair_says_what_would_move_and_from_when() -> None:
    screen = checked(STAGES[Stage.MEND]())

    assert "these would move too" in plain(screen.html) or "this one would" in plain(screen.html)
    assert "→" in screen.html
    assert "Choose another day" in labels(screen)


def test_a_gap_after_a_cancellation_may_stay() -> None:
    chat = STAGES[Stage.CANCEL]().chooses(Action.CANCEL_ONE, "2").chooses(Action.CANCEL_YES)

    screen = checked(chat)

    assert "further apart than is best" in plain(screen.html)
    assert {"Yes, move it", "Leave them"} <= set(labels(screen))


def test_each_visit_can_be_cancelled_by_itself_or_all_of_them() -> None:
    chat = STAGES[Stage.CANCEL]()
    names = labels(checked(chat))
    assert [name[:2] for name in names[:4]] == ["1.", "2.", "3.", "4."]
    assert "Cancel all 4 visits" in names

    every = checked(replace(chat).chooses(Action.CANCEL_YES))
    assert "Cancel all 4 visits?" in every.html
    assert {"Yes, cancel all", "No, keep them"} <= set(labels(every))

    one = checked(chat.chooses(Action.CANCEL_ONE, "2"))

    assert "Cancel this visit?" in one.html
    assert {"Yes, cancel it", "No, keep it"} <= set(labels(one))


def test_a_cancelled_visit_leaves_no_hole_in_what_patients_read() -> None:
    chat = STAGES[Stage.CANCEL]().chooses(Action.CANCEL_ONE, "2").chooses(Action.CANCEL_YES)
    chat = chat.chooses(Action.KEEP)
    listed = text(chat)
    moving = text(chat.chooses(Action.CHANGE).chooses(Action.MOVE, "4"))

    assert ("\n2. " in listed, "\n3. " in listed, "\n4. " in listed) == (True, True, False)
    assert "Visit 3 is now on" in moving
