"""The clinic's side as the running program needs it: the console, the deliveries, the chores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from starlette.applications import Starlette
from starlette.types import ASGIApp

from clinic.settings import ConsoleSettings
from storage.database import Database
from storage.outbox import OutboxRow
from storage.outbox_policy import Kind

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


class Side:
    """Builds each part from what the running process shares."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self._settings = settings

    def console(self, _database: Database, _now: Now, _telegram: Telegram) -> ASGIApp:
        """Return the console."""
        return Starlette()

    def deliveries(self, _database: Database, _now: Now) -> Mapping[Kind, Deliver]:
        """Return how each kind of message that goes to the clinic's own systems is sent."""
        return {}

    def chores(self, _database: Database, _now: Now) -> Sequence[Coroutine[object, object, None]]:
        """Return what runs beside the worker until it is cancelled."""
        return ()
