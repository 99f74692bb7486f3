"""Stop, while messages wait for the morning: none of them is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

from sqlalchemy import Connection, select

from flows.conversation import Stage
from flows.follow_up import NudgeKind
from flows.slots import Slot
from storage import nudge_work, staff_bookings
from storage.clerks import Clerk, Seen
from storage.lead_work import Whose
from storage.models import WAITING, Outbox
from storage.nudge_work import Sending
from storage.staff_bookings import WalkIn
from tests.journeys.guide import Guide
from tests.journeys.year import LONDON, Year, booked

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def _waiting(connection: Connection) -> list[str]:
    rows = connection.execute(
        select(Outbox.payload).where(Outbox.kind == "nudge", Outbox.state.in_(WAITING))
    )
    kinds = [each for row in rows for each in NudgeKind if f'"{each}"' in row.payload]
    return sorted(kind.value for kind in kinds)


async def writes(year: Year, kind: NudgeKind) -> None:
    """Let the clinic's people send a nudge by hand."""
    whose = Whose(1, year.clerk_id, 1, year.here.clock.now())
    assert await year.here.database.write(nudge_work.send, whose, kind.value) is Sending.QUEUED


def later(slot: Slot, by: timedelta) -> Slot:
    return replace(slot, starts_at=slot.starts_at + by, ends_at=slot.ends_at + by)


async def second(guide: Guide) -> Slot:
    """Return the first visit that is to come, after the first of the course took place."""
    return (await guide.conversation()).booking.sessions[-3].slot


async def has_room_before_the_second(year: Year, maya: Guide) -> None:
    """Let the first visit take place, and the clinic move the others two weeks on."""
    chat = maya.patient.chat_id
    await year.keeps(chat, 1)
    slots = [each.slot for each in (await maya.conversation()).booking.sessions[-3:]]
    ahead = [seen for seen, _, state, _ in await year.visits(chat) if state == "booked"]
    moves = [(seen, later(slot, 14 * DAY)) for seen, slot in zip(ahead, slots, strict=True)]
    clerk = Clerk(1, year.clerk_id, year.here.clock.now())
    await year.here.database.write(staff_bookings.move_series, clerk, tuple(moves))


async def frees_a_day_before(year: Year, maya: Guide) -> None:
    """Let somebody be written in on the day before Maya's second visit, and taken out again."""
    write, clerk = year.here.database.write, Clerk(1, year.clerk_id, year.here.clock.now())
    guest = WalkIn("bo", "treatment", later(await second(maya), 2 * HOUR - DAY), "WK23", "Bo")
    await write(staff_bookings.walk_in, clerk, guest)
    await write(staff_bookings.cancel, clerk, Seen("bo", 1))


def night_before(at: datetime, days: int) -> datetime:
    on = at.astimezone(LONDON).date() - days * DAY
    return datetime.combine(on, time(21, 30), LONDON)


async def test_after_a_stop_there_is_silence_whatever_waits(year: Year) -> None:
    maya = await booked(year.here)
    await has_room_before_the_second(year, maya)
    await maya.says("/my")
    assert await maya.taps("Tell me if something earlier") == Stage.BOOKED
    second_at = await year.at(maya.patient.chat_id, 2)
    await year.passes(night_before(second_at, 3))
    await frees_a_day_before(year, maya)
    await writes(year, NudgeKind.REMINDER)
    await writes(year, NudgeKind.PREPARE_WEEK)
    await year.passes(year.here.clock.now() + HOUR / 2)
    before = await year.said()
    waits = await year.here.database.read(_waiting)

    await maya.patient.says("/stop")
    await maya.arrives()
    left = await year.here.database.read(_waiting)
    await year.passes(second_at + 500 * DAY)

    assert waits == ["prepare_week", "reminder", "waitlist_offer"]
    assert left == []
    assert await year.said() == before
