"""Chats at every stage and question, and their screens checked against the rules."""

from __future__ import annotations

from dataclasses import replace

from bot import screens
from bot.markup import Screen
from flows.conversation import Answer, Conversation, Stage
from flows.events import (
    Action,
    Stopped,
)
from flows.protocol import Step
from tests.bot.screen_checks import faults_of
from tests.flows.chat import CLEAR, Chat, a_clinic, a_scene, protocol

SCENE = a_scene()

STEPS = [(step.id, option.code) for step in protocol().steps for option in step.options]


def shown(chat: Chat) -> Screen:
    assert chat.conversation is not None
    assert chat.turn is not None
    return screens.render(chat.conversation, chat.turn.notes, chat.scene)


def checked(chat: Chat) -> Screen:
    screen = shown(chat)
    assert chat.conversation is not None
    assert faults_of(screen, chat.conversation) == []
    return screen


def at_step(step: str, **changes: object) -> Conversation:
    """Return a conversation that asks `step`, answered before in the way that leads there."""
    answers = {name: Answer(codes) for name, codes in CLEAR.items() if name != step}
    answers |= {name: Answer((code,)) for name, code in _leading_to(protocol().step(step))}
    conversation = Conversation(
        7, step, clinic="willow", protocol=protocol().key, answers=answers, revision=3
    )
    return replace(conversation, **changes)


def _leading_to(step: Step) -> list[tuple[str, str]]:
    if not step.ask_if:
        return []
    pairs = [(name, min(codes)) for name, codes in step.ask_if[0].items()]
    return [p for name, code in pairs for p in (*_leading_to(protocol().step(name)), (name, code))]


STAGES = {
    Stage.CHOOSE_CLINIC: lambda: Chat(a_scene(a_clinic(), a_clinic("harbour", name="H"))).starts(
        ""
    ),
    Stage.NO_CONSENT: lambda: Chat().starts().answers(consent="decline"),
    Stage.REVIEW: lambda: Chat().arrives_at(Stage.REVIEW),
    Stage.URGENT: lambda: Chat().comes_to("area").says("I want to kill myself"),
    Stage.DECLINED: lambda: Chat().arrives_at(Stage.DECLINED, age="under_18"),
    Stage.DEFERRED: lambda: Chat().arrives_at(
        Stage.DEFERRED, today=("sun",), sun="burn", acne_now="few"
    ),
    Stage.CONSULT: lambda: Chat().arrives_at(Stage.CONSULT, scar_type="icepick"),
    Stage.PLAN: lambda: Chat().arrives_at(Stage.PLAN),
    Stage.PICK_DAY: lambda: Chat().arrives_at(Stage.PLAN).chooses(Action.OTHER_TIMES),
    Stage.PICK_TIME: lambda: STAGES[Stage.PICK_DAY]().chooses(Action.DAY, "2026-11-25"),
    Stage.CONTACT: lambda: Chat().arrives_at(Stage.PLAN).chooses(Action.BOOK, "0"),
    Stage.BOOKED: lambda: STAGES[Stage.CONTACT]().chooses(Action.REACH_HERE),
    Stage.CHANGE: lambda: STAGES[Stage.BOOKED]().chooses(Action.CHANGE),
    Stage.MEND: lambda: (
        STAGES[Stage.CHANGE]()
        .chooses(Action.MOVE, "2")
        .chooses(Action.WEEK, "2027-01-04")
        .chooses(Action.DAY, "2027-01-05")
        .chooses(Action.TIME, "0")
    ),
    Stage.CANCEL: lambda: STAGES[Stage.BOOKED]().chooses(Action.CANCEL),
    Stage.STOPPED: lambda: STAGES[Stage.BOOKED]().does(Stopped()),
}
