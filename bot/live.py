"""The clinic's bot on Telegram, from the settings to a quiet end."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from asyncio import FIRST_COMPLETED
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from bot import log
from bot.app import Serving, a_pace, serve
from bot.clinic_side import ClinicSide, TelegramFiles
from bot.clock import Clock, SystemClock
from bot.deliveries import delivering
from bot.faults import BotFault
from bot.follow_up import FollowUp
from bot.health import Health
from bot.listening import bind, listening
from bot.meters import Meters
from bot.pace import Pace
from bot.roles import Role, working
from bot.settings import Settings
from bot.webhook import WebhookTerms, derived_secret
from bot.worker import Deliver
from storage import clinics, migrations, protocol_files, sqlite_versions
from storage.database import Database, connect
from storage.outbox_policy import Kind
from storage.program import command

logger = structlog.get_logger(__name__)

Tell = Callable[[str], None]

#: Seconds from being told to stop to the end, whatever is under way.
STOP_WITHIN = 9.0


@dataclass(frozen=True, slots=True)
class _Site:
    """What all roles of a process share."""

    settings: Settings
    database: Database
    clock: Clock
    meters: Meters
    health: Health
    clinic_side: ClinicSide
    pace: Pace


async def run_bot(
    settings: Settings, tell: Tell, roles: Collection[Role], clinic_side: ClinicSide
) -> None:
    """Take on these roles until cancelled. `tell` gets lines for the person who started it.

    Raises BotFault, ProtocolFaults and storage's StorageError, each in words to act on.
    """
    await asyncio.to_thread(migrations.upgrade, settings.database)
    meters, clock = Meters(), SystemClock()
    database = connect(settings.database, on_fault=meters.database_failed)
    advice = _advice(database, settings)
    health = Health(database, clock, meters, roles)
    site = _Site(settings, database, clock, meters, health, clinic_side, a_pace())
    try:
        await _require_clinic(database)
        async with AsyncExitStack() as running:
            await running.enter_async_context(_watched(site))
            tasks: set[asyncio.Task[None]] = set()
            words = []
            if Role.BOT in roles:
                serving = await running.enter_async_context(_bot(site))
                tasks.add(asyncio.ensure_future(serving.failed()))
                words = [_introduced(serving, settings)]
            if Role.CONSOLE in roles:
                address = await running.enter_async_context(_console(site))
                words.append(f"The clinic's console is at {address}.")
            if Role.WORKER in roles:  # last, so that it is the first to give back what it claimed
                tasks.add(await running.enter_async_context(_worker(site)))
                words = words or ["Resurface's worker is running."]
            tell(" ".join((*words, "Press Ctrl+C to stop.")))
            if advice:
                tell(advice)
            await _until_one_ends(tasks)
    finally:
        await database.close()


def _advice(database: Database, settings: Settings) -> str:
    """Return what the person at the terminal should know of SQLite; where nobody is, log it."""
    if log.is_text(settings.log_format):
        return sqlite_versions.advice(database.url)
    if doubt := sqlite_versions.warning(database.url):
        logger.warning(doubt, action="sqlite_faulty")
    return ""


@asynccontextmanager
async def _watched(site: _Site) -> AsyncIterator[str]:
    """Serve health and figures: beside a public listener on a private one of their own."""
    settings = site.settings
    if settings.public_url:
        bound = bind(settings.metrics_host, settings.metrics_port, "METRICS_PORT")
    else:
        bound = bind(settings.http_host, settings.http_port)
    async with listening(site.health.app(), bound) as address:
        yield address


@asynccontextmanager
async def _worker(site: _Site) -> AsyncIterator[asyncio.Task[None]]:
    async with (
        delivering(
            token=site.settings.token,
            api_url=site.settings.telegram_api_url or None,
            database=site.database,
            clock=site.clock,
            pace=site.pace,
            catalogues=protocol_files.load_catalogues(),
            console_url=site.clinic_side.console_url,
        ) as deliveries,
        worker(site.database, site.clock, site.clinic_side, deliveries) as task,
    ):
        site.health.watch(Role.WORKER, lambda: not task.done())
        yield task


@asynccontextmanager
async def worker(
    database: Database, clock: Clock, lent: ClinicSide, deliveries: Mapping[Kind, Deliver]
) -> AsyncIterator[asyncio.Task[None]]:
    """Send what the outbox holds, follow patients up, and do what the clinic's side wants done."""
    everything = {**deliveries, **lent.deliveries(database, clock.now)}
    follow_up = FollowUp(database, clock, asyncio.sleep)
    async with (
        _beside((follow_up.run(), *lent.chores(database, clock.now))) as chores,
        working(database, clock, new_token, everything) as task,
    ):
        ending = asyncio.ensure_future(_until_one_ends({task, *chores}))
        yield ending
        ending.cancel()


@asynccontextmanager
async def _console(site: _Site) -> AsyncIterator[str]:
    lent = site.clinic_side
    bound = bind(lent.console_host, lent.console_port, "CONSOLE_PORT")
    telegram = TelegramFiles(site.settings.token, site.settings.telegram_api_url or None)
    app = lent.console(site.database, site.clock.now, telegram)
    async with telegram, listening(app, bound) as address:
        site.health.watch(Role.CONSOLE, lambda: True)
        yield address


@asynccontextmanager
async def _beside(
    chores: Sequence[Coroutine[object, object, None]],
) -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.ensure_future(chore) for chore in chores]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _bot(site: _Site) -> AsyncIterator[Serving]:
    async with serve(
        token=site.settings.token,
        api_url=site.settings.telegram_api_url or None,
        database=site.database,
        clock=site.clock,
        new_token=new_token,
        catalogues=protocol_files.load_catalogues(),
        pace=site.pace,
        console_url=site.clinic_side.console_url,
        webhook=webhook_terms(site.settings),
        meters=site.meters,
    ) as serving:
        site.health.watch(Role.BOT, lambda: not serving.receiving.done())
        yield serving


def _introduced(serving: Serving, settings: Settings) -> str:
    if not serving.address:
        return f"Resurface is running as @{serving.username}."
    return (
        f"Resurface is running as @{serving.username} at {settings.public_url}, "
        f"listening on {serving.address}."
    )


async def _until_one_ends(tasks: set[asyncio.Task[None]]) -> None:
    if not tasks:  # pages alone are served until somebody says stop
        await asyncio.Event().wait()
    done, _ = await asyncio.wait(tasks, return_when=FIRST_COMPLETED)
    for task in done:
        task.result()


def webhook_terms(settings: Settings) -> WebhookTerms | None:
    """Return where updates are delivered; None when the bot is to poll."""
    if not settings.public_url:
        return None
    secret = settings.webhook_secret.get_secret_value() or derived_secret(settings.token)
    return WebhookTerms(settings.public_url, secret, settings.http_host, settings.http_port)


async def until_stopped(serving: Serving) -> None:
    """Wait until the task is cancelled; raises BotFault when polling ends before that."""
    await serving.failed()


async def until_told(
    run: Coroutine[None, None, None], end: Callable[[int], object] = os._exit
) -> None:
    """Run a program until it ends, or until SIGTERM or SIGINT; then let it stop quietly.

    What keeps it longer than `STOP_WITHIN` is left as it is, as a crash would leave it: whatever
    waits for an answer that may never come must not keep the program.
    """
    loop = asyncio.get_running_loop()
    program = loop.create_task(run)
    told = asyncio.Event()

    def stop() -> None:
        if not told.is_set():  # a second signal must not disturb the stopping
            told.set()
            program.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await asyncio.wait({program, loop.create_task(told.wait())}, return_when=FIRST_COMPLETED)
    if told.is_set():
        await asyncio.wait({program}, timeout=STOP_WITHIN)
    if not program.done():
        logger.warning("ended without waiting any longer", action="stop_forced")
        sys.stdout.flush()
        sys.stderr.flush()
        end(0)
    elif not program.cancelled():
        program.result()


def new_token() -> str:
    """Return fresh random letters and digits for the ids and codes of one turn."""
    return secrets.token_hex(16)


async def _require_clinic(database: Database) -> None:
    if not await database.read(clinics.load_all):
        raise BotFault(
            f"the database has no clinic yet: run `{command('clinic init')}` to describe yours, or "
            f"`{command('clinic demo')}` to try things"
        )
