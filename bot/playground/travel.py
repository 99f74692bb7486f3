"""Moving the playground's clock, by a span or to the next event, and telling what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from bot.clock import MovableClock
from bot.follow_up import FollowUp
from bot.playground.ahead import named
from bot.playground.refusals import Refusal
from bot.playground.standin import StandIn
from storage import moments
from storage.database import Database
from storage.moments import Awaited, Moment

Json = dict[str, object]

PATIENCE = 10.0  # seconds that what is due may take before it is told what came of a move
LOOK_EVERY = 0.1  # seconds between two looks whether it is done
MOST_JUMPS = 40  # to moments that come to nothing, before somebody is asked to press again

_NOTHING = timedelta(0)


async def _nobody(_by: timedelta) -> None:
    """Take nobody along."""


class Travel:
    """Moves the one clock that bot, worker and console share.

    `take_along(by)` is for what would take a jump for a long silence, such as open sessions.
    """

    def __init__(
        self,
        database: Database,
        clock: MovableClock,
        standin: StandIn,
        take_along: Callable[[timedelta], Awaitable[None]] = _nobody,
    ) -> None:
        self._database = database
        self._clock = clock
        self._standin = standin
        self._take_along = take_along
        self._follow_up = FollowUp(database, clock, asyncio.sleep)
        self._one_at_a_time = asyncio.Lock()

    async def move(self, by: timedelta) -> list[Json]:
        """Move the clock, also backwards; return what went out because of it."""
        async with self._one_at_a_time:
            await self._go(by)
            return self._told(await self._came(None) if by > _NOTHING else [])

    async def to_next(self) -> list[Json]:
        """Move the clock to the next moment at which something comes to pass, and return that.

        Moments that come to nothing are passed over.
        """
        async with self._one_at_a_time:
            await self._settle()
            for _ in range(MOST_JUMPS):
                moment = await self._database.read(moments.next_moment, self._clock.now())
                if moment is None:
                    return self._told([self._line("nothing lies ahead of anybody")])
                await self._go(moment.at - self._clock.now())
                if came := await self._came(moment):
                    return self._told(came)
            return self._told([self._line("nothing went out until now")])

    async def _go(self, by: timedelta) -> None:
        # The session must hold before and after: it goes first into the future, last into the past.
        if by > _NOTHING:
            await self._take_along(by)
            self._clock.move(by)
        else:
            self._clock.move(by)
            await self._take_along(by)
        self._standin.feed.tell("clock", None, self.time())

    async def _came(self, moment: Moment | None) -> list[Json]:
        arrived_at = self._clock.now()
        await self._settle()
        lines: list[Json] = []
        if moment is not None and moment.awaited is Awaited.HOLD:
            lines.append(self._line(f"the times held for {self._name(moment.chat_id)} are free"))
        for each in await self._database.read(moments.gone_out, arrived_at):
            what = named(each.kind, each.payload)
            lines.append(self._line(f"{self._name(each.chat_id)} got {what}", each.at))
        return lines

    async def _settle(self) -> None:
        """Wait until nothing is due, or for as long as a visitor may be kept waiting."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < deadline:
            await self._follow_up.once()
            if not await self._database.read(moments.is_busy, self._clock.now()):
                return
            await asyncio.sleep(LOOK_EVERY)

    def time(self) -> Json:
        """Return what the clock shows, in seconds, and how far it was moved."""
        now = self._clock.now()
        return {"now": now.timestamp(), "moved": self._clock.offset.total_seconds()}

    def _told(self, lines: list[Json]) -> list[Json]:
        if lines:
            self._standin.feed.tell("came", None, {"came": lines})
        return lines

    def _line(self, words: str, at: datetime | None = None) -> Json:
        return {"at": (at or self._clock.now()).astimezone(UTC).isoformat(), "words": words}

    def _name(self, chat_id: int | None) -> str:
        if chat_id is None:
            return "the clinic"
        try:
            return self._standin.chats.chat(chat_id).patient.first_name
        except Refusal:  # of an earlier playground whose chats were removed
            return "a patient"
