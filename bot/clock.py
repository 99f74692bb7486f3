"""The clock: the only place that reads the time of day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> datetime:
        """Return the current instant, aware UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current instant, aware UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that reads the clock


class MovableClock:
    """Another clock and an offset, so that the playground can jump to the day of a visit."""

    def __init__(self, base: Clock) -> None:
        self._base = base
        self._offset = timedelta(0)

    @property
    def offset(self) -> timedelta:
        """Return how far this clock is ahead of the one below it."""
        return self._offset

    def now(self) -> datetime:
        """Return the moved instant, aware UTC."""
        return self._base.now() + self._offset

    def move(self, by: timedelta) -> None:
        """Move the clock, also backwards."""
        self._offset += by
