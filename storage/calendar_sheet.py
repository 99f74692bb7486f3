"""Some days of a clinic's calendar as its staff see them, read at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from flows.slots import Timetable
from storage import calendar_accounts, calendar_store, clashes, day_sheet
from storage.calendar_accounts import Account
from storage.clashes import Clash
from storage.day_sheet import Column


@dataclass(frozen=True, slots=True)
class CalendarSheet:
    """What is booked, when people work, and what needs a look."""

    columns: tuple[Column, ...]  # a practitioner each
    timetables: tuple[Timetable, ...]  # `busy` is what their own calendars hold
    closed_on: frozenset[date]
    clashes: tuple[Clash, ...]
    accounts: tuple[Account, ...]


def read(
    connection: Connection,
    clinic_id: int,
    days: tuple[date, date],
    from_at: datetime,
    until_at: datetime,
    now: datetime,
) -> CalendarSheet:
    """Return local days, both inclusive, which last from `from_at` to `until_at`."""
    timetables, closed_on = calendar_store.hours(connection, clinic_id, *days, now)
    return CalendarSheet(
        columns=tuple(day_sheet.sheet(connection, clinic_id, from_at, until_at, now)),
        timetables=timetables,
        closed_on=closed_on,
        clashes=tuple(clashes.open_clashes(connection, clinic_id, now)),
        accounts=tuple(calendar_accounts.accounts(connection, clinic_id)),
    )
