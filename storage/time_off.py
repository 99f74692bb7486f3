"""Time that a practitioner does not work, kept free of appointments by the database itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from flows.slots import Slot
from storage import bookings, calendar_pushes, clerks, waitlist
from storage.bookings import Booker, SlotsGone
from storage.clerks import Clerk, NotAllowed, Seen
from storage.faults import StorageError
from storage.models import OCCUPYING, Appointment, Practitioner

_LONGEST = timedelta(days=62)


class Clashes(StorageError):
    """Appointments are in the way of time off."""

    def __init__(self, clashing: tuple[Clash, ...]) -> None:
        super().__init__(f"{len(clashing)} appointments are in the way")
        self.clashing = clashing


@dataclass(frozen=True, slots=True)
class TimeOff:
    """Time that a practitioner does not work, `[starts_at, ends_at)` in aware UTC."""

    uid: str  # fresh
    practitioner: str  # slug
    starts_at: datetime
    ends_at: datetime
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Clash:
    """An appointment that is in the way. Nothing of the patient."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    state: str
    code: str


def block(connection: Connection, clerk: Clerk, off: TimeOff) -> bool:
    """Keep a time free of appointments; False when this very time off is there already.

    Raises Clashes with the appointments in the way, and NotAllowed for a time that is none.
    """
    practitioner = _practitioner(connection, clerk, off.practitioner)
    if not clerk.now < off.ends_at or not off.starts_at < off.ends_at:
        raise NotAllowed("time off must end after it starts, and after now")
    if off.ends_at - off.starts_at > _LONGEST:
        raise NotAllowed(f"time off must be at most {_LONGEST.days} days at once")
    if connection.execute(select(Appointment.uid).where(Appointment.uid == off.uid)).scalar():
        return False
    room = bookings.Room(
        clerk.clinic_id, timedelta(0), timedelta(0), {off.practitioner: practitioner}
    )
    slot = Slot(off.starts_at, off.ends_at, off.practitioner)
    booker = Booker(clerks.NO_CHAT, 0, clerks.slug_of(connection, clerk), clerk.now)
    bookings.drop_ended_holds(connection, booker, room, (slot,))
    found = clashes(connection, clerk.clinic_id, practitioner, off.starts_at, off.ends_at)
    if found:
        raise Clashes(found)
    row = {
        **clerks.new_row(clerk, off.uid, "", off.note),
        **bookings.times_in(room, slot),
        "number": 0,
        "series_id": "",
        "state": "blocked",
        "code": "",
    }
    if not bookings.insert(connection, row):
        raise SlotsGone((slot,))
    calendar_pushes.announce(connection, (off.uid,), clerk.now)
    clerks.record(connection, clerk, "time_off.added", off.uid)
    return True


def unblock(connection: Connection, clerk: Clerk, seen: Seen) -> None:
    """Give blocked time back to patients."""
    row = clerks.find(connection, clerk, seen, state="blocked")
    # The row stays, for calendars outside may still hold it; nobody was written in, so no name.
    gone: dict[str, object] = {"state": "cancelled", "walk_in_name": "", "updated_at": clerk.now}
    gone |= {"sequence": Appointment.sequence + 1, "version": Appointment.version + 1}
    connection.execute(update(Appointment).where(Appointment.uid == seen.uid).values(gone))
    calendar_pushes.announce(connection, (seen.uid,), clerk.now)
    waitlist.freed(connection, bookings.span_of(row), clerk.now)
    clerks.record(connection, clerk, "time_off.removed", seen.uid)


def take_back(connection: Connection, clerk: Clerk, prefix: str) -> int:
    """Give back every time off of the clinic whose UID begins like this; return how many."""
    rows = connection.execute(
        select(Appointment.uid, Appointment.version).where(
            Appointment.uid.startswith(prefix),
            Appointment.clinic_id == clerk.clinic_id,
            Appointment.state == "blocked",
        )
    ).all()
    for row in rows:
        unblock(connection, clerk, Seen(row.uid, row.version))
    return len(rows)


def block_all(connection: Connection, clerk: Clerk, wanted: Sequence[TimeOff]) -> None:
    """Keep the time of several practitioners free, or of none of them; raises as `block` does."""
    in_the_way: list[Clash] = []
    for off in wanted:
        try:
            block(connection, clerk, off)
        except Clashes as found:
            in_the_way += found.clashing
    if in_the_way:
        raise Clashes(tuple(in_the_way))


def clashes(
    connection: Connection,
    clinic_id: int,
    practitioner_id: int,
    from_at: datetime,
    until_at: datetime,
) -> tuple[Clash, ...]:
    """Return the practitioner's appointments, buffers included, that touch a time."""
    rows = connection.execute(
        select(Appointment)
        .where(
            Appointment.clinic_id == clinic_id,
            Appointment.practitioner_id == practitioner_id,
            Appointment.state.in_(OCCUPYING),
            Appointment.blocks_from < until_at,
            Appointment.blocks_until > from_at,
        )
        .order_by(Appointment.starts_at)
    )
    return tuple(Clash(r.uid, r.starts_at, r.ends_at, r.state, r.code) for r in rows)


def _practitioner(connection: Connection, clerk: Clerk, slug: str) -> int:
    found = connection.execute(
        select(Practitioner.id).where(
            Practitioner.clinic_id == clerk.clinic_id,
            Practitioner.slug == slug,
            Practitioner.is_active,
        )
    ).scalar()
    if found is None:
        raise NotAllowed("nobody with this name treats patients at the clinic")
    return found
