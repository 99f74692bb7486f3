"""`resurface simulate`: made-up patients, the real bot, a compressed clock, and every promise.

The tables go to standard output, the bar to standard error. Ends with exit code 1 when a promise
was broken.
"""

from __future__ import annotations

import math
import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bot import log
from bot.simulation import report
from bot.simulation.course import Tell
from bot.simulation.town import BEGINS_AT, Plan
from bot.simulation.towns import TOWN, live, towns
from storage.faults import StorageError

#: What the command ends with when a promise was broken.
BROKEN = 1

_USAGE_FAULT = 2

#: What is thrown away need not survive a power cut, so no disk is waited for where Linux has this.
_IN_MEMORY = Path("/dev/shm")  # noqa: S108


def simulate_command(
    patients: Annotated[int, typer.Option(min=1, help="How many people come.")] = 100,
    days: Annotated[int, typer.Option(min=1, help="How many days pass.")] = 500,
    seed: Annotated[int, typer.Option(help="The same seed draws the same people.")] = 1,
    clinic: Annotated[
        Path | None,
        typer.Option(help="A clinic file. Default: two large made-up clinics.", show_default=False),
    ] = None,
    filled: Annotated[  # not `database_url`, whose default is the clinic's own database
        str,
        typer.Option(
            "--database-url",
            help="An empty database to fill with a single town. Default: files thrown away.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Let made-up patients live through a year with the real bot, and check every promise.

    More than 500 patients are spread over several towns with clinics of their own, which live side
    by side.
    """
    log.configure("ERROR")
    began = perf_counter()
    try:
        with _databases(filled, math.ceil(patients / TOWN)) as urls, _bar(days) as tell:
            name, text = _clinics(clinic)
            plan = Plan(patients, days, seed, text, name, urls[0])
            found = live(list(towns(plan, urls)), tell)
    except StorageError as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(_USAGE_FAULT) from None
    spread = f" in {len(urls)} towns" if len(urls) > 1 else ""
    took = (
        f"{patients:,} patients{spread}, {days:,} days, seed {seed}: "
        f"{perf_counter() - began:.0f} s, {_processor_s():.0f} s of processor time"
    )
    report.show(found, Console(), took)
    if found.broken:
        raise typer.Exit(BROKEN)


def _clinics(file: Path | None) -> tuple[str, str]:
    if file is None:
        packaged = resources.files("bot.simulation") / "clinics.toml"
        return "clinics.toml", packaged.read_text(encoding="utf-8")
    try:
        return file.name, file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        typer.echo(f"--clinic must be a file that can be read, got {str(file)!r}", err=True)
        raise typer.Exit(_USAGE_FAULT) from None


def _processor_s() -> float:
    """Return the processor time of this process and of those that it started."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


@contextmanager
def _databases(url: str, count: int) -> Iterator[list[str]]:
    """Lend an empty database for each town: the one that was named, or files thrown away."""
    if url:
        yield [url]
        return
    in_memory = str(_IN_MEMORY) if os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="resurface-simulation-", dir=in_memory) as folder:
        yield [f"sqlite:///{folder}/town-{number}.db" for number in range(1, count + 1)]


@contextmanager
def _bar(days: int) -> Iterator[Tell]:
    """Show on standard error which day it is; nothing where that is no terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        task = bars.add_task("simulating", total=days)

        def tell(at: datetime) -> None:
            done = (at - BEGINS_AT) / timedelta(days=1)
            bars.update(task, completed=done, description=f"{at:%d %b %Y}")

        yield tell
