"""Time passes: from one event to the next, whoever's it is, and nothing in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from bot.clock import MovableClock
from bot.follow_up import FollowUp
from bot.playground.chats import Message
from bot.simulation.agenda import Agenda, Deed
from bot.simulation.chance import Random
from bot.simulation.habits import Unrest, at_night, reaction
from bot.simulation.people import LostPatience, Person
from bot.simulation.staff import Staff
from bot.simulation.watching import WatchedStandIn
from bot.worker import Worker
from flows.events import AnsweredNudge
from flows.follow_up import NudgeKind
from storage import moments
from storage.database import Database

_WAKES, _SLEEPS = 8, 23  # o'clock, between which people look at their phones
_LANES = 4  # batches of messages under way at the same time
_BATCH = 4  # messages for which it is worth opening one more
_TICK = timedelta(microseconds=1)  # so that the clock never stands still
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_SOME_NIGHTS = 3 * _DAY  # between those on which staff still write

Tell = Callable[[datetime], None]


class Course:
    """The simulated days, one event after the other."""

    def __init__(
        self,
        *,
        database: Database,
        clock: MovableClock,
        standin: WatchedStandIn,
        worker: Worker,
        staff: Staff,
        zone: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._worker = worker
        self._staff = staff
        self._zone = ZoneInfo(zone)
        self._agenda = Agenda()
        self._people: dict[int, Person] = {}
        self._follow_up = FollowUp(database, clock, asyncio.sleep)
        standin.on_nudge = self._heard

    def expect(self, people: Sequence[Person], rng: Random, over: timedelta) -> None:
        """Plan when each of the people comes for the first time, and what they do by themselves."""
        begins_at = self._clock.now()
        for person in people:
            self._people[person.chat_id] = person
            at = self._awake(begins_at + over * rng.random())
            self._agenda.plan(at, partial(person.alone, person.arrive))
            self._plan_own_deeds(person, at)

    async def pass_until(self, until: datetime, tell: Tell) -> None:
        """Let the days go by; `tell` hears of each event's time."""
        self._plan_staff(until)
        while (at := self._earlier(await self._settle())) is not None and at <= until:
            self._clock.move(max(at - self._clock.now(), _TICK))
            tell(self._clock.now())
            await self._carry_out(self._agenda.due(self._clock.now()))
        self._clock.move(max(until - self._clock.now(), timedelta(0)))
        tell(until)

    def _earlier(self, at: datetime | None) -> datetime | None:
        """Return the time of the bot's next work or of the people's next deed."""
        return min((each for each in (at, self._agenda.next_at) if each is not None), default=None)

    async def _settle(self) -> datetime | None:
        """Look at whose time has come and send what is due, until nothing is.

        Returns when there is something to do next.
        """
        while True:
            due = await self._database.read(moments.due, self._clock.now())
            if due.looks:
                await self._follow_up.once()
            elif due.messages:
                lanes = min(_LANES, 1 + due.messages // _BATCH)
                await asyncio.gather(*(self._worker.once() for _ in range(lanes)))
            else:
                return due.next_at

    async def _carry_out(self, deeds: list[Deed]) -> None:
        await asyncio.gather(*(_patiently(deed) for deed in deeds))

    def _plan_own_deeds(self, person: Person, at: datetime) -> None:
        who = person.persona
        deeds = (
            (who.stops_after, person.stop),
            (who.asks_after, person.ask),
            (who.cancels_after, person.cancel),
            (who.cancels_one_after, person.cancel_one),
            (who.alarms_after, person.alarm),
            (who.waits_after, person.wait),
            (who.blocks_after, person.block),
        )
        for after, deed in deeds:
            if after is not None:
                self._agenda.plan(self._awake(at + after + _HOUR), partial(person.alone, deed))
        if who.blocks_after is not None and who.unblocks_after is not None:
            back_at = at + who.blocks_after + who.unblocks_after + 2 * _HOUR
            self._agenda.plan(self._awake(back_at), partial(person.alone, person.unblock))

    def _plan_staff(self, until: datetime) -> None:
        begins_on = on = self._clock.now().astimezone(self._zone)
        while on <= until:
            morning = on.replace(hour=9, minute=0, second=0, microsecond=0)
            self._agenda.plan(morning, self._staff.confirm_requests)
            evening = morning.replace(hour=20, minute=45)
            self._agenda.plan(evening, self._staff.note_who_came)
            if (on - begins_on) % _SOME_NIGHTS < _DAY:
                self._agenda.plan(evening, self._staff.cancel_some)
                self._agenda.plan(morning.replace(hour=21, minute=30), self._write_at_night)
            on += _DAY

    async def _write_at_night(self) -> None:
        """Let staff write when it is quiet, so that it waits for the morning; some act before."""
        for chat_id, kind in await self._staff.write_by_hand():
            person = self._people[chat_id]
            deed = _deed(person, at_night(person.persona), kind)
            if deed is not None:
                at = self._clock.now() + _HOUR / 2
                self._agenda.plan(at, partial(person.alone, deed))

    def _heard(self, chat_id: int, message: Message, nudge: AnsweredNudge) -> None:
        """Plan what a patient does about a message that came by itself."""
        person = self._people[chat_id]
        planned = reaction(person.persona, nudge.kind)
        if planned is None:
            return
        at = self._clock.now() + planned.after
        deed = partial(person.answer, message.message_id, planned.answer, planned.wish)
        at = at if planned.at_once else self._awake(at)
        self._agenda.plan(at, partial(person.alone, deed), exactly=planned.at_once)

    def _awake(self, at: datetime) -> datetime:
        """Return a time at which people look at their phones: `at`, or the next morning."""
        local = at.astimezone(self._zone)
        if _WAKES <= local.hour < _SLEEPS:
            return at
        day = local.date() + (timedelta(0) if local.hour < _WAKES else _DAY)
        morning = datetime(day.year, day.month, day.day, _WAKES, 30, tzinfo=self._zone)
        return morning.astimezone(at.tzinfo)


def _deed(person: Person, unrest: Unrest | None, kind: NudgeKind) -> Deed | None:
    match unrest:
        case Unrest.STOPS:
            return person.stop
        case Unrest.STOPS_KIND:
            return partial(person.stop_kind, kind)
        case Unrest.CANCELS:
            return person.cancel_one
        case Unrest.ALARMS:
            return person.alarm
        case None:
            return None


async def _patiently(deed: Deed) -> None:
    """Let somebody act; who gets no answer gives up, and the ledger has it."""
    try:
        await deed()
    except LostPatience:
        return
