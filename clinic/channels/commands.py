"""Channels from the command line: `resurface channel`, `resurface leads export`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from clinic import settings
from clinic.channels import wiring
from clinic.channels.desk import Channels
from clinic.channels.reasons import in_words
from clinic.commands import DEFAULT_URL, DatabaseUrl, faults_in_a_sentence, with_database
from storage import lead_channels
from storage.database import Database
from storage.lead_channels import Channel, Delivery
from storage.program import command

T = TypeVar("T")
Now = Callable[[], datetime]

#: What a program ends with when a channel could not be reached.
NOT_DELIVERED = 1

ClinicSlug = Annotated[
    str | None, typer.Option("--clinic", help="Which clinic, when there are several.")
]
Number = Annotated[int, typer.Argument(help="A number from `resurface channel list`.")]


def channel_app(now: Now) -> typer.Typer:
    """Return the commands about channels; `now` is aware UTC."""
    app = typer.Typer(
        help="Where leads and bookings are told: webhooks and e-mail.", no_args_is_help=True
    )
    _add_add(app, now)
    _add_lists(app, now)
    _add_changes(app, now)
    _add_rotate(app, now)
    return app


def channel_table(channels: Sequence[Channel]) -> Table:
    """Return a clinic's channels as a table, without a secret."""
    table = Table(title="Channels")
    for heading in ("id", "kind", "address", "told of", "answers", "state"):
        table.add_column(heading, overflow="fold")
    for channel in channels:
        table.add_row(
            str(channel.id),
            channel.kind,
            channel.address,
            "\n".join(channel.event_types) or "everything",
            "yes" if channel.includes_answers else "no",
            "on" if channel.is_on else f"off: {in_words(channel.disabled_why)}",
        )
    return table


def hints(undelivered: Sequence[Delivery]) -> list[str]:
    """Return a line for each message that a channel did not get: what happened, what to do.

    Last comes a line for each channel that lacks several.
    """
    lacking = Counter(each.channel_id for each in undelivered)
    return [
        f"{each.event_type} of {each.happened_at} for channel {each.channel_id} ({each.address}): "
        f"{in_words(each.why) or each.state}, {each.tries} tries. "
        f"Send it again: {command(f'outbox replay {each.message}')}"
        for each in undelivered
    ] + [
        f"Send all {count} of channel {number} again: "
        f"{command(f'outbox replay --channel {number}')}"
        for number, count in lacking.items()
        if count > 1
    ]


def _add_add(app: typer.Typer, now: Now) -> None:
    @app.command("add")
    def add_command(
        address: Annotated[str, typer.Argument(help="https://… for a webhook, or an e-mail.")],
        events: Annotated[
            list[str] | None,
            typer.Option("--event", help="Such as lead.* or booking.confirmed; may be repeated."),
        ] = None,
        clinic: ClinicSlug = None,
        database_url: DatabaseUrl = DEFAULT_URL,
        *,
        answers: Annotated[
            bool, typer.Option("--answers", help="Send health answers with a verdict, by https.")
        ] = False,
    ) -> None:
        """Tell a webhook or a mailbox of leads and bookings from now on."""

        async def add(channels: Channels, clinic_id: int) -> str:
            added = await channels.add(clinic_id, address, events or (), includes_answers=answers)
            test = command(f"channel test {added.id}")
            told = f"channel {added.id}: try it with `{test}`"
            if added.secret is None:
                return told
            return f"{told}\nIts signing secret, shown this once: {added.secret}"

        with faults_in_a_sentence():
            typer.echo(_with_channels(database_url, clinic, now, add))


def _add_lists(app: typer.Typer, now: Now) -> None:
    @app.command("list")
    def list_command(clinic: ClinicSlug = None, database_url: DatabaseUrl = DEFAULT_URL) -> None:
        """List a clinic's channels."""

        async def listed(channels: Channels, clinic_id: int) -> list[Channel]:
            return await channels.listed(clinic_id)

        with faults_in_a_sentence():
            found = _with_channels(database_url, clinic, now, listed)
            Console().print(channel_table(found) if found else "No channels yet.")

    @app.command("replay-hints")
    def hints_command(clinic: ClinicSlug = None, database_url: DatabaseUrl = DEFAULT_URL) -> None:
        """Say what did not reach a channel, why, and how to send it again."""

        async def given_up(channels: Channels, clinic_id: int) -> list[Delivery]:
            return await channels.given_up(clinic_id)

        with faults_in_a_sentence():
            found = _with_channels(database_url, clinic, now, given_up)
            typer.echo("\n".join(hints(found)) if found else "Everything was delivered.")


def _add_changes(app: typer.Typer, now: Now) -> None:
    @app.command("test")
    def test_command(
        number: Number, clinic: ClinicSlug = None, database_url: DatabaseUrl = DEFAULT_URL
    ) -> None:
        """Send a test event at once and say what came back."""
        with faults_in_a_sentence():
            tested = _with_channels(database_url, clinic, now, lambda c, i: c.send_test(i, number))
        typer.echo(f"{'delivered' if tested.is_delivered else 'not delivered'}: {tested.words}")
        if not tested.is_delivered:
            raise typer.Exit(NOT_DELIVERED)

    @app.command("enable")
    def enable_command(
        number: Number, clinic: ClinicSlug = None, database_url: DatabaseUrl = DEFAULT_URL
    ) -> None:
        """Turn a channel on again."""
        with faults_in_a_sentence():
            _with_channels(database_url, clinic, now, lambda c, i: c.enable(i, number))
            typer.echo(
                f"channel {number} is on; `{command('channel replay-hints')}` says what it lacks"
            )

    @app.command("disable")
    def disable_command(
        number: Number, clinic: ClinicSlug = None, database_url: DatabaseUrl = DEFAULT_URL
    ) -> None:
        """Turn a channel off for now."""
        with faults_in_a_sentence():
            _with_channels(database_url, clinic, now, lambda c, i: c.disable(i, number))
            typer.echo(f"channel {number} is off")

    @app.command("remove")
    def remove_command(
        number: Number, clinic: ClinicSlug = None, database_url: DatabaseUrl = DEFAULT_URL
    ) -> None:
        """Remove a channel; what waits for it is not sent."""
        with faults_in_a_sentence():
            waiting = _with_channels(database_url, clinic, now, lambda c, i: c.remove(i, number))
            typer.echo(f"channel {number} is removed; {waiting} messages were waiting for it")


def _add_rotate(app: typer.Typer, now: Now) -> None:
    @app.command("rotate")
    def rotate_command(
        number: Number,
        clinic: ClinicSlug = None,
        database_url: DatabaseUrl = DEFAULT_URL,
        *,
        finish: Annotated[
            bool, typer.Option("--finish", help="Stop signing with the old secret as well.")
        ] = False,
    ) -> None:
        """Sign with a new secret; the old one signs too until you say --finish."""
        with faults_in_a_sentence():
            if finish:
                _with_channels(database_url, clinic, now, lambda c, i: c.forget_old(i, number))
                typer.echo(f"channel {number}: only the newest secret signs now")
                return
            secret = _with_channels(database_url, clinic, now, lambda c, i: c.rotate(i, number))
            typer.echo(f"The new signing secret, shown this once: {secret}")
            last = command(f"channel rotate {number} --finish")
            typer.echo(f"When your receiver knows it: {last}")


def _with_channels(
    database_url: str,
    clinic: str | None,
    now: Now,
    use: Callable[[Channels, int], Awaitable[T]],
) -> T:
    """Use the channels of one clinic once, with the settings of the environment."""
    known = settings.load()

    async def run(database: Database) -> T:
        clinic_id, _ = await database.read(lead_channels.clinic_of, clinic)
        return await use(wiring.channels(database, now, known), clinic_id)

    return with_database(database_url, run)
