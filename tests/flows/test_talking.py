"""Asking a person: what is written next reaches the clinic, and the place is never lost."""

from dataclasses import replace

import pytest

from flows.conversation import Overlay, Stage
from flows.effects import HandOffLead, LeadKind, MessageToClinic
from flows.events import (
    Action,
    Answered,
    AskedForPerson,
    Corrected,
    Event,
    SharedContact,
    Stopped,
    WentBack,
)
from tests.flows.chat import Chat, a_clinic, a_scene

SENT = "Do you have parking?"


def asking(step: str = "area") -> Chat:
    return Chat().comes_to(step).does(AskedForPerson())


def overlay_of(chat: Chat) -> Overlay | None:
    assert chat.conversation is not None
    return chat.conversation.overlay


def test_whoever_asks_for_a_person_is_asked_what_about():
    chat = asking()

    assert (chat.state, overlay_of(chat)) == ("area", Overlay.ASK)
    assert chat.notes == ["note.person"]


def test_what_is_written_next_goes_to_the_clinic_and_so_does_what_follows():
    chat = asking().says(SENT).says("and a lift")

    assert chat.effects[-2:] == [MessageToClinic(SENT), MessageToClinic("and a lift")]
    assert (chat.state, chat.notes) == ("area", ["note.message_sent"])


@pytest.mark.parametrize("back", [Action.CONTINUE, "back", "continue"])
def test_one_tap_or_word_gives_the_place_back(back: str):
    chat = asking().says(SENT)
    chat = chat.chooses(back) if isinstance(back, Action) else chat.says(back)

    assert (chat.state, overlay_of(chat)) == ("area", None)
    assert chat.does(Answered("area", ("face",))).state == "today"


@pytest.mark.parametrize("words", ["why", "next", "yes", "34", "does it hurt?", "new times please"])
def test_words_that_mean_something_elsewhere_are_for_the_clinic_here(words: str):
    chat = asking().says(words)

    assert chat.effects[-1] == MessageToClinic(words)
    assert chat.state == "area"


def test_red_flag_words_are_heard_before_they_are_passed_on():
    chat = asking().says("I want to end my life")

    assert chat.state == Stage.URGENT
    assert not any(isinstance(effect, MessageToClinic) for effect in chat.effects)


def test_a_person_can_be_asked_before_anything_was_agreed_to():
    chat = Chat().starts().does(AskedForPerson()).says(SENT)

    assert chat.state == "consent"
    assert chat.effects == [HandOffLead(LeadKind.PERSON), MessageToClinic(SENT)]


def test_stop_still_means_stop():
    assert asking().says("stop").state == Stage.STOPPED


def test_a_stopped_patient_may_ask_and_stays_stopped():
    chat = Chat().comes_to("area").does(Stopped()).does(AskedForPerson()).says(SENT)

    assert chat.effects[-1] == MessageToClinic(SENT)
    assert chat.chooses(Action.CONTINUE).state == Stage.STOPPED


def test_where_help_is_urgent_nothing_is_asked():
    chat = Chat().comes_to("area").says("I cant breathe").does(AskedForPerson())

    assert (chat.state, overlay_of(chat)) == (Stage.URGENT, None)
    assert chat.effects[-1] == HandOffLead(LeadKind.PERSON)


def test_an_edited_message_is_not_sent_twice():
    chat = asking().says(SENT, 9).does(Corrected("Do you have a lift?", 9))

    assert chat.notes == ["note.message_edited"]
    assert chat.effects[-1] == MessageToClinic(SENT)


@pytest.mark.parametrize("event", [WentBack(), AskedForPerson(), SharedContact("+442079460000")])
def test_nothing_done_meanwhile_loses_the_question(event: Event):
    assert asking().does(event).state == "area"


def test_before_a_clinic_is_chosen_nobody_can_be_asked():
    chat = Chat(scene=a_scene(a_clinic(), a_clinic("harbour"))).starts("").does(AskedForPerson())

    assert (chat.notes, overlay_of(chat)) == (["note.choose_first"], None)


def talking(chat: Chat) -> Chat:
    chat.scene = replace(chat.scene, is_talking=True)
    return chat


def test_while_they_talk_words_that_mean_nothing_go_to_the_clinic():
    chat = talking(Chat().comes_to("area")).says("purple monkey dishwasher")

    assert chat.effects[-1] == MessageToClinic("purple monkey dishwasher")
    assert (chat.state, chat.notes) == ("area", ["note.message_passed_on"])


def test_while_they_talk_words_that_mean_nothing_beside_a_screen_go_to_the_clinic_too():
    chat = talking(Chat().comes_to("area").says("I cant breathe")).says("purple dishwasher")

    assert chat.effects[-1] == MessageToClinic("purple dishwasher")
    assert chat.notes == ["note.message_sent_too"]


def test_while_they_talk_an_answer_is_still_an_answer():
    chat = talking(Chat().comes_to("area")).says("face")

    assert chat.state == "today"
    assert not any(isinstance(effect, MessageToClinic) for effect in chat.effects)


def test_while_they_talk_the_urgent_screen_takes_words_too():
    chat = Chat().comes_to("area").says("I cant breathe")

    assert talking(chat).says("thank you, I am with my doctor").effects[-1] == MessageToClinic(
        "thank you, I am with my doctor"
    )
    assert chat.state == Stage.URGENT


def test_whoever_talks_already_is_not_told_again_that_the_clinic_knows():
    assert talking(Chat().comes_to("area")).does(AskedForPerson()).notes == []


def test_what_is_written_is_in_no_repr():
    assert SENT not in repr(MessageToClinic(SENT))
