"""What must be written to practitioners' own calendars, and what was written there.

Whoever changes an appointment calls `announce` in the same transaction. The message says only
which appointment it is about: what is written is what is true when it is sent, so that a late or
repeated message does no harm.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, or_, select, update

from storage import outbox, upserts
from storage.calendar_entries import SHOWN, Entry, entries
from storage.models import Appointment, CalendarAccount, CalendarPush, Outbox
from storage.outbox import Message
from storage.outbox_policy import Kind

#: What `ref_type` says of a message about an appointment in a calendar; `ref_id` is its UID. It is
#: not the one of messages to patients, which are taken back when the appointment is cancelled.
CALENDAR = "calendar"

#: The `sequence` of what was changed outside and must be written again.
CHANGED_OUTSIDE = -1

_MAY_WAKE = ("sent", "cancelled", *outbox.GIVEN_UP)


@dataclass(frozen=True, slots=True)
class Push:
    """An appointment as it was last written to one calendar."""

    account_id: int
    uid: str
    href: str
    etag: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    pushed_at: datetime


@dataclass(frozen=True, slots=True)
class Task:
    """What one calendar must hold of one appointment, and what it held last."""

    entry: Entry | None  # None: nothing, as it is cancelled or somebody else's
    push: Push | None

    @property
    def is_done(self) -> bool:
        """Say whether the calendar is as it must be."""
        if self.entry is None or self.push is None:
            return self.entry is None and self.push is None
        return self.push.sequence == self.entry.sequence


def announce(connection: Connection, uids: Collection[str], now: datetime) -> int:
    """Enqueue what these appointments' changes mean for calendars; return how many messages.

    The practitioner's calendar is told, and whichever it was written to before.
    """
    written = exists().where(
        CalendarPush.uid == Appointment.uid, CalendarPush.account_id == CalendarAccount.id
    )
    theirs = CalendarAccount.practitioner_id == Appointment.practitioner_id
    rows = connection.execute(
        select(Appointment.uid, Appointment.sequence, CalendarAccount.id)
        .join(CalendarAccount, or_(theirs, written))
        .where(Appointment.uid.in_(tuple(uids)), Appointment.state != "held")
        .order_by(Appointment.starts_at, CalendarAccount.id)
    ).all()
    return sum(_ensure(connection, row.id, row.uid, row.sequence, now) for row in rows)


def announce_series(connection: Connection, chat_id: int, series_id: str, now: datetime) -> int:
    """Announce every appointment of a patient's series."""
    uids = connection.execute(
        select(Appointment.uid).where(
            Appointment.chat_id == chat_id, Appointment.series_id == series_id
        )
    ).scalars()
    return announce(connection, tuple(uids), now)


def catch_up(
    connection: Connection,
    account_id: int,
    practitioner_id: int,
    now: datetime,
    *,
    is_back: bool = True,
) -> int:
    """Enqueue whatever is to come and is not in the calendar as it must be; return how much.

    This is how a calendar gets what is already booked when it is connected, what was given up
    while its server was away, and what was changed outside. What was put off is not waited for
    when the calendar `is_back`.
    """
    return sum(
        _ensure(connection, account_id, uid, sequence, now, wakes=is_back)
        for uid, sequence in outstanding(connection, account_id, practitioner_id, now)
    )


def outstanding(
    connection: Connection, account_id: int, practitioner_id: int, now: datetime
) -> list[tuple[str, int]]:
    """Return UID and sequence of what is to come and is not in the calendar as it must be."""
    joined = and_(CalendarPush.uid == Appointment.uid, CalendarPush.account_id == account_id)
    is_theirs = and_(Appointment.practitioner_id == practitioner_id, Appointment.state.in_(SHOWN))
    rows = connection.execute(
        select(Appointment.uid, Appointment.sequence)
        .outerjoin(CalendarPush, joined)
        .where(
            Appointment.ends_at > now,
            or_(
                and_(is_theirs, CalendarPush.uid.is_(None)),
                and_(is_theirs, CalendarPush.sequence != Appointment.sequence),
                and_(~is_theirs, CalendarPush.uid.is_not(None)),
            ),
        )
        .order_by(Appointment.starts_at)
    )
    return [(row.uid, row.sequence) for row in rows]


def task(connection: Connection, account_id: int, uid: str) -> Task:
    """Return what is to be done about one appointment in one calendar."""
    mine = select(CalendarAccount.practitioner_id).where(CalendarAccount.id == account_id)
    found = entries(
        connection,
        Appointment.uid == uid,
        Appointment.practitioner_id == mine.scalar_subquery(),
        Appointment.state.in_(SHOWN),
    )
    return Task(found[0] if found else None, push(connection, account_id, uid))


def push(connection: Connection, account_id: int, uid: str) -> Push | None:
    """Return how an appointment was last written to a calendar."""
    row = connection.execute(
        select(CalendarPush).where(CalendarPush.account_id == account_id, CalendarPush.uid == uid)
    ).one_or_none()
    return None if row is None else Push(**row._mapping)


def pushes(connection: Connection, account_id: int) -> tuple[Push, ...]:
    """Return everything that was written to a calendar."""
    rows = connection.execute(select(CalendarPush).where(CalendarPush.account_id == account_id))
    return tuple(Push(**row._mapping) for row in rows)


def note(connection: Connection, written: Push) -> None:
    """Keep how an appointment was written."""
    values = {
        "href": written.href,
        "etag": written.etag,
        "sequence": written.sequence,
        "starts_at": written.starts_at,
        "ends_at": written.ends_at,
        "pushed_at": written.pushed_at,
    }
    statement = upserts.insert(connection.dialect.name, CalendarPush).values(
        account_id=written.account_id, uid=written.uid, **values
    )
    connection.execute(
        statement.on_conflict_do_update(index_elements=["account_id", "uid"], set_=values)
    )


def forget(connection: Connection, account_id: int, uid: str) -> None:
    """Keep that an appointment is no longer in a calendar."""
    connection.execute(
        delete(CalendarPush).where(CalendarPush.account_id == account_id, CalendarPush.uid == uid)
    )


def write_again(connection: Connection, account_id: int, uid: str, etag: str) -> None:
    """Mark what was changed outside: it is written again, over the change with this ETag."""
    connection.execute(
        update(CalendarPush)
        .where(CalendarPush.account_id == account_id, CalendarPush.uid == uid)
        .values(sequence=CHANGED_OUTSIDE, etag=etag)
    )


def _ensure(
    connection: Connection,
    account_id: int,
    uid: str,
    sequence: int,
    now: datetime,
    *,
    wakes: bool = True,
) -> bool:
    """Have a message wait, a new one or one that was thought to be settled.

    One that was put off until later is due at once if this `wakes` it.
    """
    key = f"calendar:{uid}:{sequence}:{account_id}"
    message = Message(
        key, Kind.CALENDAR, now, ref_type=CALENDAR, ref_id=uid, payload={"account": account_id}
    )
    if outbox.enqueue(connection, message, now):
        return True
    may_wake: ColumnElement[bool] = Outbox.state.in_(_MAY_WAKE)
    if wakes:
        may_wake = or_(may_wake, and_(Outbox.state == "pending", Outbox.due_at > now))
    woken = connection.execute(
        update(Outbox)
        .where(Outbox.key == key, may_wake)
        .values(state="pending", attempt=0, doubts=0, due_at=now, last_error=None)
    )
    return woken.rowcount == 1
