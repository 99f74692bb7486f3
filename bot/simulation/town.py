"""The simulated world: stand-in, real bot over real HTTP, a real database, and people in it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from bot.app import a_pace, serve
from bot.clock import MovableClock
from bot.deliveries import delivering
from bot.pace import UNLIMITED
from bot.playground import limits
from bot.playground.app import create_app
from bot.playground.listening import bind, listening
from bot.simulation.chance import Random, seeded
from bot.simulation.course import Course, Tell
from bot.simulation.ledger import Ledger
from bot.simulation.opening import Hours, hours
from bot.simulation.people import Person
from bot.simulation.personas import draw
from bot.simulation.promises import Evidence
from bot.simulation.staff import Staff
from bot.simulation.watching import WatchedStandIn
from bot.worker import Deliver, Terms, Worker
from flows.clinics import Clinic
from flows.quiet_hours import NIGHT
from storage import accounts, clinics, conversations, migrations, patients, protocol_files
from storage.database import Database, connect
from storage.outbox import OutboxRow
from storage.outbox_policy import Kind
from storage.watched_database import WatchedDatabase

#: Every simulation begins on this Monday; no clock of the machine's is read.
BEGINS_AT = datetime(2027, 1, 4, 8, 0, tzinfo=UTC)

#: The days over which patients come to the clinics for the first time.
ARRIVALS_OVER = timedelta(days=60)

_MISSES = 0.05  # share of visits to which nobody comes
_LOCALE = "en"  # in which made-up people write and are written to

#: What tells that a person's act was dealt with in full, and which of its arguments is the chat.
_LAST_WRITES: Mapping[Callable[..., object], int] = {
    conversations.note_shown: 0,
    patients.note_blocked: 1,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be simulated."""

    patients: int
    days: int
    seed: int
    clinic_text: str
    clinic_file: str  # its name, for what is wrong in it
    database_url: str


class _StoppedClock:
    """A clock that shows the moment at which simulations begin."""

    def now(self) -> datetime:
        return BEGINS_AT


async def simulate(plan: Plan, tell: Tell) -> tuple[Evidence, Hours]:
    """Return what happened, and how much of the opening hours was used.

    `tell` hears how far it is. Raises what the clinic's file and the database raise, and
    accounts.NotEmpty for a database that has patients.
    """
    await asyncio.to_thread(migrations.upgrade, plan.database_url)
    database = connect(plan.database_url)
    try:
        await database.read(accounts.require_empty)
        await database.write(clinics.import_clinic, plan.clinic_text, plan.clinic_file)
        ledger, until = Ledger(), BEGINS_AT + timedelta(days=plan.days)
        with _noting_errors(ledger):
            async with _town(plan, database, ledger) as course:
                await course.pass_until(until, tell)
        account = await database.read(accounts.read)
        used = await hours(database, account.visits, BEGINS_AT)
        return Evidence.of(ledger, account, until), used
    finally:
        await database.close()


@asynccontextmanager
async def _town(plan: Plan, database: Database, ledger: Ledger) -> AsyncIterator[Course]:
    rng, clock, tokens = seeded(plan.seed), MovableClock(_StoppedClock()), _tokens()
    standin = WatchedStandIn(clock, ledger, _words("note.nudge_over"))
    known = await database.read(clinics.load_all)
    people = _people(plan, rng, standin, ledger, known)
    standin.on_tap_answered = lambda chat_id: people[chat_id].sees()
    async with _bot(database, clock, standin, people, tokens) as deliveries:

        async def deliver(row: OutboxRow) -> int | None:
            return await deliveries[row.kind](row)

        terms = Terms(kinds=tuple(deliveries), quiet=NIGHT)
        staff_rng = seeded(rng.getrandbits(64))
        course = Course(
            database=database,
            clock=clock,
            standin=standin,
            worker=Worker(database, deliver, clock, tokens.__next__, terms),
            staff=await Staff.hired(database, clock, staff_rng, known, _MISSES),
            zone=next(iter(known.values())).zone,
        )
        course.expect(list(people.values()), rng, ARRIVALS_OVER)
        yield course


@asynccontextmanager
async def _bot(
    database: Database,
    clock: MovableClock,
    standin: WatchedStandIn,
    people: Mapping[int, Person],
    tokens: Iterator[str],
) -> AsyncIterator[Mapping[Kind, Deliver]]:
    """Run the real bot on the stand-in; lend what sends the outbox's messages."""

    def written(fn: Callable[..., object], args: tuple[object, ...]) -> None:
        if fn in _LAST_WRITES:
            people[int(str(args[_LAST_WRITES[fn]]))].sees()

    app = create_app(token=limits.TOKEN, clock=clock, standin=standin)
    catalogues, pace = protocol_files.load_catalogues(), a_pace(UNLIMITED)
    async with AsyncExitStack() as running:
        address = await running.enter_async_context(listening(app, bind("127.0.0.1", 0)))
        serving = serve(
            token=limits.TOKEN,
            api_url=address,
            database=WatchedDatabase(database, written),
            clock=clock,
            new_token=tokens.__next__,
            catalogues=catalogues,
            pace=pace,
            jitter=lambda: 0.5,
        )
        await running.enter_async_context(serving)
        sending = delivering(
            token=limits.TOKEN,
            api_url=address,
            database=database,
            clock=clock,
            pace=pace,
            catalogues=catalogues,
        )
        yield await running.enter_async_context(sending)


def _people(
    plan: Plan, rng: Random, standin: WatchedStandIn, ledger: Ledger, known: Mapping[str, Clinic]
) -> dict[int, Person]:
    slugs = list(known)
    people = {}
    for number in range(plan.patients):
        persona = draw(number, rng)
        chat = standin.chats.open(persona.name)
        person = Person(persona, chat, standin, ledger, slugs[number % len(slugs)])
        people[person.chat_id] = person
    return people


def _words(key: str) -> str:
    return protocol_files.load_catalogues()[_LOCALE].text(key)


def _tokens() -> Iterator[str]:
    """Yield tokens that differ from the first letter on, and are the same in every run."""
    return (f"{number:08d}abcdefgh{number * 7919 % 10**8:08d}" for number in count(1))


@contextmanager
def _noting_errors(ledger: Ledger) -> Iterator[None]:
    """Keep every line of the log that tells of a fault, whichever library wrote it."""
    handler, root = _Noting(ledger), logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


class _Noting(logging.Handler):
    def __init__(self, ledger: Ledger) -> None:
        super().__init__(logging.ERROR)
        self._ledger = ledger

    def emit(self, record: logging.LogRecord) -> None:
        said = record.msg
        if isinstance(said, dict):
            words, where = said.get("event", ""), said.get("at", record.name)
        else:
            words, where = record.getMessage(), record.name
        self._ledger.errors.append(f"{words} ({where})")
