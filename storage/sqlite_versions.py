"""Which SQLite libraries have the fault that can damage a file in WAL mode (sqlite.org/wal.html).

It needs two connections that write or checkpoint at the same instant. A process of ours has one
that writes, so only a second program, such as a command run beside the bot, can meet it.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy.engine import URL

from storage.program import command

_BEGAN = (3, 7, 0)
_MENDED = (3, 51, 3)  # and everything after it
_MENDED_IN = {(3, 44): (3, 44, 6), (3, 50): (3, 50, 7)}  # older series that got the cure too

Version = tuple[int, int, int]


def has_reset_fault(version: Version) -> bool:
    """Tell whether a library of this version has the fault."""
    if not _BEGAN <= version < _MENDED:
        return False
    mended = _MENDED_IN.get(version[:2])
    return mended is None or version < mended


def warning(url: URL, version: Version | None = None) -> str:
    """Return what the person who runs the program should know; empty when there is nothing."""
    if url.get_backend_name() != "sqlite":
        return ""
    known = version or sqlite3.sqlite_version_info
    if not has_reset_fault((known[0], known[1], known[2])):
        return ""
    shown = ".".join(map(str, known))
    return (
        f"SQLite {shown} has a rare fault that can damage the file when two programs write at the "
        "same instant: use SQLite 3.51.3, 3.50.7 or 3.44.6 or newer, or PostgreSQL; until then "
        f"keep backups, and stop the bot before a command that writes: `{command('clinic init')}` "
        "and `import`, `staff`, `console-link`, `calendar`, `channel`. The console, `check`, "
        "`backup` and `clinic links` are safe beside the bot"
    )


def advice(url: URL) -> str:
    """Return what to do about it in a sentence, for somebody at a terminal; empty as above."""
    if not warning(url):
        return ""
    return (
        f"Stop the bot before `{command('clinic init')}`, `staff`, `console-link` or another "
        "command that writes: docs/upkeep.md says which, and why."
    )
