"""When nobody is disturbed: wall-clock hours in the zone of the clinic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From when until when nobody is disturbed, on the clock of the clinic's zone."""

    starts: time
    ends: time

    def until(self, now: datetime, zone: str) -> datetime | None:
        """Return when the quiet hours that hold at `now` end; None when it is not quiet."""
        local = now.astimezone(ZoneInfo(zone))
        over_midnight = self.starts > self.ends
        clock = local.time()
        if over_midnight:
            is_quiet = clock >= self.starts or clock < self.ends
        else:
            is_quiet = self.starts <= clock < self.ends
        if not is_quiet:
            return None
        is_evening = over_midnight and clock >= self.starts
        day = local.date() + timedelta(days=1 if is_evening else 0)
        # In an hour that happens twice the end is meant that is still to come.
        ends = self.ends.replace(fold=local.fold)
        return local_instant(day, ends, zone).astimezone(now.tzinfo)

    def over(self, at: datetime, zone: str) -> datetime:
        """Return `at`, or the end of the quiet hours that hold then."""
        return self.until(at, zone) or at


#: Nobody gets two automatic messages within this time without having written in between.
APART = timedelta(hours=12)

#: Nobody is written to from nine in the evening until eight in the morning.
NIGHT = QuietHours(time(21), time(8))


def local_instant(on: date, at: time, zone: str) -> datetime:
    """Return a wall-clock time as aware UTC: in a fold by `fold`; after a gap what it became."""
    return datetime.combine(on, at, ZoneInfo(zone)).astimezone(UTC)
