"""Messages sent outside a turn: claim -> arm -> send -> finish, each step a transaction.

A message waits as `pending`. A worker claims it for a while (its lease), arms it right before the
send, which looks once more whether it is still wanted, and finishes it. Only the holder of the
lease can finish: the token is part of every condition. What happens to a message whose sender
vanished between arming and finishing is its kind's policy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    update,
)

from flows.quiet_hours import QuietHours
from storage import outbox_checks, patients, upserts
from storage.models import (
    WAITING,
    Outbox,
    table_of,
)
from storage.outbox_policy import POLICIES, Kind

Value = str | int

#: Text keys, ids, codes, the UID of an appointment: nothing that a person could have written fits.
_PLAIN = re.compile(r"[A-Za-z0-9_.:/-]{0,80}(@resurface(:\d+)?)?")

#: Somebody should look at these: not sent, perhaps sent, or the patient is out of reach.
GIVEN_UP = ("dead", "uncertain", "blocked")

Condition = tuple[ColumnElement[bool], ...]

_TABLE = table_of(Outbox)

_FREE: Mapping[str, None] = {"lease_token": None, "lease_until": None}


@dataclass(frozen=True, slots=True)
class Message:
    """A message to be sent at or after `due_at`, once for its key."""

    key: str  # what it is about and which version of it, as "confirmation:UID:2"
    kind: Kind
    due_at: datetime
    chat_id: int | None = None  # None: it goes to the clinic
    #: withdrawals.APPOINTMENT: sent only while that appointment stands; STAFF: while they want it
    ref_type: str = ""
    ref_id: str = ""
    payload: Mapping[str, Value] = field(default_factory=dict)  # ids and text keys only
    not_after: datetime | None = None  # it is worth nothing later


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message of the outbox and how far it is."""

    id: int
    key: str
    kind: Kind
    chat_id: int | None
    ref_type: str
    ref_id: str
    payload: Mapping[str, Value]
    due_at: datetime  # of the next try; when there is none, of the last one
    not_after: datetime | None
    state: str
    attempt: int
    lease_token: str | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the outbox is behind."""

    due: int  # messages whose time has come
    oldest_for: timedelta  # how long the first of them has been waiting
    given_up: int  # not, or perhaps not, delivered: somebody should look


@dataclass(frozen=True, slots=True)
class Rescued:
    """What was taken over from workers that vanished."""

    freed: int  # claimed only, waiting again
    doubted: int  # perhaps sent; again or not, as the kind's policy says


def enqueue(connection: Connection, message: Message, now: datetime) -> bool:
    """Keep a message in the transaction of its cause; False when its key is known already."""
    for value in message.payload.values():
        if isinstance(value, str) and not _PLAIN.fullmatch(value):
            raise ValueError("the payload of a message must hold ids and text keys only")
    statement = upserts.insert(connection.dialect.name, Outbox).values(
        key=message.key,
        kind=message.kind.value,
        chat_id=message.chat_id,
        ref_type=message.ref_type,
        ref_id=message.ref_id,
        payload=json.dumps(dict(message.payload), sort_keys=True),
        due_at=message.due_at,
        not_after=message.not_after,
        state="pending",
        attempt=0,
        doubts=0,
        created_at=now,
    )
    done = connection.execute(statement.on_conflict_do_nothing(index_elements=["key"]))
    return done.rowcount == 1


def claim(
    connection: Connection,
    limit: int,
    now: datetime,
    lease_for: timedelta,
    token: str,
    kinds: Iterable[Kind] = tuple(Kind),
) -> list[OutboxRow]:
    """Take up to `limit` due messages, oldest first; `token` must be new for each call."""
    due = (
        select(Outbox.id)
        .where(Outbox.state == "pending", Outbox.due_at <= now, Outbox.kind.in_(tuple(kinds)))
        .order_by(Outbox.due_at, Outbox.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # nothing on SQLite, where one transaction writes
        .cte("due")  # run once, which a locking subquery of IN need not be
    )
    rows = connection.execute(
        update(_TABLE)
        .where(_TABLE.c.id.in_(select(due.c.id)))
        .values(state="claimed", lease_token=token, lease_until=now + lease_for)
        .returning(*_TABLE.c)
    )
    return sorted(map(_row, rows), key=lambda row: (row.due_at, row.id))


def arm(
    connection: Connection,
    row_id: int,
    token: str,
    now: datetime,
    lease_for: timedelta,
    quiet: QuietHours | None = None,
) -> OutboxRow | None:
    """Look a last time whether a claimed message is to be sent, and mark it as being sent.

    None when it is not: the lease is lost, or the message was settled here as too late, unwanted,
    or put off until the quiet hours end, or until its time when the clock went back. After a row is
    returned, send it at once, and only once. `lease_for` must be longer than a send can take.
    """
    claimed = connection.execute(
        select(_TABLE).where(*_held(row_id, token, "claimed")).with_for_update()
    ).one_or_none()
    if claimed is None:
        return None
    if why := outbox_checks.why_not(connection, claimed, now):
        _change(connection, _held(row_id, token, "claimed"), state="cancelled", last_error=why)
        return None
    if claimed.due_at > now:
        _change(connection, _held(row_id, token, "claimed"), state="pending")
        return None
    if until := outbox_checks.quiet_until(connection, claimed, now, quiet):
        _change(connection, _held(row_id, token, "claimed"), state="pending", due_at=until)
        return None
    armed = connection.execute(
        update(_TABLE)
        .where(*_held(row_id, token, "claimed"))
        .values(
            state="sending",
            attempt=_TABLE.c.attempt + 1,
            due_at=now,  # stays as the time of the last try when this is the last
            lease_until=now + lease_for,
        )
        .returning(*_TABLE.c)
    ).one()
    return _row(armed)


def finish(
    connection: Connection, row_id: int, token: str, message_id: int | None, now: datetime
) -> bool:
    """Note that a message was sent; False when the lease is lost."""
    held = _held(row_id, token, "sending")
    return _change(connection, held, state="sent", message_id=message_id, sent_at=now)


def fail(
    connection: Connection, row_id: int, token: str, error: str, retry_at: datetime | None
) -> bool:
    """Note that a message was certainly not sent; False when the lease is lost.

    It is tried again at `retry_at`, and dead when that is None or its kind's attempts are used up.
    `error` is a class name or a code.
    """
    held = _held(row_id, token, "sending")
    if retry_at is None:
        return _change(connection, held, state="dead", last_error=error)
    state = case((_has_attempts(), "pending"), else_="dead")
    due_at = _due(_has_attempts(), retry_at)
    return _change(connection, held, state=state, last_error=error, due_at=due_at)


def drop(connection: Connection, row_id: int, token: str, why: str) -> bool:
    """Note that there is nothing to send any more; False when the lease is lost."""
    return _change(connection, _held(row_id, token, "sending"), state="cancelled", last_error=why)


def postpone(connection: Connection, row_id: int, token: str, error: str, due_at: datetime) -> bool:
    """Put off a message that was not sent through no fault of its own: this try does not count."""
    values = {"state": "pending", "last_error": error, "attempt": _TABLE.c.attempt - 1}
    return _change(connection, _held(row_id, token, "sending"), due_at=due_at, **values)


def uncertain(
    connection: Connection, row_id: int, token: str, error: str, retry_at: datetime
) -> bool:
    """Note that nobody knows whether a message arrived; False when the lease is lost.

    Its kind decides whether it is sent again, at `retry_at`, or stays `uncertain`.
    """
    held = _held(row_id, token, "sending")
    due_at = _due(_may_come_again(), retry_at)
    return _change(connection, held, last_error=error, due_at=due_at, **_in_doubt())


def block(connection: Connection, row_id: int, token: str, error: str, now: datetime) -> bool:
    """Note that the patient cannot be reached; what else waits for them is cancelled."""
    held = _held(row_id, token, "sending")
    chat_id = connection.execute(select(_TABLE.c.chat_id).where(*held)).scalar()
    if not _change(connection, held, state="blocked", last_error=error):
        return False
    if chat_id is not None:
        patients.mark_unreachable(connection, chat_id, now)
    return True


def release(connection: Connection, token: str) -> int:
    """Give back what was claimed with this token and not yet armed; return how many."""
    held = (_TABLE.c.lease_token == token, _TABLE.c.state == "claimed")
    return connection.execute(update(_TABLE).where(*held).values(state="pending", **_FREE)).rowcount


def rescue(connection: Connection, now: datetime) -> Rescued:
    """Take over the messages of workers that vanished: their leases have ended.

    What was only claimed was certainly not sent. What was being sent perhaps was.
    """
    ended = _TABLE.c.lease_until < now
    freed = connection.execute(
        update(_TABLE).where(_TABLE.c.state == "claimed", ended).values(state="pending", **_FREE)
    )
    doubted = connection.execute(
        update(_TABLE)
        .where(_TABLE.c.state == "sending", ended)
        .values(last_error="LeaseEnded", **_in_doubt(), **_FREE)
    )
    return Rescued(freed.rowcount, doubted.rowcount)


def doubt_due(connection: Connection, now: datetime) -> int:
    """Take whatever is due, or being sent, for perhaps sent; return how many messages that is."""
    is_due = and_(_TABLE.c.state.in_(WAITING), _TABLE.c.due_at <= now)
    return connection.execute(
        update(_TABLE)
        .where(or_(is_due, _TABLE.c.state == "sending"))
        .values(last_error="Restored", **_in_doubt(), **_FREE)
    ).rowcount


def dead(connection: Connection, limit: int = 200) -> list[OutboxRow]:
    """Return what was given up or perhaps not delivered, newest first."""
    given_up = select(_TABLE).where(_TABLE.c.state.in_(GIVEN_UP))
    return [
        _row(row) for row in connection.execute(given_up.order_by(_TABLE.c.id.desc()).limit(limit))
    ]


def replay(connection: Connection, row_id: int, now: datetime) -> bool:
    """Send a given-up message after all; False when it is none, or its time has passed."""
    return replay_all(connection, (_TABLE.c.id == row_id,), now) == 1


def replay_all(connection: Connection, which: Condition, now: datetime) -> int:
    """Send the given-up ones of these messages after all; return how many are still of use."""
    of_use = or_(_TABLE.c.not_after.is_(None), _TABLE.c.not_after > now)
    again = (
        update(_TABLE)
        .where(*which, _TABLE.c.state.in_(GIVEN_UP), of_use)
        .values(state="pending", attempt=0, doubts=0, due_at=now, **_FREE)
    )
    return connection.execute(again).rowcount


def lag(connection: Connection, now: datetime) -> Lag:
    """Return how far the outbox is behind."""
    waiting = and_(_TABLE.c.state.in_(WAITING), _TABLE.c.due_at <= now)
    due, oldest = connection.execute(
        select(func.count(), func.min(_TABLE.c.due_at)).where(waiting)
    ).one()
    given_up = select(func.count()).where(_TABLE.c.state.in_(GIVEN_UP))
    behind = now - oldest if oldest is not None else timedelta(0)
    return Lag(due, behind, connection.execute(given_up).scalar_one())


def _held(row_id: int, token: str, state: str) -> Condition:
    """The fence: only who holds the lease may go on."""
    return (_TABLE.c.id == row_id, _TABLE.c.lease_token == token, _TABLE.c.state == state)


def _change(connection: Connection, which: Condition, **values: object) -> bool:
    """Change a row and end its lease; False when the condition does not hold any more."""
    return connection.execute(update(_TABLE).where(*which).values(**_FREE, **values)).rowcount == 1


def _has_attempts() -> ColumnElement[bool]:
    return or_(*(_is(kind, _TABLE.c.attempt < each.attempts) for kind, each in POLICIES.items()))


def _in_doubt() -> dict[str, Any]:
    state = case((_may_come_again(), "pending"), else_="uncertain")
    return {"doubts": _TABLE.c.doubts + 1, "state": state}


def _may_come_again() -> ColumnElement[bool]:
    may_come_twice = or_(
        *(_is(kind, _TABLE.c.doubts + 1 < each.copies) for kind, each in POLICIES.items())
    )
    return and_(may_come_twice, _has_attempts())


def _due(has_next: ColumnElement[bool], retry_at: datetime) -> ColumnElement[datetime]:
    """Return when a message is due: of one without a next try, the time of the last one stays."""
    return case((has_next, literal(retry_at, _TABLE.c.due_at.type)), else_=_TABLE.c.due_at)


def _is(kind: Kind, allowed: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(_TABLE.c.kind == kind.value, allowed)


def _row(row: Row[Any]) -> OutboxRow:
    return OutboxRow(
        id=row.id,
        key=row.key,
        kind=Kind(row.kind),
        chat_id=row.chat_id,
        ref_type=row.ref_type,
        ref_id=row.ref_id,
        payload=json.loads(row.payload),
        due_at=row.due_at,
        not_after=row.not_after,
        state=row.state,
        attempt=row.attempt,
        lease_token=row.lease_token,
        last_error=row.last_error,
    )
