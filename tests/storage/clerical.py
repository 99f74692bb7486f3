"""A clinic's desk for tests: an owner who acts on appointments, each as it was last seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from flows.conversation import Booking, Conversation, Stage
from flows.slots import Slot
from storage import conversations, models, staff, turns
from storage.clerks import Clerk, Seen
from storage.database import Database
from tests.builders import (
    NOW,
    a_confirmation,
    a_conversation,
    a_decision,
    a_turn,
    sessions,
)

ADA = 7


@dataclass
class Desk:
    """Somebody of Willow, and what they can see."""

    database: Database
    clerk: Clerk

    def at(self, now: datetime) -> Desk:
        """Return the same desk at another time."""
        return Desk(self.database, Clerk(self.clerk.clinic_id, self.clerk.staff_id, now))

    async def row(self, uid: str) -> Row[Any]:
        """Return an appointment."""
        query = select(models.Appointment).where(models.Appointment.uid == uid)
        return await self.database.read(lambda c: c.execute(query).one())

    async def seen(self, uid: str) -> Seen:
        """Look at an appointment."""
        return Seen(uid, (await self.row(uid)).version)

    async def does(self, act: Callable[..., Any], uid: str, *more: Any) -> Row[Any]:
        """Act on an appointment as it is now; return it after that."""
        await self.database.write(act, self.clerk, await self.seen(uid), *more)
        return await self.row(uid)

    async def messages(self) -> Sequence[Row[Any]]:
        """Return everything in the outbox, oldest first."""
        query = select(models.Outbox).order_by(models.Outbox.id)
        return await self.database.read(lambda c: c.execute(query).all())

    async def conversation(self, chat_id: int = ADA) -> Conversation:
        """Return what the patient's own chat says."""
        loaded = await self.database.read(conversations.load, chat_id)
        assert loaded is not None
        return loaded.conversation

    async def books(self, *slots: Slot, chat_id: int = ADA, pending: bool = False) -> None:
        """Let a patient book; the UIDs are series-1, series-2, … with the chat's id after Ada."""
        series = "series" if chat_id == ADA else f"series{chat_id}"
        booked = sessions(*slots, uid=series)
        booking = Booking("treatment", series_id=series, sessions=booked, pending=pending)
        conversation = a_conversation(chat_id, state=Stage.BOOKED.value, booking=booking)
        effect = a_confirmation(*slots, series=series, pending=pending)
        turn = a_turn(a_decision(), effect, conversation=conversation)
        assert await self.database.write(turns.commit, turn) == turns.Committed()


async def a_desk(database: Database, clinic: str = "willow", now: datetime = NOW) -> Desk:
    """Return the desk of a clinic with a new owner."""
    staff_id = await database.write(staff.add, clinic, "Noor", "owner", now)
    members = await database.read(staff.members, clinic)
    return Desk(database, Clerk(members[0].clinic_id, staff_id, now))
