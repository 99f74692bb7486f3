"""A hundred patients at once for minutes on end: how soon they are answered, and what it costs."""

from __future__ import annotations

import asyncio
import os
import random  # noqa: TID251 - seeded
import resource
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression, quantiles

from tests.faults import cluster
from tests.faults.crowd import Tally
from tests.faults.keepers import Keeper
from tests.faults.timed_crowd import TimedCrowd
from tests.faults.torture.figures import POSTGRESQL, Figure, Piece, Size, Trial
from tests.faults.waiting import until
from tests.standin import running_standin

REPLICAS = 2
THINKS_FOR = (
    2.0  # seconds at most: a hundred who are answered at once write a hundred times a second
)

P95, P99 = 0.5, 1.0  # seconds from sending to seeing
AT_LEAST = 50.0  # updates a second
GROWTH = 5.0  # MB in 10,000 updates, all replicas together

_LOOK_EVERY = 0.5  # seconds
_PAGE = resource.getpagesize()
_TICKS = os.sysconf("SC_CLK_TCK")  # a second


@dataclass
class Gauge:
    """How much memory the bots take, as updates come."""

    samples: list[tuple[int, float]] = field(default_factory=list)  # updates, MB

    async def reads(self, crowd: TimedCrowd, keepers: list[Keeper]) -> None:
        """Look again and again until cancelled."""
        while True:
            self.samples.append((crowd.count, sum(map(_megabytes, keepers))))
            await asyncio.sleep(_LOOK_EVERY)

    def growth(self) -> float:
        """Return the MB in 10,000 updates by which they grew in the second half."""
        updates, sizes = zip(*self.samples[len(self.samples) // 2 :], strict=True)
        return linear_regression(updates, sizes).slope * 10_000


@dataclass(frozen=True, slots=True)
class Soaked:
    """What came out."""

    at_once: int  # patients
    times: list[float]  # from sending to the next question, in seconds
    unanswered: int
    seconds: float  # from the first message to the last answer
    bot_seconds: float  # of processor time
    own_seconds: float  # the same of the crowd and the stand-in
    gauge: Gauge
    tally: Tally
    restarts: int
    log: str


async def soak(trial: Trial) -> list[Figure]:
    """Let a hundred patients answer all questions, each followed by another one."""
    done = await _soaked(trial)
    replicas = REPLICAS if trial.database == POSTGRESQL else 0
    how = f"{replicas} replicas by webhook" if replicas else "one polling bot"
    size = f"{done.at_once} at once, {len(done.times):,} updates in {done.seconds:.0f} s, {how}"
    return [speed(trial, done, size), memory(trial, done, size), order(done, size)]


async def _soaked(trial: Trial) -> Soaked:
    at_once, pause = trial.at(quick=(16, 0.3), full=(100, THINKS_FOR))
    updates, at_least = trial.at(quick=(200, 1.0), full=(10_000, 240.0))
    url = await trial.database_url()
    database = await cluster.with_clinics(url)
    try:
        async with running_standin() as standin:
            rng = random.Random(trial.seed)
            crowd = TimedCrowd(standin, database, rng, at_once, pause)
            orders = cluster.orders_for(trial, standin, url)
            replicas = REPLICAS if trial.database == POSTGRESQL else 0
            async with cluster.bots(orders, replicas=replicas) as keepers, crowd.watching():
                await until(lambda: all(keeper.is_serving for keeper in keepers))
                gauge = Gauge()
                reading = asyncio.create_task(gauge.reads(crowd, keepers))
                since, own_since = time.monotonic(), time.process_time()
                bots_since = sum(map(_processor_seconds, keepers))
                await crowd.chats(
                    lambda: crowd.count < updates or time.monotonic() < since + at_least
                )
                seconds, own = time.monotonic() - since, time.process_time() - own_since
                bots = sum(map(_processor_seconds, keepers)) - bots_since
                reading.cancel()
                restarts = sum(len(keeper.endings) for keeper in keepers)
                await crowd.settles()
            tally = await crowd.tally()
    finally:
        await database.close()
    log = await asyncio.to_thread(Path(orders.log).read_text, encoding="utf-8")
    times, unanswered = crowd.times, crowd.unanswered
    return Soaked(at_once, times, unanswered, seconds, bots, own, gauge, tally, restarts, log)


def speed(trial: Trial, done: Soaked, size: str) -> Figure:
    """Judge how soon patients were answered."""
    cuts = quantiles(done.times, n=100)
    p50, p95, p99 = cuts[49], cuts[94], cuts[98]
    per_second = len(done.times) / done.seconds
    is_fast = trial.is_soon(p95, P95) and trial.is_soon(p99, P99)
    is_fast = is_fast and (trial.size is Size.QUICK or per_second >= AT_LEAST)
    bots, own = done.bot_seconds / done.seconds, done.own_seconds / done.seconds
    return Figure(
        "A hundred patients at once are answered soon",
        size,
        f"from sending to the next question p95 <= {P95 * 1000:.0f} ms, p99 <= {P99:.0f} s; "
        f">= {AT_LEAST:.0f} updates/s; each answered",
        f"p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms; "
        f"{per_second:.0f} updates/s; {done.unanswered} unanswered; of a core the bots took "
        f"{bots:.0%}, crowd and stand-in {own:.0%}",
        is_held=is_fast and not done.unanswered,
    )


def memory(trial: Trial, done: Soaked, size: str) -> Figure:
    """Judge whether the bots grew."""
    growth = done.gauge.growth()
    megabytes = [each for _, each in done.gauge.samples]
    return Figure(
        "A bot under load takes no more and more memory",
        size,
        f"second half: <= {GROWTH:.0f} MB more in 10,000 updates",
        f"{growth:+.1f} MB in 10,000 updates, at most {max(megabytes):.0f} MB",
        is_held=trial.size is Size.QUICK or growth <= GROWTH,
    )


def order(done: Soaked, size: str) -> Figure:
    """Judge what became of the updates, and what the log says."""
    lines = done.log.splitlines()
    locked = sum("is locked" in line or "DatabaseLocked" in line for line in lines)
    errors = sum('"level": "error"' in line or "Traceback" in line for line in lines)
    return Figure(
        "A hundred patients at once: nothing is lost, nothing fails",
        size,
        "0 lost, 0 doubled, 0 times locked, 0 errors in the log, 0 restarts",
        f"{done.tally}; {locked} times locked, {errors} errors, {done.restarts} restarts",
        is_held=done.tally.is_clean and not (locked or errors or done.restarts),
    )


def _megabytes(keeper: Keeper) -> float:
    return int(_told(keeper, "statm")[1]) * _PAGE / 1e6


def _processor_seconds(keeper: Keeper) -> float:
    return (int(_told(keeper, "stat")[13]) + int(_told(keeper, "stat")[14])) / _TICKS


def _told(keeper: Keeper, file: str) -> list[str]:
    """Return what Linux tells of a program that runs."""
    assert keeper.program is not None
    return Path(f"/proc/{keeper.program.pid}/{file}").read_text(encoding="ascii").split()


PIECES = (Piece("soak", soak),)
