"""What a running bot counts, for Prometheus. No label ever holds a chat, a name or a word."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from telegram import Update

from bot.chat_queues import Handle
from bot.clock import Clock
from bot.store import DatabaseStore
from flows.effects import ConfirmSeries
from storage.database import Database
from storage.outbox import Lag
from storage.turns import Committed, Duplicate, SlotTaken, Stale, TurnWrites

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_OUTCOMES: dict[type[Committed | Duplicate | SlotTaken | Stale], str] = {
    Committed: "committed",
    Duplicate: "repeated",
    SlotTaken: "slot_taken",
    Stale: "overtaken",
}


class Meters:
    """The figures of one process, in a registry of their own."""

    def __init__(self, monotonic: Callable[[], float] = time.perf_counter) -> None:
        self._monotonic = monotonic
        self.registry = CollectorRegistry()
        ProcessCollector(namespace="resurface", registry=self.registry)
        self._turns = Counter(
            "resurface_turns", "Turns by outcome.", ["outcome"], registry=self.registry
        )
        self._seconds = Histogram(
            "resurface_turn_seconds",
            "From taking up an update until it was committed or put aside.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._bookings = Counter(
            "resurface_bookings_confirmed", "Bookings confirmed.", registry=self.registry
        )
        self._faults = Counter(
            "resurface_database_errors",
            "Failed reads and writes by kind of error.",
            ["error"],
            registry=self.registry,
        )
        self._refused = Counter(
            "resurface_deliveries_refused",
            "Webhook deliveries not taken, by status.",
            ["status"],
            registry=self.registry,
        )
        self._parked = self._gauge("resurface_updates_parked", "Updates put aside for staff.")
        self._lag = self._gauge("resurface_outbox_lag_seconds", "Age of the oldest due message.")
        self._due = self._gauge("resurface_outbox_due", "Messages whose time has come.")
        self._given_up = self._gauge(
            "resurface_outbox_given_up", "Messages not, or perhaps not, delivered."
        )
        for outcome in (*_OUTCOMES.values(), "parked"):
            self._turns.labels(outcome)  # so that each is there, at 0, from the start

    def timed(self, handle: Handle) -> Handle:
        """Return `handle` with its time taken."""

        async def taken(update: Update) -> None:
            started = self._monotonic()
            try:
                await handle(update)
            finally:
                self._seconds.observe(self._monotonic() - started)

        return taken

    def took(self, writes: TurnWrites, outcome: Committed | Duplicate | SlotTaken | Stale) -> None:
        """Count a turn that was handed to the database."""
        self._turns.labels(_OUTCOMES[type(outcome)]).inc()
        if isinstance(outcome, Committed):
            confirmed = [each for each in writes.effects if isinstance(each, ConfirmSeries)]
            self._bookings.inc(len(confirmed))

    def parked(self) -> None:
        """Count an update that was put aside."""
        self._turns.labels("parked").inc()

    def database_failed(self, error: str) -> None:
        """Count a failed read or write; `error` is a class name."""
        self._faults.labels(error).inc()

    def refused(self, status: int) -> None:
        """Count a webhook delivery that was not taken."""
        self._refused.labels(str(status)).inc()

    def note(self, lag: Lag, parked: int) -> None:
        """Keep what the database says of the outbox and of parked updates."""
        self._lag.set(lag.oldest_for.total_seconds())
        self._due.set(lag.due)
        self._given_up.set(lag.given_up)
        self._parked.set(parked)

    def forget(self) -> None:
        """Say that nobody knows what the database holds: an old figure would look like news."""
        for gauge in (self._lag, self._due, self._given_up, self._parked):
            gauge.set(math.nan)

    def text(self) -> bytes:
        """Return every figure in Prometheus's text format."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, about: str) -> Gauge:
        return Gauge(name, about, registry=self.registry)


class MeteredStore(DatabaseStore):
    """A store that counts what becomes of turns."""

    def __init__(
        self,
        meters: Meters,
        database: Database,
        clock: Clock,
        monotonic: Callable[[], float],
        bot_id: int = 0,
    ) -> None:
        super().__init__(database, clock, monotonic, bot_id)
        self._meters = meters

    async def commit(self, writes: TurnWrites) -> Committed | Duplicate | Stale | SlotTaken:
        """Make a turn durable."""
        outcome = await super().commit(writes)
        self._meters.took(writes, outcome)
        return outcome

    async def park(self, update_id: int, why: str, payload: str | None = None) -> None:
        """Put an update aside; `payload` is the update, so that it can be taken again."""
        await super().park(update_id, why, payload)
        self._meters.parked()
