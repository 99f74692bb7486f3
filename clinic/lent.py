"""What the running program lends to the clinic's side: the time, Telegram, outbox rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from storage.outbox import OutboxRow

#: Returns the current instant, aware UTC.
Now = Callable[[], datetime]
Deliver = Callable[[OutboxRow], Awaitable[int | None]]


class Telegram(Protocol):
    """The little that the console needs of Telegram."""

    async def username(self) -> str:
        """Return the bot's name without `@`."""
        ...

    async def photo(self, file_id: str) -> bytes:
        """Return a picture that a patient sent."""
        ...
