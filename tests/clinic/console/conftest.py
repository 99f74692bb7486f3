"""A running console for each test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.clinic.console.world import Browser, ConsoleWorld, console_world


@pytest.fixture
async def world(sqlite_url: str, tmp_path: Path) -> AsyncIterator[ConsoleWorld]:
    """Yield a console on a fresh SQLite database."""
    async with console_world(sqlite_url, tmp_path) as running:
        yield running


@pytest.fixture
async def owner(world: ConsoleWorld) -> Browser:
    """Return the browser of an owner of the willow clinic."""
    return await world.signed_in_client("owner")


@pytest.fixture
async def member(world: ConsoleWorld) -> Browser:
    """Return the browser of someone on the staff of the willow clinic."""
    return await world.signed_in_client("staff")
