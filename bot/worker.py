"""Sends the messages of the outbox: claim -> arm -> send -> finish.

A send is tried once here; whether it is tried again is the outbox's decision, so that a message
cannot be repeated by two layers that do not know of each other.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter

from bot.clock import Clock
from bot.request import NotSent, ServerFailed
from bot.sender import Unreachable
from flows.quiet_hours import QuietHours
from storage import outbox
from storage.database import Database
from storage.deliveries import DeliveryFault, GiveUp, TryAgain, Unwanted
from storage.faults import DatabaseFault, StorageError
from storage.outbox import OutboxRow
from storage.outbox_policy import POLICIES, Kind

logger = structlog.get_logger(__name__)

#: Sends one message and returns its id, None when there is none. Must neither try again by itself
#: nor hide Telegram's errors.
Deliver = Callable[[OutboxRow], Awaitable[int | None]]

_NOTES = 6  # how often it is tried to note what became of a message
_GRACE = 3.0  # seconds that sends under way may take when the worker stops
_GIVE_BACK_WITHIN = 1.0  # seconds; what is not given back by then is, when its lease ends


@dataclass(frozen=True, slots=True)
class Terms:
    """What a worker sends and how."""

    kinds: tuple[Kind, ...] = tuple(Kind)
    quiet: QuietHours | None = None
    lease_for: timedelta = timedelta(minutes=2)  # longer than any send, its wait for pace included
    batch: int = 8
    lanes: int = 4  # messages under way at the same time
    idle_for: float = 1.0  # seconds between looks when nothing is due
    first_pause: float = 0.25  # seconds before an outcome is noted again; doubles
    chance: Callable[[], float] = lambda: 0.5  # in [0, 1); spreads what is tried again


class Worker:
    """Serves the outbox of one database; any number may run, in any number of processes."""

    def __init__(
        self,
        database: Database,
        deliver: Deliver,
        clock: Clock,
        new_token: Callable[[], str],
        terms: Terms,
    ) -> None:
        self._database = database
        self._deliver = deliver
        self._clock = clock
        self._new_token = new_token
        self._terms = terms
        self._stopping = asyncio.Event()
        self._tokens: set[str] = set()  # of claims that may still hold messages
        self._lanes: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send what is due until stopped. Cancelling this does not interrupt a send: see `stop`."""
        self._lanes = {asyncio.create_task(self._lane()) for _ in range(self._terms.lanes)}
        await asyncio.wait(self._lanes)

    async def stop(self) -> None:
        """Give back what was not begun, and finish the sends under way, within seconds."""
        self._stopping.set()
        await self._give_back()
        if self._lanes:
            _, late = await asyncio.wait(self._lanes, timeout=_GRACE)
            for lane in late:
                lane.cancel()
        await self._give_back()  # what a lane was about to claim

    async def _give_back(self) -> None:
        releases = [self._noted(functools.partial(self._release, each)) for each in self._tokens]
        try:
            async with asyncio.timeout(_GIVE_BACK_WITHIN):
                await asyncio.gather(*releases)
        except TimeoutError:
            logger.warning("claims not given back", action="outbox_not_released")

    async def once(self) -> int:
        """Take over what vanished workers left, then send one batch; return how many it had."""
        await self._database.write(outbox.rescue, self._clock.now())
        token = self._new_token()
        self._tokens.add(token)
        rows = await self._database.write(
            outbox.claim,
            self._terms.batch,
            self._clock.now(),
            self._terms.lease_for,
            token,
            self._terms.kinds,
        )
        try:
            for row in rows:
                if self._stopping.is_set():
                    return len(rows)
                await self._carry_out(row, token)
        except Exception:  # what was not armed need not wait for the end of its lease
            await self._noted(functools.partial(self._release, token))
            raise
        self._tokens.discard(token)
        return len(rows)

    async def _lane(self) -> None:
        while not self._stopping.is_set():
            try:
                found = await self.once()
            except Exception as error:  # noqa: BLE001 - the lane lives on
                found = 0
                logger.error("outbox not served", action="outbox_failed", error=_name(error))
            if not found:
                await self._idle()

    async def _idle(self) -> None:
        try:
            async with asyncio.timeout(self._terms.idle_for):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _carry_out(self, row: OutboxRow, token: str) -> None:
        now, lease_for = self._clock.now(), self._terms.lease_for
        armed = await self._database.write(
            outbox.arm, row.id, token, now, lease_for, self._terms.quiet
        )
        if armed is None:
            return
        try:
            message_id = await self._deliver(armed)
        except Exception as error:  # noqa: BLE001 - every failure of a send is sorted
            await self._noted(functools.partial(self._fail, armed, token, error))
        else:
            await self._noted(functools.partial(self._finish, armed, token, message_id))

    async def _finish(self, row: OutboxRow, token: str, message_id: int | None) -> bool:
        now = self._clock.now()
        return await self._database.write(outbox.finish, row.id, token, message_id, now)

    async def _release(self, token: str) -> bool:
        await self._database.write(outbox.release, token)
        self._tokens.discard(token)
        return True

    async def _fail(self, row: OutboxRow, token: str, error: Exception) -> bool:
        """Sort a failure: was the message not sent, perhaps sent, or can nothing be sent?"""
        write, now, why = self._database.write, self._clock.now(), _name(error)
        later = now + POLICIES[row.kind].pause(row.attempt, self._terms.chance())
        if isinstance(error, DeliveryFault):
            return await self._fail_at_clinic(row, token, error, later)
        logger.info("message not sent", action="outbox_send_failed", id=row.id, error=why)
        match error:
            # What a message says is read before it is sent: while the database is away, nothing is.
            case RetryAfter() | DatabaseFault():
                due_at = now + _asked_to_wait(error, later - now)
                return await write(outbox.postpone, row.id, token, why, due_at)
            case Forbidden() | Unreachable():
                return await write(outbox.block, row.id, token, why, now)
            case BadRequest():
                if "chat not found" in error.message.lower():
                    return await write(outbox.block, row.id, token, why, now)
                return await write(outbox.fail, row.id, token, why, None)
            case NotSent() | InvalidToken():
                return await write(outbox.fail, row.id, token, why, later)
            # Only a message that must not come twice is given up on the small chance that it went.
            case ServerFailed() if POLICIES[row.kind].copies > 1:
                return await write(outbox.fail, row.id, token, why, later)
            case _:
                return await write(outbox.uncertain, row.id, token, why, later)

    async def _fail_at_clinic(
        self, row: OutboxRow, token: str, error: DeliveryFault, later: datetime
    ) -> bool:
        """Note what a delivery to the clinic's own systems says of itself."""
        write, why = self._database.write, error.why
        logger.info("message not delivered", action="outbox_send_failed", id=row.id, error=why)
        match error:
            case TryAgain():
                due_at = max(later, error.at) if error.at else later
                return await write(outbox.fail, row.id, token, why, due_at)
            case GiveUp():
                return await write(outbox.fail, row.id, token, why, None)
            case Unwanted():
                return await write(outbox.drop, row.id, token, why)
            case _:
                return await write(outbox.uncertain, row.id, token, why, later)

    async def _noted(self, note: Callable[[], Awaitable[bool]]) -> None:
        """Write down what became of a message, again while the database is away.

        What cannot be noted is found by `rescue`, which must take it for perhaps sent.
        """
        for attempt in range(_NOTES):
            try:
                if not await note():
                    logger.warning("lease was lost", action="outbox_lease_lost")
                return
            except StorageError as error:
                logger.error("outcome not noted", action="outbox_not_noted", error=_name(error))
                await asyncio.sleep(self._terms.first_pause * 2**attempt)


def _asked_to_wait(error: Exception, else_for: timedelta) -> timedelta:
    if not isinstance(error, RetryAfter):
        return else_for
    after = error.retry_after
    return after if isinstance(after, timedelta) else timedelta(seconds=after)


def _name(error: Exception) -> str:
    return type(error).__name__
