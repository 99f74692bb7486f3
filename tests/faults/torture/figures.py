"""What a piece of the torture gets and what it gives back."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import TypeVar

from storage import migrations
from tests import postgres

SQLITE, POSTGRESQL, NONE = "sqlite", "postgresql", "none"

T = TypeVar("T")


class Size(StrEnum):
    """How much is tried."""

    QUICK = "quick"  # seconds, for `make test`
    FULL = "full"  # what is claimed, for `make torture`


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured claim. The texts stand in a table, so they hold no `|` and no line break."""

    claim: str  # "No update is lost or applied twice"
    size: str  # "200 kills, 20,000 updates"
    target: str  # "0 lost, 0 doubled"
    measured: str  # "0 lost, 0 doubled"
    is_held: bool


@dataclass
class Trial:
    """One run of one piece."""

    size: Size
    seed: int
    database: str  # SQLITE, POSTGRESQL or NONE
    folder: Path  # empty, thrown away afterwards
    server: postgres.Server | None = None  # runs while the piece does, on POSTGRESQL only
    tell: Callable[[str], None] = print
    _numbers: count[int] = field(default_factory=count)

    def at(self, *, quick: T, full: T) -> T:
        """Return what fits the size."""
        return full if self.size is Size.FULL else quick

    def is_soon(self, seconds: float, within: float) -> bool:
        """Say whether something was soon enough, which is judged at full size alone.

        The quick size is part of `make test`, on machines of any speed and with other tests beside.
        """
        return self.size is Size.QUICK or seconds <= within

    async def database_url(self) -> str:
        """Make a fresh database with all tables and no clinic; return its URL."""
        if self.server is not None:
            return await self.server.clone()
        template = self.folder / "template.db"
        if not template.exists():
            migrations.upgrade(f"sqlite:///{template}")
        path = self.folder / f"fresh-{next(self._numbers)}.db"
        shutil.copy(template, path)
        return f"sqlite:///{path}"


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of the torture."""

    name: str
    run: Callable[[Trial], Awaitable[list[Figure]]]
    databases: tuple[str, ...] = (SQLITE, POSTGRESQL)
    in_tests: bool = True  # whether tests/faults/test_torture.py runs it at the quick size
    tested_on: tuple[str, ...] = (SQLITE, POSTGRESQL, NONE)  # where it does so, of `databases`
