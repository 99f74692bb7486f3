"""Every hour of a year in four time zones, from the offer to the reminder."""

from __future__ import annotations

from tests.faults import hours
from tests.faults.torture.figures import Figure, Piece, Trial


async def every_hour(trial: Trial) -> list[Figure]:
    """Look at the whole year; at full size every hour of it is booked, shown and written."""
    every = trial.at(quick=25, full=1)
    checked = await hours.check(await trial.database_url(), every)
    for differing in checked.differing[:10]:
        trial.tell(differing[:300])
    return [
        Figure(
            "Offered, stored, shown, in the calendar file and reminded: the same local time",
            f"{checked.hours} hours in {len(hours.CLOCKS)} zones, 1 of {every} booked",
            "0 mismatches, nothing offered in a gap",
            f"{len(checked.differing)} mismatches, {checked.gaps} skipped hours not offered",
            is_held=not checked.differing and checked.hours == 365 * 24 * 4 and checked.gaps == 3,
        )
    ]


PIECES = (Piece("hours", every_hour),)
