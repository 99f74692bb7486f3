"""Fixtures of the journeys: a running system on each database, and what all of them visited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from storage.database import Database
from tests.journeys.guide import Tour
from tests.journeys.world import World, world


@pytest.fixture(scope="session")
def tour() -> Iterator[Tour]:
    """Return what the journeys of this run have visited so far."""
    return Tour()


@pytest.fixture
async def here(database: Database, tour: Tour) -> AsyncIterator[World]:
    """Run the whole system on each kind of database in turn."""
    async with world(database, tour) as running:
        yield running
