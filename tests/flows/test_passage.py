"""What a turn did to the questions is told from the conversation before it and after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from flows.conversation import Conversation, Stage
from flows.events import (
    Action,
    Answered,
    AskedHelp,
    AskedToStartOver,
    Chose,
    Edited,
    Event,
    Started,
    Ticked,
    Typed,
    WentBack,
)
from flows.passage import NOWHERE, Passage, passage
from tests.flows.chat import Chat, protocol


def step(chat: Chat, event: Event) -> Passage:
    """Let an event happen and return what it did."""
    before = chat.conversation
    after: Conversation | None = chat.does(event).conversation
    assert after is not None
    return passage(before, event, after, protocol())


def test_a_run_begins_with_its_first_question() -> None:
    assert step(Chat(), Started("willow")) == Passage(begins=True, reached=("consent",))


def test_an_answer_brings_the_next_question_up() -> None:
    chat = Chat().starts()

    assert step(chat, Answered("consent", ("agree",))) == Passage(
        agrees=True, reached=("consent", "age"), answered=("consent",)
    )


def test_ticks_questions_and_help_are_no_steps() -> None:
    chat = Chat().comes_to("history")

    assert step(chat, Ticked("history", "none")) == NOWHERE
    assert step(chat, AskedHelp()) == NOWHERE


def test_a_step_back_is_told_pressed_or_typed() -> None:
    for event in (WentBack(), Typed("back")):
        assert step(Chat().comes_to("scar_type"), event) == Passage(
            reached=("acne_now",), back_from="scar_type"
        )


def test_a_changed_answer_is_no_step_back() -> None:
    chat = Chat().arrives_at(Stage.REVIEW)

    opened = step(chat, Edited("timing"))
    changed = step(chat, Answered("timing", ("later",)))

    assert (opened.back_from, opened.reached) == ("", ("timing",))
    assert (changed.changed, changed.answered) == (("timing",), ())


def test_the_same_answer_again_changes_nothing() -> None:
    chat = Chat().arrives_at(Stage.REVIEW).does(Edited("timing"))

    assert step(chat, Answered("timing", ("month",))) == Passage(reached=("review",))


def test_the_review_is_answered_by_a_verdict() -> None:
    chat = Chat().arrives_at(Stage.REVIEW)

    assert step(chat, Chose(Action.CONFIRM)).answered == ("review",)


def test_a_refusal_answers_the_consent_without_agreeing() -> None:
    refused = step(Chat().starts(), Answered("consent", ("decline",)))

    assert (refused.answered, refused.agrees) == (("consent",), False)


def test_a_question_that_a_change_takes_away_is_passed_over() -> None:
    chat = Chat().comes_to("history").does(Answered("history", ("keloid",)))
    detail = chat.state
    chat.does(Edited("history"))

    assert detail in step(chat, Answered("history", ("none",))).passed_over


def test_starting_over_begins_a_run_of_its_own() -> None:
    chat = Chat().comes_to("area").does(AskedToStartOver())

    assert step(chat, Chose(Action.START_OVER)) == Passage(begins=True, reached=("consent",))


def test_asking_again_after_a_wait_brings_only_what_stood_in_the_way() -> None:
    chat = Chat().arrives_at(
        Stage.DEFERRED, acne_now="inflamed", acne_ill="no", acne_signs="none", acne_medicine="no"
    )
    chat.scene = replace(chat.scene, now=chat.scene.now + timedelta(days=400))

    again = step(chat, Started("willow"))

    assert (again.begins, again.reached) == (False, ("acne_now",))


def test_nothing_is_told_before_a_clinic_is_chosen() -> None:
    before = Conversation(7, Stage.CHOOSE_CLINIC)

    assert passage(before, Started(), before, None) == NOWHERE
