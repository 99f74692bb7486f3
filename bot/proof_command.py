"""`resurface prove`: try everything that patients can do with a protocol, and say what holds.

The table goes to standard output; failures follow it, and end the command with exit code 2.
"""

from __future__ import annotations

from time import perf_counter

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from bot.protocol_commands import ClinicFile
from flows.compiler import ProtocolFaults
from flows.proof import Proof, prove
from flows.proof_world import Check
from flows.protocol import Protocol
from flows.texts import Catalogue
from storage.protocol_files import UnreadableFile, load_catalogues, load_protocol, read_protocol

#: Failures listed of each check; one fault often fails many cases.
SHOWN = 10


def prove_command(file: ClinicFile = None) -> None:
    """Prove the protocol, or a clinic's own file: every answer, screen and rule."""
    catalogues = load_catalogues()
    try:
        protocol = load_protocol(catalogues) if file is None else read_protocol(file, catalogues)
    except (UnreadableFile, ProtocolFaults) as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(2) from None
    started = perf_counter()
    proof = _proved(protocol, catalogues)
    report(proof, Console(), perf_counter() - started)
    if not proof.holds:
        raise typer.Exit(2)


def report(proof: Proof, console: Console, seconds: float) -> None:
    """Print the checks, what they covered, and each failure."""
    console.print(_table(proof))
    for check in proof.checks:
        _list_failures(check, console)
    if proof.in_pairs:
        steps = ", ".join(proof.in_pairs)
        console.print(f"too many options, ticked alone and in pairs only: {steps}", soft_wrap=True)
    console.print(
        f"{proof.states:,} states, {proof.edges:,} edges, {proof.screens:,} screens, "
        f"{proof.combinations:,} combinations of answers, {proof.cases:,} cases "
        f"in {seconds:.1f} s",
        soft_wrap=True,
        highlight=False,
    )
    failed = sum(bool(check.failures) for check in proof.checks)
    console.print(
        "everything holds" if proof.holds else f"{failed} of {len(proof.checks)} checks fail",
        highlight=False,
    )


def _proved(protocol: Protocol, catalogues: dict[str, Catalogue]) -> Proof:
    """Prove with a bar on standard error; where that is no terminal, in silence."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        bar = _Bar(bars)
        return prove(protocol, catalogues, bar.tell)


class _Bar:
    """One bar that each part of the proof fills anew."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._task: TaskID = bars.add_task("proving")

    def tell(self, part: str, done: int, of: int) -> None:
        """Show how far a part is."""
        self._bars.update(self._task, description=part, completed=done, total=of)


def _table(proof: Proof) -> Table:
    table = Table("What must hold", "Tried over")
    table.add_column("Cases", justify="right")
    table.add_column("Holds")
    for check in proof.checks:
        verdict = "yes" if not check.failures else f"no: {len(check.failures):,}"
        table.add_row(check.name, check.scope, f"{check.cases:,}", verdict)
    return table


def _list_failures(check: Check, console: Console) -> None:
    if not check.failures:
        return
    console.print(f"\n{check.name}: {len(check.failures):,} failures", highlight=False)
    for failure in check.failures[:SHOWN]:
        console.print(f"  {failure}", soft_wrap=True, highlight=False, markup=False)
    if len(check.failures) > SHOWN:
        console.print(f"  and {len(check.failures) - SHOWN:,} more", highlight=False)
