"""Looks at patients whose time has come and puts the next word to them into the outbox."""

from __future__ import annotations

from datetime import timedelta

import structlog

from bot.clock import Clock
from bot.log import place_of
from bot.pace import Sleep
from storage import follow_ups, waitlist
from storage.database import Database
from storage.faults import DatabaseFault

logger = structlog.get_logger(__name__)

_BATCH = 50  # patients looked at in one transaction
_PUT_OFF_FOR = timedelta(days=1)  # until a patient who could not be looked at is tried again


class FollowUp:
    """Runs beside the worker; any number may run, in any number of processes."""

    def __init__(
        self, database: Database, clock: Clock, sleep: Sleep, *, idle_for: float = 2.0
    ) -> None:
        self._database = database
        self._clock = clock
        self._sleep = sleep
        self._idle_for = idle_for

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            if not await self.once():
                await self._sleep(self._idle_for)

    async def once(self) -> int:
        """Look at one batch; return how many patients that were. Does not raise."""
        try:
            await self._database.write(waitlist.expire, self._clock.now())
            return await self._look()
        except Exception as error:  # noqa: BLE001 - a loop's body: tomorrow's reminders need it
            logger.error(
                "patients not looked at",
                action="look_failed",
                error=type(error).__name__,
                at=place_of(error),
            )
            return 0

    async def _look(self) -> int:
        try:
            return len(await self._database.write(follow_ups.look, self._clock.now(), _BATCH))
        except DatabaseFault:
            raise
        except Exception:  # noqa: BLE001 - sorted one by one below
            return await self._look_singly()

    async def _look_singly(self) -> int:
        """Look at each patient alone, so that one who cannot be read keeps nobody waiting."""
        chats = await self._database.write(follow_ups.due, self._clock.now(), _BATCH)
        for chat_id in chats:
            now = self._clock.now()
            try:
                await self._database.write(follow_ups.look_at_one, chat_id, now)
            except DatabaseFault:
                raise
            except Exception as error:  # noqa: BLE001 - anything can be wrong with one history
                await self._database.write(follow_ups.put_off, chat_id, now + _PUT_OFF_FOR)
                logger.error(
                    "a patient could not be looked at",
                    action="look_put_off",
                    error=type(error).__name__,
                    at=place_of(error),
                )
        return len(chats)
