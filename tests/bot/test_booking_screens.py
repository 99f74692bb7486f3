"""The screens after the questions: verdict, plan, times, contact and what is booked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.markup import plain
from flows.clinics import BookingMode
from flows.conversation import Stage
from flows.events import (
    Action,
    AskedForPerson,
    AskedHelp,
)
from flows.looking import bookable_days
from flows.position import Position
from tests.bot.screen_checks import labels, presses
from tests.bot.stages import STAGES, checked, shown
from tests.flows.chat import Chat, a_clinic, a_scene, a_view


def test_the_plan_names_every_date_of_every_offer_in_local_time() -> None:
    chat = Chat().arrives_at(Stage.PLAN)
    assert chat.conversation is not None
    offers = chat.conversation.booking.offers

    text = plain(checked(chat).html)

    assert "London time" in text
    assert "Choice 3, with Ana Reyes" in text
    assert text.count(" 2026, ") + text.count(" 2027, ") == sum(len(o.slots) for o in offers)


def test_a_plan_offers_all_or_the_first_or_other_times_or_a_person() -> None:
    shown_labels = labels(checked(Chat().arrives_at(Stage.PLAN)))

    assert shown_labels[0].startswith("Book all 4: ")
    for words in ("Only the first visit", "Other times", "Laser or needling?"):
        assert words in shown_labels


def test_a_plan_without_free_times_says_so() -> None:
    closed = replace(a_view(), timetables=())

    screen = checked(Chat(view=closed).arrives_at(Stage.PLAN))

    assert "cannot show times" in screen.html
    assert not any(words.startswith("Book") for words in labels(screen))


def test_no_screen_ever_shows_the_score() -> None:
    for stage in (Stage.PLAN, Stage.CONSULT, Stage.DEFERRED, Stage.DECLINED):
        assert "score" not in plain(shown(STAGES[stage]()).html).lower()


def test_a_deferral_names_reasons_and_the_day_to_come_back() -> None:
    text = plain(checked(STAGES[Stage.DEFERRED]()).html)

    assert "Why not yet" in text
    assert "We will write to you here on Monday 7 December 2026" in text
    assert text.count("7 December") == 1  # the reason does not name the same day


def test_the_urgent_screen_names_help_and_sells_nothing() -> None:
    screen = checked(STAGES[Stage.URGENT]())

    assert "999" in screen.html
    assert "116 123" in screen.html
    assert screen.html.startswith("I am so sorry you feel this way.")
    assert {type(press) for press in presses(screen)} == {AskedForPerson, AskedHelp}


def test_without_a_crisis_line_no_sentence_ends_in_nothing() -> None:
    scene = a_scene(a_clinic(crisis_line=""))

    said = plain(checked(Chat(scene).comes_to("area").says("I want to die")).html)

    assert "call 999." in said
    assert "listens" not in said


def test_an_urgent_answer_names_the_numbers_too() -> None:
    screen = checked(Chat().arrives_at(Stage.URGENT, acne_now="nodules", acne_ill="yes"))

    assert "Emergency: <b>999</b>" in screen.html
    assert screen.html.index("<b>999</b>") < screen.html.index("We have told")


def test_days_carry_their_number_of_free_times() -> None:
    screen = checked(STAGES[Stage.PICK_DAY]())

    assert any("free)" in words for words in labels(screen))
    assert "Later ›" in labels(screen)


def test_an_earlier_week_is_offered_only_after_the_first() -> None:
    first = STAGES[Stage.PICK_DAY]()
    assert first.conversation is not None
    week_on = first.conversation.booking.week_on
    assert week_on is not None
    assert "‹ Earlier" not in labels(checked(first))

    later = first.chooses(Action.WEEK, (week_on + timedelta(days=7)).isoformat())

    assert "‹ Earlier" in labels(checked(later))


def test_a_later_week_is_offered_only_while_there_are_days_to_book() -> None:
    chat = STAGES[Stage.PICK_DAY]()
    assert chat.conversation is not None
    last = bookable_days(Position(chat.conversation, chat.scene))[1]
    booking = replace(chat.conversation.booking, week_on=last - timedelta(days=6))

    chat.conversation = replace(chat.conversation, booking=booking)

    assert "Later ›" not in labels(checked(chat))
    assert "‹ Earlier" in labels(checked(chat))


def test_at_most_a_dozen_times_are_shown_at_once() -> None:
    screen = checked(STAGES[Stage.PICK_TIME]())

    times = [press for press in presses(screen) if getattr(press, "action", "") == Action.TIME]
    assert len(times) == 12
    assert "first 12 of" in plain(screen.html)


def test_the_chosen_part_of_the_day_is_marked_in_words() -> None:
    screen = checked(STAGES[Stage.PICK_TIME]().chooses(Action.PART, "morning"))

    assert "✓ Morning" in labels(screen)


def test_contact_says_until_when_the_times_are_kept_and_asks_for_the_number() -> None:
    screen = checked(STAGES[Stage.CONTACT]())

    assert "09:10" in screen.html
    assert screen.contact is not None
    assert screen.contact.label == "Share my number"


def test_booked_says_what_who_where_when_and_the_code() -> None:
    chat = STAGES[Stage.BOOKED]()
    assert chat.conversation is not None
    code = chat.conversation.booking.code

    screen = checked(chat)

    text = plain(screen.html)
    for words in ("Micro-needling", "Ana Reyes", "1 Willow Road", "+44 20 7946 0000", code):
        assert words in text
    assert [b.copy_text for row in screen.rows for b in row if b.copy_text] == [code]


def test_a_request_is_not_called_booked() -> None:
    scene = a_scene(a_clinic(booking_mode=BookingMode.REQUEST))
    chat = Chat(scene).arrives_at(Stage.PLAN).chooses(Action.BOOK, "0")

    text = plain(checked(chat.chooses(Action.REACH_HERE)).html)

    assert "We have asked Willow Skin Clinic for these times" in text
    assert "not booked yet" in text
    assert "You are booked" not in text


def test_links_of_the_clinic_are_buttons_when_they_are_safe() -> None:
    scene = a_scene(a_clinic(map_url="https://maps.example/w", privacy_url="https://w.example/p"))
    chat = Chat(scene).starts()
    assert "How we use your data" in labels(checked(chat))

    booked = Chat(scene).arrives_at(Stage.PLAN).chooses(Action.BOOK, "0")

    assert "Open the map" in labels(checked(booked.chooses(Action.REACH_HERE)))


def test_a_single_consultation_is_booked_moved_and_cancelled_in_the_singular() -> None:
    chat = Chat().arrives_at(Stage.CONSULT, scar_type="icepick")
    assert labels(checked(chat))[0].startswith("Book: ")

    assert "We are keeping this time for you" in checked(chat.chooses(Action.BOOK, "0")).html
    booked = chat.chooses(Action.REACH_HERE)
    assert "Move the time" in labels(checked(booked))
    cancelling = checked(booked.chooses(Action.CANCEL))
    assert "Cancel this visit?" in cancelling.html
    assert "Yes, cancel it" in labels(cancelling)


def test_moving_a_single_visit_names_no_session() -> None:
    chat = Chat().arrives_at(Stage.CONSULT, scar_type="icepick").chooses(Action.BOOK, "0")

    moving = checked(chat.chooses(Action.REACH_HERE).chooses(Action.CHANGE))

    assert "Now it is on" in moving.html
    assert "session" not in moving.html


def test_a_part_of_a_number_is_not_called_nonsense() -> None:
    chat = STAGES[Stage.CONTACT]().says("07700 9")

    assert chat.notes == ["note.phone_unclear"]
    assert chat.says("what a day").notes == ["note.miss_1"]


def test_the_last_step_says_what_the_answer_does() -> None:
    asked = a_scene(a_clinic(booking_mode=BookingMode.REQUEST))
    request = Chat(asked).arrives_at(Stage.PLAN).chooses(Action.BOOK, "0")

    assert "Your answer books them." in checked(STAGES[Stage.CONTACT]()).html
    assert "Your answer sends the request." in checked(request).html


def test_a_first_visit_comes_without_advice_on_needling() -> None:
    chat = Chat().arrives_at(Stage.CONSULT, scar_type="icepick").chooses(Action.BOOK, "0")

    screen = checked(chat.chooses(Action.REACH_HERE))

    assert {"How to prepare", "After the visit"}.isdisjoint(labels(screen))
    assert "There is no treatment on this day" in screen.html
    assert "how to prepare" not in screen.html


def test_beneath_a_picked_time_the_plan_is_not_told_again() -> None:
    screen = checked(STAGES[Stage.PICK_TIME]().chooses(Action.TIME, "0"))

    assert screen.html.startswith("<b>Your visits, beginning at the time you picked</b>")
    assert "With Ana Reyes" in screen.html
    assert len(plain(screen.html)) < 300
    assert labels(screen)[0].startswith("Book all 4: ")


def test_two_offers_whose_buttons_would_read_the_same_are_one() -> None:
    chat = Chat().arrives_at(Stage.PLAN)
    assert chat.conversation is not None
    first, second, third = chat.conversation.booking.offers
    other = replace(first, slots=(*first.slots[:-1], second.slots[-1]))
    booking = replace(chat.conversation.booking, offers=(first, other, third))
    chat.conversation = replace(chat.conversation, booking=booking)

    screen = checked(chat)

    taken = [press.arg for press in presses(screen) if getattr(press, "action", "") == Action.BOOK]
    assert taken == ["0", "2"]
    assert "Choice 2" in screen.html
    assert "Choice 3" not in screen.html


def test_a_cancellation_comes_with_a_file_for_the_patients_own_calendar() -> None:
    chat = STAGES[Stage.CANCEL]().chooses(Action.CANCEL_YES).chooses(Action.CANCEL_YES)

    assert chat.turn.files == ("cancelled",)
    assert "own calendar" not in checked(chat).html  # the file's caption says so
    assert chat.chooses(Action.OTHER_TIMES).turn.files == ()


def test_moving_a_session_says_which_and_when_it_is_now() -> None:
    chat = STAGES[Stage.BOOKED]().chooses(Action.CHANGE).chooses(Action.MOVE, "2")

    assert "Visit 2 is now on" in plain(checked(chat).html)
