"""What the answers mean: every reason in words, and a way on from each verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import screens
from bot.markup import plain
from flows.conversation import Answer, Stage
from flows.events import AskedToStartOver, AskedWhy
from flows.protocol import Kind
from tests.bot.screen_checks import faults_of, labels, presses
from tests.bot.stages import SCENE, STAGES, STEPS, at_step, checked
from tests.flows.chat import NOW, Chat, protocol


@pytest.mark.parametrize(("step", "code"), STEPS)
def test_every_option_leads_to_a_verdict_with_words(step: str, code: str) -> None:
    conversation = at_step(step)
    answers = {**conversation.answers, step: Answer((code,))}
    for stage in (Stage.URGENT, Stage.DECLINED, Stage.DEFERRED, Stage.CONSULT, Stage.PLAN):
        judged = replace(conversation, state=stage.value, answers=answers, decided_on=NOW.date())

        assert faults_of(screens.render(judged, (), SCENE), judged) == []


def test_a_minor_is_told_that_they_cannot_book_alone() -> None:
    html = checked(STAGES[Stage.DECLINED]()).html

    assert "this with you alone" in html
    assert "parent or guardian" in html
    assert "Micro-needling is not the right choice" not in html


def test_another_no_keeps_its_title() -> None:
    chat = Chat().arrives_at(Stage.DECLINED, area=("eyelid",))

    assert "Micro-needling is not the right choice" in checked(chat).html


def test_every_reason_at_once_still_fits_into_a_message() -> None:
    history = tuple(o.code for o in protocol().step("history").options if not o.exclusive)
    today = tuple(o.code for o in protocol().step("today").options if not o.exclusive)
    answers = {
        step.id: Answer((max(step.options, key=lambda option: option.severity).code,))
        for step in protocol().steps
        if step.kind is Kind.CHOICE
    }
    answers |= {"history": Answer(history), "today": Answer(today)}
    for stage in (Stage.DECLINED, Stage.DEFERRED, Stage.CONSULT):
        conversation = at_step("timing", state=stage.value, answers=answers)

        assert faults_of(screens.render(conversation, (), SCENE), conversation) == []


def test_two_visits_are_booked_both() -> None:
    chat = Chat().arrives_at(Stage.PLAN)
    assert chat.conversation is not None
    offers = tuple(replace(o, slots=o.slots[:2]) for o in chat.conversation.booking.offers)
    booking = replace(chat.conversation.booking, offers=offers)
    chat.conversation = replace(chat.conversation, booking=booking)

    assert labels(checked(chat))[0].startswith("Book both: ")


def test_the_verdict_leaves_to_the_picture_what_the_picture_shows() -> None:
    html = checked(STAGES[Stage.PLAN]()).html

    assert html.count("• ") == 4
    assert "We suggest" in html
    assert "yearly" not in html
    assert "once a year" not in html


def test_a_verdict_answers_why_with_its_reasons() -> None:
    chat = STAGES[Stage.DEFERRED]().does(AskedWhy())

    assert chat.notes == []
    assert "Why not yet" in checked(chat).html


def test_a_first_visit_that_nobody_can_date_is_no_dead_end() -> None:
    chat = Chat().arrives_at(
        Stage.CONSULT, scar_type="icepick", today=("isotretinoin",), isotretinoin="now"
    )

    said = plain(checked(chat).html)

    assert "We cannot book a first visit yet. We will look again on" in said
    assert "The next step is a first visit" not in said


def test_start_over_is_offered_after_a_no() -> None:
    assert AskedToStartOver() in presses(checked(STAGES[Stage.DECLINED]()))
