"""The judge of the long load: what is slow, grows, is lost or locked is said to be so."""

from __future__ import annotations

import random  # noqa: TID251 - seeded
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from bot.playground.faults import FaultKind
from storage.faults import locked
from tests.faults import cluster
from tests.faults.crowd import Tally
from tests.faults.timed_crowd import TimedCrowd
from tests.faults.torture import soak
from tests.faults.torture.figures import SQLITE, Size, Trial
from tests.faults.torture.soak import Gauge, Soaked
from tests.standin import running_standin

LEVEL = Gauge([(number * 100, 60.0 if number < 50 else 90.0) for number in range(101)])
GROWING = Gauge([(number * 100, 90 + number * 0.06) for number in range(101)])
SOUND = Soaked(
    at_once=100,
    times=[0.1] * 10_000,
    unanswered=0,
    seconds=120,
    bot_seconds=50,
    own_seconds=20,
    gauge=LEVEL,
    tally=Tally(sent=10_000, lost=0, doubled=0, astray=0, parked=0),
    restarts=0,
    log="",
)


def held(trial: Trial, **changes: Any) -> list[bool]:
    done = replace(SOUND, **changes)
    figures = soak.speed(trial, done, ""), soak.memory(trial, done, ""), soak.order(done, "")
    return [figure.is_held for figure in figures]


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(Size.FULL, 1, SQLITE, tmp_path)


def test_a_quick_and_level_bot_holds(trial: Trial) -> None:
    assert held(trial) == [True, True, True]


@pytest.mark.parametrize(
    ("changes", "verdicts"),
    [
        ({"times": [0.1] * 9_400 + [0.6] * 600}, [False, True, True]),
        ({"times": [0.1] * 9_800 + [1.1] * 200}, [False, True, True]),
        ({"seconds": 201}, [False, True, True]),
        ({"unanswered": 1}, [False, True, True]),
        ({"gauge": GROWING}, [True, False, True]),
        ({"tally": replace(SOUND.tally, lost=1)}, [True, True, False]),
        ({"restarts": 1}, [True, True, False]),
        ({"log": str(locked(make_url("sqlite:///x.db")))}, [True, True, False]),
        ({"log": '{"timestamp": "now", "level": "error", "event": "x"}'}, [True, True, False]),
    ],
)
def test_what_is_wrong_is_missed(
    trial: Trial, changes: dict[str, Any], verdicts: list[bool]
) -> None:
    assert held(trial, **changes) == verdicts


def test_growth_is_of_the_second_half() -> None:
    assert abs(LEVEL.growth()) < 0.1
    assert round(GROWING.growth(), 3) == 6.0


async def test_a_slow_answer_is_noted_as_slow(tmp_path: Path) -> None:
    trial = Trial(Size.QUICK, 1, SQLITE, tmp_path)
    url = await trial.database_url()
    database = await cluster.with_clinics(url)
    async with running_standin() as standin:
        crowd = TimedCrowd(standin, database, random.Random(1), at_once=1)
        orders = cluster.orders_for(trial, standin, url)
        async with cluster.bots(orders), crowd.watching():
            standin.fault(FaultKind.DELAY, "sendMessage", count=100, seconds=0.2)
            await crowd.chats(lambda: not crowd.count)
    await database.close()

    assert len(crowd.times) == crowd.count == 12
    assert min(crowd.times) > 0.2
    assert crowd.unanswered == 0
