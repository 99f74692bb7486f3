"""Many bookers in several processes who all want the same times; the history of it is judged.

Patients hold, change their minds and confirm through whole turns; staff book straight into the
calendar. All of them try every time once, each in an order of their own.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random  # noqa: TID251 - chance comes from a seed that is printed
import time
from collections import Counter
from collections.abc import Awaitable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from multiprocessing.synchronize import Barrier

from sqlalchemy import Connection, select

from flows.effects import ConfirmSeries, Effect, ReleaseHold
from flows.slots import Slot
from storage import bookings, clinics, models, turns
from storage.bookings import Booker, SlotsGone
from storage.database import Database, connect
from storage.turns import Committed, SlotTaken
from tests.builders import (
    MONDAY,
    NOW,
    a_confirmation,
    a_conversation,
    a_decision,
    a_hold,
    a_slot,
    a_turn,
    open_always,
)
from tests.faults.histories import Ask, Deed, Row, Rules, Told, complaints

PROCESSES = 4

#: Willow's terms for a treatment.
RULES = Rules(after=timedelta(minutes=15))

#: Cells lie so far apart that a start that is put off still overlaps its own cell alone.
_CELLS_A_DAY = 4
_APART = timedelta(hours=3)
_PUT_OFF = timedelta(minutes=15)

_ready: Barrier | None = None  # of this process, once it is one of the racing ones


@dataclass(frozen=True, slots=True)
class Race:
    """What one process is to do."""

    url: str
    seed: int
    racers: tuple[int, ...]
    cells: int


@dataclass(frozen=True, slots=True)
class Result:
    """How a race ended."""

    asks: Sequence[Ask]
    errors: Sequence[str]  # class names of what was none of the answers foreseen
    rows: Sequence[Row]
    faults: Sequence[str]
    figures: dict[str, float] = field(default_factory=dict)


async def race(database_url: str, racers: int, cells: int, seed: int) -> Result:
    """Let `racers` try `cells` times each in four processes; return how that went.

    The database has all tables and no rows. Twice as many bookings as there are cells, or a cell
    without a winner, is a fault as much as an overlap is.
    """
    database = connect(database_url)
    try:
        await database.write(clinics.import_clinic, open_always(), "demo_clinic.toml")
        for chat in range(1, racers + 1):
            met = a_turn(a_decision(), conversation=a_conversation(chat))
            await database.write(turns.commit, met)
        asks, errors = await asyncio.to_thread(_run, database_url, racers, cells, seed)
        rows = await database.read(rows_of)
    finally:
        await database.close()
    faults = complaints(asks, rows, RULES)
    faults += [f"unforeseen {name}" for name in errors]
    faults += _not_one_winner_each(rows, cells)
    return Result(asks, errors, rows, faults, _figures(asks, rows))


def rows_of(connection: Connection) -> list[Row]:
    """Return every appointment as the judge of histories reads it."""
    table = models.Appointment
    statement = select(table, models.Practitioner.slug).join(
        models.Practitioner, models.Practitioner.id == table.practitioner_id
    )
    return [
        Row(
            uid=row.uid,
            chat=row.chat_id,
            series=row.series_id,
            slot=Slot(row.starts_at, row.ends_at, row.slug),
            blocks_from=row.blocks_from,
            blocks_until=row.blocks_until,
            state=row.state,
            sequence=row.sequence,
            version=row.version,
            hold_until=row.hold_until,
        )
        for row in connection.execute(statement)
    ]


def _not_one_winner_each(rows: Iterable[Row], cells: int) -> list[str]:
    won = Counter(_cell_of(row.slot) for row in rows if row.state == "booked")
    return [f"cell {cell} has {won[cell]} winners" for cell in range(cells) if won[cell] != 1]


def _figures(asks: Sequence[Ask], rows: Sequence[Row]) -> dict[str, float]:
    waits = sorted(ask.heard - ask.asked for ask in asks)
    return {
        "asked": len(asks),
        "refused": sum(ask.told is Told.TAKEN for ask in asks),
        "booked": sum(row.state == "booked" for row in rows),
        "p99_ms": round(1000 * waits[len(waits) * 99 // 100], 1) if waits else 0.0,
    }


def _run(url: str, racers: int, cells: int, seed: int) -> tuple[list[Ask], list[str]]:
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(PROCESSES)
    races = [
        Race(url, seed, tuple(range(first, racers + 1, PROCESSES)), cells)
        for first in range(1, PROCESSES + 1)
    ]
    with ProcessPoolExecutor(
        PROCESSES, mp_context=context, initializer=_get_ready, initargs=(ready,)
    ) as pool:
        told = list(pool.map(_in_this_process, races))
    return [ask for asks, _ in told for ask in asks], [name for _, names in told for name in names]


def _get_ready(ready: Barrier) -> None:
    global _ready
    _ready = ready


def _in_this_process(job: Race) -> tuple[list[Ask], list[str]]:
    if _ready is not None:
        _ready.wait(120)
    return asyncio.run(_all_at_once(job))


async def _all_at_once(job: Race) -> tuple[list[Ask], list[str]]:
    database = connect(job.url)
    bookers = [_Booker(database, chat, job) for chat in job.racers]
    try:
        await asyncio.gather(*(booker.run() for booker in bookers))
    finally:
        await database.close()
    return [ask for b in bookers for ask in b.asks], [name for b in bookers for name in b.errors]


class _Booker:
    """One person at their own door: an odd number is a patient, an even one a staff member."""

    def __init__(self, database: Database, chat: int, job: Race) -> None:
        self.asks: list[Ask] = []
        self.errors: list[str] = []
        self._database = database
        self._chat = chat
        self._chance = random.Random(f"{job.seed} {chat}")
        self._cells = self._chance.sample(range(job.cells), job.cells)
        self._revision = 0
        self._series = 0

    async def run(self) -> None:
        """Try every time once; one that was given back for a while is tried at the end again."""
        again = [cell for cell in self._cells if not await self._tries(cell)]
        for cell in again:
            await self._tries(cell, steadily=True)

    async def _tries(self, cell: int, *, steadily: bool = False) -> bool:
        self._series += 1
        series = f"{self._chat}-{self._series}"
        slot = _slot(cell, self._chance.randrange(3))
        confirmation = a_confirmation(slot, series=series)
        if self._chat % 2 == 0:
            await self._books(confirmation)
            return True
        hold = a_hold(slot, series=series)
        if await self._asks(Deed.HOLD, hold) is not Told.DONE:
            return True
        if not steadily and self._chance.random() < 0.2:
            await self._asks(Deed.RELEASE, ReleaseHold(series))
            return False
        await self._asks(Deed.BOOK, confirmation)
        return True

    async def _asks(self, deed: Deed, effect: Effect) -> Told:
        """Ask in a turn of the patient's own conversation."""
        conversation = a_conversation(self._chat)
        writes = a_turn(effect, before=self._revision, conversation=conversation)

        async def turn() -> Told:
            outcome = await self._database.write(turns.commit, writes)
            match outcome:
                case Committed():
                    self._revision += 1
                    return Told.DONE
                case SlotTaken():
                    return Told.TAKEN
            raise AssertionError(type(outcome).__name__)

        return await self._noted(_ask(self._chat, deed, effect), turn())

    async def _books(self, effect: ConfirmSeries) -> Told:
        """Book without a conversation, as staff do for somebody on the phone."""
        booker = Booker(self._chat, 1, "willow", NOW, is_staff=True)

        async def straight() -> Told:
            try:
                await self._database.write(bookings.confirm, booker, effect)
            except SlotsGone:
                return Told.TAKEN
            return Told.DONE

        return await self._noted(_ask(self._chat, Deed.BOOK, effect), straight())

    async def _noted(self, ask: Ask, answer: Awaitable[Told]) -> Told:
        asked = time.monotonic()
        told = Told.NOTHING
        try:
            told = await answer
        except Exception as error:  # noqa: BLE001 - whatever comes is counted
            self.errors.append(f"{type(error).__name__}: {error}")
        self.asks.append(replace(ask, told=told, asked=asked, heard=time.monotonic()))
        return told


def _ask(chat: int, deed: Deed, effect: Effect) -> Ask:
    sessions = getattr(effect, "sessions", ())
    return Ask(
        chat,
        deed,
        effect.series_id,
        Told.NOTHING,
        NOW,
        slots=tuple(session.slot for session in sessions),
        uids=tuple(session.uid for session in sessions),
        hold_until=effect.until if deed is Deed.HOLD else None,
    )


def _slot(cell: int, put_off: int) -> Slot:
    """Return a time of a cell; cells come in pairs, at one hour with two practitioners."""
    pair, who = divmod(cell, 2)
    day, hour = divmod(pair, _CELLS_A_DAY)
    start = MONDAY + timedelta(days=day) + hour * _APART + put_off * _PUT_OFF
    return a_slot(start, practitioner=("amara", "rowan")[who])


def _cell_of(slot: Slot) -> int:
    day, within = divmod(slot.starts_at - MONDAY, timedelta(days=1))
    pair = day * _CELLS_A_DAY + within // _APART
    return 2 * pair + ("amara", "rowan").index(slot.practitioner)
