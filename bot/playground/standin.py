"""The state of the stand-in: everything that Telegram's servers would know."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from bot.clock import Clock
from bot.playground import limits
from bot.playground.chats import Chat, Chats, Message
from bot.playground.faults import ChatLimit, Faults
from bot.playground.feed import Feed
from bot.playground.refusals import BLOCKED, QUERY_TOO_OLD, Refusal, bad_request
from bot.playground.update_queue import UpdateQueue

Json = dict[str, object]


@dataclass(slots=True)
class Tap:
    """A tap on an inline button, waiting for answerCallbackQuery."""

    chat_id: int
    message_id: int
    until: float  # Unix seconds: when it can no longer be answered
    answers: int = 0


@dataclass(slots=True)
class Profile:
    """What the bot says about itself; `commands` and texts by (scope, language)."""

    name: str = "Resurface"
    texts: dict[tuple[str, str], str] = field(default_factory=dict)  # (kind, language)
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    menu_button: Json = field(default_factory=lambda: {"type": "commands"})

    def commands_for(self, language: str, chat_id: int | None = None) -> list[Json]:
        """Return the commands that a person of this language sees in a private chat."""
        for scope in (f"chat {chat_id}", "all_private_chats", "default"):
            for code in (language, ""):
                if self.commands.get((scope, code)):
                    return self.commands[(scope, code)]
        return []

    def text(self, kind: str, language: str) -> str:
        """Return a description: in this language, else the general one."""
        return self.texts.get((kind, language)) or self.texts.get((kind, ""), "")


class StandIn:
    """One bot's Telegram. Not thread-safe: it lives on one event loop."""

    def __init__(self, clock: Clock, *, limit: ChatLimit | None = None) -> None:
        self.clock = clock
        self.chats = Chats(clock)
        self.queue = UpdateQueue()
        self.feed = Feed()
        self.faults = Faults()
        self.limit = limit or ChatLimit()
        self.profile = Profile()
        self.calls: list[tuple[str, int | None]] = []  # (method, chat id) of every call, in order
        self._taps: dict[str, Tap] = {}

    def close(self) -> None:
        """Let every waiting call return, so that the server can stop."""
        self.queue.close()
        self.feed.close()

    def reachable(self, chat_id: int) -> Chat:
        """Return a chat that the bot may write to; Telegram's 400, 403 and 429 otherwise."""
        chat = self.chats.chat(chat_id)
        if chat.blocked:
            raise Refusal(403, BLOCKED)
        if not chat.started:
            raise Refusal(403, "bot can't initiate conversation with a user")
        self.limit.take(chat_id)
        return chat

    def publish(self, kind: str, chat: Chat, message: Message) -> None:
        """Count a change of the chat and tell the followers."""
        chat.changes += 1
        message.change = message.touched = chat.changes
        self.feed.tell(kind, chat.patient.chat_id, {"message": self.shown(chat, message)})

    def touch(self, chat: Chat, message: Message) -> None:
        """Note an edit that changed nothing; tests wait for it as for any answer."""
        chat.changes += 1
        message.touched = chat.changes
        self.feed.tell("touched", chat.patient.chat_id, {"message_id": message.message_id})

    def shown(self, chat: Chat, message: Message) -> Json:
        """Return a message for the page: Telegram's shape and whose it is."""
        return {
            **message.to_json(chat.patient),
            "from_bot": message.from_bot,
            "change": message.change,
            "touched": message.touched,
        }

    def begin_tap(self, chat: Chat, message: Message) -> str:
        """Register a tap and return its callback query id."""
        query_id = str(secrets.randbits(62))
        until = self.chats.now() + limits.TOAST_FOR
        self._taps[query_id] = Tap(chat.patient.chat_id, message.message_id, until)
        chat.taps += 1
        return query_id

    def answer_tap(self, query_id: str) -> Tap:
        """Return the tap that is being answered; Telegram's 400 when it is too late."""
        tap = self._taps.get(query_id)
        if tap is None or self.chats.now() > tap.until:
            raise bad_request(QUERY_TOO_OLD)
        tap.answers += 1
        return tap

    def unanswered_taps(self, chat_id: int) -> int:
        """Count the taps whose buttons still show that something is being done."""
        waiting = (t for t in self._taps.values() if t.chat_id == chat_id and not t.answers)
        return sum(1 for tap in waiting if self.chats.now() <= tap.until)


def hours_between(earlier: int, later: int) -> float:
    """Return the hours between two Unix times."""
    return timedelta(seconds=later - earlier) / timedelta(hours=1)
