"""Towns side by side: each with people, clinics, a database and a process of its own.

Nobody of one town meets anybody of another, so what came of them is added up at the end. A seed
gives the same towns whatever the machine.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from dataclasses import replace
from datetime import datetime, timedelta
from multiprocessing import get_context
from multiprocessing.sharedctypes import SynchronizedArray
from multiprocessing.synchronize import Event

from bot import log
from bot.simulation import report
from bot.simulation.chance import seeded
from bot.simulation.course import Tell
from bot.simulation.report import Outcome
from bot.simulation.town import BEGINS_AT, Plan, simulate
from storage.faults import StorageError

#: More people than this are spread over several towns.
TOWN = 500

_POLL_S = 0.25  # between two looks at how far the towns are

_days_done: SynchronizedArray[float]  # of each town; set in processes that simulate one
_given_up: Event  # another town has failed


def towns(plan: Plan, urls: Sequence[str]) -> Iterator[Plan]:
    """Yield one plan a town, each with its database and its share of the patients."""
    each, over = divmod(plan.patients, len(urls))
    rng = seeded(plan.seed)
    for number, url in enumerate(urls):
        seed = rng.getrandbits(32) if len(urls) > 1 else plan.seed
        yield replace(plan, patients=each + (number < over), seed=seed, database_url=url)


def live(plans: Sequence[Plan], tell: Tell) -> Outcome:
    """Let the towns live, one a core at a time; `tell` hears how far they are on the whole.

    A single town lives in this process. Raises what `town.simulate` raises for any of them.
    """
    if len(plans) == 1:
        return report.outcome(*asyncio.run(simulate(plans[0], tell)))
    spawning = get_context("spawn")  # a forked event loop or database would be shared
    days_done, given_up = spawning.Array("d", len(plans)), spawning.Event()
    cores = min(os.cpu_count() or 1, len(plans))
    with ProcessPoolExecutor(cores, spawning, _begin, (days_done, given_up)) as processes:
        waiting = [processes.submit(_one, number, plan) for number, plan in enumerate(plans)]
        try:
            _follow(waiting, days_done, tell)
        except BaseException:
            given_up.set()
            raise
        return report.together([future.result() for future in waiting])


def _follow(
    waiting: Sequence[Future[Outcome]], days_done: SynchronizedArray[float], tell: Tell
) -> None:
    """Wait until every town has lived, or one has failed; raises what it failed with."""
    left: set[Future[Outcome]] = set(waiting)
    while left:
        ended, left = wait(left, timeout=_POLL_S, return_when=FIRST_EXCEPTION)
        for future in ended:
            future.result()
        tell(BEGINS_AT + timedelta(days=sum(days_done[:]) / len(waiting)))


class _GivenUp(Exception):
    """Another town has failed, so nobody waits for this one."""


def _begin(days_done: SynchronizedArray[float], given_up: Event) -> None:
    global _days_done, _given_up  # the only way into a process of a pool
    _days_done, _given_up = days_done, given_up
    log.configure("ERROR")


def _one(number: int, plan: Plan) -> Outcome:
    def tell(at: datetime) -> None:
        if _given_up.is_set():
            raise _GivenUp
        _days_done[number] = (at - BEGINS_AT) / timedelta(days=1)

    try:
        return report.outcome(*asyncio.run(simulate(plan, tell)))
    except StorageError as fault:  # only its sentence: not every kind can leave a process
        raise StorageError(str(fault)) from None
