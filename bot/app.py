"""The bot as a whole: every part built once, started in order and stopped quietly."""

from __future__ import annotations

import asyncio
import gc
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from telegram import Bot, BotCommand
from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)
from telegram.ext import Application, ExtBot

from bot.clock import Clock
from bot.drawings import Drawings
from bot.intake import Intake, PtbApplication
from bot.pace import Limits, Pace
from bot.polling import Poller
from bot.replies import Replies
from bot.request import AiohttpRequest
from bot.scenery import Scenery
from bot.sender import Sender
from bot.store import DatabaseStore, prepare_protocols
from bot.turns import Turns
from bot.updates import UpdateReader
from bot.upkeep import Upkeep
from flows.protocol import Protocol
from flows.texts import Catalogue
from storage.database import Database

logger = structlog.get_logger(__name__)

TELEGRAM = "https://api.telegram.org"
COMMANDS = ("start", "my", "back", "help", "person", "restart", "privacy", "stop")
_REPLIES_FOR = 5.0  # seconds that replies under way may take when the bot stops


class BotFault(Exception):
    """The bot cannot run; the message is one sentence with the setting and the cure."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A bot that is polling."""

    username: str
    polling: asyncio.Task[None]

    async def failed(self) -> None:
        """Wait until polling ends by itself; raises BotFault when the token was revoked."""
        try:
            await asyncio.shield(self.polling)
        except InvalidToken:
            raise _bad_token() from None


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of a running bot."""

    store: DatabaseStore
    turns: Turns
    replies: Replies
    intake: Intake
    poller: Poller
    upkeep: Upkeep


@asynccontextmanager
async def serve(  # noqa: PLR0913 - what differs between Telegram, the playground and the tests
    *,
    token: str,
    api_url: str | None,
    database: Database,
    clock: Clock,
    new_token: Callable[[], str],
    catalogues: Mapping[str, Catalogue],
    protocols: Mapping[str, Protocol] | None = None,
    limits: Limits | None = None,
    jitter: Callable[[], float] | None = None,
) -> AsyncIterator[Serving]:
    """Run the bot: on entry it is polling, on exit it has stopped quietly.

    `new_token` gives at least 16 fresh letters and digits. `protocols` are compiled, and noted in
    the database, when not given. `jitter` gives numbers in [0, 1). Raises BotFault,
    ProtocolFaults and storage's DatabaseFault before anything is polled.
    """
    if protocols is None:
        protocols = await prepare_protocols(database, catalogues, clock)
    application = _application(token, api_url)
    try:
        await _connect(application, api_url)
        store = DatabaseStore(database, clock, time.monotonic, application.bot.id)
        scenery = Scenery(clock, new_token, protocols, catalogues, store.clinics)
        pace = Pace(limits or Limits(), time.monotonic, asyncio.sleep)
        parts = _assemble(
            application, store, scenery, pace, jitter or secrets.SystemRandom().random
        )
        await _answer_the_unanswered(parts)
        announcing = asyncio.create_task(announce(application.bot, catalogues))
        polling = asyncio.create_task(parts.poller.run())
        tidying = asyncio.create_task(parts.upkeep.run())
        gc.collect()
        gc.freeze()  # what exists now lives as long as the process; leave it out of collections
        try:
            yield Serving(application.bot.username, polling)
        finally:
            await _stop(parts, {polling, announcing, tidying})
    finally:
        await application.shutdown()
        await application.bot.shutdown()


def _assemble(
    application: PtbApplication,
    store: DatabaseStore,
    scenery: Scenery,
    pace: Pace,
    jitter: Callable[[], float],
) -> _Parts:
    bot, catalogues = application.bot, scenery.catalogues
    sender = Sender(bot, pace, asyncio.sleep, store.block)
    turns = Turns(store, scenery, bot.id)
    replies = Replies(sender, Drawings(), store.note_shown, turns.again, asyncio.sleep)
    reader = UpdateReader(set(catalogues), bot.username)
    intake = Intake(reader, turns, replies, sender, store, catalogues)
    intake.attach(application)
    poller = Poller(bot, intake.handle, chance=jitter)
    return _Parts(store, turns, replies, intake, poller, Upkeep(bot, store, intake.handle))


async def _stop(parts: _Parts, tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await parts.poller.stop()
    await parts.replies.finish(_REPLIES_FOR)
    await parts.intake.finish()


async def announce(bot: Bot, catalogues: Mapping[str, Catalogue]) -> None:
    """Tell Telegram the commands and the description, in every language. Failures do not matter."""
    for locale, catalogue in catalogues.items():
        language = None if locale == "en" else locale
        commands = [BotCommand(name, catalogue.text(f"command.{name}")) for name in COMMANDS]
        try:
            await bot.set_my_commands(commands, language_code=language)
            await bot.set_my_description(
                catalogue.text("profile.description"), language_code=language
            )
            await bot.set_my_short_description(
                catalogue.text("profile.short"), language_code=language
            )
        except TelegramError as error:
            name = type(error).__name__
            logger.info("profile not updated", action="announce_failed", error=name)


def _application(token: str, api_url: str | None) -> PtbApplication:
    root = (api_url or TELEGRAM).rstrip("/")
    bot = ExtBot(
        token,
        base_url=f"{root}/bot",
        base_file_url=f"{root}/file/bot",
        request=AiohttpRequest(),
        get_updates_request=AiohttpRequest(connections=2),
    )
    return Application.builder().bot(bot).updater(None).job_queue(None).build()


async def _connect(application: PtbApplication, api_url: str | None) -> None:
    try:
        await application.initialize()
        await application.bot.delete_webhook()  # long polling and a webhook exclude each other
    except InvalidToken:
        raise _bad_token() from None
    except (BadRequest, RetryAfter, Conflict, Forbidden) as error:  # it answered, with a no
        raise BotFault(
            f"the Bot API refused to start the bot ({type(error).__name__}): "
            "check TELEGRAM_BOT_TOKEN and TELEGRAM_API_URL"
        ) from None
    except TelegramError as error:
        where = api_url or TELEGRAM
        raise BotFault(
            f"the Bot API at {where} cannot be reached ({type(error).__name__}): "
            "check the network, or correct TELEGRAM_API_URL"
        ) from None


def _bad_token() -> BotFault:
    return BotFault(
        "TELEGRAM_BOT_TOKEN was refused by the Bot API: copy the token again from @BotFather"
    )


async def _answer_the_unanswered(parts: _Parts) -> None:
    """Show the current screen to everyone whose last turn was committed but never answered."""
    for chat_id in await parts.store.unanswered():
        reply = await parts.turns.again(chat_id)
        if reply is not None:
            parts.replies.submit(reply)
