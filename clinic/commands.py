"""What the staff's commands share, and `resurface leads`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from clinic.standings import KINDS, STATUSES, VERDICTS
from flows.effects import LeadKind
from storage import clinic_document, clinic_protocols, clinics, leads, migrations
from storage.database import Database, connect
from storage.faults import StorageError
from storage.leads import LeadRow
from storage.program import command

T = TypeVar("T")

DEFAULT_URL = "sqlite:///var/resurface.db"

#: What a program ends with when a setting or a file of the user's is at fault.
USAGE_FAULT = 2

DatabaseUrl = Annotated[
    str, typer.Option("--database-url", envvar="DATABASE_URL", help="Where the data is kept.")
]


def import_file(database_url: str, file: Path) -> tuple[str, ...]:
    """Create or update the clinics of a file; return their slugs. Raises StorageError, OSError."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise StorageError(f"{file.name}: is not UTF-8 text; save it as UTF-8") from None
    return import_text(database_url, text, file.name)


def import_demo(database_url: str) -> tuple[str, ...]:
    """Create or update the made-up clinics; return their slugs. Raises StorageError."""
    return import_text(database_url, clinics.demo_text(), "demo_clinic.toml")


def import_text(database_url: str, text: str, file: str) -> tuple[str, ...]:
    """Create or update the clinics of a clinic file's text, named `file` in faults."""
    return with_database(
        database_url, lambda database: database.write(clinics.import_clinic, text, file)
    )


def export_text(
    database_url: str, slugs: Sequence[str], *, beside: bool
) -> tuple[str, dict[str, str]]:
    """Return clinics, or all of them, as a clinic file, and the files to stand `beside` it.

    Without any beside it, the file leaves a clinic's own protocol as it is. Raises StorageError.
    """

    async def read(database: Database) -> tuple[str, dict[str, str]]:
        chosen = slugs or await database.read(clinic_document.slugs)
        own = await database.read(clinic_protocols.overrides) if beside else {}
        entries = [await database.read(clinic_document.entry_of, slug) for slug in chosen]
        if not entries:
            raise StorageError(f"there is no clinic yet: run `{command('clinic init')}`")
        files = {f"{slug}-overrides.toml": own[slug] for slug in chosen if slug in own}
        named = [
            entry.model_copy(update={"protocol": f"{entry.slug}-overrides.toml"})
            if entry.slug in own
            else entry
            for entry in entries
        ]
        return clinic_document.text_of(named), files

    return with_database(database_url, read)


def read_leads(database_url: str, clinic: str | None) -> list[LeadRow]:
    """Return leads, the most pressing first, of one clinic or of all. Raises StorageError."""
    return with_database(database_url, lambda database: database.read(leads.all_leads, clinic))


def leads_command(
    clinic: Annotated[
        str | None, typer.Option("--clinic", help="Only this clinic's leads.")
    ] = None,
    database_url: DatabaseUrl = DEFAULT_URL,
) -> None:
    """List the patients handed to the clinics, urgent ones and who waits for a person first."""
    with faults_in_a_sentence():
        rows = read_leads(database_url, clinic)
        Console().print(leads_table(rows) if rows else "No leads yet.")


def leads_table(rows: Sequence[LeadRow]) -> Table:
    """Return the leads as a table for 120 columns, times in each clinic's zone."""
    table = Table(title="Leads")
    for heading in ("id", "clinic", "patient", "lead", "verdict", "booked", "came"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        came = [_local(row.created_at, row.zone)]
        if row.campaign:
            came.append(f"from {row.campaign}")
        table.add_row(
            str(row.id),
            row.clinic or "–",
            _cell(row.first_name, row.phone or ""),
            _cell(*_why(row)),
            _cell(*_verdict(row)),
            _cell(*_times(row)),
            _cell(*came),
        )
    return table


def _why(row: LeadRow) -> list[str]:
    kind, status = KINDS.get(row.kind, row.kind), STATUSES.get(row.status, row.status)
    stands = status if row.status == "new" else f"{status} by the team"
    if row.wants_person_at is None:
        return [kind, stands]
    asked = f"wants a person since {_local(row.wants_person_at, row.zone)}"
    return [asked, stands] if row.kind == LeadKind.PERSON else [kind, asked, stands]


def _verdict(row: LeadRow) -> list[str]:
    words = VERDICTS.get(row.verdict, row.verdict) if row.verdict else ""
    return [words, "" if row.score is None else f"score {row.score}"]


def _times(row: LeadRow) -> list[str]:
    lines = [_local(at, row.zone) for at in row.booked]
    if row.recheck_on is not None:
        lines.append(f"again on {row.recheck_on:%d %b %Y}")
    return [*lines, f"code {row.code}"] if row.code else lines


def _cell(*lines: str) -> Text:
    """Return the lines as plain text: what a patient calls themselves commands no terminal."""
    clean = ("".join(c if c.isprintable() else " " for c in line).strip() for line in lines)
    return Text("\n".join(line for line in clean if line) or "–")


def _local(at: datetime, zone: str | None) -> str:
    return f"{at.astimezone(ZoneInfo(zone or 'UTC')):%a %d %b %Y %H:%M}"


def with_database(database_url: str, use: Callable[[Database], Awaitable[T]]) -> T:
    """Bring the tables up to date, use the database once, and close it."""
    migrations.upgrade(database_url)

    async def run() -> T:
        database = connect(database_url)
        try:
            return await use(database)
        finally:
            await database.close()

    return asyncio.run(run())


@contextlib.contextmanager
def faults_in_a_sentence() -> Iterator[None]:
    """End with exit code 2 and what to correct, not with a traceback."""
    try:
        yield
    except OSError as error:
        typer.echo(f"{error.filename}: {error.strerror}", err=True)
        raise typer.Exit(USAGE_FAULT) from None
    except StorageError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(USAGE_FAULT) from None
