"""Which updates were dealt with, so that a repeated one changes nothing.

`bot_id` keeps two bots apart that write to one database: their update ids are unrelated.
"""

from __future__ import annotations

import functools
from datetime import datetime

from sqlalchemy import Connection, select

from storage import upserts
from storage.models import Inbox, table_of

DONE, FAILED, PARKED = "done", "failed", "parked"


def claim(connection: Connection, update_id: int, now: datetime, *, bot_id: int = 0) -> bool:
    """Mark the update as done; False when it was done or parked before."""
    row = _row(update_id, bot_id, DONE, "", now)
    return connection.execute(_claim(connection.dialect.name), row).rowcount == 1


def fail(
    connection: Connection, update_id: int, why: str, now: datetime, *, bot_id: int = 0
) -> int:
    """Count a failed try and return how many there were; `why` is an error's class name."""
    _mark(connection, _row(update_id, bot_id, FAILED, why, now), tries=Inbox.tries + 1)
    return tries(connection, update_id, bot_id=bot_id)


def park(
    connection: Connection, update_id: int, why: str, now: datetime, *, bot_id: int = 0
) -> None:
    """Put an update aside for good, so that it no longer blocks its chat."""
    _mark(connection, _row(update_id, bot_id, PARKED, why, now))


def tries(connection: Connection, update_id: int, *, bot_id: int = 0) -> int:
    """Return how often the update failed."""
    statement = select(Inbox.tries).where(Inbox.bot_id == bot_id, Inbox.update_id == update_id)
    return connection.execute(statement).scalar() or 0


def is_settled(connection: Connection, update_id: int, *, bot_id: int = 0) -> bool:
    """Tell whether the update needs no more work: it was done, or parked."""
    statement = select(Inbox.state).where(Inbox.bot_id == bot_id, Inbox.update_id == update_id)
    return connection.execute(statement).scalar() in {DONE, PARKED}


@functools.cache
def _claim(dialect: str) -> upserts.Insert:
    fresh = upserts.insert(dialect, Inbox)
    return fresh.on_conflict_do_update(
        index_elements=["bot_id", "update_id"],
        set_={"state": DONE, "at": fresh.excluded.at},
        where=table_of(Inbox).c.state == FAILED,
    )


def _mark(connection: Connection, row: dict[str, object], **changes: object) -> None:
    connection.execute(
        upserts.insert(connection.dialect.name, Inbox)
        .values(row | {"tries": 1})
        .on_conflict_do_update(
            index_elements=["bot_id", "update_id"],
            set_={"state": row["state"], "why": row["why"], "at": row["at"]} | changes,
            where=Inbox.state == FAILED,
        )
    )


def _row(update_id: int, bot_id: int, state: str, why: str, now: datetime) -> dict[str, object]:
    return {
        "bot_id": bot_id,
        "update_id": update_id,
        "state": state,
        "tries": 0,
        "why": why,
        "at": now,
    }
