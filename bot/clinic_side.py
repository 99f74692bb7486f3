"""What the clinic's side lends to a running process: its console, its deliveries, its chores.

`bot.__main__` joins the two sides of the house; nothing else here knows who built these.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from starlette.applications import Starlette
from starlette.types import ASGIApp
from telegram import Bot
from telegram.error import TelegramError

from bot.request import AiohttpRequest, base_urls
from bot.settings import Settings
from bot.worker import Deliver
from storage.database import Database
from storage.outbox_policy import Kind

Now = Callable[[], datetime]


class TelegramFiles:
    """The little that the console needs of Telegram, whichever process it runs in."""

    def __init__(self, token: str, api_url: str | None) -> None:
        self._request = AiohttpRequest(connections=4)
        self._bot = Bot(
            token,
            *base_urls(api_url),
            request=self._request,
            get_updates_request=self._request,
        )

    async def __aenter__(self) -> TelegramFiles:
        """Telegram need not be there yet: it is asked when something is needed of it."""
        await self._request.initialize()
        return self

    async def __aexit__(self, *_fault: object) -> None:
        await self._request.shutdown()

    async def username(self) -> str:
        """Return the bot's name without `@`, to make links with. Raises TelegramError."""
        return (await self._bot.get_me()).username or ""

    async def photo(self, file_id: str) -> bytes:
        """Return a picture that a patient sent. Raises TelegramError."""
        file = await self._bot.get_file(file_id)
        return bytes(await file.download_as_bytearray())


async def bot_name(settings: Settings) -> str:
    """Return the bot's name without `@`; empty when Telegram cannot be asked."""
    if not settings.token:
        return ""
    async with TelegramFiles(settings.token, settings.telegram_api_url or None) as telegram:
        try:
            return await telegram.username()
        except TelegramError:
            return ""


class MakeConsole(Protocol):
    """Builds the console."""

    def __call__(
        self, database: Database, now: Now, telegram: TelegramFiles, /, framed_by: str = ""
    ) -> ASGIApp:
        """`framed_by`: origins on this machine that may show it in a frame; empty: none may."""
        ...


@dataclass(frozen=True, slots=True)
class ClinicSide:
    """The parts of the clinic's side, each made from what the running process shares."""

    console_host: str
    console_port: int
    console: MakeConsole
    deliveries: Callable[[Database, Now], Mapping[Kind, Deliver]]
    #: Each runs beside the worker until it is cancelled, and looks after its own failures.
    chores: Callable[[Database, Now], Sequence[Coroutine[object, object, None]]]
    console_url: str = ""  # what links to the console begin with; empty: there is none


#: For processes that have no clinic's side, such as those of tests.
NONE = ClinicSide(
    console_host="127.0.0.1",
    console_port=0,
    console=lambda _database, _now, _telegram, framed_by="": Starlette(),
    deliveries=lambda _database, _now: {},
    chores=lambda _database, _now: (),
)
