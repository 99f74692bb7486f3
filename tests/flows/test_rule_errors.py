"""Errors in the rules themselves: no step of the way leads to something that can be booked."""

from __future__ import annotations

import pytest

from flows import dialogue, eligibility, repairs
from flows.conversation import Stage
from flows.effects import ConfirmSeries, HoldSeries, MoveAppointment, RecordDecision
from flows.events import Action, Answered, Chose, Event, Media, SentMedia, Typed
from tests.flows.chat import CLEAR, Chat, protocol

_BOOKS = (HoldSeries, ConfirmSeries, MoveAppointment, RecordDecision)


def fails(*_: object, **__: object) -> None:
    raise ZeroDivisionError("a rule is broken")


def steps() -> list[tuple[str, dict[str, str]]]:
    """Return every question with the answer, unlike the clear patient's, that leads there."""
    wanted = {
        "acne_ill": {"acne_now": "inflamed"},
        "acne_signs": {"acne_now": "inflamed", "acne_ill": "no"},
        "keloid": {"history": "keloid"},
        "event_on": {"timing": "event"},
    }
    return [*((step, {}) for step in CLEAR), *wanted.items()]


@pytest.mark.parametrize(("step", "given"), steps())
def test_a_verdict_that_cannot_be_reached_books_nothing(
    monkeypatch: pytest.MonkeyPatch, step: str, given: dict[str, str]
) -> None:
    chat = Chat().comes_to(step, **given)
    monkeypatch.setattr(eligibility, "assess", fails)
    before = chat.conversation
    assert before is not None
    for option in protocol().step(step).options:
        try:
            turn = dialogue.advance(before, Answered(step, (option.code,)), chat.scene, chat_id=7)
        except ZeroDivisionError:
            continue
        assert turn.conversation.state not in (Stage.PLAN, Stage.CONSULT)
        assert not any(isinstance(effect, _BOOKS) for effect in turn.effects)


@pytest.mark.parametrize("stage", [Stage.REVIEW, Stage.PLAN])
def test_a_broken_verdict_leaves_no_way_on(monkeypatch: pytest.MonkeyPatch, stage: Stage) -> None:
    chat = Chat().arrives_at(stage)
    monkeypatch.setattr(eligibility, "assess", fails)

    with pytest.raises(ZeroDivisionError):
        chat.does(Chose(Action.CONFIRM if stage is Stage.REVIEW else Action.OTHER_TIMES))


@pytest.mark.parametrize("step", CLEAR)
@pytest.mark.parametrize("event", [Typed("I want to die"), SentMedia(Media.PHOTO, "I want to die")])
def test_words_that_cannot_be_looked_through_are_never_taken_for_an_answer(
    monkeypatch: pytest.MonkeyPatch, step: str, event: Event
) -> None:
    chat = Chat().comes_to(step)
    monkeypatch.setattr(repairs, "raised_flag", fails)

    with pytest.raises(ZeroDivisionError):
        chat.does(event)
