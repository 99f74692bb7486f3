"""What made-up people are going to do, in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

Deed = Callable[[], Awaitable[None]]

#: Deeds are rounded up to this, so that several people are in their chats at the same time.
_GRAIN = timedelta(minutes=30)


@dataclass(order=True, slots=True)
class _Entry:
    at: datetime
    number: int
    deed: Deed = field(compare=False)


class Agenda:
    """Deeds with their times."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._number = 0

    @property
    def next_at(self) -> datetime | None:
        """Return when the next deed is due; None when nothing is planned."""
        return self._entries[0].at if self._entries else None

    def plan(self, at: datetime, deed: Deed, *, exactly: bool = False) -> None:
        """Add a deed; not `exactly` means within the next minutes."""
        if not exactly:
            at += -timedelta(seconds=at.timestamp()) % _GRAIN
        self._number += 1
        heapq.heappush(self._entries, _Entry(at, self._number, deed))

    def due(self, now: datetime) -> list[Deed]:
        """Take out what is due."""
        found = []
        while self._entries and self._entries[0].at <= now:
            found.append(heapq.heappop(self._entries).deed)
        return found
