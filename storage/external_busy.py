"""Time that is taken in practitioners' own calendars, as far as it is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, false, or_, select

from storage.models import CalendarAccount, ExternalBusy

Wanted = tuple[int, datetime, datetime]  # a practitioner's id and `[from, until)` in aware UTC


def spans(
    connection: Connection, practitioner_ids: Sequence[int], from_at: datetime, until_at: datetime
) -> dict[int, list[tuple[datetime, datetime]]]:
    """Return what is taken of `[from_at, until_at)`, by practitioner, the first time first."""
    taken: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    rows = connection.execute(
        select(CalendarAccount.practitioner_id, ExternalBusy.starts_at, ExternalBusy.ends_at)
        .join(CalendarAccount, CalendarAccount.id == ExternalBusy.account_id)
        .where(
            CalendarAccount.practitioner_id.in_(practitioner_ids),
            ExternalBusy.ends_at > from_at,
            ExternalBusy.starts_at < until_at,
        )
        .order_by(ExternalBusy.starts_at, ExternalBusy.ends_at)
    )
    for row in rows:
        taken[row.practitioner_id].append((row.starts_at, row.ends_at))
    return taken


def taken(connection: Connection, wanted: Collection[Wanted]) -> frozenset[Wanted]:
    """Return which of some times are known to be taken in the practitioners' own calendars."""
    meets = (
        and_(
            CalendarAccount.practitioner_id == who,
            ExternalBusy.ends_at > from_at,
            ExternalBusy.starts_at < until_at,
        )
        for who, from_at, until_at in wanted
    )
    rows = connection.execute(
        select(CalendarAccount.practitioner_id, ExternalBusy.starts_at, ExternalBusy.ends_at)
        .join(CalendarAccount, CalendarAccount.id == ExternalBusy.account_id)
        .where(or_(false(), *meets))
    ).all()
    return frozenset(
        (who, from_at, until_at)
        for who, from_at, until_at in wanted
        for row in rows
        if row.practitioner_id == who and row.ends_at > from_at and row.starts_at < until_at
    )


def shut(connection: Connection, practitioner_ids: Iterable[int], now: datetime) -> frozenset[int]:
    """Return those whose calendar is too old to be relied on, where the clinic closes then."""
    rows = connection.execute(
        select(
            CalendarAccount.practitioner_id,
            CalendarAccount.synced_at,
            CalendarAccount.stale_minutes,
        ).where(
            CalendarAccount.practitioner_id.in_(tuple(practitioner_ids)),
            CalendarAccount.when_stale == "closed",
        )
    )
    return frozenset(
        row.practitioner_id
        for row in rows
        if row.synced_at is None or now - row.synced_at > timedelta(minutes=row.stale_minutes)
    )
