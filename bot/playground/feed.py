"""What happened in the playground, numbered, for the page and the tests that follow it live."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

Json = dict[str, object]

KEPT = 500  # events that a follower may be behind before it must read everything again


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that followers may want to show."""

    number: int
    kind: str  # message, edited, deleted, typing, toast, patient, bot, clock
    chat_id: int | None
    body: Json


@dataclass(slots=True)
class Feed:
    """Numbered happenings and a way to wait for the next one."""

    number: int = 0
    closed: bool = False
    _kept: deque[Happening] = field(default_factory=lambda: deque(maxlen=KEPT))
    _waiting: set[asyncio.Future[None]] = field(default_factory=set)

    def tell(self, kind: str, chat_id: int | None, body: Json) -> None:
        """Publish something to every follower."""
        self.number += 1
        self._kept.append(Happening(self.number, kind, chat_id, body))
        self._wake()

    def close(self) -> None:
        """End every follower's wait, so that the server can stop."""
        self.closed = True
        self._wake()

    def after(self, number: int) -> list[Happening]:
        """Return what is kept of the happenings after `number`."""
        return [happening for happening in self._kept if happening.number > number]

    async def next(self, wait_for: float) -> None:
        """Wait until something happens, the feed closes, or `wait_for` seconds have passed."""
        if self.closed:
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            async with asyncio.timeout(wait_for):
                await future
        except TimeoutError:
            return
        finally:
            self._waiting.discard(future)

    async def follow(self, number: int, idle_for: float) -> AsyncIterator[list[Happening]]:
        """Yield happenings after `number` as they come; an empty list after `idle_for` seconds."""
        while not self.closed:
            news = self.after(number)
            if not news:
                await self.next(idle_for)
                news = self.after(number)
            number = news[-1].number if news else number
            yield news

    def _wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
