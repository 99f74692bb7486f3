"""`resurface clinic init`: describes a clinic by questions, writes its file and imports it."""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from clinic import link_commands, links, summary
from clinic.answers import settled
from clinic.commands import (
    DEFAULT_URL,
    DatabaseUrl,
    faults_in_a_sentence,
    import_text,
    with_database,
)
from clinic.lent import Now
from clinic.link_commands import BotName
from clinic.wizard import Asker, Described, Held, Wizard
from storage import clinic_document, clinic_file, staff, staff_keys
from storage.clinic_document import Document
from storage.clinic_file import ClinicEntry
from storage.database import Database
from storage.faults import StorageError
from storage.program import command
from storage.staff import Member

WELCOME = """\
This describes a clinic to the bot. Enter takes what stands in brackets.
Ctrl+C leaves everything as it is. You can run it again.
"""

AGAIN = """
Nothing is written yet. Here are the questions again, with your answers in brackets: Enter keeps
each. Ctrl+C leaves everything as it is.
"""

LEFT = "\nNothing is written: everything is as it was."


class Terminal:
    """Asks a person, again until the answer fits."""

    def ask(self, key: str, question: str, default: str, check: Callable[[str], Any]) -> Any:
        """Return what `check` makes of the answer."""
        while True:
            end = " " if question.endswith("?") else ": "
            shown = bool(default)
            typed = typer.prompt(
                question, default=default, show_default=shown, type=str, prompt_suffix=end
            )
            value, sentence = settled(check, typed)
            if not sentence:
                return value
            typer.secho(sentence, fg="yellow")

    def told(self, key: str) -> str:
        """Nobody answers before the question."""
        return ""

    def without_asking(self) -> Answers:
        """Return what takes each default."""
        return Answers({}, "", None)


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
        value, sentence = settled(check, default if typed is None else typed)
        if sentence:
            where = f"{self._file}: " if self._file else ""
            got = "" if typed is None else f" (got {typed!r})"
            raise StorageError(f"{where}{key}: {sentence}{got}")
        return value

    def told(self, key: str) -> str:
        """Return what the file says."""
        return self._typed(key) or ""

    def without_asking(self) -> Answers:
        """Return the file alone."""
        return Answers(self._values, self._file, None)

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
        file: Annotated[Path, typer.Option("--file", help="The clinic file to write.")] = Path(
            "clinic.toml"
        ),
        answers: Annotated[
            Path | None,
            typer.Option("--answers", help="A TOML file with answers, which win; asks the rest."),
        ] = None,
        database_url: DatabaseUrl = DEFAULT_URL,
        *,
        yes: Annotated[
            bool, typer.Option("--yes", help="Ask nothing: take the default of what is not told.")
        ] = False,
    ) -> None:
        """Describe a clinic by answering questions; writes its file, imports it, prints links.

        A clinic that is there already is begun from as the bot goes by it,
        with what was changed in the console; from its file only where the
        database has no such clinic. Answers of a file win over both.
        """
        with faults_in_a_sentence():
            name = bot_name()  # first: it names what is wrong with the settings
            asker = _asker(answers, yes=yes)
            if not yes:
                typer.echo(WELCOME)
            begun = _begun(database_url, file)
            described = _described(asker, begun, "" if yes else str(file))
            entries = begun.with_change(described.document)
            text = clinic_document.text_of(entries)
            _refuse_changed(database_url, begun.entries, entries)
            slugs = import_text(database_url, text, str(file))
            if begun.is_old_file:
                file.replace(_aside(file))
            file.write_text(text, encoding="utf-8")
            by_hand = command(f"clinic import {file}")
            typer.echo(f"{file}: written. If you change it by hand, tell the bot with `{by_hand}`.")
            slug = described.document["slug"]
            invited = _invite(database_url, slug, described.owner, now, name)
            link_commands.tell(database_url, slugs, lambda: name, invited)


@dataclass(frozen=True, slots=True)
class _Begun:
    """What the wizard begins from."""

    entries: Mapping[str, ClinicEntry]  # in the database, by slug
    owners: Mapping[str, str]
    filed: tuple[ClinicEntry, ...]  # in the file, each as the database holds it
    is_old_file: bool  # the file says something else

    @property
    def before(self) -> Document | None:
        """The first clinic of the file is asked about again."""
        return clinic_document.document(self.filed[0]) if self.filed else None

    @property
    def held(self) -> Held:
        """What the database holds."""
        documents = {slug: clinic_document.document(each) for slug, each in self.entries.items()}
        return Held(documents, self.owners)

    def with_change(self, document: Document) -> list[ClinicEntry]:
        """Return the clinic that was described, and the others of the file."""
        entry = clinic_file.checked(document)
        return [entry, *(each for each in self.filed[1:] if each.slug != entry.slug)]


def _described(asker: Asker, begun: _Begun, file: str) -> Described:
    """Ask until what comes of it is agreed to; without a `file` nobody is asked to agree.

    Raises typer.Exit when somebody would rather stop.
    """
    before, owner, zone = begun.before, None, _local_zone()
    try:
        while True:
            described = Wizard(asker, before, begun.held, zone, owner).run()
            begun.with_change(described.document)  # names what the questions could not see
            typer.echo("\n".join(("", *summary.everything(described.document, described.owner))))
            if not file or typer.confirm(
                f"This will be written to {file}; n asks again. Right?",
                default=True,
                prompt_suffix=" ",
            ):
                return described
            typer.echo(AGAIN)
            asker, before, owner = Terminal(), described.document, described.owner
    except (typer.Abort, KeyboardInterrupt):
        typer.echo(LEFT, err=True)
        raise typer.Exit(1) from None


def _begun(database_url: str, file: Path) -> _Begun:
    """Read the database and the file, and say which of them is gone by."""
    entries, people = with_database(database_url, _read)
    owners = {one.clinic: one.name for one in reversed(people) if one.is_owner}
    filed = clinic_file.parse(file.read_text("utf-8"), str(file)) if file.exists() else ()
    now = tuple(
        entries[each.slug].model_copy(update={"protocol": each.protocol})
        if each.slug in entries
        else each
        for each in filed
    )
    is_old = _said(now) != _said(filed)
    if is_old:
        typer.echo(
            f"{file} differs from what the bot goes by, such as changes made in the console: this "
            f"goes on from what the bot goes by, and keeps the file as {_aside(file)}."
        )
    elif not filed and entries:
        typer.echo(f"The bot knows {', '.join(entries)}: give a short name to go on from there.")
    return _Begun(entries, owners, now, is_old)


async def _read(database: Database) -> tuple[dict[str, ClinicEntry], list[Member]]:
    slugs = await database.read(clinic_document.slugs)
    entries = {slug: await database.read(clinic_document.entry_of, slug) for slug in slugs}
    return entries, await database.read(staff.members)


def _said(entries: Sequence[ClinicEntry]) -> list[Document]:
    return [clinic_document.document(each) for each in entries]


def _aside(file: Path) -> Path:
    return file.with_name(f"{file.name}.old")


def _refuse_changed(
    database_url: str, before: Mapping[str, ClinicEntry], written: Sequence[ClinicEntry]
) -> None:
    """Raise StorageError when the console changed a clinic while questions were asked."""
    now, _ = with_database(database_url, _read)
    for slug in (each.slug for each in written):
        if now.get(slug) != before.get(slug):
            raise StorageError(
                f"{slug}: was changed in the console meanwhile, so nothing is written; run this "
                "again"
            )


def _asker(answers: Path | None, *, yes: bool) -> Answers | Terminal:
    terminal = None if yes else Terminal()
    if answers is None:
        return terminal or Answers({}, "", None)
    try:
        values = tomllib.loads(answers.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise StorageError(f"{answers}: is not TOML: {fault}") from None
    return Answers(values, str(answers), terminal)


def _invite(database_url: str, slug: str, owner: str, now: Now, bot_name: str) -> str:
    """Write the first owner down, print an invitation and return who is invited; empty: nobody.

    An owner who did not open theirs yet gets another, for the first one may be lost.
    """
    team = with_database(database_url, lambda database: database.read(staff.members, slug))
    same = next((one for one in team if one.name.casefold() == owner.casefold()), None)
    if not owner or (same and not (same.is_owner and same.joined_at is None)):
        return ""
    if not same and any(one.is_owner for one in team):
        typer.echo(
            f"{slug} has an owner already, so {owner} is not invited. Another one: "
            + command(f'staff add "{owner}" --clinic {slug} --role owner')
        )
        return ""
    invited = same or with_database(
        database_url, lambda database: database.write(staff_keys.add, slug, owner, "owner", now())
    )
    payload = with_database(
        database_url,
        lambda database: database.write(
            staff_keys.invite, invited.id, secrets.token_urlsafe(32), now()
        ),
    )
    older = "; an earlier link of theirs has ended" if same else ""
    typer.echo(f"{invited.name} opens this link in Telegram, once, within a week{older}:")
    typer.echo(f"  https://t.me/{bot_name or links.UNNAMED}?start={payload}")
    return invited.name


def _local_zone() -> str:
    """Return this machine's time zone; UTC when it does not say."""
    named = os.environ.get("TZ", "").lstrip(":")
    linked = str(Path("/etc/localtime").resolve()).rpartition("zoneinfo/")[2]
    known = (each for each in (named, linked) if not each.startswith(("/", "Etc/")))
    return next((each for each in known if "/" in each), "UTC")
