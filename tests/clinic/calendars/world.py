"""A clinic whose practitioner has a calendar on a real CalDAV server."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from bot.worker import Terms as WorkerTerms
from bot.worker import Worker
from clinic.calendars.service import Calendars, Terms
from flows.slots import Slot, free_slots
from storage import calendar_accounts, calendar_store, clashes, turns
from storage.calendar_accounts import Account
from storage.calendar_readings import Kept, Span
from storage.clashes import Clash
from storage.database import Database
from storage.models import CalendarAccount, ExternalBusy
from storage.outbox_policy import Kind
from storage.sealing import Seal
from tests.builders import NOW, a_confirmation, a_conversation, a_decision, a_turn
from tests.clinic.calendars.radicale import PASSWORD, USER, Outside

WORKER = WorkerTerms(kinds=(Kind.CALENDAR,), batch=400)


@dataclass
class Clock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@dataclass
class World:
    """Amara of the willow clinic, what she has booked, and her own calendar."""

    database: Database
    outside: Outside
    seal: Seal
    clock: Clock = field(default_factory=Clock)
    account_id: int = 0
    tokens: itertools.count[int] = field(default_factory=itertools.count)
    calendars: Calendars = field(init=False)

    def __post_init__(self) -> None:
        self.calendars = Calendars(
            self.database, self.clock.now, lambda: self.seal, Terms(private=True), lambda: 0.5
        )

    async def connect(self, password: str = PASSWORD, **terms: Any) -> None:
        """Connect the calendar; nothing is read yet."""
        url = terms.pop("url", self.outside.url)
        sealed = calendar_accounts.Terms(url, USER, self.seal.close(password), **terms)
        self.account_id = await self.database.write(
            calendar_accounts.connect, "willow", "amara", sealed, self.clock.at
        )

    async def account(self) -> Account:
        account = await self.database.read(calendar_accounts.account, self.account_id)
        assert account is not None
        return account

    async def change_account(self, **values: Any) -> None:
        def change(connection: Connection) -> None:
            connection.execute(update(CalendarAccount).values(**values))

        await self.database.write(change)

    async def read(self) -> Kept:
        """Read the calendar a minute later than whatever was before."""
        self.clock.at += timedelta(minutes=1)
        return await self.calendars.read(await self.account())

    async def push(self, *, lanes: int = 1) -> None:
        """Send everything that is due, as the running program does."""
        workers = [
            Worker(self.database, self.deliver, self.clock, self._token, WORKER)
            for _ in range(lanes)
        ]
        while any(await asyncio.gather(*(worker.once() for worker in workers))):
            pass

    async def deliver(self, row: Any) -> int | None:
        await self.calendars.deliver(row)
        return None

    async def book(self, *slots: Slot, chat: int = 7, **changes: Any) -> None:
        """Let a patient book these times."""
        await self._trust()
        effects = (a_decision(), a_confirmation(*slots, series=f"s{chat}", **changes))
        turn = a_turn(*effects, conversation=a_conversation(chat))
        assert await self.database.write(turns.commit, turn) == turns.Committed()

    async def change(self, *effects: Any, chat: int = 7, before: int = 0) -> None:
        """Let a patient move or cancel."""
        await self._trust()
        turn = a_turn(*effects, conversation=a_conversation(chat), before=before)
        assert await self.database.write(turns.commit, turn) == turns.Committed()

    async def _trust(self) -> None:
        """Take a calendar that was never read for known: patients book nothing with it else."""
        known = update(CalendarAccount).where(CalendarAccount.synced_at.is_(None))
        await self.database.write(lambda c: c.execute(known.values(synced_at=NOW)) and None)

    async def offered(self, days: int = 60) -> list[Slot]:
        """Return what a patient would be offered with Amara."""
        first = self.clock.at.date()
        last = first + timedelta(days=days)
        view = await self.database.read(
            calendar_store.view, "willow", "treatment", first, last, self.clock.at, 99
        )
        return list(free_slots(view, view.timetables[0], first, last))

    async def busy(self) -> list[Span]:
        """Return the times that are known to be taken in the calendar."""
        taken = select(ExternalBusy.starts_at, ExternalBusy.ends_at).order_by(
            ExternalBusy.starts_at
        )
        rows = await self.database.read(lambda connection: connection.execute(taken).all())
        return [Span(*row) for row in rows]

    async def clashes(self) -> list[Clash]:
        return await self.database.read(clashes.open_clashes, 1, self.clock.at)

    def _token(self) -> str:
        return f"token{next(self.tokens)}"
