"""A run whose protocol is no longer known: what is booked stays, what was answered may not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flows import relevance
from flows.conversation import Answer, Conversation, Stage
from flows.effects import CancelSeries
from flows.events import Action, Answered, Event, Repeated, Started, Stopped, Typed
from flows.protocol import Protocol
from tests.flows.chat import Chat, a_clinic, a_scene, protocol
from tests.flows.test_rebooking import booked, starts

GONE = "microneedling/2020-01-01/0"


def conversation(chat: Chat) -> Conversation:
    assert chat.conversation is not None
    return chat.conversation


def gone(chat: Chat, **changes: object) -> Chat:
    """Let the protocol of the run be one that is not known any more."""
    chat.conversation = replace(conversation(chat), protocol=GONE, **changes)  # type: ignore[arg-type]
    return chat


def asking_more() -> Protocol:
    """Return a protocol of today that asks everybody one question more."""
    shipped = protocol()
    last = shipped.steps[-1]
    return replace(
        shipped, version="2030-01-01", steps=(*shipped.steps, replace(last, id="new", ask_if=()))
    )


def on_today(chat: Chat, today: Protocol) -> Chat:
    clinic = a_clinic(protocol=today.key)
    scene = a_scene(clinic, now=chat.scene.now)
    chat.scene = replace(scene, protocols={today.key: today})
    return chat


@pytest.mark.parametrize(
    "event", [Repeated(), Started("willow"), Typed("hello"), Answered("age", ("22_plus",))]
)
def test_booked_visits_stay_whatever_happens_next(event: Event) -> None:
    chat = booked()
    visits, run = starts(chat), conversation(chat).run

    gone(chat).does(event)

    assert (chat.state, starts(chat)) == (Stage.BOOKED, visits)
    assert (conversation(chat).run, conversation(chat).protocol) == (run, protocol().key)


def test_a_course_goes_on_when_todays_protocol_asks_nothing_new() -> None:
    chat = gone(booked().chooses(Action.CANCEL).chooses(Action.CANCEL_ONE, "4"))

    chat.says("cancel").chooses(Action.CANCEL_ONE, "4").chooses(Action.CANCEL_YES)
    chat.chooses(Action.BOOK_REST)

    assert chat.state == Stage.PLAN
    assert conversation(chat).booking.offers


def test_a_question_of_today_that_was_never_asked_is_not_skipped_for_the_rest() -> None:
    chat = on_today(gone(booked()), asking_more())
    visits = starts(chat)

    chat.chooses(Action.BOOK_REST)
    assert (chat.state, starts(chat), chat.notes) == (Stage.BOOKED, visits, ["note.nudge_over"])

    chat.chooses(Action.CANCEL).chooses(Action.CANCEL_YES).chooses(Action.CANCEL_YES)
    assert (chat.state, chat.notes) == ("consent", ["note.cancelled_asked_anew"])
    assert chat.effects[-1] == CancelSeries(chat.effects[-1].series_id)  # type: ignore[union-attr]
    assert not conversation(chat).booking.booked


def test_visits_that_the_clinic_cancelled_are_not_booked_anew_unasked() -> None:
    chat = on_today(gone(booked()), asking_more()).does(Repeated())
    emptied = replace(conversation(chat).booking, sessions=(), series_id="")
    chat.conversation = replace(conversation(chat), state=Stage.PLAN.value, booking=emptied)

    assert chat.chooses(Action.OTHER_TIMES).state == "consent"


def test_held_times_are_no_visits() -> None:
    chat = Chat().arrives_at(Stage.PLAN).chooses(Action.BOOK, "0")

    assert gone(chat).does(Repeated()).state == "consent"


def test_who_stopped_stays_stopped() -> None:
    chat = gone(booked().does(Stopped())).says("hello")

    assert chat.state == Stage.STOPPED
    assert chat.chooses(Action.CONTINUE).state == Stage.BOOKED


@pytest.mark.parametrize("flag", ["self_harm", "a_flag_of_old"])
def test_a_red_flag_stays_one(flag: str) -> None:
    chat = gone(Chat().comes_to("age").says("I want to die"), red_flag=flag).does(Repeated())

    assert chat.state == Stage.URGENT
    assert conversation(chat).red_flag in {each.id for each in protocol().red_flags}


def test_answers_that_a_protocol_does_not_have_do_not_fit() -> None:
    given = {"consent": Answer(("agree",)), "age": Answer(("90",)), "star_sign": Answer(("leo",))}

    assert relevance.fitting(protocol(), given) == {"consent": Answer(("agree",))}
