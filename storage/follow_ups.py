"""When to look at a patient's history again, and what comes of the look.

Whatever happens to a patient marks them to be looked at. A look decides the next nudge: one whose
time has come goes to the outbox, for another the look is put off until then.
"""

from __future__ import annotations

import functools
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from flows.nudge_rules import Nudge
from flows.nudges import next_nudge
from flows.quiet_hours import NIGHT, QuietHours
from flows.recalls import recall
from storage import histories, outbox, upserts, withdrawals
from storage.models import FollowUp, table_of
from storage.outbox import Message
from storage.outbox_policy import Kind

_TABLE = table_of(FollowUp)

_DUE = (
    select(_TABLE.c.chat_id)
    .where(_TABLE.c.look_at <= bindparam("now"))
    .order_by(_TABLE.c.look_at, _TABLE.c.chat_id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)  # nothing on SQLite, where one transaction writes
)

_LOOK = (
    update(_TABLE)
    .where(_TABLE.c.chat_id == bindparam("chat"))
    .values(look_at=bindparam("at"), recall=bindparam("why"), recall_at=bindparam("since"))
)

#: What is said before a visit is withdrawn with it; what is said after one is not.
_BEFORE = frozenset({"prepare_week", "prepare_day", "reminder", "today"})


def mark(connection: Connection, chat_id: int, now: datetime) -> None:
    """Look at a patient's history as soon as somebody can."""
    row = {"chat_id": chat_id, "look_at": now, "stopped_kinds": ""}
    connection.execute(_mark(connection.dialect.name), row)


@functools.cache
def _mark(dialect: str) -> upserts.Insert:
    fresh = upserts.insert(dialect, FollowUp)
    return fresh.on_conflict_do_update(
        index_elements=["chat_id"], set_={"look_at": fresh.excluded.look_at}
    )


def look(
    connection: Connection, now: datetime, limit: int = 50, quiet: QuietHours = NIGHT
) -> tuple[int, ...]:
    """Look at up to `limit` patients whose time has come; return their chats."""
    chats = tuple(connection.execute(_DUE, {"now": now, "most": limit}).scalars())
    for chat_id in chats:
        _look_at(connection, chat_id, now, quiet)
    return chats


def _look_at(connection: Connection, chat_id: int, now: datetime, quiet: QuietHours) -> None:
    history = histories.load(connection, chat_id, now)
    nudge = next_nudge(history, now, quiet) if history else None
    if nudge is not None and nudge.due_at <= now:
        _enqueue(connection, chat_id, nudge, now)
        history = histories.load(connection, chat_id, now)
        nudge = next_nudge(history, now, quiet) if history else None
    at = None if nudge is None else max(nudge.due_at, now)
    found = recall(history) if history else None
    why, since = (found.why.value, found.since) if found else (None, None)
    connection.execute(_LOOK, {"chat": chat_id, "at": at, "why": why, "since": since})


def _enqueue(connection: Connection, chat_id: int, nudge: Nudge, now: datetime) -> None:
    is_before = nudge.kind in _BEFORE
    message = Message(
        key=f"nudge:{chat_id}:{nudge.kind}:{nudge.ref}",
        kind=Kind.NUDGE,
        due_at=now,
        chat_id=chat_id,
        ref_type=withdrawals.APPOINTMENT if is_before else "",
        ref_id=nudge.uid if is_before else "",
        payload={"nudge": nudge.kind.value, "ref": nudge.ref, "uid": nudge.uid},
        not_after=nudge.not_after,
    )
    outbox.enqueue(connection, message, now)
