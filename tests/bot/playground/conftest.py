"""A stand-in on a free port, PTB's own bot to call it with, and a patient."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from telegram import Bot

from bot.clock import MovableClock
from tests.patient import Patient
from tests.standin import RunningStandIn, StoppedClock, running_standin


@pytest.fixture
async def standin() -> AsyncIterator[RunningStandIn]:
    """Yield a stand-in whose clock stands still until it is moved."""
    async with running_standin(MovableClock(StoppedClock())) as running:
        yield running


@pytest.fixture
async def bot(standin: RunningStandIn) -> AsyncIterator[Bot]:
    """Yield PTB's bot, unchanged, talking to the stand-in."""
    url = standin.url
    async with Bot(standin.token, base_url=f"{url}/bot", base_file_url=f"{url}/file/bot") as bot:
        yield bot


@pytest.fixture
async def maya(standin: RunningStandIn) -> AsyncIterator[Patient]:
    """Yield a patient who has pressed Start."""
    async with await standin.new_patient("Maya") as patient:
        await patient.starts()
        yield patient


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Yield a plain HTTP client."""
    async with aiohttp.ClientSession() as session:
        yield session
