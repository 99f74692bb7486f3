"""Fixtures of the journeys: a running system on each database, and what all of them visited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from storage import staff
from storage.database import Database
from tests.flows.chat import catalogues, protocol
from tests.journeys.guide import Tour
from tests.journeys.test_staff import worker_parts
from tests.journeys.world import World, world
from tests.journeys.year import Year

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
async def year(here: World) -> AsyncIterator[Year]:
    """Run it with a worker, in a world whose time passes from event to event."""
    async with worker_parts(here) as deliveries:
        running = Year(here, deliveries)
        now = here.clock.now()
        running.clerk_id = await here.database.write(staff.add, "willow", "Robin", "owner", now)
        yield running


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return a way to put a line into the test run's summary."""
    lines: list[str] = request.config.stash.setdefault(_LINES, [])
    return lines.append


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over what this process visited, where the tests run in several."""
    given: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if given is None:
        return
    stash = session.config.stash
    tour = stash.get(_TOUR, Tour())
    given["journeys"] = {
        "lines": stash.get(_LINES, []),
        "states": sorted(tour.states),
        "moves": sorted(tour.moves),
        "texts": sorted(tour.texts),
    }


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take what another process visited."""
    found = getattr(node, "workeroutput", {}).get("journeys")
    if not found or not found["states"]:
        return
    stash = node.config.stash
    stash.setdefault(_LINES, []).extend(found["lines"])
    tour = stash.setdefault(_TOUR, Tour())
    tour.states |= set(found["states"])
    tour.moves |= {tuple(move) for move in found["moves"]}
    tour.texts |= set(found["texts"])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the journeys counted and how much of the dialogue they visited."""
    stash = terminalreporter.config.stash
    lines = dict.fromkeys(stash.get(_LINES, []))
    if tour := stash.get(_TOUR, None):
        lines[tour.summary(protocol(), catalogues()["en"])] = None
    for line in lines:
        terminalreporter.write_line(f"journeys: {line}")
