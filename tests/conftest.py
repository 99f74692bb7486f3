"""Fixtures for all tests: real databases of both kinds, and a fixed now."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from storage import clinics, migrations
from storage.database import Database, connect
from tests import postgres
from tests.builders import NOW, open_all_year


@pytest.fixture
def now() -> datetime:
    """Return the instant at which tests happen."""
    return NOW


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """Yield a PostgreSQL server; starting it takes half a second, so ask only when needed."""
    with postgres.running() as server:
        yield server
        asyncio.run(server.drop_all())


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SQLite file with all tables, to be copied."""
    path = tmp_path_factory.mktemp("template") / "resurface.db"
    migrations.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Return the URL of a fresh SQLite database with all tables."""
    path = tmp_path / "resurface.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of a fresh database with all tables, on each kind in turn."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
        return url
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return await server.clone()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Yield a fresh database with all tables and no clinic."""
    database = connect(database_url, jitter=lambda: 0.5)
    yield database
    await database.close()


@pytest.fixture
async def willow(database: Database) -> Database:
    """Return a database with the two clinics of the demo, Willow open on public holidays."""
    await database.write(clinics.import_clinic, open_all_year(), "demo_clinic.toml")
    return database
