"""Keeps practitioners' own calendars and the clinic's in agreement, beside the event loop.

Each calendar is used by one task at a time, in a thread of its own, so that a slow server keeps
nobody waiting but itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import structlog

from clinic.calendars import reading, writing
from clinic.calendars.faults import CalendarAway, CalendarFault, WrongPassword
from clinic.calendars.remote import RemoteCalendar
from clinic.lent import Now
from storage import calendar_accounts, calendar_pushes, calendar_readings
from storage.calendar_accounts import Account
from storage.calendar_readings import Kept, Reading, Written
from storage.database import Database
from storage.deliveries import TryAgain, Unwanted
from storage.faults import StorageError
from storage.outbox import OutboxRow
from storage.sealing import Seal, SealFault

logger = structlog.get_logger(__name__)

T = TypeVar("T")

#: No reading takes longer; then another process may try.
_LEASE = timedelta(minutes=10)

_LANES = 3  # calendars that are read at the same time

_DOUBLINGS = 10  # after so many failures the pause grows no more


@dataclass(frozen=True, slots=True)
class Terms:
    """How calendars are looked after."""

    read_every: timedelta = timedelta(minutes=3)
    look_every: float = 5.0  # seconds between two looks for a calendar that is due
    private: bool = False  # servers in the own network may be called


class Calendars:
    """Reads and writes the calendars of one database."""

    def __init__(
        self,
        database: Database,
        now: Now,
        seal: Callable[[], Seal],
        terms: Terms,
        chance: Callable[[], float],
    ) -> None:
        """`chance` gives numbers in [0, 1) that spread readings; `seal` is asked when needed."""
        self._database = database
        self._now = now
        self._seal = seal
        self._terms = terms
        self._chance = chance
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="calendar")
        self._locks: dict[int, asyncio.Lock] = {}

    def chores(self) -> list[Coroutine[object, object, None]]:
        """Return what reads the calendars until it is cancelled."""
        return [self._keep_reading() for _ in range(_LANES)]

    async def deliver(self, row: OutboxRow) -> None:
        """Write the appointment that a message is about, as it stands now.

        Raises Unwanted when the calendar is no longer connected, TryAgain when it cannot be used.
        """
        account_id = int(row.payload["account"])
        async with self._only(account_id):
            account = await self._database.read(calendar_accounts.account, account_id)
            if account is None:
                raise Unwanted("CalendarDisconnected")
            if account.write_next_at is not None and account.write_next_at > self._now():
                raise TryAgain("CalendarFailing", account.write_next_at)
            try:
                await self._write(account, row.ref_id)
            except CalendarFault as fault:
                at = self._now() + self._pause(fault, row.attempt - 1)
                await self._database.write(
                    calendar_accounts.write_failed,
                    account_id,
                    str(fault),
                    at if fault.stops_writing else None,
                )
                raise TryAgain(type(fault).__name__, at) from None

    async def read(self, account: Account) -> Kept:
        """Read one calendar and keep what it says. Raises CalendarFault, which is noted too."""
        async with self._only(account.id):
            try:
                found = await self._read(account)
            except CalendarFault as fault:
                await self._note_failure(account, fault)
                raise
            next_at = self._now() + self._spread(self._terms.read_every)
            kept = await self._database.write(
                calendar_readings.keep, account, found, self._now(), next_at
            )
            if found.unread:
                await self._note_failure(account, _unread(len(found.unread)))
            return kept

    async def read_due(self) -> bool:
        """Read the calendar that has waited longest; False when none is due."""
        account = await self._database.write(calendar_accounts.claim_due, self._now(), _LEASE)
        if account is None:
            return False
        try:
            kept = await self.read(account)
        except CalendarFault as fault:
            why = type(fault).__name__
            logger.warning("calendar not read", action="calendar_failed", id=account.id, error=why)
        else:
            if kept.clashes:
                logger.info("calendar clashes", action="calendar_clash", id=account.id)
        return True

    async def verify(self, account: calendar_accounts.Terms) -> None:
        """Look whether a calendar can be used. Raises CalendarFault."""
        await self._in_thread(self._remote, account, RemoteCalendar.look)

    async def _keep_reading(self) -> None:
        while True:
            try:
                busy = await self.read_due()
            except StorageError as error:
                busy = False
                why = type(error).__name__
                logger.error("calendars not read", action="calendars_failed", error=why)
            except Exception as error:  # noqa: BLE001 - one calendar must never stop the others
                busy = False
                why = type(error).__name__
                logger.error("calendar reading failed", action="calendars_failed", error=why)
            if not busy:
                await asyncio.sleep(self._terms.look_every * (0.5 + self._chance()))

    async def _read(self, account: Account) -> Reading:
        own = await self._database.read(calendar_readings.own_uids, account)
        now = self._now()
        return await self._in_thread(
            self._remote,
            account.terms,
            lambda remote: reading.read(remote, account, own, now),
        )

    async def _write(self, account: Account, uid: str) -> None:
        task = await self._database.read(calendar_pushes.task, account.id, uid)
        if task.is_done:
            return

        def write(remote: RemoteCalendar) -> Written:
            return writing.write(remote, task, uid)

        written = await self._in_thread(self._remote, account.terms, write)
        await self._database.write(
            calendar_readings.keep_written, account.id, uid, task, written, self._now()
        )

    async def _in_thread(
        self,
        connect: Callable[[calendar_accounts.Terms], RemoteCalendar],
        terms: calendar_accounts.Terms,
        use: Callable[[RemoteCalendar], T],
    ) -> T:
        def job() -> T:
            with closing(connect(terms)) as remote:
                return use(remote)

        return await asyncio.get_running_loop().run_in_executor(self._threads, job)

    def _remote(self, terms: calendar_accounts.Terms) -> RemoteCalendar:
        try:
            password = self._seal().open(terms.password)
        except SealFault:
            raise WrongPassword from None
        return RemoteCalendar(terms.url, terms.username, password, private=self._terms.private)

    async def _note_failure(self, account: Account, fault: CalendarFault) -> None:
        """Keep in words why the calendar could not be read, and when it is worth another try."""
        now = self._now()
        next_at = now + self._pause(fault, account.failures)
        await self._database.write(
            calendar_accounts.failed,
            account.id,
            str(fault),
            now,
            next_at,
            next_at if fault.stops_writing else None,
        )

    def _pause(self, fault: CalendarFault, before: int) -> timedelta:
        """Return how long to wait after a failure that had so many `before` it."""
        doubled = fault.pause * 2 ** min(before, _DOUBLINGS)
        pause = self._spread(min(doubled, fault.longest_pause))
        if isinstance(fault, CalendarAway) and fault.wait_for is not None:
            pause = max(pause, min(fault.wait_for, fault.longest_pause))
        return pause

    def _spread(self, pause: timedelta) -> timedelta:
        return pause * (0.75 + self._chance() / 2)

    def _only(self, account_id: int) -> asyncio.Lock:
        return self._locks.setdefault(account_id, asyncio.Lock())


def _unread(count: int) -> CalendarFault:
    entries = "1 entry" if count == 1 else f"{count} entries"
    return CalendarFault(
        f"{entries} of the calendar cannot be understood, so nobody knows what time they take; "
        "open the calendar and correct or delete what looks odd"
    )
