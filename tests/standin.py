"""The Bot API stand-in on a free port, inside the test's event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.clock import Clock, MovableClock, SystemClock
from bot.playground.app import create_app
from bot.playground.faults import ChatLimit, Fault, FaultKind
from bot.playground.limits import TOKEN
from bot.playground.listening import bind, listening
from bot.playground.page import Peek
from bot.playground.standin import StandIn
from tests.patient import Patient, new_patient

MONDAY_MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class StoppedClock:
    """A clock that shows one instant."""

    def __init__(self, at: datetime = MONDAY_MORNING) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the instant."""
        return self.at


@dataclass(frozen=True, slots=True)
class RunningStandIn:
    """A stand-in that is listening, with its insides to look at and to disturb."""

    url: str  # `TELEGRAM_API_URL` for the bot
    token: str
    state: StandIn
    clock: Clock

    def fault(self, kind: FaultKind, method: str = "*", **more: float) -> None:
        """Let the next call (`count`: calls) of a method go wrong."""
        self.state.faults.plan(
            Fault(kind, method, int(more.get("count", 1)), more.get("seconds", 1))
        )

    def moves(self, **by: float) -> None:
        """Move the clock, such as `hours=49`."""
        assert isinstance(self.clock, MovableClock)
        self.clock.move(timedelta(**by))

    async def new_patient(self, name: str = "Maya") -> Patient:
        """Return a patient who has not written yet."""
        return await new_patient(self.url, name)


@asynccontextmanager
async def running_standin(
    clock: Clock | None = None,
    *,
    limit: ChatLimit | None = None,
    peek: Peek | None = None,
    webhook_first_wait: float = 0.01,
    zone: str = "Europe/London",
) -> AsyncIterator[RunningStandIn]:
    """Serve a stand-in on a free port until the block ends."""
    known_clock = clock or MovableClock(SystemClock())
    state = StandIn(known_clock, limit=limit)
    app = create_app(
        token=TOKEN,
        clock=known_clock,
        standin=state,
        peek=peek,
        webhook_first_wait=webhook_first_wait,
        zone=zone,
    )
    async with listening(app, bind("127.0.0.1", 0)) as url:
        yield RunningStandIn(url, TOKEN, state, known_clock)
