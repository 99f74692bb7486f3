"""One person's data from the command line: `resurface patient erase`, `patient export`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from clinic import lead_export
from clinic.channels.leads_commands import write_for_owner
from clinic.commands import DEFAULT_URL, DatabaseUrl, faults_in_a_sentence, with_database
from storage import audit, erasure, lead_story, person_rows
from storage.database import Database
from storage.erasure import Erased, Foreseen
from storage.person_rows import NoSuchLead

T = TypeVar("T")

Now = Callable[[], datetime]
Lead = Annotated[int, typer.Argument(help="A number from `resurface leads`.")]

_WHAT_STAYS = "Backups made before still hold it, and the chat in Telegram is theirs to delete."


def patient_app(now: Now) -> typer.Typer:
    """Return the commands about one person's data; `now` is aware UTC."""
    app = typer.Typer(help="What is kept of one person.", no_args_is_help=True)
    _add_erase(app, now)
    _add_export(app, now)
    return app


def _add_erase(app: typer.Typer, now: Now) -> None:
    @app.command("erase")
    def erase_command(
        lead: Lead,
        *,
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
        database_url: DatabaseUrl = DEFAULT_URL,
    ) -> None:
        """Erase everything that is kept of a lead's person. It cannot be undone."""

        async def foresee(database: Database) -> Foreseen:
            clinic_id = await database.read(person_rows.clinic_of, lead)
            return _there(await database.read(erasure.foresee, clinic_id, lead, now()), lead)

        async def erase(database: Database, visits: int) -> Erased:
            clinic_id = await database.read(person_rows.clinic_of, lead)
            done = await database.write(erasure.erase, clinic_id, None, lead, visits, now())
            await database.forget_deleted()
            return _there(done, lead)

        with faults_in_a_sentence():
            found = with_database(database_url, foresee)
            typer.echo(_foreseen(found))
            if not yes:
                typer.confirm("Erase it all?", abort=True)
            done = with_database(database_url, lambda base: erase(base, found.visits))
            leads = ", ".join(str(each) for each in done.leads)
            typer.echo(f"erased, lead {leads}; visits cancelled: {len(done.cancelled)}")


def _add_export(app: typer.Typer, now: Now) -> None:
    @app.command("export")
    def export_command(
        lead: Lead,
        output: Annotated[
            Path | None, typer.Option("--output", help="The file to write; else it is printed.")
        ] = None,
        database_url: DatabaseUrl = DEFAULT_URL,
    ) -> None:
        """Write what a clinic keeps of one lead as JSON: keep the file safe."""

        async def read(database: Database) -> str:
            clinic_id = await database.read(person_rows.clinic_of, lead)
            story = _there(await database.read(lead_story.read, clinic_id, lead), lead)
            await database.write(
                audit.record, clinic_id, None, "lead.exported", "lead", lead, now()
            )
            return lead_export.as_json(story, now())

        with faults_in_a_sentence():
            text = with_database(database_url, read)
            if output is None:
                typer.echo(text)
            else:
                write_for_owner(output, text)
                typer.echo(f"{output}: written; only you may read it")


def _there(found: T | None, lead: int) -> T:
    if found is None:
        raise NoSuchLead(lead)
    return found


def _foreseen(found: Foreseen) -> str:
    """Return what will be gone, without a name."""
    lines = [
        "What will be erased for good: name, phone number, chat, answers, verdicts, notes;",
        f"leads: {found.leads}, messages: {found.messages}, photos: {found.photos}.",
        f"Visits to come that are cancelled: {found.visits}. Tell the patient; the bot does not.",
        _WHAT_STAYS,
    ]
    if found.is_elsewhere:
        lines.append("Another clinic treats them too: what is theirs stays, with name and chat.")
    return "\n".join(lines)
