"""Quiet hours on the clinic's clock, also in the night on which the clocks go back."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from flows.quiet_hours import NIGHT, QuietHours, local_instant

NEW_YORK = "America/New_York"
SHORT_NIGHT = QuietHours(time(21), time(1, 30))


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        # On 1 November 2026 it is 01:00 to 02:00 in New York twice: at 05:00 and at 06:00 UTC.
        (datetime(2026, 11, 1, 4, 59, tzinfo=UTC), datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
        (datetime(2026, 11, 1, 5, 10, tzinfo=UTC), datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
        (datetime(2026, 11, 1, 5, 40, tzinfo=UTC), None),
        (datetime(2026, 11, 1, 6, 10, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), None),
    ],
)
def test_quiet_hours_never_end_in_the_past(now: datetime, ends: datetime | None) -> None:
    assert SHORT_NIGHT.until(now, NEW_YORK) == ends


def test_a_night_that_began_in_the_hour_that_happens_twice_ends_in_the_morning() -> None:
    late = QuietHours(time(1), time(8))

    assert late.until(datetime(2026, 11, 1, 6, 10, tzinfo=UTC), NEW_YORK) == datetime(
        2026, 11, 1, 13, 0, tzinfo=UTC
    )


def test_quiet_hours_within_a_day_end_on_that_day() -> None:
    noon = QuietHours(time(12), time(14))
    at = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)

    assert noon.over(at, "Europe/London") == datetime(2026, 3, 2, 14, tzinfo=UTC)
    assert NIGHT.over(at, "Europe/London") == at


def test_a_time_that_is_skipped_is_what_it_became() -> None:
    on = datetime(2026, 3, 8, tzinfo=UTC).date()

    assert local_instant(on, time(2, 30), NEW_YORK) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
