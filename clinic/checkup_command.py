"""`resurface check`: says what is still missing or wrong, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable

import typer

from clinic import checkup, settings
from clinic.checkup import BotFacts
from clinic.commands import DEFAULT_URL, DatabaseUrl, faults_in_a_sentence, with_database
from clinic.lent import Now

#: What the program ends with when something is to be done.
TO_DO = 1


def check_command(now: Now, bot_facts: Callable[[], BotFacts]) -> Callable[..., None]:
    """Return the command; `now` is aware UTC."""

    def check(database_url: DatabaseUrl = DEFAULT_URL) -> None:
        """Say in plain words what is still missing or wrong, and what to do about it."""
        with faults_in_a_sentence():
            known, facts = settings.load(), bot_facts()
            found = with_database(
                database_url, lambda database: checkup.findings(database, facts, known, now())
            )
            for each in found:
                typer.secho(
                    f"{'✗' if each.is_needed else 'i'} {each.what}",
                    fg="red" if each.is_needed else "blue",
                )
                typer.echo(f"  {each.cure}")
            needed = sum(each.is_needed for each in found)
            if needed:
                typer.echo(f"\n{needed} to do.")
                raise typer.Exit(TO_DO)
            typer.secho("✓ Patients can come.", fg="green")

    return check
