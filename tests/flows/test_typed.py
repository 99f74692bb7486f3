from datetime import date, timedelta

import pytest

from flows.conversation import Stage
from flows.events import Action
from tests.flows.chat import CLEAR, Chat, a_clinic, a_scene, a_view

#: What a patient types who never presses a button.
WORDS = [
    "i agree",
    "34",
    "my skin is clear",
    "soft waves",
    "easy to see but flat when i stretch",
    "face",
    "none",
    "none of these",
    "softer scars",
    "all fine",
    "within a month",
]


def booking(chat: Chat):
    assert chat.conversation is not None
    return chat.conversation.booking


def test_every_question_can_be_answered_with_the_words_of_its_buttons():
    chat = Chat().starts()
    for step, (code,) in CLEAR.items():
        label = chat.scene.catalogues["en"].text(f"step.{step}.{code}.label", price="£180")
        chat.says(label)

    assert chat.state == Stage.REVIEW


def test_review_takes_yes():
    assert Chat().arrives_at(Stage.REVIEW).says("yes").state == Stage.PLAN


def test_review_takes_the_name_of_an_answer_to_change():
    chat = Chat().arrives_at(Stage.REVIEW)
    short = chat.scene.catalogues["en"].text("step.age.short")

    assert chat.says(f"change {short}").state == "age"
    assert Chat().arrives_at(Stage.REVIEW).says("change zzzzzz").state == Stage.REVIEW


@pytest.mark.parametrize(
    ("words", "stage"),
    [
        ("book all", Stage.CONTACT),
        ("Yes please!", Stage.CONTACT),
        ("only the first", Stage.CONTACT),
        ("other times", Stage.PICK_DAY),
        ("laser or needling", Stage.PLAN),
    ],
)
def test_the_plan_takes_words(words, stage):
    assert Chat().arrives_at(Stage.PLAN).says(words).state == stage


@pytest.mark.parametrize(("words", "stage"), [("book", Stage.CONTACT), ("no", Stage.PICK_DAY)])
def test_a_consultation_takes_words(words, stage):
    chat = Chat(view=a_view(minutes=30)).arrives_at(Stage.CONSULT, age="18_21")

    assert chat.says(words).state == stage


def test_a_typed_day_opens_it():
    chat = Chat().arrives_at(Stage.PLAN).says("Thursday afternoon")

    assert chat.state == Stage.PICK_TIME
    assert booking(chat).day_on == date(2026, 11, 26)
    assert booking(chat).part == "afternoon"


def test_a_typed_day_and_time_gives_a_series_from_there():
    chat = Chat().arrives_at(Stage.PLAN).says("thursday at 10:30")

    assert chat.state == Stage.PLAN
    assert booking(chat).offers[0].slots[0].starts_at.isoformat() == "2026-11-26T10:30:00+00:00"


def test_a_typed_clock_time_on_the_day_shown_is_taken():
    chat = Chat().arrives_at(Stage.PLAN).says("thursday").says("10:30")

    assert chat.state == Stage.PLAN
    assert len(booking(chat).offers) == 1


def test_a_typed_time_that_is_not_free_shows_what_is():
    chat = Chat().arrives_at(Stage.PLAN).says("thursday at 8:15")

    assert chat.state == Stage.PICK_TIME
    assert chat.notes == ["note.not_free_at"]
    assert booking(chat).times


@pytest.mark.parametrize("stage", ["plan", "pick_day"])
def test_a_part_of_the_day_alone_asks_which_day(stage):
    chat = Chat().arrives_at(Stage.PLAN)
    if stage == "pick_day":
        chat.chooses(Action.OTHER_TIMES)
    chat.says("in the morning")

    assert chat.state == Stage.PICK_DAY
    assert "note.which_day" in chat.notes


def test_contact_takes_here_or_a_number():
    here = Chat().arrives_at(Stage.PLAN).says("book all").says("here")
    number = Chat().arrives_at(Stage.PLAN).says("book all").says("+44 20 7946 0001")

    assert here.state == Stage.BOOKED
    assert number.state == Stage.BOOKED


def test_a_number_too_short_to_be_a_phone_is_not_taken():
    chat = Chat().arrives_at(Stage.PLAN).says("book all").says("12-34")

    assert chat.state == Stage.CONTACT


def booked() -> Chat:
    return Chat().arrives_at(Stage.PLAN).says("book all").says("here")


def test_booked_visits_are_changed_and_cancelled_in_words():
    assert booked().says("move my appointment").state == Stage.CHANGE
    assert booked().says("move 2").state == Stage.PICK_DAY
    assert booked().says("move mountains").state == Stage.BOOKED
    assert booked().says("move").says("the 2nd").state == Stage.PICK_DAY
    assert booked().says("move").says("the purple one").state == Stage.CHANGE
    assert booked().says("cancel").says("yes").state == Stage.CANCEL  # which one is not said
    assert booked().says("cancel").says("all of them").says("yes").state == Stage.PLAN
    assert booked().says("cancel").says("2").says("yes").state == Stage.MEND
    assert booked().says("cancel").says("no").state == Stage.BOOKED


def test_a_clinic_is_chosen_by_its_name():
    scene = a_scene(a_clinic(), a_clinic("harbour", name="Harbour Skin"))
    chat = Chat(scene=scene).starts("")

    assert chat.says("xyz").state == Stage.CHOOSE_CLINIC
    assert chat.says("the harbour one").state == "consent"


@pytest.mark.parametrize(
    ("words", "stage"),
    [
        ("i", Stage.CHOOSE_CLINIC),
        ("ill", Stage.CHOOSE_CLINIC),
        ("skin", Stage.CHOOSE_CLINIC),
        ("Bay", "consent"),
        ("harbor", "consent"),
    ],
)
def test_a_clinic_is_never_guessed_from_words_that_could_name_two(words, stage):
    harbour, bay = a_clinic("harbour", name="Harbour Skin"), a_clinic("bay", name="Hill Skin")
    chat = Chat(scene=a_scene(a_clinic(), harbour, bay)).starts("")

    assert chat.says(words).state == stage


def test_days_far_beyond_the_horizon_lead_back_to_the_days():
    chat = Chat().arrives_at(Stage.PLAN)
    far = chat.scene.now.date() + timedelta(days=700)

    assert chat.says(far.strftime("%d %B %Y")).notes == ["note.day_not_possible"]
