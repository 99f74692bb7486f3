"""The clinic's people from the server's side: `resurface staff`, `resurface console-link`."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from clinic import settings
from clinic.commands import DEFAULT_URL, DatabaseUrl, faults_in_a_sentence, with_database
from storage import staff, staff_keys
from storage.program import command
from storage.staff import STAFF, Member

Now = Callable[[], datetime]
#: Returns the bot's name on Telegram, without `@`; empty when nobody can be asked.
BotName = Callable[[], str]

ClinicSlug = Annotated[
    str | None, typer.Option("--clinic", help="Which clinic, when there are several.")
]
Number = Annotated[int, typer.Argument(help="A number from `resurface staff list`.")]


def staff_app(now: Now, bot_name: BotName) -> typer.Typer:
    """Return the commands about a clinic's people; `now` is aware UTC."""
    app = typer.Typer(help="Who works at a clinic and may see its leads.", no_args_is_help=True)
    _add_list(app)
    _add_changes(app, now)
    _add_invite(app, now, bot_name)
    return app


def _add_list(app: typer.Typer) -> None:
    @app.command("list")
    def list_command(clinic: ClinicSlug = None, database_url: DatabaseUrl = DEFAULT_URL) -> None:
        """List who works at the clinics."""
        with faults_in_a_sentence():
            people = with_database(
                database_url, lambda database: database.read(staff.members, clinic)
            )
            Console().print(staff_table(people) if people else "Nobody yet.")


def _add_changes(app: typer.Typer, now: Now) -> None:
    @app.command("add")
    def add_command(
        name: Annotated[str, typer.Argument(help="What colleagues call them.")],
        clinic: ClinicSlug = None,
        role: Annotated[str, typer.Option(help="owner or staff")] = STAFF,
        database_url: DatabaseUrl = DEFAULT_URL,
    ) -> None:
        """Write somebody down; invite them or make them a link next."""
        with faults_in_a_sentence():
            added = with_database(
                database_url,
                lambda database: database.write(staff_keys.add, clinic, name, role, now()),
            )
            typer.echo(
                f"{added.name} is number {added.id}, {added.role} at {added.clinic}; next: "
                + command(f"staff invite {added.id}")
            )

    @app.command("remove")
    def remove_command(number: Number, database_url: DatabaseUrl = DEFAULT_URL) -> None:
        """Let somebody go: they are signed out everywhere at once."""
        with faults_in_a_sentence():
            gone = with_database(
                database_url, lambda database: database.write(staff_keys.remove, number, now())
            )
            typer.echo(f"{gone.name} may see {gone.clinic} no more")

    @app.command("sign-out")
    def sign_out_command(number: Number, database_url: DatabaseUrl = DEFAULT_URL) -> None:
        """Sign somebody out of the console everywhere."""
        with faults_in_a_sentence():
            out = with_database(
                database_url, lambda database: database.write(staff_keys.sign_out, number, now())
            )
            typer.echo(f"{out.name} is signed out everywhere")


def _add_invite(app: typer.Typer, now: Now, bot_name: BotName) -> None:
    @app.command("invite")
    def invite_command(number: Number, database_url: DatabaseUrl = DEFAULT_URL) -> None:
        """Print a link that ties somebody's Telegram to the clinic; it works once, for a week."""
        with faults_in_a_sentence():
            name = bot_name()  # first: what is wrong with the settings costs no older invitation
            payload = with_database(
                database_url,
                lambda database: database.write(
                    staff_keys.invite, number, secrets.token_urlsafe(32), now()
                ),
            )
            typer.echo(f"https://t.me/{name or 'YOUR_BOT'}?start={payload}")
            if not name:
                typer.echo("put your bot's name in the place of YOUR_BOT", err=True)


def console_link_command_for(now: Now) -> Callable[..., None]:
    """Return `resurface console-link`; `now` is aware UTC."""

    def console_link_command(
        clinic: ClinicSlug = None,
        name: Annotated[str, typer.Option(help="Whose link, by name.")] = "",
        number: Annotated[int, typer.Option("--id", help="Whose link, by number.")] = 0,
        *,
        forget_second_step: Annotated[
            bool,
            typer.Option("--forget-second-step", help="For somebody who lost their phone."),
        ] = False,
        database_url: DatabaseUrl = DEFAULT_URL,
    ) -> None:
        """Print a link that signs in to the console; it works once, for five minutes.

        The first one for a clinic makes its owner.
        """
        with faults_in_a_sentence():
            address = settings.load().address
            wanted = staff_keys.Wanted(clinic, name, number, forget_second_step)
            member, link = with_database(
                database_url,
                lambda database: database.write(
                    staff_keys.console_link, wanted, address, secrets.token_urlsafe(32), now()
                ),
            )
            typer.echo(f"{member.name}, {member.role} at {member.clinic}:", err=True)
            typer.echo(link)

    return console_link_command


def staff_table(people: Sequence[Member]) -> Table:
    """Return a clinic's people as a table."""
    table = Table(title="Staff")
    for heading in ("number", "clinic", "name", "role", "telegram", "second step"):
        table.add_column(heading, overflow="fold")
    for one in people:
        table.add_row(
            str(one.id),
            one.clinic,
            one.name,
            one.role,
            "joined" if one.chat_id is not None else "–",
            "on" if one.totp_secret is not None else "–",
        )
    return table
