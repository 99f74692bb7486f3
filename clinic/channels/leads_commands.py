"""Leads from the command line: `resurface leads`, `leads export`, `protocol fhir`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from clinic.channels.export import Exports, Format
from clinic.channels.fhir.bundle import questionnaire_of
from clinic.commands import (
    DEFAULT_URL,
    USAGE_FAULT,
    DatabaseUrl,
    faults_in_a_sentence,
    leads_command,
    with_database,
)
from flows.compiler import ProtocolFaults
from storage import clinics, lead_channels
from storage.database import Database
from storage.lead_channels import ChannelFault
from storage.program import which_clinic
from storage.protocol_files import UnreadableFile, load_catalogues, load_protocol, read_protocol

ClinicSlug = Annotated[
    str | None, typer.Option("--clinic", help="Which clinic, when there are several.")
]

_OWNER_ALONE = 0o600


def leads_app(now: Callable[[], datetime]) -> typer.Typer:
    """Return the commands about leads; without a further word they are listed."""
    app = typer.Typer(help="The patients handed to the clinics, the most pressing first.")

    @app.callback(invoke_without_command=True)
    def list_command(
        context: typer.Context,
        clinic: Annotated[
            str | None, typer.Option("--clinic", help="Only this clinic's leads.")
        ] = None,
        database_url: DatabaseUrl = DEFAULT_URL,
    ) -> None:
        """List the patients handed to the clinics, urgent ones and who waits for a person first."""
        if context.invoked_subcommand is None:
            leads_command(clinic, database_url)

    @app.command("export")
    def export_command(
        form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.CSV,
        output: Annotated[
            Path | None, typer.Option("--output", help="The file to write; else it is printed.")
        ] = None,
        clinic: ClinicSlug = None,
        database_url: DatabaseUrl = DEFAULT_URL,
    ) -> None:
        """Write a clinic's leads, with names and health answers: keep the file safe."""

        async def read(database: Database) -> str:
            clinic_id, _ = await database.read(lead_channels.clinic_of, clinic)
            return await Exports(database, load_catalogues()).everything(clinic_id, form, now())

        with faults_in_a_sentence():
            text = with_database(database_url, read)
            if output is None:
                typer.echo(text, nl=not text.endswith("\n"))
            else:
                write_for_owner(output, text)
                typer.echo(f"{output}: written; only you may read it")

    return app


def questionnaire_command(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="A clinic's own protocol, or its overrides; without it, the packaged one.",
            show_default=False,
        ),
    ] = None,
    clinic: Annotated[
        str | None, typer.Option("--clinic", help="In the words that this clinic's patients read.")
    ] = None,
    locale: Annotated[str, typer.Option(help="The language of the questions.")] = "en",
    database_url: DatabaseUrl = DEFAULT_URL,
) -> None:
    """Print the questions as a FHIR R4B Questionnaire."""
    catalogues = load_catalogues()
    with faults_in_a_sentence():
        if locale not in catalogues:
            known = ", ".join(sorted(catalogues))
            raise ChannelFault(f"--locale must be one of {known}, got {locale!r}")
        try:
            protocol = (
                load_protocol(catalogues) if file is None else read_protocol(file, catalogues)
            )
        except (UnreadableFile, ProtocolFaults) as fault:
            typer.echo(str(fault), err=True)
            raise typer.Exit(USAGE_FAULT) from None
        found = None
        if clinic is not None:
            everyone = with_database(database_url, lambda database: database.read(clinics.load_all))
            found = everyone.get(clinic)
            if found is None:
                raise ChannelFault(which_clinic(everyone, clinic))
        typer.echo(questionnaire_of(protocol, catalogues[locale], found))


def write_for_owner(path: Path, text: str) -> None:
    """Write a file that nobody else on this machine may read."""
    path.touch(mode=_OWNER_ALONE)
    path.chmod(_OWNER_ALONE)
    path.write_text(text, encoding="utf-8", newline="")
