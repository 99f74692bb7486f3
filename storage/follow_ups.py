"""When to look at a patient's history again, and what comes of the look.

Whatever happens to a patient marks them to be looked at. A look decides the next nudge: one whose
time has come goes to the outbox, for another the look is put off until then, or until the day
from which on somebody might call.
"""

from __future__ import annotations

import functools
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from flows.nudge_rules import Nudge
from flows.nudges import next_nudge
from flows.quiet_hours import NIGHT, QuietHours
from flows.recalls import Recall, may_be_called, recall
from storage import histories, outbox, recall_news, upserts, withdrawals
from storage.models import FollowUp, table_of
from storage.outbox import Message
from storage.outbox_policy import Kind
from storage.recall_news import Told

_TABLE = table_of(FollowUp)

_DUE = (
    select(_TABLE.c.chat_id, _TABLE.c.recall_told_at, _TABLE.c.recall_lead_id)
    .where(_TABLE.c.look_at <= bindparam("now"))
    .order_by(_TABLE.c.look_at, _TABLE.c.chat_id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)  # nothing on SQLite, where one transaction writes
)

_LOOK = (
    update(_TABLE)
    .where(_TABLE.c.chat_id == bindparam("chat"))
    .values(
        look_at=bindparam("at"),
        recall=bindparam("why"),
        recall_at=bindparam("since"),
        recall_told_at=bindparam("told_at"),
        recall_lead_id=bindparam("lead"),
    )
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
    rows = connection.execute(_DUE, {"now": now, "most": limit}).all()
    for row in rows:
        _look_at(connection, row, now, quiet)
    return tuple(row.chat_id for row in rows)


def due(connection: Connection, now: datetime, limit: int = 50) -> tuple[int, ...]:
    """Return the chats that `look` would take next."""
    rows = connection.execute(_DUE, {"now": now, "most": limit})
    return tuple(row.chat_id for row in rows)


def look_at_one(
    connection: Connection, chat_id: int, now: datetime, quiet: QuietHours = NIGHT
) -> None:
    """Look at one patient alone, unless somebody else has meanwhile."""
    of_chat = _DUE.where(_TABLE.c.chat_id == chat_id)
    for row in connection.execute(of_chat, {"now": now, "most": 1}):
        _look_at(connection, row, now, quiet)


def put_off(connection: Connection, chat_id: int, until: datetime) -> None:
    """Look at a patient no sooner than `until`: today's look failed."""
    connection.execute(update(_TABLE).where(_TABLE.c.chat_id == chat_id).values(look_at=until))


def _look_at(connection: Connection, row: Any, now: datetime, quiet: QuietHours) -> None:
    chat_id, told = row.chat_id, Told(row.recall_told_at, row.recall_lead_id)
    history = histories.load(connection, chat_id, now)
    nudge = next_nudge(history, now, quiet) if history else None
    if nudge is not None and nudge.due_at <= now:
        outbox.enqueue(connection, message(chat_id, nudge, now), now)
        history = histories.load(connection, chat_id, now)
        nudge = next_nudge(history, now, quiet) if history else None
    found = recall(history) if history else None
    is_over = history is None or not may_be_called(history)
    told = Told() if is_over else recall_news.tell(connection, chat_id, found, told, now)
    kept = {"chat": chat_id, "at": _next(nudge, found, now), **_kept(found)}
    connection.execute(_LOOK, {**kept, "told_at": told.since, "lead": told.lead_id})


def _next(nudge: Nudge | None, found: Recall | None, now: datetime) -> datetime | None:
    """Return when to look again: for the next nudge, or on the day of a recall still to come."""
    looks = [] if nudge is None else [max(nudge.due_at, now)]
    if found is not None and found.since > now:
        looks.append(found.since)
    return min(looks, default=None)


def _kept(found: Recall | None) -> dict[str, object]:
    return {"why": found.why.value if found else None, "since": found.since if found else None}


def message(chat_id: int, nudge: Nudge, now: datetime, key: str = "") -> Message:
    """Return a nudge as a message that is due now; `key` tells it from the one sent by itself."""
    is_before = nudge.kind in _BEFORE
    return Message(
        key=f"nudge:{chat_id}:{nudge.kind}:{nudge.ref}{key}",
        kind=Kind.NUDGE,
        due_at=now,
        chat_id=chat_id,
        ref_type=withdrawals.APPOINTMENT if is_before else "",
        ref_id=nudge.uid if is_before else "",
        payload={"nudge": nudge.kind.value, "ref": nudge.ref, "uid": nudge.uid},
        not_after=nudge.not_after,
    )
