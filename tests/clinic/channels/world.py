"""A clinic with leads, channels and a worker that sends to them over real connections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select, update

from bot.clock import SystemClock
from bot.worker import Terms, Worker
from clinic.channels.addresses import Guard
from clinic.channels.desk import Channels
from clinic.channels.mail import Mails, Postbox
from clinic.channels.webhook import Webhooks, Wire
from flows.effects import HandOffLead, LeadKind
from storage import sealing, turns
from storage.database import Database
from storage.models import Outbox
from storage.outbox import OutboxRow
from storage.outbox_policy import Kind
from tests.builders import NOW, a_conversation, a_decision, a_turn

WILLOW = 1
CONSOLE = "https://console.example"


@dataclass
class World:
    """Time is the real one, as receivers check it; waiting is skipped by `later`."""

    database: Database
    folder: Path
    box: Postbox | None = None
    changes: dict[str, Any] = field(default_factory=dict)  # of the wire
    tokens: Iterator[int] = field(default_factory=count)

    @property
    def wire(self) -> Wire:
        """Return what deliveries need; receivers of this machine are allowed."""
        seal = sealing.load(self.folder / "keys.txt")
        settled: dict[str, Any] = {
            "now": SystemClock().now,
            "seal": lambda: seal,
            "guard": Guard(private=True),
            "console": CONSOLE,
        }
        return Wire(**{**settled, **self.changes})

    @property
    def channels(self) -> Channels:
        """Return what staff deal with channels by."""
        return Channels(self.database, self.wire, self.box)

    async def lead(self, chat_id: int = 7, *effects: Any, before: int | None = None) -> None:
        """Hand one patient to the willow clinic; with effects, in that turn."""
        wanted = effects or (a_decision(), HandOffLead(LeadKind.ELIGIBLE, 80))
        turn = a_turn(*wanted, before=before, conversation=a_conversation(chat_id))
        assert await self.database.write(turns.commit, turn) == turns.Committed()

    async def send(self) -> None:
        """Try every message that is due, once."""
        webhooks = Webhooks(self.database, self.wire)
        mails = Mails(self.database, self.wire, self.box)

        async def deliver(row: OutboxRow) -> None:
            await (mails if row.kind is Kind.MAIL else webhooks).deliver(row)

        terms = Terms(kinds=(Kind.LEAD, Kind.MAIL), batch=200)
        worker = Worker(
            self.database, deliver, SystemClock(), lambda: f"token-{next(self.tokens)}", terms
        )
        await worker.once()

    async def later(self) -> None:
        """Let the time of the next try come for everything that waits."""
        await self.database.write(
            lambda c: (
                c.execute(update(Outbox).where(Outbox.state == "pending").values(due_at=NOW))
                and None
            )
        )

    async def messages(self) -> list[Any]:
        """Return the outbox."""

        def read(connection: Connection) -> list[Any]:
            return list(connection.execute(select(Outbox).order_by(Outbox.id)))

        return await self.database.read(read)
