"""Patients who book while a bot is killed, and what the database must hold of them afterwards."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import func, select

from flows.conversation import Stage
from storage import inbox
from storage.database import Database
from storage.models import OCCUPYING, Appointment, Event, Lead
from tests.flows.chat import catalogues, protocol
from tests.journeys.guide import Guide
from tests.patient import new_patient

COUNT = 6
SESSIONS = 4  # of the demo clinic's plan for a clear patient
BOOKING = ("All correct", f"Book all {SESSIONS}", "Here in Telegram")
_WITHIN = 120.0  # seconds for everybody to get that far
_LOOK_EVERY = 0.05

Kill = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Tally:
    """What the database holds of the patients, in figures."""

    turns: int
    lost: int  # actions of a patient without a turn
    doubled: int  # turns, leads or sessions too many
    sessions: int
    overlaps: int
    parked: int
    unfinished: int  # patients who did not get to a booking

    @property
    def is_good(self) -> bool:
        """Tell whether nothing is lost, doubled, overlapping or left over."""
        wrong = self.lost, self.doubled, self.overlaps, self.parked, self.unfinished
        return not any(wrong) and self.sessions == COUNT * SESSIONS


async def meet(api_url: str, database: Database) -> list[Guide]:
    """Return guides to new patients who have pressed Start."""
    guides = []
    for number in range(1, COUNT + 1):
        patient = await new_patient(api_url, f"Patient {number}")
        guide = Guide(patient, database, protocol(), catalogues()["en"])
        await guide.starts("willow")
        guides.append(guide)
    return guides


async def answer(guides: Sequence[Guide], database: Database, kill: Kill) -> None:
    """Let everybody answer all questions at once; half-way a bot is killed."""
    walks = asyncio.gather(*(guide.answers() for guide in guides))
    await _until_turns(database, COUNT * 6)
    await kill()
    async with asyncio.timeout(_WITHIN):
        await walks


async def book(guides: Sequence[Guide], kill: Kill) -> None:
    """Let one after the other book; meanwhile the other bot is killed."""
    async with asyncio.timeout(_WITHIN):
        for number, guide in enumerate(guides):
            for place, label in enumerate(BOOKING):
                if (number, place) == (2, 1):  # its own tap is under way when the bot dies
                    await asyncio.gather(guide.taps(label), kill())
                else:
                    await guide.taps(label)


async def count(guides: Sequence[Guide], database: Database) -> Tally:
    """Compare what the patients did with what is stored."""
    turns = {guide: await _turns_of(database, guide.patient.chat_id) for guide in guides}
    acted = {guide: guide.patient.tap_count + guide.patient.typed_count for guide in guides}
    rows = await database.read(_appointments)
    per_chat = Counter(row.chat_id for row in rows)
    leads = Counter(await database.read(lambda c: list(c.execute(select(Lead.chat_id)).scalars())))
    states = [(await guide.conversation()).state for guide in guides]
    return Tally(
        turns=sum(map(len, turns.values())),
        lost=sum(max(0, acted[g] - len(set(turns[g]))) for g in guides),
        doubled=sum(len(t) - len(set(t)) for t in turns.values())
        + sum(max(0, len(set(turns[g])) - acted[g]) for g in guides)
        + sum(max(0, n - SESSIONS) for n in per_chat.values())
        + sum(n - 1 for n in leads.values()),
        sessions=len(rows),
        overlaps=sum(
            a.practitioner_id == b.practitioner_id and b.blocks_from < a.blocks_until
            for a, b in pairwise(rows)
        ),
        parked=await database.read(inbox.parked_count),
        unfinished=sum(state != Stage.BOOKED for state in states),
    )


async def _until_turns(database: Database, wanted: int) -> None:
    statement = select(func.count()).select_from(Event)
    async with asyncio.timeout(_WITHIN):
        turns = 0
        while turns < wanted:
            await asyncio.sleep(_LOOK_EVERY)
            turns = await database.read(lambda c: c.execute(statement).scalar_one())


async def _turns_of(database: Database, chat_id: int) -> list[int]:
    statement = select(Event.update_id).where(Event.chat_id == chat_id).order_by(Event.id)
    return await database.read(lambda c: list(c.execute(statement).scalars()))


def _appointments(connection):
    statement = (
        select(
            Appointment.chat_id,
            Appointment.practitioner_id,
            Appointment.blocks_from,
            Appointment.blocks_until,
        )
        .where(Appointment.state.in_(OCCUPYING))
        .order_by(Appointment.practitioner_id, Appointment.blocks_from)
    )
    return list(connection.execute(statement))
