"""What can go wrong with the database, each with one sentence that a person can act on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError

from storage.program import command

_BUSY = frozenset({"40001", "40P01"})

#: The same transaction may succeed when it is run again: serialization failure, deadlock, and a row
#: that it refers to was erased while it ran, which it then finds gone.
TRY_AGAIN = _BUSY | {"23503"}

_LOCKED = _BUSY | {"55P03"}
_NO_TABLE = frozenset({"42P01", "42703", "3F000"})
_NOT_REACHED = ("08", "28", "3D", "53", "57P")


class StorageError(Exception):
    """Any failure of storage."""


class DatabaseFault(StorageError):
    """The database cannot be used as it is; the message names DATABASE_URL and the cure."""


class DatabaseUnavailable(DatabaseFault):
    """The database cannot be reached, opened or signed in to."""


class ForeignDatabase(DatabaseFault):
    """The database belongs to another program, or the file is not a database."""


class DatabaseLocked(DatabaseFault):
    """Another program keeps the database locked."""


class DatabaseOutdated(DatabaseFault):
    """The tables are of another version than this program."""


class StatementFailed(StorageError):
    """The database refused a statement for a reason that nobody foresaw.

    Says which constraint or class of error, never the values: they may be a patient's.
    """


def shown(url: URL) -> str:
    """Return the address as people may see it: without user, password and parameters."""
    return URL.create(
        url.get_backend_name(), host=url.host, port=url.port, database=url.database
    ).render_as_string()


def unavailable(url: URL, why: str, cure: str) -> DatabaseUnavailable:
    """Make the error of a database that cannot be used for a reason found without asking it."""
    return DatabaseUnavailable(f"DATABASE_URL {shown(url)}: {why}; {cure}")


def locked(url: URL) -> DatabaseLocked:
    """Make the error of a database that another program does not let go."""
    return DatabaseLocked(
        f"DATABASE_URL {shown(url)}: the database is locked by another program; "
        "stop the other program, or give this one a database of its own"
    )


def outdated(url: URL) -> DatabaseOutdated:
    """Make the error of a database whose tables are older than the program."""
    return DatabaseOutdated(
        f"DATABASE_URL {shown(url)}: the tables are missing or of an older version; "
        f"`{command('run')}` brings them up to date"
    )


def foreign(url: URL, why: str) -> ForeignDatabase:
    """Make the error of a database that is not ours."""
    return ForeignDatabase(
        f"DATABASE_URL {shown(url)}: {why}; point DATABASE_URL at a database of Resurface "
        "or at an empty one"
    )


def sqlstate(error: BaseException) -> str:
    """Return PostgreSQL's five-character code of an error; empty when it has none."""
    for cause in _chain(error):
        code = getattr(cause, "sqlstate", None)
        if isinstance(code, str):
            return code
    return ""


def wants_retry(error: BaseException) -> bool:
    """Tell whether the same transaction may succeed when it is simply run again."""
    return sqlstate(error) in TRY_AGAIN


def translated(error: BaseException, url: URL) -> BaseException:
    """Return the error to raise instead of a driver's; other errors come back unchanged."""
    if not isinstance(error, DBAPIError | OSError | TimeoutError):
        return error
    if url.get_backend_name() == "sqlite":
        fault = _sqlite_fault(error, url)
    else:
        fault = _postgres_fault(error, url)
    return (fault or _unforeseen(error)).with_traceback(error.__traceback__)


def _sqlite_fault(error: BaseException, url: URL) -> DatabaseFault | None:
    if any(isinstance(cause, OSError) for cause in _chain(error)):
        cure = "set DATA_DIR, or DATABASE_URL, to a folder that may be written to"
        return unavailable(url, "its folder cannot be made or written to", cure)
    text = " ".join(str(cause) for cause in _chain(error) if isinstance(cause, sqlite3.Error))
    if "is locked" in text:
        return locked(url)
    if "no such table" in text or "no such column" in text:
        return outdated(url)
    if "not a database" in text or "malformed" in text:
        return foreign(url, "the file is not a database, or it is damaged")
    if "unable to open" in text or "readonly" in text:
        return unavailable(url, "the file cannot be opened", "check the folder and its permissions")
    if "disk is full" in text or "disk I/O" in text:
        return unavailable(url, "the disk is full or failing", "make room and try again")
    return None


def _postgres_fault(error: BaseException, url: URL) -> DatabaseFault | None:
    code = sqlstate(error)
    if code in _NO_TABLE:
        return outdated(url)
    if code in _LOCKED:
        return locked(url)
    if code.startswith("28"):
        return unavailable(url, "sign-in was refused", "check user and password in DATABASE_URL")
    if code.startswith("3D"):
        return unavailable(url, "no database of that name", "create it with createdb")
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if lost or code.startswith(_NOT_REACHED) or any(map(_is_network, _chain(error))):
        return unavailable(url, "the server cannot be reached", "start it, or correct the address")
    return None


def _is_network(cause: BaseException) -> bool:
    return isinstance(cause, OSError | TimeoutError | InterfaceError)


def _unforeseen(error: BaseException) -> StatementFailed:
    causes = list(_chain(error))
    name = next((n for c in causes if (n := getattr(c, "constraint_name", None))), None)
    what = type(causes[-1]).__name__ + (f" {sqlstate(error)}" if sqlstate(error) else "")
    if name:
        what += f" on {name}"
    elif isinstance(error, IntegrityError) and isinstance(error.orig, sqlite3.Error):
        what += f": {error.orig}"  # names constraint, table and column, never a value
    return StatementFailed(f"the database refused a statement: {what}")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what it wraps, outermost first."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.orig if isinstance(seen, DBAPIError) else seen.__cause__
