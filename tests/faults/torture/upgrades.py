"""Upgrades that are cut off, two at once, and those of a large practice."""

from __future__ import annotations

import asyncio
import random  # noqa: TID251 - seeded
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storage import clinics, migrations
from storage.database import connect
from tests.builders import open_always
from tests.faults import upgrades
from tests.faults.programs import Point
from tests.faults.torture.figures import Figure, Piece, Trial
from tests.storage import crowded, filled

WITHIN = 30.0  # seconds that a large practice's upgrade may take

#: The first versions with leads, with appointments and messages, and with what follows visits up.
LARGE_FROM = ("0003", "0005", "0013")


async def cut_off_upgrades(trial: Trial) -> list[Figure]:
    """Cut upgrades off at their statements; each is then finished by two programs at once."""
    rng, steps = random.Random(trial.seed), _steps()
    chosen = rng.sample(steps, trial.at(quick=2, full=len(steps)))
    url = await trial.database_url()
    await filled.fill(url)
    wrong: list[str] = []
    crashes = 0
    for older in steps:
        await asyncio.to_thread(migrations.downgrade, url, older)
        if older not in chosen:
            continue
        points = await _points(trial, url)
        drawn = rng.sample(points, trial.at(quick=2, full=len(points)))
        for point in drawn:
            found = await _cut_off(trial, url, point)
            wrong += [f"{point[0]} {point[1]} from {older}: {each}" for each in found]
        crashes += len(drawn)
        trial.tell(f"from {older}: {len(drawn)} crashes")
    for each in wrong:
        trial.tell(each)
    return [
        Figure(
            "An upgrade that is cut off loses nothing, and of two at once one does it",
            f"{crashes} crashes in {len(chosen)} migrations with rows, then two upgrades at once",
            "0 rows lost or changed, the newest tables, exactly one upgrades and none fails",
            f"{len(wrong)} wrong",
            is_held=not wrong and crashes > 0,
        )
    ]


def _steps() -> list[str]:
    """Return the version before each migration, the newest first."""
    revisions = [script.revision for script in migrations._scripts().walk_revisions()]
    return [*revisions[1:], "base"]


async def _points(trial: Trial, url: str) -> list[Point]:
    async with _copied(trial, url) as copy:
        return await upgrades.points_of(upgrades.orders_for(copy, trial.folder), trial.folder)


async def _cut_off(trial: Trial, url: str, point: Point) -> list[str]:
    """Cut one upgrade off and have it finished; return what is wrong."""
    async with _copied(trial, url) as copy:
        orders = upgrades.orders_for(copy, trial.folder)
        before = await upgrades.contents(copy)
        older = await upgrades.reached(copy)
        wrong = await upgrades.cut_off(orders, point)
        is_done = await upgrades.reached(copy) != older
        if is_done != (point[0] == upgrades.ENDED):
            wrong.append("it was kept in part")
        wrong += await upgrades.by_two(orders, trial.folder, expected=0 if is_done else 1)
        return wrong + await upgrades.complaints(copy, before)


@asynccontextmanager
async def _copied(trial: Trial, url: str) -> AsyncIterator[str]:
    if trial.server is not None:
        copy = await trial.server.copy(url)
        yield copy
        await trial.server.drop(copy)
        return
    path = trial.folder / "copy.db"
    shutil.copy(url.removeprefix("sqlite:///"), path)
    yield f"sqlite:///{path}"
    for file in trial.folder.glob("copy.db*"):
        file.unlink()


async def upgrade_a_large_practice(trial: Trial) -> list[Figure]:
    """Upgrade a practice with very many leads from several versions."""
    leads = trial.at(quick=300, full=100_000)
    wrong: list[str] = []
    times = []
    for older in LARGE_FROM:
        url = await trial.database_url()
        database = connect(url)
        await database.write(clinics.import_clinic, open_always(), "demo_clinic.toml")
        await database.close()
        await asyncio.to_thread(migrations.downgrade, url, older)
        database = connect(url)
        await database.write(crowded.crowd, leads)
        await database.close()
        before = await upgrades.contents(url)
        orders = upgrades.orders_for(url, trial.folder)
        since = time.monotonic()
        wrong += await upgrades.by_two(orders, trial.folder)
        times.append(time.monotonic() - since)
        trial.tell(f"{leads:,} leads from {older}: {times[-1]:.1f} s")
        wrong += [f"from {older}: {each}" for each in await upgrades.complaints(url, before)]
    for each in wrong:
        trial.tell(each)
    return [
        Figure(
            "A large practice is upgraded soon",
            f"{leads:,} leads and what belongs to them, from {len(LARGE_FROM)} older versions",
            "<= 30 s, 0 rows lost or changed",
            f"at most {max(times):.1f} s, {len(wrong)} wrong",
            is_held=not wrong and trial.is_soon(max(times), WITHIN),
        )
    ]


PIECES = (
    Piece("upgrades", cut_off_upgrades),
    Piece("upgrades_large", upgrade_a_large_practice),
)
