"""A clock that leaps an hour or a day, both ways, while people book and messages are due."""

from __future__ import annotations

import random  # noqa: TID251 - seeded
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import count

from sqlalchemy import Connection, func, select

from bot.clock import MovableClock
from bot.worker import Terms, Worker
from flows.conversation import Stage
from flows.quiet_hours import QuietHours
from storage import outbox, patients
from storage.database import Database, connect
from storage.models import Appointment, Event, Inbox, Outbox
from storage.outbox import Message, OutboxRow
from storage.outbox_policy import Kind
from tests.faults.torture.figures import SQLITE, Figure, Piece, Trial
from tests.flows.chat import CLEAR, protocol
from tests.journeys.guide import Guide, Tour
from tests.journeys.world import World, world
from tests.standin import StoppedClock

LEAPS = tuple(timedelta(hours=hours) for hours in (1, -1, 24, -24))
QUIET = QuietHours(time(21), time(8))
ADA = 7
TRIES = 6  # taps that a booking may take when its times pass meanwhile


async def leap(trial: Trial) -> list[Figure]:
    """Leap at every step of conversations, and at every send."""
    rng = random.Random(trial.seed)
    chats, messages = trial.at(quick=(2, 60), full=(60, 1500))
    return [await _conversations(trial, rng, chats), *await _messages(trial, rng, messages)]


async def _conversations(trial: Trial, rng: random.Random, chats: int) -> Figure:
    database = connect(await trial.database_url())
    wrong: list[str] = []
    try:
        async with world(database, Tour()) as here:
            for number in range(chats):
                wrong += await _books(here, rng, number)
                if number % 20 == 19:
                    trial.tell(f"{number + 1} of {chats} conversations")
            sent = here.standin.state.queue.last_id
            turns = await database.read(lambda c: _count(c, Event.id))
            done = await database.read(lambda c: _count(c, Inbox.update_id))
            held = await database.read(_open_holds)
    finally:
        await database.close()
    for words in wrong:
        trial.tell(words)
    return Figure(
        "A clock that leaps loses no answer and no booking",
        f"{chats} conversations, a leap of an hour or a day either way before each step",
        "all booked, 0 lost, 0 doubled, 0 holds left",
        f"{len(wrong)} wrong, {sent - turns} lost of {sent}, {turns - done} doubled, {held} holds",
        is_held=not wrong and sent == turns == done and held == 0,
    )


async def _books(here: World, rng: random.Random, number: int) -> list[str]:
    """Let a patient book while the clock leaps; return what was wrong."""
    guide = await here.meets(f"Pat {number}")
    for step, codes in CLEAR.items():
        here.clock.move(rng.choice(LEAPS))
        await guide.gives(protocol().step(step), codes)
    answers = {name: a.codes for name, a in (await guide.conversation()).answers.items()}
    wrong = [] if answers == CLEAR else [f"patient {number}: the answers are {answers}"]
    here.clock.move(rng.choice(LEAPS))
    state = await guide.taps("All correct")
    for tries in range(TRIES):
        if state == Stage.BOOKED:
            break
        if tries < 2:
            here.clock.move(rng.choice(LEAPS))
        state = await guide.taps("Here in Telegram" if state == Stage.CONTACT else "Book all")
    if state != Stage.BOOKED:
        wrong.append(f"patient {number} is at {state}")
    return wrong + await _wrong_sessions(guide)


async def _wrong_sessions(guide: Guide) -> list[str]:
    sessions = (await guide.conversation()).booking.sessions
    starts = [session.slot.starts_at for session in sessions]
    return [] if len(starts) == 4 and starts == sorted(starts) else [f"the times are {starts}"]


def _count(connection: Connection, column: object) -> int:
    return connection.execute(select(func.count(func.distinct(column)))).scalar_one()


def _open_holds(connection: Connection) -> int:
    held = select(func.count()).where(Appointment.state == "held")
    return connection.execute(held).scalar_one()


@dataclass
class Post:
    """Sends for one worker; the clock leaps while a send is under way, and a rival looks."""

    database: Database
    clock: MovableClock
    rng: random.Random
    rival: Worker | None = None
    arrived: Counter[str] = field(default_factory=Counter)
    disturbed: int = 0  # sent in the quiet hours
    early: int = 0  # sent before their time

    async def deliver(self, row: OutboxRow) -> int | None:
        """Note what arrives."""
        now = self.clock.now()
        is_quiet = QUIET.until(now, "UTC") is not None
        self.disturbed += row.kind is Kind.NUDGE and is_quiet
        self.early += row.due_at > now
        self.arrived[row.key] += 1
        if self.rng.random() < 0.5:
            self.clock.move(self.rng.choice(LEAPS))
            if self.rival is not None:
                await self.rival.once()
        return row.id


async def _messages(trial: Trial, rng: random.Random, messages: int) -> list[Figure]:
    database = connect(await trial.database_url())
    clock = MovableClock(StoppedClock())
    try:
        await database.write(patients.save, ADA, first_name="Ada", locale="en", now=clock.now())
        await database.write(_queue, rng, messages, clock.now())
        post = Post(database, clock, rng)
        tokens = (f"token-{number}" for number in count())
        terms = Terms(quiet=QUIET, batch=4)
        rival = Worker(database, post.deliver, clock, tokens.__next__, terms)
        post.rival = rival
        worker = Worker(database, post.deliver, clock, tokens.__next__, terms)
        rounds = 0
        while await database.read(_waiting):
            await worker.once()
            rounds += 1
            clock.move(rng.choice((*LEAPS, timedelta(hours=1), timedelta(minutes=10))))
            if rounds > 50 * messages:
                raise RuntimeError("the outbox does not come to an end")
    finally:
        await database.close()
    return _message_figures(post, messages, rounds)


def _queue(connection: Connection, rng: random.Random, messages: int, now: datetime) -> None:
    for number in range(messages):
        kind = (Kind.CONFIRMATION, Kind.NUDGE)[number % 2]
        due_at = now + timedelta(minutes=rng.randrange(2 * 24 * 60))
        outbox.enqueue(connection, Message(f"{number}", kind, due_at, ADA), now)


def _waiting(connection: Connection) -> int:
    waiting = Outbox.state.in_(("pending", "claimed", "sending"))
    return connection.execute(select(func.count()).where(waiting)).scalar_one()


def _message_figures(post: Post, messages: int, rounds: int) -> list[Figure]:
    confirmations = [post.arrived[f"{number}"] for number in range(0, messages, 2)]
    nudges = [post.arrived[f"{number}"] for number in range(1, messages, 2)]
    lost = confirmations.count(0) + nudges.count(0)
    extra = sum(copies > 1 for copies in nudges)
    return [
        Figure(
            "A clock that leaps sends no message early, at night, or once too often",
            f"{messages:,} messages due over two days, {rounds:,} rounds, leaps in half the sends",
            "0 lost, 0 early, 0 nudges in the quiet hours, confirmations <= 2, nudges <= 1",
            f"{lost} lost, {post.early} early, {post.disturbed} in the quiet hours, "
            f"at most {max(confirmations)} copies, {extra} nudges extra",
            is_held=not (lost or post.early or post.disturbed or extra) and max(confirmations) <= 2,
        )
    ]


PIECES = (Piece("leaps", leap, tested_on=(SQLITE,)),)
