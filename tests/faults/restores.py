"""Backups made while patients come, each put back and used."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from storage import backup, clinics
from storage.database import connect
from storage.manifests import Manifest
from tests import postgres
from tests.builders import open_always
from tests.storage import filled

COMERS = 4
LATER = 700  # chat of the patient who comes after a restore


@dataclass
class Restored:
    """How the restores went."""

    good: int = 0
    sizes: list[int] = field(default_factory=list)  # patients in each backup, in order
    faults: list[str] = field(default_factory=list)


async def drill(
    database_url: str, empty: Callable[[], Awaitable[str]], folder: Path, rounds: int
) -> Restored:
    """Back up `rounds` times under load, then put every backup into a fresh place and use it."""
    _find_programs()
    await _fill(database_url, patients=300)
    told = Restored()
    async with coming(database_url):
        for number in range(rounds):
            made = await asyncio.to_thread(
                backup.make, database_url, folder / f"{number}", _quiet, force=False
            )
            told.sizes.append(made.rows["patients"])
    for number in range(rounds):
        try:
            back = await _put_back(await empty(), folder / f"{number}")
        except Exception as error:  # noqa: BLE001 - a restore that fails is what is counted
            told.faults.append(f"backup {number}: {type(error).__name__}: {error}")
            continue
        fault = _wrong(back, told.sizes[number])
        told.faults += [f"backup {number}: {fault}"] if fault else []
        told.good += not fault
    if told.sizes != sorted(told.sizes) or len(set(told.sizes)) < 2:
        told.faults.append("nobody came while backups were made, or patients were lost")
    return told


@asynccontextmanager
async def coming(url: str) -> AsyncIterator[None]:
    """Let new patients come all the time."""
    database = connect(url)

    chats = count(1000)

    async def come() -> None:
        for chat in chats:
            await filled.meet(database, chat)

    load = asyncio.gather(*(come() for _ in range(COMERS)))
    await asyncio.sleep(0.05)
    try:
        yield
        if load.done():
            load.result()
    finally:
        load.cancel()
        with suppress(asyncio.CancelledError):
            await load
        await database.close()


async def _fill(url: str, patients: int) -> None:
    database = connect(url)
    try:
        await database.write(clinics.import_clinic, open_always(), "demo_clinic.toml")
        await asyncio.gather(*(filled.meet(database, chat) for chat in range(1, patients + 1)))
    finally:
        await database.close()


async def _put_back(url: str, file: Path) -> Manifest:
    """Restore, verified row by row, and let one more patient come."""
    back = await asyncio.to_thread(backup.restore, url, file, _quiet, verify=True, force=False)
    database = connect(url)
    try:
        await filled.meet(database, LATER)
    finally:
        await database.close()
    return back


def _wrong(back: Manifest, patients: int) -> str:
    found = {back.rows[name] for name in ("patients", "conversations", "leads")}
    return "" if found == {patients} else f"{patients} patients were backed up, {found} came back"


def _find_programs() -> None:
    """Let PostgreSQL's programs be found where the tests' server has its own."""
    folder = str(postgres._binaries()) if not os.environ.get("TEST_DATABASE_URL") else ""
    if folder and folder not in os.environ["PATH"]:
        os.environ["PATH"] = folder + os.pathsep + os.environ["PATH"]


def _quiet(_what: str, _done: int, _total: int) -> None:
    """Show no progress."""
