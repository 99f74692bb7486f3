"""Clocks tell aware UTC, and one of them can be moved."""

from datetime import UTC, datetime, timedelta

from bot.clock import MovableClock, SystemClock
from tests.standin import StoppedClock

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_the_system_clock_is_aware_and_in_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_a_moved_clock_is_ahead_by_all_its_moves() -> None:
    clock = MovableClock(StoppedClock(MONDAY))

    clock.move(timedelta(days=2))
    clock.move(timedelta(hours=-1))

    assert clock.offset == timedelta(days=2, hours=-1)
    assert clock.now() == datetime(2026, 3, 4, 8, 0, tzinfo=UTC)
