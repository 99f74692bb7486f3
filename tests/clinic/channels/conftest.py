"""Fixtures: a receiver, and a world that sends to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database import Database
from tests.clinic.channels.receiver import Receiver, receiving
from tests.clinic.channels.world import World


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Yield a clinic's own system, listening."""
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def world(willow: Database, tmp_path: Path) -> World:
    """Return the willow clinic, without a channel."""
    return World(willow, tmp_path)
