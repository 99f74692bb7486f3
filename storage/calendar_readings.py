"""What was read from a practitioner's own calendar, kept in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from storage import calendar_accounts, calendar_pushes, clashes
from storage.calendar_accounts import Account
from storage.calendar_pushes import Push, Task
from storage.clashes import ClashKind
from storage.models import Appointment, CalendarAccount, CalendarPush, ExternalBusy

#: Rows of one INSERT: PostgreSQL and SQLite both have a limit of values.
_BATCH = 1000


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Time that is taken, `[starts_at, ends_at)` in aware UTC."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """One of our appointments as it stands in the calendar."""

    href: str
    etag: str
    uid: str
    span: Span
    is_altered: bool = False  # called off, or made to repeat


@dataclass(frozen=True, slots=True)
class Reading:
    """What a calendar says, as a whole or since the last time."""

    started_at: datetime
    until: datetime  # how far ahead it was read
    token: str  # to ask for what changes from here on
    is_whole: bool
    busy: Mapping[str, tuple[Span, ...]]  # by resource: those that were read, free ones too
    gone: frozenset[str] = frozenset()  # resources that were deleted
    own: tuple[Seen, ...] = ()  # appointments of ours among those read
    unread: frozenset[str] = frozenset()  # resources that nobody can make sense of


@dataclass(frozen=True, slots=True)
class Kept:
    """What a reading meant."""

    clashes: int  # new ones
    rewritten: int  # appointments that are to be written, again or for the first time


@dataclass(frozen=True, slots=True)
class Found:
    """What was in the place where an appointment was written."""

    seen: Seen | None = None  # other than what was last written
    is_deleted: bool = False  # nothing, though it had been written


@dataclass(frozen=True, slots=True)
class Written:
    """An appointment was written to a calendar, or taken out of it when `href` is empty."""

    href: str = ""
    etag: str = ""
    found: Found = Found()


def keep_written(
    connection: Connection, account_id: int, uid: str, task: Task, written: Written, now: datetime
) -> None:
    """Keep what was written for a task, and what it was written over."""
    calendar_accounts.may_write(connection, account_id)
    entry, push = task.entry, task.push
    if entry is None:
        calendar_pushes.forget(connection, account_id, uid)
        return
    done = Push(
        account_id=account_id,
        uid=uid,
        href=written.href,
        etag=written.etag,
        sequence=entry.sequence,
        starts_at=entry.starts_at,
        ends_at=entry.ends_at,
        pushed_at=now,
    )
    found = written.found
    if found.is_deleted and push is not None:
        _tell(connection, push, ClashKind.DELETED, Span(push.starts_at, push.ends_at), now)
    elif found.seen is not None:
        note_moved(connection, push or done, found.seen, now)
    calendar_pushes.note(connection, done)


def own_uids(connection: Connection, account: Account) -> frozenset[str]:
    """Return the UIDs that are ours in a calendar, whatever became of the appointments."""
    written = select(CalendarPush.uid).where(CalendarPush.account_id == account.id)
    booked = select(Appointment.uid).where(Appointment.practitioner_id == account.practitioner_id)
    return frozenset(connection.execute(written.union(booked)).scalars())


def keep(
    connection: Connection, account: Account, reading: Reading, now: datetime, next_at: datetime
) -> Kept:
    """Keep a reading: busy times, what was done to our appointments, new clashes.

    What nobody can make sense of stays as it was, and so does the calendar's age.
    """
    _keep_busy(connection, account.id, reading)
    new = sum(_note_changes(connection, account.id, reading, now))
    new += clashes.look(connection, account.id, now)
    # A server that was away, or a password that was wrong, kept all writing back until now.
    is_back = account.failures > 0 and account.write_next_at is not None
    theirs = (connection, account.id, account.practitioner_id, now)
    rewritten = calendar_pushes.catch_up(*theirs, is_back=is_back)
    values: dict[str, object] = {"sync_token": reading.token, "next_at": next_at}
    if is_back:
        values["write_next_at"] = None
    if account.write_failure and not calendar_pushes.outstanding(*theirs):
        values["write_failure"] = None
    if reading.is_whole:
        values["read_at"] = reading.started_at
    if not reading.unread:
        values |= {"synced_at": reading.started_at, "failures": 0}
        values |= {"failure": None, "failed_at": None}
    connection.execute(
        update(CalendarAccount).where(CalendarAccount.id == account.id).values(**values)
    )
    return Kept(new, rewritten)


def _keep_busy(connection: Connection, account_id: int, reading: Reading) -> None:
    outdated = delete(ExternalBusy).where(ExternalBusy.account_id == account_id)
    changed = sorted(_outdated(connection, account_id, reading))
    for first in range(0, len(changed), _BATCH):
        some = changed[first : first + _BATCH]
        connection.execute(outdated.where(ExternalBusy.href.in_(some)))
    rows = [
        {
            "account_id": account_id,
            "href": href,
            "starts_at": span.starts_at,
            "ends_at": span.ends_at,
        }
        for href, spans in reading.busy.items()
        for span in spans
    ]
    for first in range(0, len(rows), _BATCH):
        connection.execute(insert(ExternalBusy), rows[first : first + _BATCH])


def _outdated(connection: Connection, account_id: int, reading: Reading) -> Set[str]:
    """Return the resources that take other times now than is known."""
    if not reading.is_whole:
        return reading.gone | reading.busy.keys()
    hrefs = select(ExternalBusy.href).where(ExternalBusy.account_id == account_id).distinct()
    return set(connection.execute(hrefs).scalars()) - reading.unread


def _note_changes(
    connection: Connection, account_id: int, reading: Reading, now: datetime
) -> Iterable[bool]:
    """Compare our appointments with what was written; what was written meanwhile is let be."""
    seen = {each.uid: each for each in reading.own}
    for push in calendar_pushes.pushes(connection, account_id):
        if push.pushed_at >= reading.started_at:
            continue
        if push.uid in seen:
            yield _note_seen(connection, push, seen[push.uid], now)
        elif push.href in reading.unread:
            continue
        elif push.href in reading.gone or (reading.is_whole and _was_read(push, reading)):
            yield note_deleted(connection, push, now)


def _was_read(push: Push, reading: Reading) -> bool:
    return push.starts_at < reading.until and push.ends_at > reading.started_at


def _note_seen(connection: Connection, push: Push, seen: Seen, now: datetime) -> bool:
    if seen.etag == push.etag and seen.href == push.href:
        return False
    if push.sequence != calendar_pushes.CHANGED_OUTSIDE:
        calendar_pushes.note(connection, replace(push, href=seen.href, etag=seen.etag))
    return note_moved(connection, push, seen, now)


def note_moved(connection: Connection, push: Push, seen: Seen, now: datetime) -> bool:
    """Keep that one of our appointments was changed outside; False when its times are the same.

    It is then written again with its own times, and staff see the other ones.
    """
    wanted = calendar_pushes.task(connection, push.account_id, push.uid).entry
    known = {Span(push.starts_at, push.ends_at)}
    if wanted is not None:  # perhaps we wrote it ourselves and have not noted it yet
        known.add(Span(wanted.starts_at, wanted.ends_at))
    if seen.span in known and not seen.is_altered:
        return False
    calendar_pushes.write_again(connection, push.account_id, push.uid, seen.etag)
    return _tell(connection, push, ClashKind.MOVED, seen.span, now)


def note_deleted(connection: Connection, push: Push, now: datetime) -> bool:
    """Keep that one of our appointments was deleted outside; it is written again."""
    calendar_pushes.forget(connection, push.account_id, push.uid)
    return _tell(connection, push, ClashKind.DELETED, Span(push.starts_at, push.ends_at), now)


def _tell(connection: Connection, push: Push, kind: ClashKind, span: Span, now: datetime) -> bool:
    """Staff hear of it only while the appointment is to be kept: else both sides agree."""
    wanted = calendar_pushes.task(connection, push.account_id, push.uid).entry
    if wanted is None or wanted.ends_at <= now:
        return False
    return clashes.note(
        connection, push.account_id, push.uid, kind, span.starts_at, span.ends_at, now
    )
