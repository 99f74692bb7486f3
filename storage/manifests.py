"""What a backup holds, written beside it, so that a restored one can be proved whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from storage.faults import StorageError

#: Told how far something is: what is done, how much of it, out of how much (0: nobody knows).
Progress = Callable[[str, int, int], None]

_CHUNK = 1 << 20


class BackupFault(StorageError):
    """A backup cannot be made, read or put back; one sentence with the cure."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was in the database at the instant of the backup."""

    kind: str  # sqlite or postgresql
    revision: str  # of the newest migration
    sha256: str  # of the backup file
    rows: Mapping[str, int]  # table -> rows

    @property
    def total(self) -> int:
        """Return the rows of all tables."""
        return sum(self.rows.values())


def path_of(file: Path) -> Path:
    """Return where the manifest of a backup file is."""
    return file.with_name(file.name + ".manifest.json")


def write(file: Path, manifest: Manifest) -> None:
    """Write the manifest of a backup file."""
    make_private(path := path_of(file))
    path.write_text(json.dumps(asdict(manifest), indent=1) + "\n", encoding="utf-8")


def read(file: Path) -> Manifest | None:
    """Return a backup's manifest; None when there is none. Raises BackupFault."""
    try:
        return Manifest(**json.loads(path_of(file).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (TypeError, ValueError):
        raise BackupFault(f"{path_of(file)}: is not the manifest of a backup") from None


def make_private(file: Path) -> None:
    """Make an empty file that only its owner may read, in place of an older one."""
    file.unlink(missing_ok=True)
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def digest(file: Path, progress: Progress) -> str:
    """Return the SHA-256 of a file."""
    total, done, known = file.stat().st_size, 0, hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            known.update(chunk)
            done += len(chunk)
            progress("checking the file", done, total)
    return known.hexdigest()


def kind_of(file: Path) -> str:
    """Return which kind of database a backup file is of. Raises BackupFault, OSError."""
    with file.open("rb") as stream:
        start = stream.read(16)
    if start == b"SQLite format 3\0":
        return "sqlite"
    if start.startswith(b"PGDMP"):
        return "postgresql"
    raise BackupFault(f"{file}: is not a backup made by `resurface backup`")


def compare(expected: Manifest, rows: Mapping[str, int]) -> None:
    """Raise BackupFault unless every table has the rows that it had when the backup was made."""
    tables = sorted(expected.rows.keys() | rows.keys())
    wrong = [name for name in tables if expected.rows.get(name) != rows.get(name)]
    if wrong:
        raise BackupFault(
            f"the rows of {', '.join(wrong)} differ from those that were backed up: "
            "take another backup file"
        )
