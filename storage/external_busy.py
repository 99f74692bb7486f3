"""Time that is taken in practitioners' own calendars, as far as it is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from storage.models import CalendarAccount, ExternalBusy


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


def is_free(
    connection: Connection, practitioner_id: int, from_at: datetime, until_at: datetime
) -> bool:
    """Say whether nothing is known to be in the practitioner's own calendar then."""
    return not spans(connection, (practitioner_id,), from_at, until_at)


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
