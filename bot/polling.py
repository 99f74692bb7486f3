"""Long polling that loses nothing: an update is confirmed only after its turn is committed.

Many chats at once, one update at a time in each. Telegram hands out at most a hundred
unconfirmed updates, so no more than that is ever in memory.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable

import structlog
from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError
from telegram.warnings import PTBUserWarning

from bot import unreadable
from bot.chat_queues import ChatQueues, Handle
from bot.pace import Sleep
from bot.unreadable import Park
from bot.updates import ALLOWED
from storage.faults import DatabaseFault

logger = structlog.get_logger(__name__)

_POLL_FOR = 25  # seconds that Telegram keeps an empty poll open
_SETTLE_FOR = 0.1  # seconds before asking again for what came after unfinished updates
_LONGEST_PAUSE = 30.0
_GRACE = 3.0  # seconds that turns under way may take when the bot stops
_CONFIRM_WITHIN = 1.0  # seconds; what is not confirmed then comes again and is known


class Poller:
    """Fetches updates and hands each to `handle`, in order within its chat.

    `handle` returns when the update is dealt with, for better or worse; it must not raise.
    `park` keeps what the library cannot read.
    """

    def __init__(
        self,
        bot: Bot,
        handle: Handle,
        park: Park,
        *,
        chance: Callable[[], float],
        sleep: Sleep = asyncio.sleep,
        poll_for: int = _POLL_FOR,
    ) -> None:
        self._bot = bot
        self._handle = handle
        self._park = park
        self._chance = chance
        self._sleep = sleep
        self._poll_for = poll_for
        self._queues = ChatQueues(self._deal_with)
        self._unfinished: set[int] = set()
        self._finished: set[int] = set()  # done, but an earlier one is not
        self._settled = asyncio.Event()
        self._offset: int | None = None
        self._failures = 0
        self.address = ""  # nobody calls it

    async def start(self) -> None:
        """Do nothing: polling needs no preparation."""

    async def run(self) -> None:
        """Poll until cancelled. Raises InvalidToken when Telegram does not know the token."""
        while True:
            updates = await self._fetch()
            if updates is None:
                continue
            for update in updates:
                self._accept(update)
            if not updates and not self._unfinished and not self._finished:
                # Everything is confirmed. Ids may start anywhere after a quiet week, so a
                # number from before it must not be sent again.
                self._offset = None
            await self._settle()

    async def stop(self) -> None:
        """Let the turns under way finish, then confirm what is done."""
        await self._queues.finish(_GRACE)
        offset = self._next_offset()
        if offset is None:
            return
        try:
            # The one update that may come back is not confirmed by this and comes again later.
            async with asyncio.timeout(_CONFIRM_WITHIN):
                await self._bot.get_updates(offset=offset, limit=1, timeout=0)
        except (TelegramError, TimeoutError):
            logger.info("last updates not confirmed", action="confirm_failed")

    async def _fetch(self) -> tuple[Update, ...] | None:
        try:
            updates = await self._get()
        except InvalidToken:
            raise
        except Conflict:
            logger.error(
                "another program is receiving this bot's messages: stop it, or use another token",
                action="poll_conflict",
            )
            await self._pause(_LONGEST_PAUSE / 2)
            return None
        except RetryAfter as wait:
            after = wait.retry_after
            await self._sleep(after if isinstance(after, (int, float)) else after.total_seconds())
            return None
        except (TelegramError, DatabaseFault) as error:
            logger.warning("updates not fetched", action="poll_failed", error=type(error).__name__)
            await self._pause(0.0)
            return None
        self._failures = 0
        return updates

    async def _get(self) -> tuple[Update, ...]:
        offset = self._next_offset()
        timeout = 0 if self._unfinished else self._poll_for
        try:
            return await self._bot.get_updates(
                offset=offset, timeout=timeout, allowed_updates=ALLOWED
            )
        except TelegramError:
            raise
        except Exception:  # noqa: BLE001 - anything can be in an update, such as a date too far off
            return await self._get_readable(offset)

    async def _get_readable(self, offset: int | None) -> tuple[Update, ...]:
        """Fetch again and leave out the updates that the library cannot read."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PTBUserWarning)  # it recommends what just failed
            raw = await self._bot.do_api_request(
                "getUpdates", {"offset": offset, "timeout": 0, "allowed_updates": ALLOWED}
            )
        read = [await self._readable(each) for each in raw]
        return tuple(update for update in read if update is not None)

    async def _readable(self, raw: dict[str, object]) -> Update | None:
        try:
            return Update.de_json(raw, self._bot)
        except Exception as error:  # noqa: BLE001 - as above
            number = int(str(raw["update_id"]))
            await unreadable.put_aside(self._park, number, raw, error)
            self._finished.add(number)
            self._offset = max(self._offset or 0, number + 1)
            return None

    async def _pause(self, at_least: float) -> None:
        self._failures += 1
        longest = min(_LONGEST_PAUSE, 0.25 * 2.0 ** min(self._failures, 10))
        await self._sleep(max(at_least, longest) * (0.5 + self._chance() / 2))

    def _accept(self, update: Update) -> None:
        number = update.update_id
        if number in self._unfinished or number in self._finished:
            return
        if self._offset is None or number >= self._offset:
            self._offset = number + 1
        self._unfinished.add(number)
        self._queues.put(update)

    async def _deal_with(self, update: Update) -> None:
        await self._handle(update)
        self._unfinished.discard(update.update_id)
        self._finished.add(update.update_id)
        if not self._unfinished:
            self._settled.set()

    async def _settle(self) -> None:
        """Wait for the turns under way, but not long: other chats may have written meanwhile."""
        if not self._unfinished:
            return
        self._settled.clear()
        try:
            async with asyncio.timeout(_SETTLE_FOR):
                await self._settled.wait()
        except TimeoutError:
            return

    def _next_offset(self) -> int | None:
        """Return the lowest number not dealt with; everything below it is confirmed."""
        if self._unfinished:
            return min(self._unfinished)
        self._finished.clear()
        return self._offset
