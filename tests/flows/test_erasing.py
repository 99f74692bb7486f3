"""Everything is deleted at a word and a yes, from anywhere but the day of a red flag."""

from __future__ import annotations

import pytest

from flows.conversation import Overlay, Stage
from flows.effects import ErasePatient
from flows.events import Action, AskedForPerson, Chose, Started, WentBack
from tests.flows.chat import Chat


def overlay_of(chat: Chat) -> Overlay | None:
    assert chat.conversation is not None
    return chat.conversation.overlay


def erases(chat: Chat) -> bool:
    return ErasePatient() in chat.effects


@pytest.mark.parametrize("words", ["delete my data", "Delete everything!", "forget me"])
@pytest.mark.parametrize("place", ["age", "area"])
def test_it_is_asked_once_more_and_the_place_waits(words: str, place: str) -> None:
    chat = Chat().comes_to(place).says(words)

    assert (overlay_of(chat), erases(chat)) == (Overlay.ERASE, False)
    assert (chat.says("no").state, overlay_of(chat)) == (place, None)


@pytest.mark.parametrize("yes", [lambda c: c.says("yes"), lambda c: c.chooses(Action.ERASE_YES)])
def test_after_a_yes_nothing_of_the_chat_is_left(yes: object) -> None:
    chat = Chat().comes_to("area").says("delete my data")
    assert chat.conversation is not None
    before = chat.conversation

    assert callable(yes)
    yes(chat)

    gone = chat.conversation
    assert chat.turn is not None
    assert chat.turn.effects == (ErasePatient(),)
    assert (gone.answers, gone.first_name, gone.state) == ({}, "", "consent")
    assert (gone.overlay, gone.revision) == (Overlay.ERASED, before.revision + 1)


def test_a_yes_that_was_not_asked_for_is_asked_for() -> None:
    chat = Chat().comes_to("area").chooses(Action.ERASE_YES)

    assert (overlay_of(chat), erases(chat)) == (Overlay.ERASE, False)


def test_on_the_day_of_a_red_flag_help_stays_in_view() -> None:
    chat = Chat().starts().says("I cant breathe").says("delete my data")

    assert (chat.state, overlay_of(chat)) == (Stage.URGENT, None)
    assert (chat.notes, erases(chat)) == (["note.erase_later"], False)


def test_who_is_asked_what_to_tell_the_clinic_can_still_delete() -> None:
    chat = Chat().comes_to("area").does(AskedForPerson()).says("delete my data")

    assert overlay_of(chat) is Overlay.ERASE


@pytest.mark.parametrize("way", [Started(), WentBack(), Chose(Action.CONTINUE)])
def test_there_is_a_way_on_afterwards(way: Started | WentBack | Chose) -> None:
    chat = Chat().comes_to("area").says("delete my data").says("yes").does(way)

    assert (overlay_of(chat), erases(chat)) != (Overlay.ERASED, True)
    assert chat.state in (Stage.CHOOSE_CLINIC, "consent")
