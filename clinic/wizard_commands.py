"""`resurface clinic init`: describes a clinic by questions, writes its file and imports it."""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.syntax import Syntax

from clinic import link_commands, links, wizard
from clinic.commands import (
    DEFAULT_URL,
    DatabaseUrl,
    faults_in_a_sentence,
    import_text,
    with_database,
)
from clinic.lent import Now
from clinic.link_commands import BotName
from clinic.wizard import Described, Wizard
from storage import clinic_document, clinic_file, staff, staff_keys
from storage.clinic_file import ClinicEntry
from storage.database import Database
from storage.faults import StorageError

WELCOME = """\
This describes a clinic to the bot. It takes about five minutes.
Press Enter to take what stands in brackets. You can run it again at any time.
"""


class Terminal:
    """Asks a person, again until the answer fits."""

    def ask(self, key: str, question: str, default: str, check: Callable[[str], Any]) -> Any:
        """Return what `check` makes of the answer."""
        while True:
            typed = typer.prompt(question, default=default or None, type=str)
            value, sentence = wizard.settled(check, typed)
            if not sentence:
                return value
            typer.secho(sentence, fg="yellow")


class Answers:
    """Looks answers up in a file; what is not there is asked, or its default is taken."""

    def __init__(self, values: Mapping[str, Any], file: str, then: Terminal | None) -> None:
        """Ask `then` what is not in `values`; without it take the defaults."""
        self._values = values
        self._file = file
        self._then = then

    def ask(self, key: str, question: str, default: str, check: Callable[[str], Any]) -> Any:
        """Return what `check` makes of the answer. Raises StorageError, which names the key."""
        typed = self._typed(key)
        if typed is None and self._then is not None:
            return self._then.ask(key, question, default, check)
        value, sentence = wizard.settled(check, default if typed is None else typed)
        if sentence:
            where = f"{self._file}: " if self._file else ""
            got = "" if typed is None else f" (got {typed!r})"
            raise StorageError(f"{where}{key}: {sentence}{got}")
        return value

    def _typed(self, key: str) -> str | None:
        value: Any = self._values
        for part in key.split("."):
            if isinstance(value, list):
                if int(part) >= len(value):
                    return "-"  # a file that names people names all of them
                value = value[int(part)]
            else:
                value = value.get(part) if isinstance(value, Mapping) else None
        return None if value is None else str(value)


def add_init(app: typer.Typer, now: Now, bot_name: BotName) -> None:
    """Add the command to a group; `now` is aware UTC."""

    @app.command("init")
    def init_command(
        file: Annotated[
            Path, typer.Option("--file", help="The clinic file to write, and to begin from.")
        ] = Path("clinic.toml"),
        answers: Annotated[
            Path | None, typer.Option("--answers", help="A TOML file with answers; asks the rest.")
        ] = None,
        database_url: DatabaseUrl = DEFAULT_URL,
        *,
        yes: Annotated[
            bool, typer.Option("--yes", help="Ask nothing: take the default of what is not told.")
        ] = False,
    ) -> None:
        """Describe a clinic by answering questions; writes its file, imports it, prints links."""
        with faults_in_a_sentence():
            asker = _asker(answers, yes=yes)
            if not yes:
                typer.echo(WELCOME)
            others, before = _before(file)
            described = Wizard(asker, before, _local_zone()).run()
            entry = _kept(database_url, described, known=before is not None)
            text = clinic_document.text_of([entry, *(o for o in others if o.slug != entry.slug)])
            Console().print(Syntax(text, "toml", background_color="default"))
            if not yes and not typer.confirm(f"Write {file} and tell the bot?", default=True):
                raise typer.Exit(1)
            file.write_text(text, encoding="utf-8")
            slugs = import_text(database_url, text, str(file))
            typer.echo(f"{file}: written. Change it by hand, or run this again, at any time.")
            _invite(database_url, entry.slug, described.owner, now, bot_name)
            link_commands.tell(database_url, slugs, bot_name, described.owner)


def _asker(answers: Path | None, *, yes: bool) -> Answers | Terminal:
    terminal = None if yes else Terminal()
    if answers is None:
        return terminal or Answers({}, "", None)
    try:
        values = tomllib.loads(answers.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise StorageError(f"{answers}: is not TOML: {fault}") from None
    return Answers(values, str(answers), terminal)


def _before(file: Path) -> tuple[tuple[ClinicEntry, ...], Mapping[str, Any] | None]:
    """Return the clinics of an older file; the first of them is asked about again."""
    if not file.exists():
        return (), None
    first, *others = clinic_file.parse(file.read_text(encoding="utf-8"), str(file))
    return tuple(others), clinic_document.document(first)


def _kept(database_url: str, described: Described, *, known: bool) -> ClinicEntry:
    """Return the clinic; what was not asked of one that exists already stays as it is there."""
    document = described.document
    slug = document["slug"]

    async def read(database: Database) -> ClinicEntry | None:
        there = slug in await database.read(clinic_document.slugs)
        return await database.read(clinic_document.entry_of, slug) if there else None

    there = None if known else with_database(database_url, read)
    if there is None:
        return clinic_file.checked(document)
    kept = clinic_document.document(there)
    days = {person["slug"]: person["days"] for person in kept["practitioners"]}
    people = [
        {**person, "days": days.get(person["slug"], [])} for person in document["practitioners"]
    ]
    return clinic_file.checked(
        {**kept, **document, "practitioners": people, "closures": kept["closures"]}
    )


def _invite(database_url: str, slug: str, owner: str, now: Now, bot_name: BotName) -> None:
    """Write the first owner down and print their invitation, once."""
    team = with_database(database_url, lambda database: database.read(staff.members, slug))
    if not owner or team:
        return
    added = with_database(
        database_url, lambda database: database.write(staff_keys.add, slug, owner, "owner", now())
    )
    payload = with_database(
        database_url,
        lambda database: database.write(
            staff_keys.invite, added.id, secrets.token_urlsafe(32), now()
        ),
    )
    typer.echo(f"{owner} opens this link in Telegram, once, within a week:")
    typer.echo(f"  https://t.me/{bot_name() or links.UNNAMED}?start={payload}")


def _local_zone() -> str:
    """Return this machine's time zone; UTC when it does not say."""
    named = os.environ.get("TZ", "").lstrip(":")
    linked = str(Path("/etc/localtime").resolve()).rpartition("zoneinfo/")[2]
    return next((zone for zone in (named, linked) if "/" in zone and zone[0] != "/"), "UTC")
