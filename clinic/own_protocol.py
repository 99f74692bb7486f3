"""A clinic's own numbers: compiled, checked and proved before any patient meets them.

`resurface protocol use FILE --clinic SLUG`, and `protocol = "FILE"` in a clinic file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from clinic.commands import DEFAULT_URL, DatabaseUrl, faults_in_a_sentence, with_database
from clinic.lent import Now
from flows import proof
from flows.compiler import ProtocolFaults
from flows.proof import Proof
from flows.proof_world import Told
from flows.protocol import Protocol
from flows.protocol_overrides import is_overrides
from flows.texts import Catalogue
from storage import clinic_file, clinic_protocols, protocol_files, protocol_versions
from storage.clinic_protocols import Version
from storage.database import Database
from storage.faults import StorageError
from storage.protocol_versions import ProtocolText

Prove = Callable[[Protocol, Mapping[str, Catalogue], Told], Proof]

#: Failures told of each check; one fault often fails many cases.
SHOWN = 5


def use_command(now: Now, prove: Prove = proof.prove) -> Callable[..., None]:
    """Return `resurface protocol use`; `now` is aware UTC."""

    def use(
        file: Annotated[
            Path | None, typer.Argument(help="The clinic's overrides.", show_default=False)
        ] = None,
        clinic: Annotated[str, typer.Option("--clinic", help="Which clinic, by short name.")] = "",
        database_url: DatabaseUrl = DEFAULT_URL,
        *,
        packaged: Annotated[
            bool, typer.Option("--packaged", help="Take the packaged protocol again.")
        ] = False,
    ) -> None:
        """Hold a clinic's new chats with its own numbers, once they are proved.

        Chats that began before finish as they began.
        """
        with faults_in_a_sentence():
            if (file is None) != packaged:
                raise StorageError("name a FILE with the clinic's overrides, or give --packaged")
            if file is None:
                with_database(
                    database_url,
                    lambda database: database.write(clinic_protocols.use_packaged, clinic, now()),
                )
                typer.echo(f"{clinic}: new chats are held with the packaged protocol")
                return
            version = accepted(database_url, file, prove)
            with_database(
                database_url,
                lambda database: database.write(clinic_protocols.use, clinic, version, now()),
            )
            typer.echo(f"{clinic}: new chats are held with {version.key} within a minute")

    return use


def named_in(
    database_url: str, file: Path, prove: Prove = proof.prove
) -> dict[str, Version | None]:
    """Return the proved version for each clinic of a file that names one; None: the packaged.

    Clinics that name none are left out. Raises StorageError.
    """
    try:
        entries = clinic_file.parse(file.read_text(encoding="utf-8"), file.name)
    except UnicodeDecodeError:
        raise StorageError(f"{file.name}: is not UTF-8 text; save it as UTF-8") from None
    return {
        entry.slug: accepted(database_url, file.parent / entry.protocol, prove)
        if entry.protocol
        else None
        for entry in entries
        if entry.protocol is not None
    }


def accepted(database_url: str, file: Path, prove: Prove) -> Version:
    """Compile and prove a clinic's overrides. Raises StorageError, with every fault."""
    catalogues = protocol_files.load_catalogues()
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        cause = getattr(fault, "strerror", None) or "it must be text in UTF-8"
        raise StorageError(f"{file}: {cause}") from None
    if not is_overrides(text):
        raise StorageError(
            f'{file}: must name the protocol that it changes, such as overrides = "microneedling"'
        )
    try:
        protocol = protocol_files.load_protocol(catalogues, text, str(file))
    except ProtocolFaults as faults:
        raise StorageError(str(faults)) from None
    source = ProtocolText(protocol_files.packaged_text(), text)
    if not with_database(database_url, lambda database: _is_known(database, protocol.key)):
        typer.echo(f"{file}: proving it, which takes about a minute", err=True)
        _hold(file, _proved(protocol, catalogues, prove))
    return Version(protocol.key, protocol.digest, source)


async def _is_known(database: Database, key: str) -> bool:
    """A version that is stored was proved when it came."""
    return await database.read(protocol_versions.load, key) is not None


def _hold(file: Path, result: Proof) -> None:
    if result.holds:
        return
    failures = [
        f"{file}: {check.name}: {failure}"
        for check in result.checks
        for failure in check.failures[:SHOWN]
    ]
    raise StorageError(
        "\n".join((*failures, f"{file}: is not used, because patients could come to harm by it"))
    )


def _proved(protocol: Protocol, catalogues: Mapping[str, Catalogue], prove: Prove) -> Proof:
    """Prove with a bar on standard error; where that is no terminal, in silence."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        task = bars.add_task("proving")

        def told(part: str, done: int, of: int) -> None:
            bars.update(task, description=part, completed=done, total=of)

        return prove(protocol, catalogues, told)
