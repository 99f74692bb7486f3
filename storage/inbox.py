"""Which updates were dealt with, so that a repeated one changes nothing.

An update that keeps failing is parked. It is kept then, so that staff can have it taken again once
the fault is mended: `parked` -> `replay` -> picked up by the bot -> `done`, or parked once more.

`bot_id` keeps two bots apart that write to one database: their update ids are unrelated.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, delete, func, select, tuple_, update

from storage import upserts
from storage.models import Inbox, table_of

DONE, FAILED, PARKED, REPLAY = "done", "failed", "parked", "replay"

#: Rows that `prune` removes at once, so that no write takes long.
MOST_PRUNED = 5000

_OPEN = (FAILED, REPLAY)


@dataclass(frozen=True, slots=True)
class ParkedUpdate:
    """An update that was put aside, without what it says."""

    bot_id: int
    update_id: int
    why: str  # an error's class name
    tries: int
    at: datetime
    state: str  # parked, or replay: the bot is to take it again
    is_kept: bool  # else it is too old to be taken again


@dataclass(frozen=True, slots=True)
class KeptUpdate:
    """An update that is to be taken again."""

    update_id: int
    payload: str  # as Telegram sent it, JSON


def claim(connection: Connection, update_id: int, now: datetime, *, bot_id: int = 0) -> bool:
    """Mark the update as done; False when it was done or parked before."""
    row = _row(update_id, bot_id, DONE, "", now)
    return connection.execute(_claim(connection.dialect.name), row).rowcount == 1


def fail(
    connection: Connection, update_id: int, why: str, now: datetime, *, bot_id: int = 0
) -> int:
    """Count a failed try and return how many there were; `why` is an error's class name."""
    row = _row(update_id, bot_id, FAILED, why, now)
    # A replayed update stays one: Telegram would not send it again after a crash.
    state = case((Inbox.state == REPLAY, REPLAY), else_=FAILED)
    _mark(connection, row, state=state, tries=Inbox.tries + 1)
    return tries(connection, update_id, bot_id=bot_id)


def park(
    connection: Connection,
    update_id: int,
    why: str,
    now: datetime,
    *,
    bot_id: int = 0,
    payload: str | None = None,
) -> None:
    """Put an update aside, so that it no longer blocks its chat; `payload` is its JSON."""
    row = _row(update_id, bot_id, PARKED, why, now) | {"payload": payload}
    kept = func.coalesce(payload, Inbox.payload)  # a replayed one was kept before
    _mark(connection, row, state=PARKED, payload=kept)


def parked(connection: Connection) -> list[ParkedUpdate]:
    """Return the updates that were put aside, newest first."""
    statement = (
        select(Inbox)
        .where(Inbox.state.in_((PARKED, REPLAY)))
        .order_by(Inbox.at.desc(), Inbox.update_id.desc())
    )
    return [
        ParkedUpdate(
            bot_id=row.bot_id,
            update_id=row.update_id,
            why=row.why,
            tries=row.tries,
            at=row.at,
            state=row.state,
            is_kept=row.payload is not None,
        )
        for row in connection.execute(statement)
    ]


def parked_count(connection: Connection) -> int:
    """Return how many updates were put aside and not taken again."""
    count = select(func.count()).where(Inbox.state.in_((PARKED, REPLAY)))
    return connection.execute(count).scalar_one()


def replay(connection: Connection, update_id: int, *, bot_id: int | None = None) -> bool:
    """Have a parked update taken again; False when it is not parked or was not kept."""
    ours = () if bot_id is None else (Inbox.bot_id == bot_id,)
    done = connection.execute(
        update(Inbox)
        .where(
            Inbox.update_id == update_id, Inbox.state == PARKED, Inbox.payload.is_not(None), *ours
        )
        .values(state=REPLAY, tries=0)
    )
    return done.rowcount > 0


def replayable(connection: Connection, *, bot_id: int = 0) -> list[KeptUpdate]:
    """Return the bot's updates that are to be taken again, in the order they came."""
    statement = (
        select(Inbox.update_id, Inbox.payload)
        .where(Inbox.bot_id == bot_id, Inbox.state == REPLAY)
        .order_by(Inbox.update_id)
    )
    return [KeptUpdate(row.update_id, row.payload) for row in connection.execute(statement)]


def prune(connection: Connection, before: datetime) -> int:
    """Forget what is older; return how many rows went; call again while it is `MOST_PRUNED`.

    Telegram repeats an update for 24 hours at most: keep eight days. A parked update stays on the
    list, without what it says.
    """
    key = (Inbox.bot_id, Inbox.update_id)
    connection.execute(
        update(Inbox)
        .where(Inbox.state.in_((PARKED, REPLAY)), Inbox.payload.is_not(None), Inbox.at < before)
        .values(state=PARKED, payload=None)
    )
    old = select(*key).where(Inbox.state.in_((DONE, FAILED)), Inbox.at < before).limit(MOST_PRUNED)
    return connection.execute(delete(Inbox).where(tuple_(*key).in_(old))).rowcount


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
        set_={"state": DONE, "at": fresh.excluded.at, "payload": None},
        where=table_of(Inbox).c.state.in_(_OPEN),
    )


def _mark(connection: Connection, row: dict[str, object], **changes: object) -> None:
    connection.execute(
        upserts.insert(connection.dialect.name, Inbox)
        .values(row | {"tries": 1})
        .on_conflict_do_update(
            index_elements=["bot_id", "update_id"],
            set_={"why": row["why"], "at": row["at"]} | changes,
            where=Inbox.state.in_(_OPEN),
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
