"""Fixtures of the journeys: a running system on each database, and what all of them visited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from storage.database import Database
from tests.flows.chat import catalogues, protocol
from tests.journeys.guide import Tour
from tests.journeys.world import World, world

_LINES = pytest.StashKey[list[str]]()
_TOUR = pytest.StashKey[Tour]()


@pytest.fixture(scope="session")
def tour(request: pytest.FixtureRequest) -> Tour:
    """Return what the journeys of this run have visited so far."""
    return request.config.stash.setdefault(_TOUR, Tour())


@pytest.fixture
async def here(database: Database, tour: Tour) -> AsyncIterator[World]:
    """Run the whole system on each kind of database in turn."""
    async with world(database, tour) as running:
        yield running


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return a way to put a line into the test run's summary."""
    lines: list[str] = request.config.stash.setdefault(_LINES, [])
    return lines.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the journeys counted and how much of the dialogue they visited."""
    stash = terminalreporter.config.stash
    lines = dict.fromkeys(stash.get(_LINES, []))
    if tour := stash.get(_TOUR, None):
        lines[tour.summary(protocol(), catalogues()["en"])] = None
    for line in lines:
        terminalreporter.write_line(f"journeys: {line}")
