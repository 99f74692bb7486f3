"""The clinic's bot on Telegram, from the settings to a quiet end."""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import Callable, Coroutine

from bot.app import Serving, serve
from bot.clock import SystemClock
from bot.faults import BotFault
from bot.settings import Settings
from storage import clinics, migrations, protocol_files
from storage.database import Database, connect

Tell = Callable[[str], None]


async def run_bot(settings: Settings, tell: Tell) -> None:
    """Poll Telegram until cancelled. `tell` gets one line for the person who started it.

    Raises BotFault, ProtocolFaults and storage's StorageError, each in words to act on.
    """
    catalogues = protocol_files.load_catalogues()
    await asyncio.to_thread(migrations.upgrade, settings.database)
    database = connect(settings.database)
    try:
        await _require_clinic(database)
        async with serve(
            token=settings.token,
            api_url=settings.telegram_api_url or None,
            database=database,
            clock=SystemClock(),
            new_token=new_token,
            catalogues=catalogues,
        ) as serving:
            tell(f"Resurface is running as @{serving.username}. Press Ctrl+C to stop.")
            await until_stopped(serving)
    finally:
        await database.close()


async def until_stopped(serving: Serving) -> None:
    """Wait until the task is cancelled; raises BotFault when polling ends before that."""
    await serving.failed()


async def until_told(run: Coroutine[None, None, None]) -> None:
    """Run a program until it ends, or until SIGTERM or SIGINT; then let it stop quietly."""
    loop = asyncio.get_running_loop()
    program = loop.create_task(run)
    told = asyncio.Event()

    def stop() -> None:
        if not told.is_set():  # a second signal must not disturb the stopping
            told.set()
            program.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await asyncio.wait({program})
    if not program.cancelled():
        program.result()


def new_token() -> str:
    """Return fresh random letters and digits for the ids and codes of one turn."""
    return secrets.token_hex(16)


async def _require_clinic(database: Database) -> None:
    if not await database.read(clinics.load_all):
        raise BotFault(
            "the database has no clinic yet: run `resurface clinic import FILE` with your "
            "clinic's file, or `resurface clinic demo` to try things"
        )
