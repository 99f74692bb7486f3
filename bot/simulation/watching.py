"""A stand-in that tells what passes through it, so that nobody has to poll."""

from __future__ import annotations

from collections.abc import Callable

from bot.callback_data import unpack
from bot.clock import Clock
from bot.playground.chats import Chat, Message
from bot.playground.standin import StandIn, Tap
from bot.simulation.ledger import Delivered, Ledger
from flows.events import AnsweredNudge


class WatchedStandIn(StandIn):
    """Notes every message that the bot sends, and tells of those that came by themselves."""

    def __init__(self, clock: Clock, ledger: Ledger, over: str) -> None:
        """`over` are the words that say that what a button spoke of is no longer open."""
        super().__init__(clock)
        self._ledger = ledger
        self._over = over
        self.on_nudge: Callable[[int, Message, AnsweredNudge], None] = _nothing
        self.on_tap_answered: Callable[[int], None] = _nobody

    def publish(self, kind: str, chat: Chat, message: Message) -> None:
        """Count the change; nobody follows these chats live, so nobody is told of it."""
        chat.changes += 1
        message.change = message.touched = chat.changes
        if kind != "message" or not message.from_bot:
            return
        chat_id, nudge = chat.patient.chat_id, nudge_in(message)
        name = nudge.kind.value if nudge else ""
        now, says_over = self.clock.now(), self._over in message.text
        self._ledger.delivered.append(Delivered(chat_id, message.message_id, now, name, says_over))
        if nudge is not None:
            self.on_nudge(chat_id, message, nudge)

    def answer_tap(self, query_id: str) -> Tap:
        """Tell that a tap was answered, and forget it."""
        tap = super().answer_tap(query_id)
        del self._taps[query_id]
        self.on_tap_answered(tap.chat_id)
        return tap


def nudge_in(message: Message) -> AnsweredNudge | None:
    """Return the first button of a message that came by itself; None for any other message."""
    for row in message.inline_keyboard:
        for button in row:
            read = unpack(str(button.get("callback_data", "")))
            if read is not None and isinstance(read[1], AnsweredNudge):
                return read[1]
    return None


def _nothing(_chat_id: int, _message: Message, _nudge: AnsweredNudge) -> None:
    """Tell nobody."""


def _nobody(_chat_id: int) -> None:
    """Tell nobody."""
