"""A crowd that waits for each next question, and notes how long it took to come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.playground.chats import Chat
from bot.playground.feed import Happening
from tests.faults.crowd import Crowd

_PATIENCE = 30.0  # seconds after which a patient types on without an answer


@dataclass
class TimedCrowd(Crowd):
    """Patients who are woken by what they see: a hundred who look all the time cost too much."""

    times: list[float] = field(default_factory=list)  # from sending to seeing, in seconds
    unanswered: int = 0
    _waiting: dict[int, asyncio.Future[None]] = field(default_factory=dict)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look at what the bot writes until the block ends."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def answered(self, chat: Chat) -> None:
        """Wait for the next screen: what lets the patient go on."""
        loop, chat_id = asyncio.get_running_loop(), chat.patient.chat_id
        since = loop.time()
        seen = self._waiting[chat_id] = loop.create_future()
        await asyncio.wait({seen}, timeout=_PATIENCE)
        del self._waiting[chat_id]
        self.unanswered += not seen.done()
        self.times.append(loop.time() - since)

    async def _watch(self) -> None:
        feed = self.standin.state.feed
        async for news in feed.follow(feed.number, _PATIENCE):
            for each in news:
                waiting = self._waiting.get(each.chat_id or 0)
                if waiting is not None and not waiting.done() and _is_screen(each):
                    waiting.set_result(None)


def _is_screen(each: Happening) -> bool:
    """Tell whether something can be answered: a message of the bot with buttons."""
    message = each.body.get("message")
    is_new = each.kind == "message" and isinstance(message, dict)
    return is_new and message["from_bot"] and "reply_markup" in message
