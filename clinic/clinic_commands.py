"""`resurface clinic`: describe clinics, take them out again, links for patients."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clinic import link_commands, own_protocol, wizard_commands
from clinic.commands import (
    DEFAULT_URL,
    DatabaseUrl,
    export_text,
    faults_in_a_sentence,
    import_demo,
    import_file,
    with_database,
)
from clinic.lent import Now
from clinic.link_commands import BotName
from clinic.own_protocol import Prove
from flows import proof
from storage import clinic_protocols, clinics
from storage.faults import StorageError
from storage.program import command


def clinic_app(now: Now, bot_name: BotName, prove: Prove = proof.prove) -> typer.Typer:
    """Return the commands; `now` is aware UTC."""
    app = typer.Typer(help="Describe clinics to the bot.", no_args_is_help=True)
    wizard_commands.add_init(app, now, bot_name)
    _add_import(app, now, bot_name, prove)
    _add_export(app)
    _add_demo(app, bot_name)
    link_commands.add_links(app, bot_name)
    return app


def _add_import(app: typer.Typer, now: Now, bot_name: BotName, prove: Prove) -> None:
    @app.command("import")
    def import_command(
        file: Annotated[Path, typer.Argument(help="A clinic file, see `resurface clinic demo`.")],
        database_url: DatabaseUrl = DEFAULT_URL,
    ) -> None:
        """Create or update the clinics described in FILE."""
        with faults_in_a_sentence():
            own = own_protocol.named_in(database_url, file, prove) if file.is_file() else {}
            slugs = import_file(database_url, file)
            with_database(
                database_url,
                lambda database: database.write(clinic_protocols.use_all, own, now()),
            )
            link_commands.tell(database_url, slugs, bot_name)


def _add_demo(app: typer.Typer, bot_name: BotName) -> None:
    @app.command("demo")
    def demo_command(
        database_url: DatabaseUrl = DEFAULT_URL,
        *,
        show: Annotated[
            bool, typer.Option("--print", help="Print the clinic file to start your own from.")
        ] = False,
    ) -> None:
        """Create or update two made-up clinics to try things with."""
        if show:
            typer.echo(clinics.demo_text())
            return
        with faults_in_a_sentence():
            link_commands.tell(database_url, import_demo(database_url), bot_name)


def _add_export(app: typer.Typer) -> None:
    @app.command("export")
    def export_command(
        slugs: Annotated[
            list[str] | None,
            typer.Argument(metavar="[SLUG]...", help="Which clinics; default: all."),
        ] = None,
        out: Annotated[
            Path | None, typer.Option(help="The file to write, instead of the screen.")
        ] = None,
        database_url: DatabaseUrl = DEFAULT_URL,
        *,
        force: Annotated[
            bool, typer.Option("--force", help="Replace a file that is there.")
        ] = False,
    ) -> None:
        """Print the clinics as a clinic file; importing it again changes nothing."""
        with faults_in_a_sentence():
            text, own = export_text(database_url, slugs or (), beside=out is not None)
            if out is None:
                typer.echo(text, nl=False)
                return
            if out.exists() and not force:
                raise StorageError(f"{out}: exists already; name another file, or give --force")
            for name, overrides in own.items():
                (out.parent / name).write_text(overrides, encoding="utf-8")
                typer.echo(f"{out.parent / name}: written, the clinic's own numbers")
            out.write_text(text, encoding="utf-8")
            again = command(f"clinic import {out}")
            typer.echo(f"{out}: written; import it again with `{again}`")
