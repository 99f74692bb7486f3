"""A crash at every point of a whole conversation: nothing lost, nothing twice, the way goes on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, func, select

from bot.clock import MovableClock
from flows.conversation import Stage
from storage import clinics, conversations
from storage.database import Database, connect
from storage.models import Event, Model
from tests.faults.keepers import Keeper, kept
from tests.faults.programs import Orders, Point
from tests.faults.torture.figures import POSTGRESQL, Figure, Piece, Size, Trial
from tests.flows.chat import catalogues, protocol
from tests.journeys.balancer import Balancer, balancer
from tests.journeys.guide import Guide
from tests.standin import MONDAY_MORNING, RunningStandIn, StoppedClock, running_standin

BOOKING = ("All correct", "Book all 4", "Here in Telegram")
BOOKED = "You are booked"

_PATIENCE = 60.0  # seconds for an answer: the bot may have to start many times meanwhile
_TALKS = 4  # conversations at the same time
_CORE = ("turns.", "conversations.")  # what a quick run by webhook tries

#: How often they are passed depends on the machine's speed, not on the conversation.
_BY_TIME = ("getUpdates called", "getUpdates answered")


@dataclass(frozen=True)
class Ending:
    """What a conversation has left behind."""

    state: str
    answers: object
    log: tuple[str, ...]  # what each turn was, in order
    rows: dict[str, int]  # of every table
    confirmations: int  # copies of the last screen
    files: int  # copies of the calendar file


@dataclass
class Tried:
    """What the runs of one way of receiving came to."""

    reference: Ending | None = None
    reached: list[Point] = field(default_factory=list)
    missed: list[Point] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    copies: Counter[int] = field(default_factory=Counter)  # beyond one for each crash
    files: Counter[int] = field(default_factory=Counter)

    def compare(self, ending: Ending, ends_at: list[Point]) -> None:
        """Note how a conversation with crashes differs from the one without."""
        self.copies[ending.confirmations - len(ends_at)] += 1
        self.files[ending.files] += 1
        assert self.reference is not None
        for name in ("state", "answers", "log", "rows"):
            wanted, got = getattr(self.reference, name), getattr(ending, name)
            if wanted != got:
                self.different.append(f"{ends_at}: {name} is {got}, not {wanted}")


class Conversations:
    """Has the same conversation again and again, each with a fresh database and Telegram."""

    def __init__(self, trial: Trial, *, by_webhook: bool) -> None:
        self._trial = trial
        self._by_webhook = by_webhook
        self.log = str(trial.folder / "log")

    def said(self) -> str:
        """Return the last words of the bots."""
        return Path(self.log).read_text(encoding="utf-8")[-2000:]

    async def passes(self) -> tuple[Ending, Counter[str]]:
        """Have the conversation without a crash; return the points that were passed."""
        file = self._trial.folder / f"points-{self._by_webhook}"
        ending, _ = await self.has([], points=str(file))
        return ending, Counter(file.read_text(encoding="utf-8").splitlines())

    async def has(self, ends_at: list[Point], points: str = "") -> tuple[Ending, list[Point]]:
        """Have the conversation; return what it left, and the points at which the bot ended."""
        url = await self._trial.database_url()
        database = connect(url)
        await database.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")
        clock = MovableClock(StoppedClock())
        try:
            async with running_standin(clock) as standin, self._front() as front:
                orders = Orders(
                    standin.token,
                    standin.url,
                    url,
                    self.log,
                    front_url=front.url if front else "",
                    points=points,
                    now=MONDAY_MORNING,
                )
                keeper = Keeper(orders, list(ends_at), front)
                async with kept(keeper):
                    ending = await _conversation(standin, database)
                return ending, keeper.reached
        finally:
            await database.close()

    @asynccontextmanager
    async def _front(self) -> AsyncIterator[Balancer | None]:
        if not self._by_webhook:
            yield None
            return
        async with balancer() as front:
            yield front


async def _conversation(standin: RunningStandIn, database: Database) -> Ending:
    patient = await standin.new_patient("Maya")
    async with patient:
        guide = Guide(patient, database, protocol(), catalogues()["en"])
        guide.within = _PATIENCE
        await guide.starts()
        await guide.answers()
        for label in BOOKING:
            await guide.taps(label)
        await _all_quiet(standin)
        await patient.still_sees(BOOKED)
        loaded = await database.read(conversations.load, patient.chat_id)
        assert loaded is not None
        return Ending(
            state=loaded.conversation.state,
            answers=loaded.conversation.answers,
            log=await database.read(_log),
            rows=await database.read(_rows),
            confirmations=sum(BOOKED in said.text for said in patient.said),
            files=len(patient.documents),
        )


async def _all_quiet(standin: RunningStandIn) -> None:
    """Wait until the bot does nothing but poll for a while."""
    quiet_since, seen = 0.0, -1
    while quiet_since < 0.6:
        calls = sum(method != "getUpdates" for method, _ in standin.state.calls)
        quiet_since, seen = (quiet_since + 0.1, seen) if calls == seen else (0.0, calls)
        await asyncio.sleep(0.1)


def _log(connection: Connection) -> tuple[str, ...]:
    rows = connection.execute(select(Event.update_id, Event.what).order_by(Event.id)).all()
    assert len({row.update_id for row in rows}) == len(rows)
    return tuple(row.what for row in rows)


def _rows(connection: Connection) -> dict[str, int]:
    return {
        table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in Model.metadata.sorted_tables
    }


async def polling(trial: Trial) -> list[Figure]:
    """Crash a bot that polls."""
    return [await _crash_everywhere(trial, by_webhook=False)]


async def webhook(trial: Trial) -> list[Figure]:
    """Crash a bot to which updates are delivered."""
    return [await _crash_everywhere(trial, by_webhook=True)]


async def _crash_everywhere(trial: Trial, *, by_webhook: bool) -> Figure:
    """Try every point: each in a conversation of its own, or each name once at the quick size."""
    talks = Conversations(trial, by_webhook=by_webhook)
    tried = Tried()
    tried.reference, passed = await talks.passes()
    assert tried.reference.state == Stage.BOOKED
    if trial.size is Size.FULL:
        plans = [[(name, at)] for name, times in passed.items() for at in range(1, times + 1)]
    else:
        names = [name for name in passed if not by_webhook or name.startswith(_CORE)]
        plans = [[(name, 1) for name in names[i::_TALKS]] for i in range(_TALKS)]
    await _carry_out(trial, talks, tried, plans)
    return _figure(trial, "webhook" if by_webhook else "polling", tried, passed)


async def _carry_out(
    trial: Trial, talks: Conversations, tried: Tried, plans: list[list[Point]]
) -> None:
    """Have a conversation for each plan, some at the same time."""
    left, total = plans[::-1], len(plans)

    async def lane() -> None:
        while left:
            plan = left.pop()
            try:
                ending, reached = await talks.has(plan)
            except AssertionError as stuck:
                tried.different.append(f"{plan}: {stuck}")
                trial.tell(f"{tried.different[-1]}\n{talks.said()}")
                continue
            tried.compare(ending, reached)
            tried.reached += reached
            tried.missed += [point for point in plan[len(reached) :] if point[0] not in _BY_TIME]
            if (total - len(left)) % 25 == 0:
                trial.tell(f"{total - len(left)} of {total} done, {len(tried.different)} differ")

    async with asyncio.TaskGroup() as group:
        for _ in range(_TALKS):
            group.create_task(lane())


def _figure(trial: Trial, way: str, tried: Tried, passed: Counter[str]) -> Figure:
    for words in (*tried.different, *(f"not passed: {point}" for point in tried.missed)):
        trial.tell(words)
    most = 1 + max(0, *tried.copies)
    held = not tried.different and not tried.missed and most <= 2 and 0 not in tried.files
    return Figure(
        f"A crash at any point of a conversation loses and doubles nothing ({way})",
        f"{len(tried.reached)} crashes at {len(passed)} named points, each in a process of its own",
        "the same rows, answers and log as without a crash; <= 2 copies of the last screen",
        f"{len(tried.different)} different, at most {most} copies, "
        f"calendar file missing {tried.files[0]} times",
        is_held=held,
    )


PIECES = (
    Piece("crash_points", polling),
    Piece("crash_points_webhook", webhook, tested_on=(POSTGRESQL,)),
)
