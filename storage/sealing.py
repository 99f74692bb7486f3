"""Secrets at rest: passwords and signing keys are sealed before they reach the database.

The keys are a file of their own, one Fernet key a line; the first seals, all of them open. A new
first line is a rotation; what was sealed before stays readable while its key stays in the file.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from storage.faults import StorageError


class SealFault(StorageError):
    """The keys cannot be used, or something was sealed with another key."""


class Seal:
    """Seals and opens short texts."""

    def __init__(self, keys: MultiFernet) -> None:
        self._keys = keys

    def close(self, text: str) -> str:
        """Return the text sealed."""
        return self._keys.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return what was sealed; raises SealFault when no key of the file opens it."""
        try:
            return self._keys.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SealFault(
                "a stored password cannot be opened: ENCRYPTION_KEYS_FILE lacks the key that "
                "sealed it; put the old key back, or give the password again"
            ) from None


def load(path: Path) -> Seal:
    """Read the key file, or make one that only its owner may read. Raises SealFault."""
    try:
        if not path.exists():
            _make(path)
        lines = path.read_text(encoding="ascii").split()
        return Seal(MultiFernet([Fernet(line) for line in lines]))
    except (OSError, ValueError, UnicodeDecodeError):
        raise SealFault(
            f"ENCRYPTION_KEYS_FILE must be a file with one key a line that this user may read, "
            f"got {str(path)!r}; remove the setting to have one made"
        ) from None


def _make(path: Path) -> None:
    """Whoever comes second uses the key of whoever came first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_bytes(Fernet.generate_key() + b"\n")
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
