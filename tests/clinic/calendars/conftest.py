"""One real CalDAV server for all tests of calendars, a calendar and a clinic for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from cryptography.fernet import Fernet, MultiFernet

from storage import clinics
from storage.database import connect
from storage.sealing import Seal
from tests.builders import open_always
from tests.clinic.calendars.radicale import Radicale
from tests.clinic.calendars.world import World


@pytest.fixture(scope="session")
def radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radicale]:
    server = Radicale(tmp_path_factory.mktemp("radicale"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def world(radicale: Radicale, sqlite_url: str) -> AsyncIterator[World]:
    """Return a clinic with a connected, empty calendar, on SQLite."""
    database = connect(sqlite_url)
    await database.write(clinics.import_clinic, open_always(), "demo_clinic.toml")
    seal = Seal(MultiFernet([Fernet(Fernet.generate_key())]))
    world = World(database, radicale.calendar(), seal)
    await world.connect()
    yield world
    await database.close()
