"""Faults on demand and per-chat limits: what Telegram's servers do to a bot on a bad day."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from bot.playground.refusals import too_many


class FaultKind(StrEnum):
    """How a call goes wrong."""

    TOO_MANY_REQUESTS = "too_many_requests"  # 429 with `retry_after`
    BAD_GATEWAY = "bad_gateway"  # 502 with an HTML body, as a proxy sends it
    RESET_AFTER_DELIVERY = "reset_after_delivery"  # done, but the connection breaks
    BLOCKED = "blocked"  # 403
    BAD_REQUEST = "bad_request"  # 400
    DELAY = "delay"  # done, after `seconds`


@dataclass(slots=True)
class Fault:
    """The next `count` calls of `method` ("*": any) go wrong."""

    kind: FaultKind
    method: str = "*"
    count: int = 1
    seconds: float = 1  # of the delay, or for `retry_after`
    chat_id: int | None = None  # only calls for this chat
    skip: int = 0  # calls that go well first


@dataclass(slots=True)
class Faults:
    """The faults still to happen, first come first served."""

    planned: list[Fault] = field(default_factory=list)

    def plan(self, fault: Fault) -> None:
        """Let something go wrong soon."""
        self.planned.append(fault)

    def clear(self) -> None:
        """Let everything go well again."""
        self.planned.clear()

    def take(self, method: str, chat_id: int | None) -> Fault | None:
        """Return the fault for this call, and count it."""
        for fault in self.planned:
            if fault.method.lower() not in ("*", method.lower()):
                continue
            if fault.chat_id not in (None, chat_id):
                continue
            return self._count(fault)
        return None

    def _count(self, fault: Fault) -> Fault | None:
        if fault.skip:
            fault.skip -= 1
            return None
        fault.count -= 1
        if fault.count <= 0:
            self.planned.remove(fault)
        return fault


@dataclass(slots=True)
class ChatLimit:
    """A token bucket a chat: about `per_second` messages, `burst` at once. Off at 0.

    It runs on the machine's own clock, not on the playground's, which may stand still.
    """

    per_second: float = 0
    burst: int = 3
    seconds: Callable[[], float] = time.monotonic
    _buckets: dict[int, tuple[float, float]] = field(default_factory=dict)

    def take(self, chat_id: int) -> None:
        """Count one message to this chat; Telegram's 429 when it is too soon."""
        if not self.per_second:
            return
        now = self.seconds()
        tokens, since = self._buckets.get(chat_id, (float(self.burst), now))
        tokens = min(self.burst, tokens + (now - since) * self.per_second)
        if tokens < 1:
            self._buckets[chat_id] = (tokens, now)
            raise too_many(math.ceil((1 - tokens) / self.per_second))
        self._buckets[chat_id] = (tokens - 1, now)
