"""Keeping the data: `resurface upgrade`, `backup`, `restore`, `migrate`, `inbox`, `outbox`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from clinic import checkup, settings
from clinic.channels.reasons import in_words, messages
from clinic.commands import (
    DEFAULT_URL,
    USAGE_FAULT,
    DatabaseUrl,
    faults_in_a_sentence,
    with_database,
)
from storage import (
    backup,
    carry,
    inbox,
    lead_channels,
    migrations,
    outbox,
    restored,
    undelivered,
)
from storage.database import Database
from storage.inbox import ParkedUpdate
from storage.lead_channels import ChannelFault
from storage.manifests import Progress as Tell
from storage.outbox import OutboxRow
from storage.program import command

_SOON = "will be sent within a minute while the bot runs"

inbox_app = typer.Typer(
    help="Messages of patients that could not be dealt with.", no_args_is_help=True
)


def upgrade_command(database_url: DatabaseUrl = DEFAULT_URL) -> None:
    """Make the database's tables, or bring them up to this version. `run` does so too."""
    with faults_in_a_sentence():
        migrations.upgrade(database_url)
        typer.echo("the tables are of this version")


def backup_command(
    file: Annotated[Path, typer.Argument(help="The file to write; keep it encrypted.")],
    database_url: DatabaseUrl = DEFAULT_URL,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace an older backup.")] = False,
) -> None:
    """Write everything in the database to FILE. The bot may go on running."""
    with faults_in_a_sentence(), _progress() as tell:
        manifest = backup.make(database_url, file, tell, force=force)
        folder = settings.load().data_dir
    typer.echo(f"{file}: {_counted(manifest.rows)}, version {manifest.revision or 'none'}")
    try:
        checkup.note_backup(folder)
    except OSError as error:
        why = error.strerror or type(error).__name__
        words = (
            f"DATA_DIR, {folder}, cannot be written ({why}): `check` will not know of this backup"
        )
        typer.echo(words, err=True)


def restore_command(now: Callable[[], datetime]) -> Callable[..., None]:
    """Return the command that puts a backup back; `now` is aware UTC."""

    def restore(
        file: Annotated[Path, typer.Argument(help="A file that `resurface backup` wrote.")],
        database_url: DatabaseUrl = DEFAULT_URL,
        *,
        verify: Annotated[
            bool, typer.Option("--verify", help="Compare every table with what was backed up.")
        ] = False,
        force: Annotated[
            bool, typer.Option("--force", help="Replace everything that is in the database now.")
        ] = False,
    ) -> None:
        """Put a backup into an empty database. The bot must not be running."""
        with faults_in_a_sentence(), _progress() as tell:
            manifest = backup.restore(database_url, file, tell, verify=verify, force=force)
            doubted = with_database(database_url, lambda base: restored.doubt(base, now()))
        told = ", verified" if verify else ""
        typer.echo(
            f"restored{told}: {_counted(manifest.rows)}; `{command('run')}` goes on from here"
        )
        if doubted:
            typer.echo(
                f"{messages(doubted)} came due since the backup was made and may have been sent: "
                f"`{command('outbox')} dead` lists those that are not sent again by themselves"
            )

    return restore


def migrate_command(
    source: Annotated[str, typer.Option("--from", help="sqlite:///path/to/file.db")],
    target: Annotated[str, typer.Option("--to", help="postgresql://user:password@host/name")],
) -> None:
    """Carry everything from a SQLite file to PostgreSQL. The bot must not be running."""
    with faults_in_a_sentence(), _progress() as tell:
        rows = carry.carry(source, target, tell)
    typer.echo(f"carried and compared: {_counted(rows)}")
    typer.echo(
        "Now set DATABASE_URL to the new address and start the bot; keep the old file a while."
    )


@inbox_app.command("parked")
def parked_command(database_url: DatabaseUrl = DEFAULT_URL) -> None:
    """List the updates that were put aside because they failed again and again."""
    with faults_in_a_sentence():
        rows = with_database(database_url, lambda database: database.read(inbox.parked))
        Console().print(parked_table(rows) if rows else "No parked updates.")


@inbox_app.command("replay")
def replay_command(
    update_id: Annotated[int, typer.Argument(help="A number from `resurface inbox parked`.")],
    database_url: DatabaseUrl = DEFAULT_URL,
) -> None:
    """Have the bot take a parked update again, within a minute or at its next start."""
    with faults_in_a_sentence():
        if not with_database(
            database_url, lambda database: database.write(inbox.replay, update_id)
        ):
            _refuse(f"{update_id} is not the number of a parked update that was kept")
        typer.echo(f"{update_id}: the bot takes it again within a minute, or when it starts")


def outbox_app(now: Callable[[], datetime]) -> typer.Typer:
    """Return the commands about messages that did not go out; `now` is aware UTC."""
    app = typer.Typer(
        help="Messages to patients and channels that did not go out.", no_args_is_help=True
    )

    @app.command("dead")
    def dead_command(database_url: DatabaseUrl = DEFAULT_URL) -> None:
        """List the messages that were given up, or perhaps did not arrive."""
        with faults_in_a_sentence():
            rows = with_database(database_url, lambda database: database.read(outbox.dead))
            Console().print(dead_table(rows) if rows else "No message was given up.")

    @app.command("replay")
    def replay_dead_command(
        number: Annotated[
            int | None, typer.Argument(help="A number from `resurface outbox dead`.")
        ] = None,
        channel: Annotated[
            int | None,
            typer.Option("--channel", help="Everything that this channel did not get, instead."),
        ] = None,
        database_url: DatabaseUrl = DEFAULT_URL,
    ) -> None:
        """Send a message after all. If it did arrive before, it arrives twice."""
        with faults_in_a_sentence():
            if number is None and channel is not None:
                count = with_database(database_url, lambda base: _replay_all(base, channel, now()))
                typer.echo(f"channel {channel}: {messages(count)} {_SOON}")
            elif number is None or channel is not None:
                _refuse("give the number of a message, or --channel with that of a channel")
            elif with_database(database_url, lambda base: base.write(outbox.replay, number, now())):
                typer.echo(f"{number}: {_SOON}")
            else:
                _refuse(f"{number} is not the number of a given-up message that is still of use")

    return app


async def _replay_all(database: Database, number: int, now: datetime) -> int:
    channel = await database.read(lead_channels.load, number)
    if channel is None:
        raise ChannelFault(f"{number} is not the number of a channel")
    return await database.write(undelivered.send_again, channel.clinic_id, number, now)


def parked_table(rows: list[ParkedUpdate]) -> Table:
    """Return parked updates as a table, without what they say."""
    table = Table(title="Parked updates")
    for heading in ("update", "bot", "error", "tries", "parked at (UTC)", "state"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        state = "to be taken again" if row.state == inbox.REPLAY else "parked"
        table.add_row(
            str(row.update_id),
            str(row.bot_id),
            row.why,
            str(row.tries),
            f"{row.at:%d %b %Y %H:%M}",
            state if row.is_kept else "too old to replay",
        )
    return table


def dead_table(rows: list[OutboxRow]) -> Table:
    """Return given-up messages as a table."""
    table = Table(title="Messages that did not, or perhaps did not, arrive")
    for heading in ("id", "kind", "about", "state", "tries", "error", "last tried (UTC)"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(
            str(row.id),
            row.kind,
            _about(row),
            row.state,
            str(row.attempt),
            in_words(row.last_error) or "–",
            f"{row.due_at:%d %b %Y %H:%M}",
        )
    return table


def _about(row: OutboxRow) -> str:
    """Say what a message is about and, when it is for a channel, which event and which channel."""
    about = f"{row.ref_type} {row.ref_id}".strip() or "–"
    if "channel" not in row.payload:
        return about
    return f"{about}: {row.payload.get('type', 'event')}, channel {row.payload['channel']}"


def _refuse(sentence: str) -> None:
    typer.echo(sentence, err=True)
    raise typer.Exit(USAGE_FAULT)


def _counted(rows: Mapping[str, int]) -> str:
    return f"{sum(rows.values())} rows in {len(rows)} tables"


@contextlib.contextmanager
def _progress() -> Iterator[Tell]:
    """Show how far it is, on a terminal only."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("")

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        yield tell
