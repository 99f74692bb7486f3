"""Many writes in one transaction, each in a savepoint of its own.

Synchronous and free of any one database: the SQLite writer thread and the PostgreSQL writer task
run the same code. Committing costs a disk flush, so writes that wait together share one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from storage import faults


@dataclass(slots=True)
class Write:
    """One write that somebody waits for. `run` may be called again when its transaction broke."""

    run: Callable[[Connection], object]
    future: asyncio.Future[object]
    result: object = None
    error: BaseException | None = None
    done: bool = False  # committed, or failed for good

    def settle(self) -> None:
        """Hand the outcome to whoever waits, unless they no longer do."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


def carry_out(connection: Connection, writes: Sequence[Write]) -> list[Write]:
    """Run the writes in one transaction and return those that must be tried again alone.

    A write that fails is rolled back alone and keeps its error. When the transaction itself breaks,
    every write is to be tried alone. Errors of BEGIN and of a lost connection are raised: whether
    the writes were kept may then be unknown, so running them again is for the caller to decide.
    """
    if len(writes) == 1:
        return _alone(connection, writes[0])
    transaction = connection.begin()
    try:
        for write in writes:
            _in_savepoint(connection, write)
        transaction.commit()
    except Exception as error:
        transaction.close()
        if _is_lost(error):
            raise
        return list(writes)
    return _unfinished(writes)


def fail(writes: Sequence[Write], error: BaseException) -> None:
    """Give the error to every write that has no outcome yet."""
    for write in writes:
        if not write.done:
            write.error = error
            write.done = True


def _alone(connection: Connection, write: Write) -> list[Write]:
    transaction = connection.begin()
    write.error = None
    try:
        write.result = write.run(connection)
        transaction.commit()
    except Exception as error:
        transaction.close()
        if _is_lost(error):
            raise
        write.error = error
    return _unfinished([write])


def _in_savepoint(connection: Connection, write: Write) -> None:
    savepoint = connection.begin_nested()
    write.error = None
    try:
        write.result = write.run(connection)
        savepoint.commit()
    except Exception as error:  # noqa: BLE001 - it is handed to the caller, not swallowed
        savepoint.rollback()
        write.error = error


def _unfinished(writes: Sequence[Write]) -> list[Write]:
    for write in writes:
        write.done = write.error is None or not faults.wants_retry(write.error)
    return [write for write in writes if not write.done]


def _is_lost(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated
