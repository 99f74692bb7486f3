"""The whole system for a journey: stand-in, real bot over real HTTP, a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

from bot.app import serve
from bot.clock import MovableClock
from bot.pace import UNLIMITED
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
    patients: list[Patient]

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


@asynccontextmanager
async def world(database: Database, tour: Tour) -> AsyncIterator[World]:
    """Run stand-in and bot on `database`, which gets the demo's clinics."""
    await database.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")
    clock = MovableClock(StoppedClock())
    words = {locale: toured(each, tour) for locale, each in catalogues().items()}
    async with (
        running_standin(clock) as standin,
        serve(
            token=standin.token,
            api_url=standin.url,
            database=database,
            clock=clock,
            new_token=_tokens().__next__,
            catalogues=words,
            limits=UNLIMITED,
            jitter=lambda: 0.5,
        ),
    ):
        here = World(standin, database, clock, tour, [])
        try:
            yield here
        finally:
            for patient in here.patients:
                await patient.close()


def _tokens() -> Iterator[str]:
    """Yield tokens that differ from the first letter on, and are the same in every run."""
    return (f"{number:08d}abcdefgh{number * 7919 % 10**8:08d}" for number in count(1))
