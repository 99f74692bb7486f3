"""Words typed after a message that came by itself: they may answer it, and not the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from flows.conversation import Overlay, Stage
from flows.effects import CancelAppointment, KeepPhoto, MessageToClinic
from flows.events import Action, AskedForPerson, AskedToStartOver, Chose, Media, SentMedia, Started
from tests.flows.chat import Chat, a_view
from tests.flows.test_rebooking import booked, moving


def interrupted(chat: Chat) -> Chat:
    """Let a reminder come while the patient is away."""
    chat.scene = replace(chat.scene, is_interrupted=True)
    return chat


def seen_again(chat: Chat) -> Chat:
    chat.scene = replace(chat.scene, is_interrupted=False)
    return chat


def cancelling() -> Chat:
    return booked().chooses(Action.CANCEL).chooses(Action.CANCEL_ONE, "4")


def mending() -> Chat:
    return booked().chooses(Action.CANCEL).chooses(Action.CANCEL_ONE, "2").says("yes")


def consulting() -> Chat:
    return Chat(view=a_view(minutes=30)).arrives_at(Stage.CONSULT, age="18_21")


def holding() -> Chat:
    return Chat().arrives_at(Stage.PLAN).says("book all")


SCREENS: list[tuple[Callable[[], Chat], str]] = [
    (cancelling, "yes"),
    (cancelling, "no"),
    (lambda: booked().chooses(Action.CANCEL), "all of them"),
    (mending, "Yes"),
    (mending, "no"),
    (lambda: Chat().arrives_at(Stage.REVIEW), "ok"),
    (lambda: Chat().arrives_at(Stage.PLAN), "Yes please!"),
    (lambda: Chat().arrives_at(Stage.PLAN), "thursday at 10:30"),
    (consulting, "book"),
    (holding, "yes"),
    (holding, "+44 20 7946 0001"),
    (lambda: moving(4, 1), "10:30"),
    (lambda: Chat().comes_to("keloid", history=("keloid",)), "yes"),
    (lambda: Chat().comes_to("area").does(Started("willow")), "yes"),
    (lambda: Chat().comes_to("area").does(AskedToStartOver()), "yes"),
    (lambda: Chat().arrives_at(Stage.PLAN).chooses(Action.PHOTOS), "yes"),
    (booked, "yes"),
]


@pytest.mark.parametrize(("arriving", "words"), SCREENS)
def test_words_that_may_answer_a_reminder_change_nothing(
    arriving: Callable[[], Chat], words: str
) -> None:
    chat = interrupted(arriving())
    before, effects = chat.conversation, len(chat.effects)
    assert before is not None

    chat.says(words)

    assert chat.notes == ["note.which_message"]
    assert chat.conversation == replace(
        before,
        revision=before.revision + 1,
        last_media="",
        booking=replace(before.booking, just_booked=False),
    )
    assert len(chat.effects) == effects


def test_once_the_screen_was_shown_again_the_word_counts() -> None:
    chat = seen_again(interrupted(cancelling()).says("yes")).says("yes")

    assert isinstance(chat.effects[-1], CancelAppointment)


def test_a_button_counts_whatever_came_after_it() -> None:
    chat = interrupted(cancelling()).does(Chose(Action.CANCEL_YES))

    assert isinstance(chat.effects[-1], CancelAppointment)


@pytest.mark.parametrize(
    ("words", "stage"), [("cancel", Stage.CANCEL), ("move my 2nd visit", Stage.PICK_DAY)]
)
def test_words_at_the_booked_visits_still_open_the_next_screen(words: str, stage: Stage) -> None:
    assert interrupted(booked()).says(words).state == stage


def test_an_answer_that_is_no_bare_yes_or_no_is_taken() -> None:
    assert interrupted(Chat().comes_to("age")).says("34").state == "acne_now"


def test_a_patient_in_touch_with_the_clinic_answers_the_clinic() -> None:
    chat = interrupted(Chat().arrives_at(Stage.PLAN))
    chat.scene = replace(chat.scene, is_talking=True)

    chat.says("yes")

    assert chat.state == Stage.PLAN
    assert chat.effects[-1] == MessageToClinic("yes")


def test_what_is_written_to_the_clinic_reaches_it() -> None:
    chat = interrupted(booked().does(AskedForPerson())).says("yes")

    assert chat.effects[-1] == MessageToClinic("yes")
    assert chat.conversation is not None
    assert chat.conversation.overlay is Overlay.ASK


def test_a_red_flag_is_one_whatever_came_before_it() -> None:
    assert interrupted(cancelling()).says("I want to kill myself").state == Stage.URGENT
    assert interrupted(Chat().starts().says("I want to kill myself")).says("yes").notes == []


@pytest.mark.parametrize("media", [Media.STICKER, Media.PHOTO])
def test_a_second_picture_is_answered_when_something_came_between(media: Media) -> None:
    """Else the chat would look answered, and the next word would count for the old screen."""
    chat = Chat().comes_to("scar_type").does(SentMedia(media)).does(SentMedia(media))
    assert chat.turn is not None
    assert chat.turn.silent

    interrupted(chat).does(SentMedia(media))

    assert not chat.turn.silent
    assert not any(isinstance(effect, KeepPhoto) for effect in chat.effects)
