"""Replies that Telegram did not take are shown later; nothing of one chat stops another."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.drawings import Drawings
from bot.markup import Screen
from bot.page import Page
from bot.replies import Others, Replies
from bot.sender import Undelivered, Unreachable
from bot.turns import Reply
from flows.conversation import Conversation, Stage
from flows.effects import SavePhone
from flows.turn import Turn
from storage.faults import DatabaseLocked
from tests.flows.chat import a_scene, protocol

SCENE = a_scene()


@dataclass
class Post:
    """A sender that fails as told, and the store behind it."""

    failures: list[Exception] = field(default_factory=list)
    again_failures: list[Exception] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)
    noted: list[tuple[int, int]] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    async def show(self, chat_id: int, screen: Screen) -> int:
        if self.failures:
            raise self.failures.pop(0)
        await asyncio.sleep(0)
        self.shown.append(screen.revision)
        return 70

    async def strip(self, chat_id: int, message_id: int) -> None:
        raise Undelivered("x")

    async def drop_contact(self, chat_id: int, html: str) -> int:
        self.dropped.append(html)
        return 69

    async def note_shown(self, chat_id: int, revision: int, message_id: int) -> None:
        self.noted.append((revision, message_id))

    async def again(self, chat_id: int) -> Reply | None:
        if self.again_failures:
            raise self.again_failures.pop(0)
        return a_reply(9)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        for _ in range(3):  # others go on meanwhile
            await asyncio.sleep(0)

    def replies(self) -> Replies:
        parts: Any = self
        return Replies(parts, Drawings(), self.note_shown, self.again, self.sleep, parts)

    async def prepare(self, chat_id: int) -> str:
        return f"sorry, {chat_id}"

    async def say(self, chat_id: int, words: str) -> None:
        self.said.append(words)


def a_reply(revision: int, message_id: int | None = None, *, silent: bool = False) -> Reply:
    conversation = Conversation(
        7, "age", clinic="willow", protocol=protocol().key, revision=revision
    )
    turn = Turn(conversation, silent=silent)
    return Reply(7, turn, SCENE, message_id=message_id)


async def settled(replies: Replies) -> None:
    for _ in range(200):
        await asyncio.sleep(0)
    await replies.finish(1)


async def test_replies_of_a_chat_go_out_in_order() -> None:
    post = Post()
    replies = post.replies()

    for revision in (1, 2, 3):
        replies.submit(a_reply(revision, message_id=5))
    await replies.finish(1)

    assert post.shown == [1, 2, 3]
    assert post.noted == [(1, 70), (2, 70), (3, 70)]


async def test_of_several_processes_one_shows_what_was_left_unanswered() -> None:
    post, claimed = Post(), asyncio.Lock()

    async def claim(_chat_id: int, revision: int, _lasts: float) -> bool:
        if claimed.locked():
            return False
        await claimed.acquire()
        return revision == 9

    async def again(_chat_id: int) -> Reply | None:
        return None if post.shown else a_reply(9)

    parts: Any = post
    processes = [
        Replies(parts, Drawings(), post.note_shown, again, post.sleep, parts, Others(2.0, claim))
        for _ in range(3)
    ]
    for replies in processes:
        replies.submit(replace(a_reply(9), is_reminder=True))
    for replies in processes:
        await settled(replies)

    assert post.shown == [9]


async def test_a_process_that_died_over_it_is_stood_in_for() -> None:
    post, answers = Post(), [False, True]

    async def claim(*_: object) -> bool:
        return answers.pop(0)

    parts: Any = post
    replies = Replies(
        parts, Drawings(), post.note_shown, post.again, post.sleep, parts, Others(2.0, claim)
    )
    replies.submit(replace(a_reply(9), is_reminder=True))
    await settled(replies)

    assert (post.shown, post.slept) == ([9], [2.0, 20.0])


async def test_a_silent_turn_shows_nothing() -> None:
    post = Post()
    replies = post.replies()

    replies.submit(a_reply(1, silent=True))
    await replies.finish(1)

    assert post.shown == []


async def test_what_could_not_be_delivered_is_shown_when_telegram_is_back() -> None:
    post = Post(failures=[Undelivered("NotSent")])
    replies = post.replies()

    replies.submit(a_reply(1))
    await settled(replies)

    assert post.slept == [30.0]
    assert post.shown == [9]


async def test_a_reply_that_never_arrives_is_given_up_until_a_restart() -> None:
    post = Post(failures=[Undelivered("BadRequest")] * 20, again_failures=[DatabaseLocked("no")])
    replies = post.replies()

    replies.submit(a_reply(1))
    await settled(replies)

    assert len(post.slept) == 6
    assert post.shown == []


@pytest.mark.parametrize(
    ("failure", "action", "said"),
    [
        (Unreachable(), "unreachable", []),
        (DatabaseLocked("x"), "reply_failed", []),
        (KeyError("x"), "reply_failed", ["sorry, 7"]),
    ],
)
async def test_other_failures_are_named_and_not_tried_again(
    failure: Exception, action: str, said: list[str]
) -> None:
    """Whoever gets no screen because it cannot be made reads how to reach a person."""
    post = Post(failures=[failure])
    replies = post.replies()

    with capture_logs() as logs:
        replies.submit(a_reply(1))
        await settled(replies)

    assert [log["action"] for log in logs] == [action]
    assert (post.slept, post.said) == ([], said)


async def test_a_screen_that_cannot_be_made_is_apologised_for_once() -> None:
    post = Post(failures=[KeyError("x")])
    replies = post.replies()

    replies.submit(replace(a_reply(1), is_reminder=True))
    await settled(replies)

    assert (post.shown, post.said) == ([], [])


async def test_a_reply_that_takes_too_long_is_left_for_the_next_start() -> None:
    post = Post()
    replies = post.replies()
    stuck = asyncio.Event()
    post.note_shown = lambda *_: stuck.wait()  # type: ignore[method-assign,assignment,return-value]
    replies = post.replies()

    replies.submit(a_reply(1))
    await replies.finish(0.01)
    await asyncio.sleep(0)

    assert post.noted == []


@pytest.mark.parametrize(
    ("effects", "words"),
    [
        ((SavePhone("+44 7700 900000"),), "Thank you, I have passed on your number."),
        ((), "All right."),
    ],
)
async def test_a_number_that_was_given_is_thanked_for(
    effects: tuple[SavePhone, ...], words: str
) -> None:
    post = Post()
    before = Conversation(7, Stage.CONTACT, clinic="willow", protocol=protocol().key)
    reply = a_reply(1)

    turn = replace(reply.turn, effects=effects)
    replies = post.replies()
    replies.submit(replace(reply, turn=turn, before=before))
    await replies.finish(1)

    assert post.dropped == [words]


async def test_a_picture_that_nobody_draws_is_a_fault_of_ours() -> None:
    conversation = Conversation(7, Stage.PLAN, clinic="willow", protocol=protocol().key)

    for name in ("unknown", "timeline"):
        with pytest.raises(KeyError):
            await Drawings().upload(name, Page(conversation, SCENE))
