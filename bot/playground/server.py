"""The playground as a program: stand-in, page and the real bot in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from bot.app import Serving, a_pace, serve
from bot.clinic_side import NONE, ClinicSide
from bot.clock import MovableClock, SystemClock
from bot.deliveries import delivering
from bot.live import new_token, until_stopped, worker
from bot.pace import UNLIMITED
from bot.playground import limits
from bot.playground.app import create_app
from bot.playground.listening import bind, listening
from bot.playground.memory import Memory
from bot.playground.peek import peeker
from bot.playground.refusals import PlaygroundRefused
from bot.playground.standin import StandIn
from bot.settings import Settings
from bot.store import prepare_protocols
from flows.clinics import Clinic
from storage import clinics, migrations, protocol_files
from storage.database import Database, connect

MEMORY = "playground.json"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Playground:
    """A playground that is running."""

    address: str
    standin: StandIn
    clock: MovableClock
    database: Database
    serving: Serving


async def run_playground(
    settings: Settings, tell: Tell = typer.echo, clinic_side: ClinicSide = NONE
) -> None:
    """Run until cancelled. `tell` gets what the person at the terminal should read.

    Raises `PlaygroundRefused` (host, port, folder), and what the bot and its database raise;
    each is a sentence to act on.
    """
    async with playground(settings, clinic_side=clinic_side) as running:
        tell(f"Playground: {running.address}")
        tell("Open it in a browser and press Start. Press Ctrl+C to stop.")
        await until_stopped(running.serving)


@asynccontextmanager
async def playground(
    settings: Settings, clock: MovableClock | None = None, clinic_side: ClinicSide = NONE
) -> AsyncIterator[Playground]:
    """Serve page, stand-in, bot and worker until the block ends; `clock` for fixed days."""
    limits.check_token(settings.token or limits.TOKEN)
    limits.check_host(settings.http_host)
    _make_folder(settings.data_dir)
    bound = bind(settings.http_host, settings.http_port)
    try:
        catalogues = protocol_files.load_catalogues()
        await asyncio.to_thread(migrations.upgrade, settings.database)
        database = connect(settings.database)
    except BaseException:
        bound.close()
        raise
    clock = clock or MovableClock(SystemClock())
    try:
        known = await _with_clinics(database)
        protocols = await prepare_protocols(database, catalogues, clock)
        standin = StandIn(clock)
        app = create_app(
            token=limits.TOKEN,
            clock=clock,
            standin=standin,
            peek=peeker(database, clock, protocols, catalogues),
            zone=next(iter(known.values())).zone,
            links=_links(known),
        )
        pace = a_pace(UNLIMITED)
        async with (
            _remembered(Memory(settings.data_dir / MEMORY, standin, clock)),
            listening(app, bound) as address,
            serve(
                token=limits.TOKEN,
                api_url=address,
                database=database,
                clock=clock,
                new_token=new_token,
                catalogues=catalogues,
                protocols=protocols,
                pace=pace,
                console_url=clinic_side.console_url,
            ) as serving,
            delivering(
                token=limits.TOKEN,
                api_url=address,
                database=database,
                clock=clock,
                pace=pace,
                catalogues=catalogues,
                console_url=clinic_side.console_url,
            ) as deliveries,
            worker(database, clock, clinic_side, deliveries),
        ):
            yield Playground(address, standin, clock, database, serving)
    finally:
        bound.close()
        await database.close()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise PlaygroundRefused(
            f"DATA_DIR must be a folder that can be written to, got {str(folder)!r}: "
            f"{fault.strerror}"
        ) from None


@asynccontextmanager
async def _remembered(memory: Memory) -> AsyncIterator[None]:
    memory.recall()
    keeping = asyncio.create_task(memory.keep())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        memory.write()


async def _with_clinics(database: Database) -> dict[str, Clinic]:
    known = await database.read(clinics.load_all)
    if not known:
        await database.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")
        known = await database.read(clinics.load_all)
    return known


def _links(known: dict[str, Clinic]) -> tuple[tuple[str, str], ...]:
    direct = tuple((slug, f"followed {clinic.name}'s link") for slug, clinic in known.items())
    first = next(iter(known))
    campaign = (f"{first}-poster", f"scanned a poster of {known[first].name}")
    return (*direct, campaign)
