"""How the patient sees the result: asked for after the rating, once, and never pressed for."""

from __future__ import annotations

from typing import Any

import pytest

from flows.conversation import Overlay, Stage
from flows.effects import DescribeResult, HandOffLead, KeepPhoto, LeadKind, ReviewSeries
from flows.events import (
    Action,
    AnsweredNudge,
    AskedForPerson,
    AskedHelp,
    Chose,
    Event,
    Media,
    NudgeAnswer,
    SentMedia,
    Started,
    Stopped,
    Typed,
    WentBack,
)
from flows.follow_up import NudgeKind
from tests.flows.chat import Chat, a_clinic, a_scene

WORDS = "The deep ones are softer, the small ones are as before."


def rates(chat: Chat, answer: NudgeAnswer = NudgeAnswer.FOUR, ref: str = "series") -> Chat:
    return chat.does(AnsweredNudge(NudgeKind.SERIES_REVIEW, answer, ref))


def booked() -> Chat:
    return Chat().arrives_at(Stage.PLAN).chooses(Action.BOOK, "0").chooses(Action.REACH_HERE)


def overlay_of(chat: Chat) -> Overlay | None:
    assert chat.conversation is not None
    return chat.conversation.overlay


def described(chat: Chat) -> list[DescribeResult]:
    return [effect for effect in chat.effects if isinstance(effect, DescribeResult)]


def test_a_rating_is_followed_by_a_question_and_the_place_waits_beneath() -> None:
    chat = rates(booked())

    assert (chat.state, overlay_of(chat)) == (Stage.BOOKED, Overlay.RESULT)
    assert chat.effects[-1] == ReviewSeries("series", 4)


def test_what_is_written_is_kept_and_the_place_is_given_back() -> None:
    chat = rates(booked()).says(WORDS)

    assert chat.effects[-1] == DescribeResult("series", WORDS)
    assert (chat.state, overlay_of(chat)) == (Stage.BOOKED, None)
    assert chat.notes == ["note.result_kept"]


def test_words_are_cut_to_one_message() -> None:
    chat = rates(booked()).says("a" * 5000)

    assert described(chat) == [DescribeResult("series", "a" * 4096)]


@pytest.mark.parametrize(
    "leave",
    [Chose(Action.CONTINUE), WentBack(), Typed("no, thank you"), Typed("back"), Typed("skip")],
)
def test_nothing_need_be_said(leave: Event) -> None:
    chat = rates(booked()).does(leave)

    assert (chat.state, overlay_of(chat)) == (Stage.BOOKED, None)
    assert described(chat) == []


@pytest.mark.parametrize("words", ["why", "perfect", "does it hurt?", "new times please", "34"])
def test_words_that_mean_something_elsewhere_are_about_the_result_here(words: str) -> None:
    assert described(rates(booked()).says(words)) == [DescribeResult("series", words)]


def test_red_flag_words_are_heard_before_they_are_kept() -> None:
    chat = rates(booked()).says("I want to end my life")

    assert (chat.state, overlay_of(chat)) == (Stage.URGENT, None)
    assert chat.effects[-1] == HandOffLead(LeadKind.URGENT)
    assert described(chat) == []


def test_another_rating_asks_again_only_while_there_are_no_words() -> None:
    chat = rates(rates(booked()).does(WentBack()), NudgeAnswer.TWO)
    asked = overlay_of(chat)
    chat = rates(chat.says(WORDS), NudgeAnswer.FIVE)

    assert (asked, overlay_of(chat)) == (Overlay.RESULT, None)
    assert chat.effects[-1] == ReviewSeries("series", 5)
    assert described(chat) == [DescribeResult("series", WORDS)]


def test_another_course_is_asked_about_anew() -> None:
    chat = rates(rates(booked()).says(WORDS), ref="later")

    assert described(chat.says("Even better.")) == [
        DescribeResult("series", WORDS),
        DescribeResult("later", "Even better."),
    ]


def test_a_run_that_begins_anew_still_knows_what_was_said() -> None:
    chat = rates(Chat().comes_to("area"), ref="series").says(WORDS)
    chat = chat.does(Started()).chooses(Action.START_OVER).answers()

    assert overlay_of(rates(chat)) is None


def test_a_person_and_help_are_there_as_everywhere() -> None:
    helped = rates(booked()).does(AskedHelp())
    asked = rates(booked()).does(AskedForPerson())

    assert (overlay_of(helped), helped.notes) == (Overlay.RESULT, ["note.help_booked"])
    assert (overlay_of(asked), asked.effects[-1]) == (Overlay.ASK, HandOffLead(LeadKind.PERSON))


def test_buttons_of_the_screen_beneath_wait() -> None:
    chat = rates(booked()).chooses(Action.CANCEL)

    assert (chat.state, overlay_of(chat)) == (Stage.BOOKED, Overlay.RESULT)
    assert chat.notes == ["note.stale"]


@pytest.mark.parametrize("ask", [Chose(Action.PHOTOS), Typed("send a photo")])
def test_photos_are_asked_for_first_and_then_give_the_question_back(ask: Event) -> None:
    chat = rates(booked()).does(ask)
    assert overlay_of(chat) is Overlay.PHOTOS
    chat = chat.chooses(Action.PHOTOS_YES).does(SentMedia(Media.PHOTO, "", "f1"))

    assert chat.effects[-1] == KeepPhoto("f1")
    assert overlay_of(chat.chooses(Action.CONTINUE)) is Overlay.RESULT
    assert described(chat.says(WORDS)) == [DescribeResult("series", WORDS)]


def test_deleting_photos_gives_the_question_back_too() -> None:
    chat = rates(booked()).does(SentMedia(Media.PHOTO, "", "f1")).chooses(Action.PHOTOS_DELETE)

    assert overlay_of(chat) is Overlay.RESULT


def test_photos_asked_for_elsewhere_give_back_the_place_alone() -> None:
    chat = rates(booked()).chooses(Action.PHOTOS).does(AskedForPerson())
    chat = chat.chooses(Action.CONTINUE).chooses(Action.PHOTOS).chooses(Action.CONTINUE)

    assert (chat.state, overlay_of(chat)) == (Stage.BOOKED, None)


def test_a_caption_may_raise_a_flag_here_too() -> None:
    chat = rates(booked()).does(SentMedia(Media.PHOTO, "I cant breathe", "f1"))

    assert chat.state == Stage.URGENT


def chooses_nothing() -> Chat:
    scene = a_scene(a_clinic(), a_clinic("other"))
    return Chat(scene=scene).starts("")


def stops() -> Chat:
    return booked().does(Stopped())


def is_urgent() -> Chat:
    return booked().says("I cant breathe")


def is_a_minor() -> Chat:
    return Chat().arrives_at(Stage.DECLINED, age="under_18")


def refuses() -> Chat:
    return Chat().arrives_at(Stage.NO_CONSENT, consent="decline")


def agreed_to_nothing() -> Chat:
    return Chat().starts()


@pytest.mark.parametrize(
    "arrive", [chooses_nothing, stops, is_urgent, is_a_minor, refuses, agreed_to_nothing]
)
def test_where_nothing_about_health_is_asked_only_the_rating_counts(arrive: Any) -> None:
    chat = rates(arrive())

    assert overlay_of(chat) is None
    assert chat.effects[-1] == ReviewSeries("series", 4)
