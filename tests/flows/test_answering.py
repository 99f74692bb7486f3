"""What a patient answers to a message that came by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from flows.conversation import Overlay, Stage
from flows.effects import (
    ConfirmVisit,
    HandOffLead,
    LeadKind,
    PauseVisit,
    ReviewSeries,
    StopNudges,
)
from flows.events import Action, AnsweredNudge, NudgeAnswer
from flows.follow_up import NudgeKind
from tests.flows.chat import Chat, a_scene, a_view


def booked() -> Chat:
    return Chat().arrives_at(Stage.PLAN).chooses(Action.BOOK, "0").chooses(Action.REACH_HERE)


def uids(chat: Chat) -> list[str]:
    assert chat.conversation is not None
    return [each.uid for each in chat.conversation.booking.sessions]


def answers(chat: Chat, kind: NudgeKind, answer: NudgeAnswer, ref: str = "") -> Chat:
    return chat.does(AnsweredNudge(kind, answer, ref))


def later(chat: Chat, days: int) -> Chat:
    now = chat.scene.now + timedelta(days=days)
    return replace(chat, scene=a_scene(now=now), view=a_view(now), effects=[])


def test_who_will_come_says_so_once_and_stays_where_they_are() -> None:
    chat = booked()

    answers(chat, NudgeKind.REMINDER, NudgeAnswer.COMING, uids(chat)[0])

    assert chat.effects[-1] == ConfirmVisit(uids(chat)[0])
    assert (chat.state, chat.notes) == (Stage.BOOKED, ["note.nudge_coming"])


def test_something_new_pauses_that_visit_alone_and_tells_the_clinic() -> None:
    chat = booked()

    answers(chat, NudgeKind.REMINDER, NudgeAnswer.NEWS, uids(chat)[0])

    assert chat.effects[-2:] == [PauseVisit(uids(chat)[0]), HandOffLead(LeadKind.PERSON)]
    assert chat.conversation is not None
    assert chat.conversation.overlay is Overlay.ASK  # what they write next reaches the clinic
    assert chat.notes == ["note.nudge_news"]


def test_another_time_is_asked_for_from_anywhere() -> None:
    chat = booked().chooses(Action.CANCEL)

    answers(chat, NudgeKind.REMINDER, NudgeAnswer.MOVE, uids(chat)[1])

    assert chat.conversation is not None
    assert (chat.state, chat.conversation.booking.moving) == (Stage.PICK_DAY, uids(chat)[1])


@pytest.mark.parametrize("answer", [NudgeAnswer.COMING, NudgeAnswer.NEWS, NudgeAnswer.MOVE])
def test_what_is_no_longer_so_is_said(answer: NudgeAnswer) -> None:
    chat = booked()

    answers(chat, NudgeKind.REMINDER, answer, "another-1@resurface")

    assert (chat.state, chat.notes) == (Stage.BOOKED, ["note.nudge_over"])


def test_a_worry_gets_the_signs_to_look_for_and_a_person() -> None:
    chat = answers(booked(), NudgeKind.CHECK_IN_FIRST, NudgeAnswer.WORRY)

    assert chat.notes == ["care.call", "note.person"]
    assert chat.effects[-1] == HandOffLead(LeadKind.PERSON)


def test_a_good_word_is_answered_with_one() -> None:
    assert answers(booked(), NudgeKind.CHECK_IN_FIRST, NudgeAnswer.FINE).notes == [
        "note.nudge_fine"
    ]


@pytest.mark.parametrize(
    ("answer", "rating", "note"),
    [
        (NudgeAnswer.ONE, 1, "note.nudge_sorry"),
        (NudgeAnswer.THREE, 3, "note.nudge_sorry"),
        (NudgeAnswer.FOUR, 4, "note.nudge_glad"),
        (NudgeAnswer.FIVE, 5, "note.nudge_glad"),
    ],
)
def test_a_course_is_rated(answer: NudgeAnswer, rating: int, note: str) -> None:
    chat = answers(booked(), NudgeKind.SERIES_REVIEW, answer, "series")

    assert chat.effects[-1] == ReviewSeries("series", rating)
    assert chat.notes == [note]


def test_messages_of_one_kind_can_be_stopped() -> None:
    chat = answers(booked(), NudgeKind.PREPARE_WEEK, NudgeAnswer.STOP)

    assert chat.effects[-1] == StopNudges(NudgeKind.PREPARE_WEEK)


def test_not_now_after_the_first_reminder_means_no_second_one() -> None:
    chat = answers(Chat().starts().comes_to("goal"), NudgeKind.UNFINISHED_SOON, NudgeAnswer.LATER)

    assert chat.effects[-1] == StopNudges(NudgeKind.UNFINISHED_LATER)
    assert chat.state == "goal"
    assert answers(chat, NudgeKind.RECHECK, NudgeAnswer.LATER).notes == ["note.nudge_later"]


def test_no_to_a_yearly_look_is_remembered_with_the_course_it_followed() -> None:
    chat = answers(booked(), NudgeKind.REFRESHER, NudgeAnswer.LATER, "s1")

    assert chat.notes == ["note.nudge_later"]
    assert chat.conversation is not None
    assert chat.conversation.declined == "s1"
    again = answers(later(chat, 500), NudgeKind.REFRESHER, NudgeAnswer.GO, "s1").conversation
    assert again is not None
    assert (again.run, again.declined) == (2, "s1")


def test_going_on_shows_the_question_that_waits() -> None:
    chat = answers(Chat().starts().comes_to("goal"), NudgeKind.UNFINISHED_SOON, NudgeAnswer.GO)

    assert (chat.state, chat.notes) == ("goal", [])


def test_the_recheck_begins_on_its_day_and_not_before() -> None:
    given = {"acne_ill": "no", "acne_signs": "none", "acne_medicine": "no"}
    chat = Chat().arrives_at(Stage.DEFERRED, acne_now="inflamed", **given)

    early = answers(later(chat, 1), NudgeKind.RECHECK, NudgeAnswer.GO)
    on_time = answers(later(chat, 28), NudgeKind.RECHECK, NudgeAnswer.GO)

    assert early.state == Stage.DEFERRED
    assert (on_time.state, on_time.notes) == ("acne_now", ["note.recheck"])
