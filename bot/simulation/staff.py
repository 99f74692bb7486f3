"""The clinics' people: in the evening they note who came, in the morning they confirm requests.

Now and then they cancel a visit, or write to somebody at night, which waits for the morning.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.simulation.chance import Random
from flows.follow_up import NudgeKind
from storage import accounts, day_sheet, nudge_work, staff, staff_bookings
from storage.accounts import VisitLine
from storage.clerks import Clerk, Seen
from storage.database import Database
from storage.lead_work import Whose
from storage.nudge_work import Sending

_DAY = timedelta(days=1)
_WEEK = 7 * _DAY
_SOON_FOR = 3 * _DAY  # before and after a visit there is most to say
_CANCELS = 0.003  # share of the visits of the coming days that a clinic cancels in an evening
_WRITES = 0.06  # share of the patients of these days to whom it writes in a night
_BOOKED, _REQUESTED = frozenset({"booked"}), frozenset({"pending"})
_DONE = frozenset({"fulfilled"})


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

    async def cancel_some(self) -> None:
        """Cancel a few of the visits that come soon, each alone."""
        now = self._clock.now()
        for visit in await self._some(_CANCELS, now, now + _WEEK, _BOOKED):
            seen = Seen(visit.uid, visit.version)
            await self._database.write(staff_bookings.cancel, self._clerk(visit), seen)

    async def write_by_hand(self) -> list[tuple[int, NudgeKind]]:
        """Send a few patients a nudge; return to which chats, and of which kinds."""
        now, found = self._clock.now(), []
        for visit in await self._some(_WRITES, now - _SOON_FOR, now + _SOON_FOR, _BOOKED | _DONE):
            kind = await self._write(visit)
            if kind is not None and visit.chat_id is not None:
                found.append((visit.chat_id, kind))
        return found

    async def _some(
        self, share: float, since: datetime, until: datetime, states: frozenset[str]
    ) -> list[VisitLine]:
        visits = await self._database.read(accounts.visits, since, until, states)
        return [visit for visit in visits if self._rng.random() < share]

    async def _write(self, visit: VisitLine) -> NudgeKind | None:
        """Send one of the nudges that the console offers for the patient of a visit."""
        now, read = self._clock.now(), self._database.read
        day = await read(day_sheet.sheet, visit.clinic_id, visit.starts_at, visit.ends_at, now)
        found = (each for column in day for each in column.visits if each.uid == visit.uid)
        lead_id = next((each.lead_id for each in found), None)
        if lead_id is None:
            return None
        sheet = await read(nudge_work.sheet, visit.clinic_id, lead_id, now)
        if sheet is None or not sheet.choices:
            return None
        kind = self._rng.choice(sheet.choices)
        whose = Whose(visit.clinic_id, self._ids[visit.clinic_id], lead_id, now)
        sending = await self._database.write(nudge_work.send, whose, kind)
        return kind if sending is Sending.QUEUED else None

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
