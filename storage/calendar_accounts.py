"""Practitioners' own calendars on CalDAV servers: how to reach them, and how fresh they are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from storage import calendar_pushes, upserts
from storage.faults import StorageError
from storage.models import (
    CalendarAccount,
    CalendarClash,
    CalendarPush,
    Clinic,
    ExternalBusy,
    Practitioner,
)

STALE_AFTER = timedelta(minutes=15)

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class WhenStale(StrEnum):
    """What is offered while a calendar cannot be read."""

    CLOSED = "closed"  # no times at all
    SHOW_AGE = "show_age"  # what was last known, and staff see how old that is


class NoSuchPractitioner(StorageError):
    """The clinic has nobody of this name who works there."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a calendar is reached, and how much it is trusted when it is not."""

    url: str
    username: str
    password: str = field(repr=False)  # sealed
    when_stale: WhenStale = WhenStale.CLOSED
    stale_after: timedelta = STALE_AFTER


@dataclass(frozen=True, slots=True)
class Account:
    """A practitioner's own calendar."""

    id: int
    clinic_id: int
    clinic: str  # slug
    zone: str  # the clinic's IANA zone
    horizon_for: timedelta  # how far ahead the clinic books
    practitioner_id: int
    practitioner: str  # slug
    terms: Terms
    sync_token: str | None
    read_at: datetime | None  # last time it was read as a whole
    synced_at: datetime | None  # last time that all was well; its age is what staff are shown
    next_at: datetime  # not read again before
    failures: int  # of reading, in a row
    failure: str | None  # in words that staff can act on
    write_next_at: datetime | None  # nothing is written before
    write_failure: str | None  # why something waits to be written, likewise in words

    @property
    def trouble(self) -> str | None:
        """What staff should see to, if anything: reading first, as times depend on it."""
        return self.failure or self.write_failure

    def is_stale(self, now: datetime) -> bool:
        """Say whether what is known of the calendar is too old to be relied on."""
        return self.synced_at is None or now - self.synced_at > self.terms.stale_after


def connect(
    connection: Connection, clinic: str, practitioner: str, terms: Terms, now: datetime
) -> int:
    """Connect a practitioner's calendar, or connect it anew; return its number.

    What is booked already is enqueued to be written there. Nothing is known of the calendar until
    it is read. Raises NoSuchPractitioner.
    """
    practitioner_id = practitioner_of(connection, clinic, practitioner)
    before = connection.execute(
        select(CalendarAccount.id, CalendarAccount.url).where(
            CalendarAccount.practitioner_id == practitioner_id
        )
    ).one_or_none()
    if before is not None and before.url != terms.url:
        _forget_contents(connection, before.id)
    values = {
        "url": terms.url,
        "username": terms.username,
        "password": terms.password,
        "when_stale": terms.when_stale.value,
        "stale_minutes": max(1, round(terms.stale_after.total_seconds() / 60)),
        "sync_token": None,
        "read_at": None,
        "next_at": _NEVER,
        "failures": 0,
        "failed_at": None,
        "failure": None,
        "write_next_at": None,
        "write_failure": None,
    }
    statement = upserts.insert(connection.dialect.name, CalendarAccount).values(
        practitioner_id=practitioner_id, created_at=now, **values
    )
    account_id = connection.execute(
        statement.on_conflict_do_update(index_elements=["practitioner_id"], set_=values).returning(
            CalendarAccount.id
        )
    ).scalar_one()
    calendar_pushes.catch_up(connection, account_id, practitioner_id, now)
    return account_id


def disconnect(connection: Connection, clinic: str, practitioner: str) -> bool:
    """Forget a practitioner's calendar; False when there is none. Raises NoSuchPractitioner.

    What was written there stays there.
    """
    practitioner_id = practitioner_of(connection, clinic, practitioner)
    account_id = connection.execute(
        select(CalendarAccount.id).where(CalendarAccount.practitioner_id == practitioner_id)
    ).scalar()
    if account_id is None:
        return False
    _forget_contents(connection, account_id)
    connection.execute(delete(CalendarAccount).where(CalendarAccount.id == account_id))
    return True


def practitioner_of(connection: Connection, clinic: str, practitioner: str) -> int:
    """Return the number of someone who works at a clinic. Raises NoSuchPractitioner."""
    people = connection.execute(
        select(Practitioner.slug, Practitioner.id)
        .join(Clinic, Clinic.id == Practitioner.clinic_id)
        .where(Clinic.slug == clinic, Practitioner.is_active)
        .order_by(Practitioner.position)
    ).all()
    for person in people:
        if person.slug == practitioner:
            return int(person.id)
    known = ", ".join(person.slug for person in people) or "nobody yet"
    raise NoSuchPractitioner(
        f"at clinic {clinic!r} the practitioner must be one of {known}, got {practitioner!r}"
    )


def accounts(connection: Connection, clinic_id: int | None = None) -> list[Account]:
    """Return the calendars of one clinic, or of all."""
    which = _accounts().order_by(Clinic.slug, Practitioner.position, Practitioner.slug)
    if clinic_id is not None:
        which = which.where(Clinic.id == clinic_id)
    return [_account(row) for row in connection.execute(which)]


def account(connection: Connection, account_id: int) -> Account | None:
    """Return one calendar; None when it is no longer connected."""
    row = connection.execute(_accounts().where(CalendarAccount.id == account_id)).one_or_none()
    return None if row is None else _account(row)


def claim_due(connection: Connection, now: datetime, lease_for: timedelta) -> Account | None:
    """Take the calendar that has waited longest to be read; None when none is due.

    Nobody else gets it within `lease_for`.
    """
    due = connection.execute(
        select(CalendarAccount.id)
        .join(Practitioner, Practitioner.id == CalendarAccount.practitioner_id)
        .where(CalendarAccount.next_at <= now, Practitioner.is_active)
        .order_by(CalendarAccount.next_at, CalendarAccount.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=CalendarAccount.__table__)
    ).scalar()
    if due is None:
        return None
    connection.execute(
        update(CalendarAccount).where(CalendarAccount.id == due).values(next_at=now + lease_for)
    )
    return account(connection, due)


def failed(
    connection: Connection,
    account_id: int,
    why: str,
    now: datetime,
    next_at: datetime,
    stopped_until: datetime | None = None,
) -> None:
    """Note in words for staff why a calendar could not be read, and when it is tried again.

    `stopped_until` says until when nothing is written either.
    """
    stopped = {"write_next_at": stopped_until} if stopped_until else {}
    connection.execute(
        update(CalendarAccount)
        .where(CalendarAccount.id == account_id)
        .values(
            failures=CalendarAccount.failures + 1,
            failed_at=now,
            failure=why,
            next_at=next_at,
            **stopped,
        )
    )


def write_failed(
    connection: Connection, account_id: int, why: str, stopped_until: datetime | None
) -> None:
    """Note in words for staff why something could not be written. Reading goes on as it does.

    `stopped_until` says until when nothing is written; None when it concerns one entry only.
    """
    stopped = {"write_next_at": stopped_until} if stopped_until else {}
    connection.execute(
        update(CalendarAccount)
        .where(CalendarAccount.id == account_id)
        .values(write_failure=why, **stopped)
    )


def may_write(connection: Connection, account_id: int) -> None:
    """Note that the calendar takes what is written."""
    connection.execute(
        update(CalendarAccount)
        .where(CalendarAccount.id == account_id, CalendarAccount.write_next_at.is_not(None))
        .values(write_next_at=None)
    )


def closed(accounts: Collection[Account], now: datetime) -> list[Account]:
    """Return the calendars because of which nothing is offered at the moment."""
    return [
        each
        for each in accounts
        if each.is_stale(now) and each.terms.when_stale is WhenStale.CLOSED
    ]


def _forget_contents(connection: Connection, account_id: int) -> None:
    for table in (ExternalBusy, CalendarPush, CalendarClash):
        connection.execute(delete(table).where(table.account_id == account_id))
    connection.execute(
        update(CalendarAccount).where(CalendarAccount.id == account_id).values(synced_at=None)
    )


def _accounts() -> Any:
    return (
        select(
            CalendarAccount,
            Practitioner.slug.label("practitioner"),
            Clinic.id.label("clinic_id"),
            Clinic.slug.label("clinic"),
            Clinic.zone,
            Clinic.horizon_days,
        )
        .join(Practitioner, Practitioner.id == CalendarAccount.practitioner_id)
        .join(Clinic, Clinic.id == Practitioner.clinic_id)
    )


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        clinic_id=row.clinic_id,
        clinic=row.clinic,
        zone=row.zone,
        horizon_for=timedelta(days=row.horizon_days),
        practitioner_id=row.practitioner_id,
        practitioner=row.practitioner,
        terms=Terms(
            row.url,
            row.username,
            row.password,
            WhenStale(row.when_stale),
            timedelta(minutes=row.stale_minutes),
        ),
        sync_token=row.sync_token,
        read_at=row.read_at,
        synced_at=row.synced_at,
        next_at=row.next_at,
        failures=row.failures,
        failure=row.failure,
        write_next_at=row.write_next_at,
        write_failure=row.write_failure,
    )
