"""The dialogue and the calendar walked through at random, each against a plain record."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from tests.faults import machines, machines_calendar
from tests.faults.machines_dialogue import DialogueMachine
from tests.faults.torture.figures import NONE, SQLITE, Figure, Piece, Trial

STEPS = 50
MEMORY = Path("/dev/shm")  # noqa: S108 - not a predictable name: a fresh folder is made in it


def _folder() -> tempfile.TemporaryDirectory[str]:
    """Make a folder that lives in memory where there is such a place."""
    return tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)


async def walk_the_calendar(trial: Trial) -> list[Figure]:
    """Hold, book, move and cancel at random; the plain calendar says what must come of it."""
    full = 2000 if trial.database == SQLITE else 300
    runs = trial.at(quick=30, full=full)
    with await asyncio.to_thread(_folder) as folder:
        url = _in_memory(await trial.database_url(), Path(folder))
        desk = await asyncio.to_thread(machines_calendar.Desk, url)
        try:
            walked = await machines.walk(machines_calendar.on(desk), runs, STEPS, trial.seed)
        finally:
            await asyncio.to_thread(desk.close)
    if walked.broken:
        trial.tell(walked.broken)
    return [
        Figure(
            "The calendar keeps its rules in any history",
            f"{runs} runs x {STEPS} steps",
            "0 differences from a plain calendar, sound histories",
            "1 broken run" if walked.broken else "0 differences, 0 unsound histories",
            is_held=not walked.broken,
        )
    ]


async def walk_the_dialogue(trial: Trial) -> list[Figure]:
    """Do whatever a patient can do at random; the record says what must hold."""
    runs = trial.at(quick=25, full=2000)
    walked = await machines.walk(DialogueMachine, runs, STEPS, trial.seed)
    if walked.broken:
        trial.tell(walked.broken)
    return [
        Figure(
            "Consent first, no booking without its verdict, red flags stay, a way out always",
            f"{runs} runs x {STEPS} steps",
            "0 counter-examples",
            "1 broken run" if walked.broken else "0 counter-examples",
            is_held=not walked.broken,
        )
    ]


def _quick_place() -> Path | None:
    return MEMORY if MEMORY.is_dir() else None


def _in_memory(url: str, folder: Path) -> str:
    """Return a copy of a SQLite file where each of 100,000 commits need not wait for a disk."""
    if not url.startswith("sqlite"):
        return url
    return f"sqlite:///{shutil.copy(url.removeprefix('sqlite:///'), folder)}"


PIECES = (
    Piece("dialogue", walk_the_dialogue, (NONE,)),
    Piece("calendar", walk_the_calendar),
)
