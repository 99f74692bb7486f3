"""The playground as a program: stand-in, page and the real bot in one process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from bot import listening as http
from bot.app import Serving, a_pace, serve
from bot.clinic_side import NONE, ClinicSide, TelegramFiles
from bot.clock import MovableClock, SystemClock
from bot.deliveries import delivering
from bot.live import new_token, until_stopped, worker
from bot.pace import UNLIMITED
from bot.playground import desk, limits
from bot.playground.app import create_app
from bot.playground.desk import Desk
from bot.playground.listening import bind, listening
from bot.playground.memory import Memory
from bot.playground.peek import peeker
from bot.playground.refusals import PlaygroundRefused
from bot.playground.standin import StandIn
from bot.playground.travel import Travel
from bot.settings import Settings
from bot.store import prepare_protocols
from flows.clinics import Clinic
from flows.texts import Catalogue
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
    console: str = ""  # where the clinic's console is; empty: there is none


@dataclass(frozen=True, slots=True)
class _House:
    """What everything in a playground shares."""

    settings: Settings
    database: Database
    clock: MovableClock
    catalogues: Mapping[str, Catalogue]
    bound: socket.socket  # of the page
    desk_bound: socket.socket | None  # of the console; None: there is none
    lent: ClinicSide

    @property
    def address(self) -> str:
        return http.address(self.bound)


async def run_playground(
    settings: Settings, tell: Tell = typer.echo, clinic_side: ClinicSide = NONE
) -> None:
    """Run until cancelled. `tell` gets what the person at the terminal should read.

    Raises `PlaygroundRefused` (host, port, folder), and what the bot and its database raise;
    each is a sentence to act on.
    """
    async with playground(settings, clinic_side=clinic_side) as running:
        tell(f"Playground: {running.address}")
        if running.console:
            tell(f"The clinic's console: {running.console} (the page's button Clinic signs you in)")
        tell("Open it in a browser and press Start. Press Ctrl+C to stop.")
        await until_stopped(running.serving)


@asynccontextmanager
async def playground(
    settings: Settings, clock: MovableClock | None = None, clinic_side: ClinicSide = NONE
) -> AsyncIterator[Playground]:
    """Serve page, stand-in, bot, worker and console until the block ends; `clock` for fixed days.

    There is a console where `clinic_side` lends one, which it says by its `console_url`.
    """
    limits.check_token(settings.token or limits.TOKEN)
    limits.check_host(settings.http_host)
    _make_folder(settings.data_dir)
    async with AsyncExitStack() as closing:
        bound = closing.enter_context(bind(settings.http_host, settings.http_port))
        desk_bound = None
        if clinic_side.console_url:
            desk_bound = desk.bind(settings.http_host, clinic_side.console_port)
            closing.enter_context(desk_bound)
            clinic_side = replace(clinic_side, console_url=http.address(desk_bound))
        catalogues = protocol_files.load_catalogues()
        await asyncio.to_thread(migrations.upgrade, settings.database)
        database = connect(settings.database)
        closing.push_async_callback(database.close)
        clock = clock or MovableClock(SystemClock())
        house = _House(settings, database, clock, catalogues, bound, desk_bound, clinic_side)
        yield await closing.enter_async_context(_inhabited(house))


@asynccontextmanager
async def _inhabited(house: _House) -> AsyncIterator[Playground]:
    database, clock, lent = house.database, house.clock, house.lent
    known = await _with_clinics(database)
    protocols = await prepare_protocols(database, house.catalogues, clock)
    standin = StandIn(clock)
    beside = await _desk(house, next(iter(known)))
    app = create_app(
        token=limits.TOKEN,
        clock=clock,
        standin=standin,
        peek=peeker(database, clock, protocols, house.catalogues),
        zone=next(iter(known.values())).zone,
        links=_links(known),
        travel=Travel(database, clock, standin, *([beside.take_along] if beside else [])),
        desk=beside,
        framed=desk.origins(house.desk_bound) if house.desk_bound else "",
    )
    pace = a_pace(UNLIMITED)
    async with (
        _remembered(Memory(house.settings.data_dir / MEMORY, standin, clock)),
        listening(app, house.bound) as address,
        _console(house) as console,
        serve(
            token=limits.TOKEN,
            api_url=address,
            database=database,
            clock=clock,
            new_token=new_token,
            catalogues=house.catalogues,
            protocols=protocols,
            pace=pace,
            console_url=lent.console_url,
        ) as serving,
        delivering(
            token=limits.TOKEN,
            api_url=address,
            database=database,
            clock=clock,
            pace=pace,
            catalogues=house.catalogues,
            console_url=lent.console_url,
        ) as deliveries,
        worker(database, clock, lent, deliveries),
    ):
        yield Playground(address, standin, clock, database, serving, console)


async def _desk(house: _House, clinic: str) -> Desk | None:
    if house.desk_bound is None:
        return None
    owner_id = await desk.owner_of(house.database, clinic, house.clock)
    return Desk(house.database, house.clock, http.address(house.desk_bound), owner_id)


@asynccontextmanager
async def _console(house: _House) -> AsyncIterator[str]:
    """Serve the console, which lets the playground's own page alone show it in a frame."""
    if house.desk_bound is None:
        yield ""
        return
    telegram = TelegramFiles(limits.TOKEN, house.address)
    app = house.lent.console(
        house.database, house.clock.now, telegram, framed_by=desk.origins(house.bound)
    )
    async with telegram, http.listening(app, house.desk_bound) as address:
        yield address


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
