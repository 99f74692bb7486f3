"""Many patients at once, who type their way through the questions, and what must be left of it."""

from __future__ import annotations

import asyncio
import random  # noqa: TID251 - seeded
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from bot.playground import patients
from bot.playground.chats import Chat
from flows.conversation import Stage
from storage import conversations
from storage.database import Database
from storage.models import Event, Inbox
from tests.faults.torture.figures import Trial
from tests.faults.waiting import until
from tests.flows.chat import CLEAR
from tests.standin import RunningStandIn

#: What every patient types; it ends at the review.
WORDS = (
    "/start willow",
    "yes",
    "I'm 34",
    "clear",
    "soft waves",
    "easy to see, flat when stretched",
    "face",
    "none",
    "none of these",
    "softer scars",
    "all fine",
    "within a month",
)
_STILL_FOR = 60.0  # seconds
_PATIENCE = 5.0  # seconds after which a patient types on without an answer


@dataclass(frozen=True)
class Tally:
    """What became of the updates."""

    sent: int
    lost: int  # never in the audit trail
    doubled: int  # twice in the audit trail
    astray: int  # chats whose turns are in another order, or that do not stand at the review
    parked: int

    @property
    def is_clean(self) -> bool:
        """Tell whether all is as if nothing had happened."""
        return self.sent > 0 and not (self.lost or self.doubled or self.astray or self.parked)

    def __str__(self) -> str:
        """Say it as the table does."""
        extra = f", {self.astray} chats astray" if self.astray else ""
        extra += f", {self.parked} parked" if self.parked else ""
        return f"{self.lost} lost, {self.doubled} doubled{extra} of {self.sent:,}"


@dataclass
class Crowd:
    """Patients of one stand-in; each chats once, `at_once` of them at the same time."""

    standin: RunningStandIn
    database: Database
    rng: random.Random
    at_once: int = 24
    pause: float = 0.0  # the longest time that a patient thinks, in seconds
    sent: dict[int, list[int]] = field(default_factory=dict)  # chat -> its updates, in order
    count: int = 0

    @classmethod
    def of(cls, trial: Trial, standin: RunningStandIn, database: Database) -> Crowd:
        """Return patients who take their time."""
        at_once, pause = trial.at(quick=(8, 0.2), full=(24, 1.0))
        return cls(standin, database, random.Random(trial.seed), at_once, pause)

    async def chats(self, go_on: Callable[[], bool]) -> None:
        """Let new patients come as long as `go_on` says so, and finish their chats."""

        async def lane() -> None:
            while go_on():
                await self._one()

        async with asyncio.TaskGroup() as group:
            for _ in range(self.at_once):
                group.create_task(lane())

    async def _one(self) -> None:
        state = self.standin.state
        chat = state.chats.open("Pat")
        ids = self.sent[chat.patient.chat_id] = []
        for words in WORDS:
            if self.pause:
                await asyncio.sleep(self.rng.random() * self.pause)
            patients.say(state, chat, words)
            ids.append(state.queue.last_id)
            self.count += 1
            await self.answered(chat)

    async def answered(self, chat: Chat) -> None:
        """Wait until something happens in a chat whose patient has just written."""
        before = chat.changes
        await until(lambda: chat.changes != before, _PATIENCE)

    async def settles(self) -> float:
        """Wait until every update is committed; return the seconds.

        Gives up when nothing has been committed for a minute: what is missing then is lost.
        """
        loop = asyncio.get_running_loop()
        since = moved_at = loop.time()
        committed = await self.committed()
        while committed < self.count and loop.time() < moved_at + _STILL_FOR:
            await asyncio.sleep(0.2)
            now = await self.committed()
            moved_at = loop.time() if now > committed else moved_at
            committed = now
        return loop.time() - since

    async def committed(self) -> int:
        """Return how many turns are in the audit trail."""
        return await self.database.read(_count)

    async def tally(self) -> Tally:
        """Compare what was sent with what was kept."""
        turns, parked = await self.database.read(_turns), await self.database.read(_parked)
        times = Counter(update for _, update in turns)
        kept: dict[int, list[int]] = {}
        for chat_id, update in turns:
            kept.setdefault(chat_id, []).append(update)
        astray = 0
        for chat_id, ids in self.sent.items():
            is_right = kept.get(chat_id) == ids and await self._is_at_review(chat_id)
            astray += not is_right
        return Tally(
            sent=self.count,
            lost=sum(update not in times for ids in self.sent.values() for update in ids),
            doubled=sum(times.values()) - len(times),
            astray=astray,
            parked=parked,
        )

    async def _is_at_review(self, chat_id: int) -> bool:
        loaded = await self.database.read(conversations.load, chat_id)
        if loaded is None:
            return False
        here = loaded.conversation
        answers = {name: answer.codes for name, answer in here.answers.items()}
        return here.state == Stage.REVIEW and answers.keys() == CLEAR.keys()


def _turns(connection: Connection) -> list[tuple[int, int]]:
    rows = connection.execute(select(Event.chat_id, Event.update_id).order_by(Event.id))
    return [(row.chat_id, row.update_id) for row in rows]


def _count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(Event)).scalar_one()


def _parked(connection: Connection) -> int:
    parked = select(Inbox.update_id).where(Inbox.state != "done")
    return len(connection.execute(parked).all())
