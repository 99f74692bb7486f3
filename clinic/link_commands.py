"""`resurface clinic links`, and what is told of links after a clinic was described."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from clinic import links
from clinic.commands import DEFAULT_URL, DatabaseUrl, faults_in_a_sentence, with_database
from clinic.links import Poster
from flows.clinics import Clinic
from storage import clinic_document, clinics, protocol_files, staff
from storage.database import Database
from storage.program import command

#: Returns the bot's name on Telegram, without `@`; empty when nobody can be asked.
BotName = Callable[[], str]

NO_NAME = (
    "Put your bot's name in the place of YOUR_BOT. With TELEGRAM_BOT_TOKEN set and Telegram within "
    "reach it is filled in by itself."
)


def add_links(app: typer.Typer, bot_name: BotName) -> None:
    """Add the command to a group."""

    @app.command("links")
    def links_command(
        slug: Annotated[
            str | None, typer.Argument(help="Which clinic; default: all of them.")
        ] = None,
        campaign: Annotated[
            list[str] | None,
            typer.Option("--campaign", help="Such as spring or instagram; may be given again."),
        ] = None,
        out: Annotated[
            Path | None, typer.Option("--out", help="Write codes and posters into this folder.")
        ] = None,
        database_url: DatabaseUrl = DEFAULT_URL,
    ) -> None:
        """Print patients' links; with --out write a code (PNG) and a poster (SVG, A5) for each."""
        with faults_in_a_sentence():
            known = with_database(database_url, lambda database: _chosen(database, slug))
            name = bot_name()
            for clinic in known:
                for each in ("", *(campaign or ())):
                    link = links.address(name, clinic.slug, each)
                    typer.echo(link)
                    if out is not None:
                        _write(out, clinic, each, link)
            if not name:
                typer.echo(NO_NAME, err=True)


def tell(database_url: str, slugs: Sequence[str], bot_name: BotName, invited: str = "") -> None:
    """Print the patients' links of clinics that were described, and who is still to be invited.

    `invited` is who was invited just now, by name.
    """
    name = bot_name()
    people = with_database(database_url, lambda database: database.read(staff.members))
    for slug in slugs:
        typer.echo(f"{slug}: ready; patients arrive through {links.address(name, slug)}")
        team = [one for one in people if one.clinic == slug]
        if not team:
            typer.echo(
                "  nobody may see its leads yet: "
                + command(f"staff add NAME --clinic {slug} --role owner")
            )
        for one in team:
            if one.joined_at is None and one.name != invited:
                told = command(f"staff invite {one.id}")
                typer.echo(f"  invite {one.name} to Telegram: {told}")
    if not name:
        typer.echo(NO_NAME, err=True)


async def _chosen(database: Database, slug: str | None) -> list[Clinic]:
    if slug is not None:
        await database.read(clinic_document.entry_of, slug)
    known = await database.read(clinics.load_all)
    return [clinic for clinic in known.values() if slug in (None, clinic.slug)]


def _write(folder: Path, clinic: Clinic, campaign: str, link: str) -> None:
    catalogues = protocol_files.load_catalogues()
    words = catalogues.get(clinic.locale) or catalogues["en"]
    name = f"{clinic.slug}-{campaign}" if campaign else clinic.slug
    poster = Poster(clinic.name, clinic.phone, link, words, campaign)
    for path in links.write(folder, name, poster):
        typer.echo(f"  {path}")
