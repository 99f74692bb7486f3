"""The `resurface` command: the one place where the patient's and the staff's side meet."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Iterator
from importlib import metadata
from types import MappingProxyType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bot import log, proof_command, protocol_commands, simulate_command
from bot.clinic_side import ClinicSide, bot_name
from bot.clock import SystemClock
from bot.faults import BotFault
from bot.live import run_bot, until_told
from bot.playground.refusals import PlaygroundRefused
from bot.playground.server import run_playground
from bot.roles import Role, chosen
from bot.settings import Settings, SettingsFaults, load, load_data_place
from clinic import checkup_command, own_protocol, staff_commands, upkeep_commands
from clinic import settings as console_settings
from clinic.calendar_commands import calendar_app
from clinic.channels import leads_commands
from clinic.channels.commands import channel_app
from clinic.checkup import BotFacts
from clinic.clinic_commands import clinic_app
from clinic.patient_commands import patient_app
from clinic.settings import ConsoleSettings
from clinic.side import Side
from flows import diagram
from flows.compiler import ProtocolFaults
from storage import protocol_files
from storage.faults import StorageError

#: What a program ends with when a setting or a file of the user's is at fault.
USAGE_FAULT = 2

#: The playground's console is never reached from elsewhere, whatever a clinic's `.env` says.
_ON_THIS_MACHINE = MappingProxyType({"console_url": "", "console_host": "127.0.0.1"})


def _bot_facts() -> BotFacts:
    settings = load()
    return BotFacts(bool(settings.token), asyncio.run(bot_name(settings)))


app = typer.Typer(
    name="resurface",
    help="A Telegram assistant for clinics that treat acne scars with micro-needling.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(protocol_commands.app, name="protocol")
protocol_commands.app.command("fhir")(leads_commands.questionnaire_command)
protocol_commands.app.command("use")(own_protocol.use_command(SystemClock().now))
app.command("check")(checkup_command.check_command(SystemClock().now, _bot_facts))
app.command("prove")(proof_command.prove_command)
app.command("simulate")(simulate_command.simulate_command)
app.add_typer(
    clinic_app(SystemClock().now, lambda: asyncio.run(bot_name(load()))),
    name="clinic",
)
app.add_typer(leads_commands.leads_app(SystemClock().now), name="leads")
app.add_typer(patient_app(SystemClock().now), name="patient")
app.add_typer(channel_app(SystemClock().now), name="channel")
app.command("upgrade")(upkeep_commands.upgrade_command)
app.command("backup")(upkeep_commands.backup_command)
app.command("restore")(upkeep_commands.restore_command(SystemClock().now))
app.command("migrate")(upkeep_commands.migrate_command)
app.add_typer(upkeep_commands.inbox_app, name="inbox")
app.add_typer(upkeep_commands.outbox_app(SystemClock().now), name="outbox")
app.add_typer(
    staff_commands.staff_app(SystemClock().now, lambda: asyncio.run(bot_name(load()))), name="staff"
)
app.add_typer(calendar_app(SystemClock().now), name="calendar")
app.command("console-link")(staff_commands.console_link_command_for(SystemClock().now))


@app.callback()
def options(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and stop.",
            is_eager=True,
            callback=lambda wanted: _print_version(wanted=wanted),
        ),
    ] = False,
) -> None:
    """Options that stand before the command."""
    # The staff's commands know the environment alone; this tells them what `.env` and files say.
    with faults_in_a_sentence():
        context.default_map = _defaults(context.command, load_data_place().database)


def _defaults(command: object, database_url: str) -> dict[str, Any]:
    """Return the default of `database_url` for every command below this one."""
    if isinstance(command, TyperGroup):
        below = {name: _defaults(each, database_url) for name, each in command.commands.items()}
        return {"database_url": database_url, **below}
    return {"database_url": database_url}


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(metadata.version("resurface-bot"))


@app.command()
def run(
    only: Annotated[
        list[Role] | None,
        typer.Option(help="Take on this role alone; may be given again. Default: all of them."),
    ] = None,
) -> None:
    """Start the clinic's bot, or the playground when TELEGRAM_BOT_TOKEN is not set."""
    with faults_in_a_sentence():
        settings, others = _all_settings()
        log.configure(settings.log_level, settings.log_format)
        asyncio.run(until_told(_run(settings, others, only or [])))


@app.command("diagram")
def diagram_command() -> None:
    """Print the dialogue as a Mermaid state diagram."""
    with faults_in_a_sentence():
        protocol = protocol_files.load_protocol(protocol_files.load_catalogues())
        typer.echo(diagram.mermaid(protocol))


def _all_settings() -> tuple[Settings, ConsoleSettings]:
    """Read what both sides go by. Raises SettingsFaults, which names every wrong one of both."""
    faults: list[str] = []
    try:
        settings = load()
    except SettingsFaults as wrong:
        faults += wrong.faults
    try:
        others = console_settings.load()
    except console_settings.ConsoleRefused as wrong:
        faults += str(wrong).splitlines()
    if faults:
        raise SettingsFaults(tuple(dict.fromkeys(faults)))
    return settings, others


async def _run(settings: Settings, others: ConsoleSettings, only: Collection[Role]) -> None:
    roles = chosen(only)
    if settings.token:
        if Role.CONSOLE in roles:
            others.refuse_open()  # before anything is connected
        await run_bot(settings, typer.echo, roles, _clinic_side(others))
    elif only:
        raise BotFault("--only is for a clinic's bot: set TELEGRAM_BOT_TOKEN, or leave out --only")
    else:
        here = others.model_copy(update=dict(_ON_THIS_MACHINE))
        await run_playground(settings, clinic_side=_clinic_side(here))


def _clinic_side(settings: ConsoleSettings) -> ClinicSide:
    side = Side(settings)
    return ClinicSide(
        settings.console_host,
        settings.console_port,
        side.console,
        side.deliveries,
        side.chores,
        settings.address,
    )


@contextlib.contextmanager
def faults_in_a_sentence() -> Iterator[None]:
    """End with exit code 2 and what to correct, not with a traceback."""
    try:
        yield
    except (BotFault, PlaygroundRefused, ProtocolFaults, StorageError) as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(USAGE_FAULT) from None


def _print_version(*, wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
