"""`resurface protocol`: print the protocol for a clinician to sign, and check a clinic's own file.

Faults go to standard error, one a line, and end the command with exit code 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markdown import Markdown

from flows.compiler import ProtocolFaults
from flows.protocol import Protocol
from flows.protocol_document import document
from flows.texts import Catalogue
from storage.protocol_files import UnreadableFile, load_catalogues, load_protocol, read_protocol

app = typer.Typer(
    no_args_is_help=True,
    help="Read and check the questions, rules and numbers that the assistant works by.",
)

ClinicFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE",
        help="A clinic's own protocol, or its overrides; without it, the packaged protocol.",
        show_default=False,
    ),
]


@app.command()
def show(
    file: ClinicFile = None,
    locale: Annotated[str, typer.Option(help="The language of the patients' texts.")] = "en",
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown instead of a page for the terminal.")
    ] = False,
) -> None:
    """Print the protocol in words, with every rule, its sources and lines to sign."""
    catalogues = load_catalogues()
    if locale not in catalogues:
        known = ", ".join(sorted(catalogues))
        _refuse(f"--locale must be one of {known}, got {locale!r}")
    text = document(_protocol(file, catalogues), catalogues[locale])
    if markdown:
        typer.echo(text, nl=False)
    else:
        Console().print(Markdown(text))


@app.command()
def check(file: ClinicFile = None) -> None:
    """Check a protocol or a clinic's overrides against all languages; name every fault."""
    protocol = _protocol(file, load_catalogues())
    rules = sum(bool(option.severity) for step in protocol.steps for option in step.options)
    typer.echo(f"no faults: {len(protocol.steps)} steps, {rules} rules")


def _protocol(file: Path | None, catalogues: Mapping[str, Catalogue]) -> Protocol:
    try:
        return load_protocol(catalogues) if file is None else read_protocol(file, catalogues)
    except UnreadableFile as error:
        _refuse(str(error))
    except ProtocolFaults as error:
        count = len(error.faults)
        _refuse(f"{error}\n{count} {'fault' if count == 1 else 'faults'}")


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)
