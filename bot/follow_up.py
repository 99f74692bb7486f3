"""Looks at patients whose time has come and puts the next word to them into the outbox."""

from __future__ import annotations

import structlog

from bot.clock import Clock
from bot.pace import Sleep
from storage import follow_ups, waitlist
from storage.database import Database
from storage.faults import StorageError

logger = structlog.get_logger(__name__)

_BATCH = 50  # patients looked at in one transaction


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
            chats = await self._database.write(follow_ups.look, self._clock.now(), _BATCH)
        except StorageError as error:
            name = type(error).__name__
            logger.warning("patients not looked at", action="look_failed", error=name)
            return 0
        return len(chats)
