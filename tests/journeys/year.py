"""The journeys' world over a year: time passes from event to event, with a worker that sends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from bot.worker import Terms, Worker
from flows.conversation import Stage
from flows.quiet_hours import NIGHT
from storage import follow_ups, moments, staff_bookings
from storage.clerks import Clerk, Seen
from storage.models import Appointment, Outbox
from tests.journeys.guide import Guide
from tests.journeys.test_staff import Clinic
from tests.journeys.world import World

LONDON = ZoneInfo("Europe/London")


@dataclass
class Year(Clinic):
    """The journey's world with a worker, in which time passes from event to event."""

    async def passes(self, until: datetime) -> None:
        """Let time go by: look at patients and send, each at its moment."""
        while True:
            await self._settle()
            now = self.here.clock.now()
            moment = await self.here.database.read(moments.next_moment, now)
            if moment is None or moment.at > until:
                break
            self.here.clock.move(moment.at - now)
        self.here.clock.move(until - self.here.clock.now())
        await self._settle()

    async def _settle(self) -> None:
        while await self.here.database.write(follow_ups.look, self.here.clock.now()):
            pass
        terms = Terms(kinds=tuple(self.deliveries), quiet=NIGHT)
        worker = Worker(self.here.database, self._deliver, self.here.clock, lambda: "t", terms)
        while await worker.once():
            pass

    async def said(self) -> list[str]:
        """Return every nudge that was sent, with its local time, in order."""
        rows = await self.here.database.read(_nudges)
        return [f"{kind} {at.astimezone(LONDON):%a %d %b %Y %H:%M}" for kind, at in rows]

    async def visits(self, chat: int) -> list[tuple[Seen, datetime, str, int]]:
        return await self.here.database.read(_visits, chat)

    async def at(self, chat: int, number: int) -> datetime:
        """Return when a session that is still to be kept begins."""
        return next(at for _, at, state, n in await self.visits(chat) if n == number)

    async def keeps(self, chat: int, number: int) -> None:
        """Let a visit take place."""
        await self.keeps_at(next(v for v in await self.visits(chat) if v[3] == number))

    async def keeps_at(self, visit: tuple[Seen, datetime, str, int]) -> None:
        """Let a visit take place: the clinic's people say so."""
        seen, at, _, _ = visit
        await self.passes(at + timedelta(minutes=1))
        write, clerk = self.here.database.write, Clerk(1, self.clerk_id, self.here.clock.now())
        await write(staff_bookings.mark_arrived, clerk, seen)
        await write(staff_bookings.mark_fulfilled, clerk, Seen(seen.uid, seen.version + 1))

    async def marks(self, chat: int, number: int, what: str) -> None:
        """Let the clinic's people say what became of a visit."""
        write, now = self.here.database.write, self.here.clock.now()
        seen = next(seen for seen, _, _, each in await self.visits(chat) if each == number)
        clerk = Clerk(1, self.clerk_id, now)
        await write(getattr(staff_bookings, what), clerk, seen)

    async def misses(self, chat: int, number: int) -> None:
        """Let a visit pass without the patient, and the word about it come the next morning."""
        at = await self.at(chat, number)
        await self.passes(at + timedelta(hours=2))
        await self.marks(chat, number, "mark_noshow")
        await self.passes(at + timedelta(days=1, hours=3))

    async def kinds(self) -> list[str]:
        """Return the kinds of every nudge that was sent, in order."""
        return [line.split()[0] for line in await self.said()]

    clerk_id: int = 0


def _nudges(connection: Connection) -> list[tuple[str, datetime]]:
    rows = connection.execute(
        select(Outbox.key, Outbox.sent_at)
        .where(Outbox.kind == "nudge", Outbox.state == "sent")
        .order_by(Outbox.sent_at, Outbox.id)
    )
    return [(row.key.split(":")[2], row.sent_at) for row in rows]


def _visits(connection: Connection, chat: int) -> list[tuple[Seen, datetime, str, int]]:
    table = Appointment
    rows = connection.execute(
        select(table.uid, table.version, table.starts_at, table.state, table.number)
        .where(table.chat_id == chat)
        .order_by(table.starts_at)
    )
    return [(Seen(row.uid, row.version), row.starts_at, row.state, row.number) for row in rows]


async def booked(here: World, name: str = "Maya") -> Guide:
    maya = await here.meets(name)
    await maya.answers()
    await maya.taps("All correct")
    await maya.follows("Book all 4", "Here in Telegram")
    assert (await maya.conversation()).state == Stage.BOOKED
    return maya


async def ends_the_course(year: Year, chat: int) -> list[str]:
    """Let what is booked take place, and a year go by; return the kinds of the last words."""
    before = len(await year.said())
    for visit in [each for each in await year.visits(chat) if each[2] == "booked"]:
        await year.keeps_at(visit)
    await year.passes(year.here.clock.now() + timedelta(days=372))
    return (await year.kinds())[before:]
