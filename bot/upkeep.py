"""What the bot does beside its patients: take parked updates again, and forget old ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from telegram import Bot, Update

from bot.log import place_of
from bot.pace import Sleep
from bot.unreadable import UNREADABLE
from storage.inbox import MOST_PRUNED, KeptUpdate

logger = structlog.get_logger(__name__)

_EVERY = 60.0  # seconds
_PRUNE_EVERY = 60  # rounds


class Records(Protocol):
    """The inbox as upkeep needs it."""

    async def replayable(self) -> list[KeptUpdate]:
        """Return the updates that staff want taken again."""
        ...

    async def settle(self, update_id: int) -> None:
        """Note that an update needs no more work, whatever it was."""
        ...

    async def park(self, update_id: int, why: str, payload: str | None = None) -> None:
        """Put an update aside."""
        ...

    async def prune(self) -> int:
        """Forget some of what is too old to come again; return how much that was."""
        ...


class Upkeep:
    """Looks once a minute. `handle` deals with an update for better or worse; it does not raise."""

    def __init__(
        self,
        bot: Bot,
        records: Records,
        handle: Callable[[Update], Awaitable[None]],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._bot = bot
        self._records = records
        self._handle = handle
        self._sleep = sleep

    async def run(self) -> None:
        """Keep things tidy until cancelled."""
        rounds = 0
        while True:
            try:
                await self._replay()
                if rounds % _PRUNE_EVERY == 0:
                    await self._prune()
            except Exception as error:  # noqa: BLE001 - a loop's body: it goes on
                name, at = type(error).__name__, place_of(error)
                logger.warning("upkeep failed", action="upkeep_failed", error=name, at=at)
            rounds += 1
            await self._sleep(_EVERY)

    async def _replay(self) -> None:
        for kept in await self._records.replayable():
            update = self._read(kept)
            if update is None:
                await self._records.park(kept.update_id, UNREADABLE)
                continue
            logger.info("update taken again", action="update_replayed", update_id=kept.update_id)
            await self._handle(update)
            # One that changes nothing would otherwise be taken again for ever.
            await self._records.settle(kept.update_id)

    def _read(self, kept: KeptUpdate) -> Update | None:
        try:
            return Update.de_json(json.loads(kept.payload), self._bot)
        except Exception:  # noqa: BLE001 - anything can be in an update
            return None

    async def _prune(self) -> None:
        while await self._records.prune() == MOST_PRUNED:
            await self._sleep(0.1)
