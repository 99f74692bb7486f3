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
from telegram import Bot, BotCommand, MenuButtonCommands
from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)
from telegram.ext import Application, ExtBot

from bot.apologies import Apologies
from bot.clock import Clock
from bot.drawings import Drawings
from bot.faults import BotFault
from bot.intake import Intake, PtbApplication
from bot.meters import MeteredStore, Meters
from bot.pace import Limits, Pace
from bot.polling import Poller
from bot.replies import Others, Replies
from bot.request import TELEGRAM, AiohttpRequest, base_urls
from bot.scenery import Scenery
from bot.sender import Sender
from bot.staff_desk import StaffDesk
from bot.store import DatabaseStore, Premises, prepare_protocols
from bot.turns import Turns
from bot.updates import UpdateReader
from bot.upkeep import Upkeep
from bot.webhook import Webhook, WebhookTerms
from flows.protocol import Protocol
from flows.texts import Catalogue
from storage import crash_points
from storage.database import Database

logger = structlog.get_logger(__name__)

COMMANDS = ("start", "my", "back", "help", "person", "restart", "privacy", "stop", "delete")
_REPLIES_FOR = 2.0  # seconds that replies under way may take when the bot stops
_PATIENCE = 2.0  # seconds that another replica gets to answer what it committed


@dataclass(frozen=True, slots=True)
class Serving:
    """A bot that receives updates."""

    username: str
    receiving: asyncio.Task[None]
    address: str = ""  # where it listens for deliveries; empty when it polls

    async def failed(self) -> None:
        """Wait until receiving ends by itself; raises BotFault when the token was revoked."""
        try:
            await asyncio.shield(self.receiving)
        except InvalidToken:
            raise _bad_token() from None


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of a running bot."""

    store: DatabaseStore
    sender: Sender
    turns: Turns
    replies: Replies
    intake: Intake
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
    pace: Pace | None = None,
    console_url: str = "",
    jitter: Callable[[], float] | None = None,
    webhook: WebhookTerms | None = None,
    meters: Meters | None = None,
    passed: crash_points.Passed = crash_points.unwatched,
) -> AsyncIterator[Serving]:
    """Run the bot: on entry it receives updates, on exit it has stopped quietly.

    `new_token` gives at least 16 fresh letters and digits. `protocols` are compiled, and noted in
    the database, when not given. `pace` is given where others send beside the bot; links for staff
    begin with `console_url`. `jitter` gives numbers in [0, 1). With `webhook` updates are delivered
    to the bot, else it polls. `passed` gets the crash points of every call of the Bot API. Raises
    BotFault, ProtocolFaults and storage's DatabaseFault before anything is received.
    """
    if protocols is None:
        protocols = await prepare_protocols(database, catalogues, clock)
    application = _application(token, api_url, passed)
    try:
        await _connect(application, api_url, polls=webhook is None)
        meters = meters or Meters()
        store = MeteredStore(meters, database, clock, time.monotonic, application.bot.id)
        scenery = _scenery(store, clock, new_token, catalogues, protocols)
        pace = pace or a_pace(limits)
        parts = _assemble(application, store, scenery, pace, is_alone=webhook is None)
        parts.intake.attach(
            application,
            desk=StaffDesk(database, application.bot, parts.sender, scenery, console_url),
        )
        receiver = _receiver(application.bot, parts, meters, webhook, jitter)
        await receiver.start()
        beside = {asyncio.create_task(announce(application.bot, catalogues))}
        try:
            await _answer_the_unanswered(parts)
            receiving = asyncio.create_task(receiver.run())
            beside |= {receiving, asyncio.create_task(parts.upkeep.run())}
            gc.collect()
            gc.freeze()  # what exists now lives as long as the process; leave it out of collections
            yield Serving(application.bot.username, receiving, receiver.address)
        finally:
            await _stop(parts, receiver, beside)
    finally:
        await application.shutdown()
        await application.bot.shutdown()


def _scenery(
    store: DatabaseStore,
    clock: Clock,
    new_token: Callable[[], str],
    catalogues: Mapping[str, Catalogue],
    protocols: Mapping[str, Protocol],
) -> Scenery:
    known = dict(protocols)  # it grows when a clinic takes numbers of its own
    premises = Premises(store, catalogues, known)
    return Scenery(clock, new_token, known, catalogues, premises.clinics)


def a_pace(limits: Limits | None = None) -> Pace:
    """Return the pace that everything keeps to which one process sends."""
    return Pace(limits or Limits(), time.monotonic, asyncio.sleep)


def _assemble(
    application: PtbApplication,
    store: DatabaseStore,
    scenery: Scenery,
    pace: Pace,
    *,
    is_alone: bool,
) -> _Parts:
    bot, catalogues = application.bot, scenery.catalogues
    sender = Sender(bot, pace, asyncio.sleep, store.block)
    turns = Turns(store, scenery, bot.id)
    others = None if is_alone else Others(_PATIENCE, store.claim_reminder)
    replies = Replies(
        sender,
        Drawings(),
        store.note_shown,
        turns.again,
        asyncio.sleep,
        Apologies(sender, store, catalogues),
        others,
    )
    reader = UpdateReader(set(catalogues), bot.username)
    intake = Intake(reader, turns, replies, sender, store, catalogues)
    return _Parts(store, sender, turns, replies, intake, Upkeep(bot, store, intake.handle))


def _receiver(
    bot: Bot,
    parts: _Parts,
    meters: Meters,
    webhook: WebhookTerms | None,
    jitter: Callable[[], float] | None,
) -> Poller | Webhook:
    handle = meters.timed(parts.intake.handle)
    if webhook is None:
        chance = jitter or secrets.SystemRandom().random
        return Poller(bot, handle, parts.store.park, chance=chance)
    return Webhook(
        bot, handle, parts.replies.settled, parts.store.park, webhook, refused=meters.refused
    )


async def _stop(parts: _Parts, receiver: Poller | Webhook, beside: set[asyncio.Task[None]]) -> None:
    for task in beside:
        task.cancel()
    await asyncio.wait(beside)
    await receiver.stop()
    await parts.replies.finish(_REPLIES_FOR)
    await parts.intake.finish()


async def announce(bot: Bot, catalogues: Mapping[str, Catalogue]) -> None:
    """Tell Telegram commands, description and menu, in every language. Failures do not matter."""
    try:
        await bot.set_chat_menu_button(menu_button=MenuButtonCommands())
    except TelegramError as error:
        _not_announced(error)
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
            _not_announced(error)


def _not_announced(error: TelegramError) -> None:
    logger.info("profile not updated", action="announce_failed", error=type(error).__name__)


def _application(token: str, api_url: str | None, passed: crash_points.Passed) -> PtbApplication:
    bot = ExtBot(
        token,
        *base_urls(api_url),
        request=AiohttpRequest(passed=passed),
        get_updates_request=AiohttpRequest(connections=2, passed=passed),
    )
    return Application.builder().bot(bot).updater(None).job_queue(None).build()


async def _connect(application: PtbApplication, api_url: str | None, *, polls: bool) -> None:
    try:
        await application.initialize()
        if polls:
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
