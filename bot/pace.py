"""How fast messages may leave: one chat a message a second, all chats thirty (Telegram's FAQ)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum


class Priority(IntEnum):
    """Who goes first when the overall rate is short."""

    REPLY = 0  # a patient is waiting
    NUDGE = 1  # nobody is waiting


@dataclass(frozen=True, slots=True)
class Limits:
    """Messages a second and how many may leave at once.

    In no second do more leave than `overall_rate + overall_burst`.
    """

    chat_rate: float = 1.0
    chat_burst: int = 6
    overall_rate: float = 25.0
    overall_burst: int = 5


UNLIMITED = Limits(chat_rate=1e6, chat_burst=10**6, overall_rate=1e6, overall_burst=10**6)

Monotonic = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


class _Bucket:
    """A token bucket: refills by `rate` a second up to `burst`."""

    __slots__ = ("_burst", "_rate", "_seen_at", "_tokens")

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._seen_at = now

    def take(self, now: float, *, keep: float = 0.0) -> float:
        """Take a token and return 0, or return the seconds until there is one above `keep`."""
        self._tokens = min(self._burst, self._tokens + (now - self._seen_at) * self._rate)
        self._seen_at = now
        lacking = 1.0 + keep - self._tokens
        if lacking > 1e-9:
            return lacking / self._rate
        self._tokens -= 1.0
        return 0.0

    def is_full(self, now: float) -> bool:
        return self._tokens + (now - self._seen_at) * self._rate >= self._burst


class Pace:
    """Lets callers through at the allowed rate; replies before nudges.

    A chat that Telegram asked to wait (`hold`) waits alone; the others go on.
    """

    def __init__(self, limits: Limits, monotonic: Monotonic, sleep: Sleep) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._sleep = sleep
        self._overall = _Bucket(limits.overall_rate, limits.overall_burst, monotonic())
        self._chats: dict[int, _Bucket] = {}
        self._held: dict[int, float] = {}
        self._waiting_replies = 0

    async def new_message(self, chat_id: int, priority: Priority = Priority.REPLY) -> None:
        """Wait until this chat may get another message."""
        await self._until_free(chat_id)
        while wait := self._chat(chat_id).take(self._monotonic()):
            await self._sleep(wait)
        await self._through(priority)

    async def change(self, chat_id: int, priority: Priority = Priority.REPLY) -> None:
        """Wait until a message of this chat may be edited: edits do not count as new messages."""
        await self._until_free(chat_id)
        await self._through(priority)

    def hold(self, chat_id: int, seconds: float) -> None:
        """Send nothing to this chat for so long: Telegram answered 429."""
        until = self._monotonic() + seconds
        self._held[chat_id] = max(until, self._held.get(chat_id, until))

    async def _until_free(self, chat_id: int) -> None:
        while (until := self._held.get(chat_id)) is not None:
            wait = until - self._monotonic()
            if wait <= 0:
                self._held.pop(chat_id, None)
                return
            await self._sleep(wait)

    async def _through(self, priority: Priority) -> None:
        if priority is Priority.NUDGE:
            await self._through_last()
            return
        self._waiting_replies += 1
        try:
            while wait := self._overall.take(self._monotonic()):
                await self._sleep(wait)
        finally:
            self._waiting_replies -= 1

    async def _through_last(self) -> None:
        # Nudges leave half of the burst to replies, and never pass one that waits.
        reserve = self._limits.overall_burst / 2
        while True:
            if self._waiting_replies:
                await self._sleep(1 / self._limits.overall_rate)
            elif wait := self._overall.take(self._monotonic(), keep=reserve):
                await self._sleep(wait)
            else:
                return

    def _chat(self, chat_id: int) -> _Bucket:
        now = self._monotonic()
        if len(self._chats) > 10_000:
            self._chats = {key: b for key, b in self._chats.items() if not b.is_full(now)}
        bucket = self._chats.get(chat_id)
        if bucket is None:
            bucket = _Bucket(self._limits.chat_rate, self._limits.chat_burst, now)
            self._chats[chat_id] = bucket
        return bucket
