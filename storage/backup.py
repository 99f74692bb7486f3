"""Back up a database in use, and put a backup back: one file, and a manifest beside it.

Synchronous, and not to be called from a running event loop.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from storage import manifests, postgres_dumps, sqlite_copies
from storage.database import parse_url
from storage.manifests import BackupFault, Manifest, Progress
from storage.program import command


def make(database_url: str, file: Path, progress: Progress, *, force: bool) -> Manifest:
    """Write a backup of one instant to `file`, readable by its owner only; return what it holds.

    An older backup is replaced only with `force`, and only once the new one is whole. Raises
    BackupFault, DatabaseFault, OSError.
    """
    url = parse_url(database_url)
    if file.exists() and not force:
        raise BackupFault(f"{file}: exists already; name another file, or give --force")
    part = file.with_name(file.name + ".part")
    try:
        if url.get_backend_name() == sqlite_copies.KIND:
            manifest = sqlite_copies.copy_out(url, part, progress)
        else:
            manifest = asyncio.run(postgres_dumps.copy_out(url, part, progress))
        manifests.path_of(file).unlink(missing_ok=True)  # never one that belongs to another backup
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    manifests.write(file, manifest)
    return manifest


def restore(
    database_url: str, file: Path, progress: Progress, *, verify: bool, force: bool
) -> Manifest:
    """Put a backup into an empty database, or with `force` in the place of what is there.

    With `verify` the rows of every table are compared with the manifest, which must then be there.
    Returns what the database holds now. Raises BackupFault, DatabaseFault, OSError.
    """
    url = parse_url(database_url)
    kind, manifest = manifests.kind_of(file), manifests.read(file)
    if kind != url.get_backend_name():
        raise BackupFault(
            f"{file}: is a backup of {kind}, but DATABASE_URL is of {url.get_backend_name()}; "
            f"restore to the same kind, then `{command('migrate')}` carries SQLite to PostgreSQL"
        )
    if manifest is None and verify:
        raise BackupFault(
            f"{manifests.path_of(file)}: is missing, so the backup cannot be verified; "
            "put it beside the backup, or restore without --verify"
        )
    if kind == sqlite_copies.KIND:
        return sqlite_copies.put_back(url, file, manifest, progress, force=force)
    return asyncio.run(postgres_dumps.put_back(url, file, manifest, progress, force=force))
