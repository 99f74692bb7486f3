"""The clinics' people: in the evening they note who came, in the morning they confirm requests."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

from bot.clock import Clock
from bot.simulation.chance import Random
from storage import accounts, staff, staff_bookings
from storage.accounts import VisitLine
from storage.clerks import Clerk, Seen
from storage.database import Database

_DAY = timedelta(days=1)
_BOOKED, _REQUESTED = frozenset({"booked"}), frozenset({"pending"})


class Staff:
    """One member of each clinic."""

    def __init__(
        self, database: Database, clock: Clock, rng: Random, ids: Mapping[int, int], misses: float
    ) -> None:
        """`ids` is the member of each clinic, by clinic; `misses` the share who do not come."""
        self._database = database
        self._clock = clock
        self._rng = rng
        self._ids = ids
        self._misses = misses

    @classmethod
    async def hired(
        cls, database: Database, clock: Clock, rng: Random, slugs: Iterable[str], misses: float
    ) -> Staff:
        """Return staff of these clinics; their members are added to the database."""
        ids = {}
        for slug in slugs:
            staff_id = await database.write(staff.add, slug, "Robin", "owner", clock.now())
            members = await database.read(staff.members, slug)
            ids[next(each.clinic_id for each in members if each.id == staff_id)] = staff_id
        return cls(database, clock, rng, ids, misses)

    async def note_who_came(self) -> None:
        """Mark today's visits as done or missed."""
        now = self._clock.now()
        booked = await self._database.read(accounts.visits, now - _DAY, now, _BOOKED)
        came = [(visit, self._rng.random() >= self._misses) for visit in booked]
        await asyncio.gather(*(self._note(visit, is_here=is_here) for visit, is_here in came))

    async def confirm_requests(self) -> None:
        """Say yes to every request, one series at a time."""
        requested: dict[str, list[VisitLine]] = defaultdict(list)
        now = self._clock.now()
        for visit in await self._database.read(accounts.visits, now, None, _REQUESTED):
            requested[visit.series_id].append(visit)
        for visits in requested.values():
            seen = tuple(Seen(visit.uid, visit.version) for visit in visits)
            await self._database.write(staff_bookings.confirm_series, self._clerk(visits[0]), seen)

    async def _note(self, visit: VisitLine, *, is_here: bool) -> None:
        clerk, seen = self._clerk(visit), Seen(visit.uid, visit.version)
        write = self._database.write
        if not is_here:
            await write(staff_bookings.mark_noshow, clerk, seen)
            return
        await write(staff_bookings.mark_arrived, clerk, seen)
        await write(staff_bookings.mark_fulfilled, clerk, Seen(visit.uid, visit.version + 1))

    def _clerk(self, visit: VisitLine) -> Clerk:
        return Clerk(visit.clinic_id, self._ids[visit.clinic_id], self._clock.now())
