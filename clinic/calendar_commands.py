"""The commands of calendars: `resurface calendar feed`, `connect`, `list`, `sync`, `disconnect`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from clinic import settings
from clinic.calendars import feeds as addresses
from clinic.calendars.faults import CalendarFault
from clinic.calendars.service import Calendars
from clinic.calendars.wiring import calendars
from clinic.commands import DEFAULT_URL, DatabaseUrl, faults_in_a_sentence, with_database
from clinic.lent import Now
from storage import calendar_accounts, clashes, feeds, outbox, sealing
from storage.calendar_accounts import Account, Terms, WhenStale
from storage.clashes import Clash, ClashKind
from storage.database import Database
from storage.program import command

T = TypeVar("T")

Clinic = Annotated[str, typer.Argument(help="The clinic's short name, as in the clinic file.")]
Who = Annotated[str, typer.Argument(help="The practitioner's short name, as in the clinic file.")]

_WHAT = {
    ClashKind.OVERLAP: "something else is there",
    ClashKind.MOVED: "was moved or called off there",
    ClashKind.DELETED: "was deleted there",
}


@dataclass(frozen=True, slots=True)
class Overview:
    """The calendars there are, and what does not agree."""

    accounts: list[Account]
    clashes: list[tuple[Account, Clash]]


def calendar_app(now: Now) -> typer.Typer:
    """Build the commands; `now` gives aware UTC."""
    app = typer.Typer(help="Practitioners' own calendars.", no_args_is_help=True)
    app.command("feed")(_feed_command(now))
    app.command("connect")(_connect_command(now))
    app.command("list")(_list_command(now))
    app.command("sync")(_sync_command(now))
    app.command("disconnect")(_disconnect_command())
    return app


def _feed_command(now: Now) -> Callable[..., None]:
    def feed(
        clinic: Clinic,
        practitioner: Who,
        database_url: DatabaseUrl = DEFAULT_URL,
        *,
        revoke: Annotated[
            bool, typer.Option("--revoke", help="Only take the old address back.")
        ] = False,
    ) -> None:
        """Print a new secret address that shows what is booked; an older one stops working."""
        token = "" if revoke else addresses.new_token()

        async def change(database: Database) -> None:
            person = await database.read(calendar_accounts.practitioner_of, clinic, practitioner)
            if revoke:
                await database.write(feeds.revoke, person, now())
            else:
                await database.write(feeds.renew, person, addresses.digest(token), now())

        with faults_in_a_sentence():
            with_database(database_url, change)
            if revoke:
                typer.echo("The address no longer works.")
                return
            typer.echo(settings.load().address + addresses.path(token))
            typer.echo(
                "Add it to a calendar program as a subscription. Whoever has it sees the times, so "
                "it is shown only now; make a new one if it got around.",
                err=True,
            )

    return feed


def _connect_command(now: Now) -> Callable[..., None]:
    def connect(  # noqa: PLR0913 - one parameter for each thing that can be said
        clinic: Clinic,
        practitioner: Who,
        url: Annotated[str, typer.Option(help="The CalDAV address of one calendar.", prompt=True)],
        username: Annotated[str, typer.Option(help="Who signs in there.", prompt=True)],
        password: Annotated[
            str,
            typer.Option(
                help="Better left out: it is asked for.",
                prompt=True,
                hide_input=True,
                envvar="CALENDAR_PASSWORD",
            ),
        ],
        when_stale: Annotated[
            WhenStale,
            typer.Option(
                help="While the calendar cannot be read: offer no times (closed), or go on with "
                "what was last known and show how old it is (show_age)."
            ),
        ] = WhenStale.CLOSED,
        stale_after: Annotated[
            int, typer.Option(min=1, max=1440, help="Minutes after which it is too old.")
        ] = 15,
        database_url: DatabaseUrl = DEFAULT_URL,
    ) -> None:
        """Connect a practitioner's own calendar: busy times are read, appointments written."""

        async def work(database: Database) -> str:
            known = settings.load()
            seal = sealing.load(known.keys_file)
            terms = Terms(
                url if url.endswith("/") else f"{url}/",
                username,
                seal.close(password),
                when_stale,
                timedelta(minutes=stale_after),
            )
            keeper = calendars(database, now, known)
            await database.read(calendar_accounts.practitioner_of, clinic, practitioner)
            await keeper.verify(terms)
            number = await database.write(
                calendar_accounts.connect, clinic, practitioner, terms, now()
            )
            return await _agree(database, keeper, number, now)

        with faults_in_a_sentence():
            typer.echo(with_database(database_url, work))

    return connect


def _list_command(now: Now) -> Callable[..., None]:
    def show(database_url: DatabaseUrl = DEFAULT_URL) -> None:
        """List the connected calendars, how fresh each is, and what does not agree."""

        async def look(database: Database) -> Overview:
            found = await database.read(calendar_accounts.accounts)
            clinics = {each.clinic_id for each in found}
            by_person = {(each.clinic_id, each.practitioner): each for each in found}
            open_ones = [
                (account, clash)
                for clinic_id in sorted(clinics)
                for clash in await database.read(clashes.open_clashes, clinic_id, now())
                if (account := by_person.get((clinic_id, clash.practitioner))) is not None
            ]
            return Overview(found, open_ones)

        with faults_in_a_sentence():
            overview = with_database(database_url, look)
            if not overview.accounts:
                typer.echo("No calendar is connected yet.")
                return
            Console().print(_table(overview.accounts, now()))
            for account, clash in overview.clashes:
                typer.echo(f"{account.clinic} {clash.practitioner}: {_told(clash, account.zone)}")

    return show


def _sync_command(now: Now) -> Callable[..., None]:
    def sync(database_url: DatabaseUrl = DEFAULT_URL) -> None:
        """Make every calendar agree now, rather than in a few minutes."""

        async def work(database: Database) -> list[str]:
            keeper = calendars(database, now, settings.load())
            said = []
            for each in await database.read(calendar_accounts.accounts):
                try:
                    said.append(await _agree(database, keeper, each.id, now))
                except CalendarFault as fault:
                    said.append(f"{each.clinic} {each.practitioner}: {fault}")
            return said

        with faults_in_a_sentence():
            for line in with_database(database_url, work) or ["No calendar is connected yet."]:
                typer.echo(line)

    return sync


def _disconnect_command() -> Callable[..., None]:
    def disconnect(
        clinic: Clinic, practitioner: Who, database_url: DatabaseUrl = DEFAULT_URL
    ) -> None:
        """Forget a practitioner's own calendar; what was written there stays there."""

        async def work(database: Database) -> bool:
            return await database.write(calendar_accounts.disconnect, clinic, practitioner)

        with faults_in_a_sentence():
            done = with_database(database_url, work)
            typer.echo(
                "Disconnected. What was written to the calendar stays there."
                if done
                else f"{practitioner} has no calendar connected."
            )

    return disconnect


async def _agree(database: Database, keeper: Calendars, account_id: int, now: Now) -> str:
    """Read a calendar; what is to be written there is left to the running program."""
    account = await database.read(calendar_accounts.account, account_id)
    if account is None:
        return "The calendar is no longer connected."
    kept = await keeper.read(account)
    lag = await database.read(outbox.lag, now())
    said = f"{account.clinic} {account.practitioner}: read"
    if kept.clashes:
        said += f", {kept.clashes} new clashes (see `{command('calendar list')}`)"
    if lag.due:
        said += f"; what is booked is written there by `{command('run')}`"
    return said


def _table(accounts: list[Account], now: datetime) -> Table:
    table = Table(title="Calendars")
    for heading in ("clinic", "practitioner", "read", "when too old", "trouble"):
        table.add_column(heading, overflow="fold")
    for each in accounts:
        age = "never" if each.synced_at is None else _age(now - each.synced_at)
        is_closed = each.is_stale(now) and each.terms.when_stale is WhenStale.CLOSED
        table.add_row(
            each.clinic,
            each.practitioner,
            f"{age}, no times are offered" if is_closed else age,
            "offer nothing" if each.terms.when_stale is WhenStale.CLOSED else "go on, show the age",
            each.trouble or "–",
        )
    return table


def _age(of: timedelta) -> str:
    minutes = int(of.total_seconds()) // 60
    if minutes < 1:
        return "just now"
    return f"{minutes} min ago" if minutes < 120 else f"{minutes // 60} h ago"


def _told(clash: Clash, zone: str) -> str:
    def local(at: datetime) -> str:
        return f"{at.astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M}"

    said = f"{local(clash.appointment_starts_at)} (code {clash.code or '–'}) {_WHAT[clash.kind]}"
    if clash.kind is ClashKind.DELETED:
        return said
    return f"{said}: {local(clash.starts_at)} to {local(clash.ends_at)}"
