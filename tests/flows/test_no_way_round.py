"""Ways round a verdict that `flows.proof` found, each as a patient would go it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flows import relevance
from flows.conversation import Answer, Stage
from flows.effects import CancelSeries, ConfirmSeries, HoldSeries
from flows.events import (
    Action,
    AskedHelp,
    AskedQuestion,
    AskedToStartOver,
    Edited,
    Started,
    Stopped,
    Typed,
)
from flows.protocol import Kind, Option, Outcome, Severity
from tests.flows.builders import a_protocol, a_step
from tests.flows.chat import NOW, Chat, a_clinic, a_scene

#: A clinician decides, and nobody can say from when: no time may be offered.
UNDATED = {"scar_type": "icepick", "today": "isotretinoin", "isotretinoin": "now"}


def test_a_consultation_that_nobody_can_date_is_not_booked_by_typing():
    for words in ("other times", "next friday at 10", "book"):
        chat = Chat().arrives_at(Stage.CONSULT, **UNDATED).says(words)

        assert chat.state == Stage.CONSULT
        assert chat.effects == [each for each in chat.effects if not isinstance(each, HoldSeries)]


def test_times_offered_before_an_edit_cannot_be_booked_after_it():
    chat = Chat().arrives_at(Stage.PLAN)
    chat.does(Edited("scar_type")).answers(scar_type="icepick")
    chat.does(Edited("today")).answers(**UNDATED).chooses(Action.CONFIRM)
    chat.chooses(Action.BOOK, "0")

    assert chat.conversation.booking.offers == ()
    assert not any(isinstance(effect, HoldSeries) for effect in chat.effects)


def test_a_run_that_a_red_flag_ended_is_not_continued_after_a_stop():
    chat = Chat().comes_to("today").says("I cant breathe")

    assert chat.does(Stopped()).chooses(Action.CONTINUE).state == Stage.URGENT


def next_day(chat: Chat) -> Chat:
    chat.scene = a_scene(now=NOW + timedelta(days=1))
    return chat


@pytest.mark.parametrize("event", [Started(), AskedToStartOver(), AskedHelp(), Typed("hello")])
def test_on_the_day_of_a_red_flag_only_help_is_shown(event):
    chat = Chat().arrives_at(Stage.PLAN)
    chat.chooses(Action.BOOK, "0").chooses(Action.REACH_HERE).says("I cant breathe").does(event)

    assert chat.state == Stage.URGENT
    assert chat.notes == []
    assert chat.conversation is not None
    assert chat.conversation.overlay is None


def test_a_red_flag_at_the_first_question_does_not_follow_into_the_next_run():
    chat = next_day(Chat().starts().says("I cant breathe")).does(AskedToStartOver())
    chat.chooses(Action.START_OVER)

    assert chat.answers().chooses(Action.CONFIRM).state == Stage.PLAN


def test_cancelling_after_a_red_flag_offers_no_new_times():
    chat = Chat().arrives_at(Stage.PLAN)
    chat.chooses(Action.BOOK, "2").chooses(Action.REACH_HERE).says("I cant breathe")
    next_day(chat).does(Started()).chooses(Action.CANCEL).says("all").says("yes")

    assert chat.state == Stage.URGENT
    assert isinstance(chat.effects[-1], CancelSeries)
    assert sum(isinstance(effect, ConfirmSeries) for effect in chat.effects) == 1


def test_keep_means_nothing_where_nothing_can_be_kept():
    chat = Chat().arrives_at(Stage.REVIEW).chooses(Action.KEEP)

    assert (chat.state, chat.notes) == (Stage.REVIEW, ["note.stale"])


def test_own_words_count_as_the_rule_that_they_stand_for():
    asked = a_step("other", Option("given", Severity.DECLINED), kind=Kind.TEXT)
    later = a_step("more", Option("x"), unless=frozenset({Outcome.DECLINED}))
    protocol = a_protocol(asked, later)

    assert relevance.next_place(protocol, {"other": Answer(text="words")}) == Stage.DECLINED


@pytest.mark.parametrize("payload", ["", "willow"])
def test_a_made_up_question_is_not_answered(payload):
    chat = Chat(a_scene(a_clinic("willow"), a_clinic("harbour"))).starts(payload)

    assert chat.does(AskedQuestion("nothing")).notes == ["note.stale"]


def test_a_made_up_button_before_a_clinic_is_chosen_changes_nothing():
    chat = Chat(a_scene(a_clinic("willow"), a_clinic("harbour"))).starts("")

    assert chat.does(Edited("consent")).state == Stage.CHOOSE_CLINIC
    assert chat.notes == ["note.stale"]
