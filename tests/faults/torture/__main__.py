"""Run the torture; see the package's docstring."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot import log
from bot.clock import SystemClock
from tests import postgres
from tests.faults.torture import ledger, registry
from tests.faults.torture.figures import POSTGRESQL, Figure, Piece, Size, Trial


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen pieces; return how many targets were missed or could not be measured."""
    log.configure("ERROR", "text")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is stopped with it
    chosen = _parser().parse_args(arguments)
    seed = chosen.seed if chosen.seed is not None else secrets.randbelow(10**6)
    size = Size(chosen.size)
    pieces = [p for p in registry.pieces() if not chosen.piece or p.name in chosen.piece]
    print(f"torture: {size.value} size, seed {seed} (run it again with --seed {seed})", flush=True)
    missed = 0
    for piece in pieces:
        for database in piece.databases:
            if chosen.database in (None, database):
                missed += _carry_out(piece, database, size, seed)
    print(f"torture: {missed or 'no'} target{'s' if missed != 1 else ''} missed, seed {seed}")
    return missed


def _carry_out(piece: Piece, database: str, size: Size, seed: int) -> int:
    started = time.monotonic()

    def tell(words: str) -> None:
        print(f"  {time.monotonic() - started:6.0f} s  {words}", flush=True)

    print(f"== {piece.name} on {database}", flush=True)
    try:
        with _trial(database, size, seed) as trial:
            trial.tell = tell
            figures = asyncio.run(piece.run(trial))
    except Exception:  # noqa: BLE001 - the other pieces are tried all the same
        traceback.print_exc()
        return 1
    for figure in figures:
        verdict = "held" if figure.is_held else "MISSED"
        tell(f"{verdict}: {figure.claim}: {figure.measured} ({figure.size}; {figure.target})")
    if size is Size.FULL:
        ledger.write([_row(figure, database, seed) for figure in figures])
    return sum(not figure.is_held for figure in figures)


@contextlib.contextmanager
def _trial(database: str, size: Size, seed: int) -> Iterator[Trial]:
    with tempfile.TemporaryDirectory(prefix="rs-torture") as folder, contextlib.ExitStack() as held:
        server = held.enter_context(postgres.running()) if database == POSTGRESQL else None
        yield Trial(size, seed, database, Path(folder), server)
        if server is not None:
            asyncio.run(server.drop_all())


def _row(figure: Figure, database: str, seed: int) -> ledger.Row:
    today = SystemClock().now().date().isoformat()
    held = "yes" if figure.is_held else "**no**"
    return ledger.Row(
        figure.claim,
        figure.size,
        figure.target,
        figure.measured,
        held,
        str(seed),
        database,
        today,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.torture", description=__doc__)
    names = [piece.name for piece in registry.pieces()]
    parser.add_argument("--piece", action="append", choices=names, help="run this piece alone")
    parser.add_argument("--size", default="full", choices=[size.value for size in Size])
    parser.add_argument("--seed", type=int, help="default: a new one, which is printed")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "none"])
    return parser


if __name__ == "__main__":
    sys.exit(min(main(), 1))
