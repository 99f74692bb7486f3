"""The whole system for a journey: stand-in, real bot over real HTTP, a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from bot.app import Serving, serve
from bot.clock import MovableClock
from bot.meters import Meters
from bot.pace import UNLIMITED
from bot.webhook import WebhookTerms
from flows.clinics import BookingMode
from flows.protocol import Protocol
from storage import clinics
from storage.database import Database
from tests.flows.chat import catalogues, protocol
from tests.journeys.guide import Guide, Tour, toured
from tests.patient import Patient
from tests.standin import RunningStandIn, StoppedClock, running_standin


@dataclass
class World:
    """A running system and the patients in it."""

    standin: RunningStandIn
    database: Database
    clock: MovableClock
    tour: Tour
    bot: AsyncExitStack
    patients: list[Patient] = field(default_factory=list)

    @property
    def protocol(self) -> Protocol:
        """The shipped protocol."""
        return protocol()

    async def meets(self, name: str = "Maya", payload: str | None = "willow") -> Guide:
        """Return a guide to a new patient who has pressed Start (unless `payload` is None)."""
        patient = await self.standin.new_patient(name)
        self.patients.append(patient)
        guide = Guide(patient, self.database, self.protocol, catalogues()["en"])
        guide.tour = self.tour
        if payload is not None:
            await guide.starts(payload)
        return guide

    def moves_clock(self, **by: float) -> None:
        """Let time pass."""
        self.clock.move(timedelta(**by))

    async def books(self, mode: BookingMode) -> None:
        """Let Willow book in another way, as its clinic file could say."""
        text = clinics.demo_text().replace('"hold"', f'"{mode.value}"')
        await self.database.write(clinics.import_clinic, text, "demo_clinic.toml")

    async def stop_bot(self) -> None:
        """Stop the bot; Telegram keeps what patients write meanwhile."""
        await self.bot.aclose()


@asynccontextmanager
async def world(
    database: Database,
    tour: Tour,
    bots: Callable[[World], AbstractAsyncContextManager[object]] | None = None,
    clock: MovableClock | None = None,
) -> AsyncIterator[World]:
    """Run stand-in and bot on `database`, which gets the demo's clinics.

    `bots` makes something other than the one bot that polls; `clock` is not the stopped one.
    """
    await database.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")
    clock = clock or MovableClock(StoppedClock())
    async with running_standin(clock) as standin, AsyncExitStack() as bot:
        here = World(standin, database, clock, tour, bot)
        await bot.enter_async_context((bots or bot_on)(here))
        try:
            yield here
        finally:
            for patient in here.patients:
                await patient.close()


def bot_on(
    here: World,
    *,
    webhook: WebhookTerms | None = None,
    database: Database | None = None,
    number: int = 0,
    meters: Meters | None = None,
    console_url: str = "",
    new_token: Callable[[], str] | None = None,
) -> AbstractAsyncContextManager[Serving]:
    """Return the real bot, ready to be entered; `number` tells replicas apart."""
    return serve(
        token=here.standin.token,
        api_url=here.standin.url,
        database=database or here.database,
        clock=here.clock,
        new_token=new_token or _tokens(1 + number * 10**6).__next__,
        catalogues={locale: toured(each, here.tour) for locale, each in catalogues().items()},
        limits=UNLIMITED,
        jitter=lambda: 0.5,
        webhook=webhook,
        meters=meters,
        console_url=console_url,
    )


def _tokens(first: int) -> Iterator[str]:
    """Yield tokens that differ from the first letter on, and are the same in every run."""
    return (f"{number:08d}abcdefgh{number * 7919 % 10**8:08d}" for number in count(first))
