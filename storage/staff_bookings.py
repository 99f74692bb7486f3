"""What a clinic's people do in the calendar: confirm, move, cancel, walk-ins. See `time_off` too.

Every function sees one clinic only and is one step of the caller's transaction: the appointment,
the patient's own view of it, the record, and the messages that follow from it change together.
Raises `ChangedMeanwhile`, `NotAllowed`, `NoSuchAppointment` and `SlotsGone`; the caller must then
undo what it did, as `Database.write` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, update
from sqlalchemy.exc import IntegrityError

from flows.effects import MoveAppointment
from flows.slots import Slot
from storage import (
    bookings,
    calendar_pushes,
    card_redraws,
    clerks,
    histories,
    lead_events,
    lead_work,
    pauses,
    waitlist,
    withdrawals,
)
from storage.bookings import Booker, SlotsGone
from storage.clerks import Clerk, NotAllowed, Seen
from storage.lead_events import EventType
from storage.models import Appointment

#: From which state staff may take an appointment to which. Held times are the patient's: only the
#: patient's own yes makes them `pending` or `booked`.
ALLOWED: Mapping[str, frozenset[str]] = {
    "held": frozenset(),
    "pending": frozenset({"booked", "cancelled"}),
    "booked": frozenset({"arrived", "cancelled", "noshow"}),
    "arrived": frozenset({"fulfilled"}),
    "fulfilled": frozenset(),
    "noshow": frozenset(),
    "cancelled": frozenset(),
    "blocked": frozenset(),
}

#: What `undo` makes of a state, for a slip of the finger.
UNDOES: Mapping[str, str] = {"arrived": "booked", "fulfilled": "arrived", "noshow": "booked"}


@dataclass(frozen=True, slots=True)
class WalkIn:
    """An appointment for somebody who writes to nobody. Words are no part of its `repr`."""

    uid: str  # fresh
    service: str
    slot: Slot
    code: str  # booking code
    name: str = field(repr=False)
    phone: str = field(default="", repr=False)
    note: str = field(default="", repr=False)


def confirm(connection: Connection, clerk: Clerk, seen: Seen) -> None:
    """Confirm a request; the patient is told, and their lead is accepted if it is new."""
    confirm_series(connection, clerk, (seen,))


def confirm_series(connection: Connection, clerk: Clerk, seen: tuple[Seen, ...]) -> None:
    """Confirm several requests of one series; the patient is told once."""
    rows = [
        _to(connection, clerk, each, "booked", "appointment.confirmed", is_news=True)
        for each in seen
    ]
    for row in rows:
        clerks.tell_channels(connection, clerk, row.uid, EventType.BOOKING_CONFIRMED)
    if rows:
        key = "message.confirmed_all" if len(rows) > 1 else "message.confirmed"
        clerks.tell_patient(connection, clerk, rows[0], key, withdrawals.APPOINTMENT)
        if rows[0].chat_id is not None:
            lead_work.accept_run(connection, clerk, rows[0].chat_id, rows[0].run)


def decline(connection: Connection, clerk: Clerk, seen: Seen) -> None:
    """Say no to a request; the patient is told and may choose another time."""
    row = clerks.find(connection, clerk, seen)
    if row.state != "pending":
        raise NotAllowed(f"only a request can be declined, this appointment is {row.state}")
    row = _cancel(connection, clerk, seen, "appointment.declined")
    clerks.tell_patient(connection, clerk, row, "message.declined", withdrawals.ENDED)


def cancel(connection: Connection, clerk: Clerk, seen: Seen) -> None:
    """Cancel an appointment that has not begun; the patient is told."""
    cancel_series(connection, clerk, (seen,))


def cancel_series(connection: Connection, clerk: Clerk, seen: tuple[Seen, ...]) -> None:
    """Cancel several appointments of one series; the patient is told once."""
    rows = [_cancel(connection, clerk, each, "appointment.cancelled") for each in seen]
    if rows:
        key = "message.cancelled_all" if len(rows) > 1 else "message.cancelled"
        first = min(rows, key=lambda row: (row.starts_at, row.uid))
        clerks.tell_patient(connection, clerk, first, key, withdrawals.ENDED)


def go_ahead(connection: Connection, clerk: Clerk, seen: Seen) -> None:
    """Note that somebody has looked at what changed: the visit may take place as it stands.

    What there is still time to say about the visit is said: its time was not fixed anew.
    """
    row = clerks.find(connection, clerk, seen)
    if not pauses.waits_for_a_look(row):
        raise NotAllowed("nothing has changed that waits for a look")
    connection.execute(
        update(Appointment)
        .where(Appointment.uid == seen.uid)
        .values(paused_at=None, version=Appointment.version + 1)
    )
    clerks.record(connection, clerk, "appointment.looked_at", seen.uid)
    _redraw_cards(connection, clerk, row)


def mark_arrived(connection: Connection, clerk: Clerk, seen: Seen) -> None:
    """Note that the patient is here, from the day of the visit on."""
    row = clerks.find(connection, clerk, seen)
    zone = ZoneInfo(row.zone)
    if clerk.now.astimezone(zone).date() < row.starts_at.astimezone(zone).date():
        raise NotAllowed("a patient can arrive on the day of the visit, not before")
    _to(connection, clerk, seen, "arrived", "appointment.arrived")


def mark_fulfilled(connection: Connection, clerk: Clerk, seen: Seen) -> None:
    """Note that the visit took place, and with the last one the series."""
    row = _to(connection, clerk, seen, "fulfilled", "appointment.fulfilled")
    clerks.tell_channels(connection, clerk, row.uid, EventType.BOOKING_COMPLETED)
    if histories.is_end_of_course(connection, row, clerk.now):
        clerks.tell_of_series(connection, clerk, row.series_id, EventType.SERIES_COMPLETED)


def mark_noshow(connection: Connection, clerk: Clerk, seen: Seen) -> None:
    """Note that the patient did not come, once the visit should have begun."""
    row = clerks.find(connection, clerk, seen)
    if row.starts_at > clerk.now:
        raise NotAllowed("nobody has missed a visit that has not begun")
    row = _to(connection, clerk, seen, "noshow", "appointment.noshow")
    withdrawals.of_appointment(connection, row.uid, "NoShow")
    clerks.tell_channels(connection, clerk, row.uid, EventType.BOOKING_NO_SHOW)


def undo(connection: Connection, clerk: Clerk, seen: Seen) -> None:
    """Take back the last of arrived, fulfilled and no-show. Raises SlotsGone when it cannot be."""
    row = clerks.find(connection, clerk, seen)
    if row.state not in UNDOES:
        raise NotAllowed(f"an appointment that is {row.state} has nothing to take back")
    try:
        _set(connection, clerk, seen, UNDOES[row.state], "appointment.undone")
    except IntegrityError as error:
        if bookings.is_overlap(error):
            raise SlotsGone((Slot(row.starts_at, row.ends_at, row.practitioner),)) from None
        raise


def move(connection: Connection, clerk: Clerk, seen: Seen, slot: Slot) -> None:
    """Move an appointment that has not begun; the patient is told."""
    move_series(connection, clerk, ((seen, slot),))


def move_series(connection: Connection, clerk: Clerk, moves: tuple[tuple[Seen, Slot], ...]) -> None:
    """Move several appointments of one series, all or none; the patient is told once."""
    rows = {seen.uid: clerks.find(connection, clerk, seen) for seen, _ in moves}
    later = [each for each in moves if each[1].starts_at > rows[each[0].uid].starts_at]
    sooner = [each for each in moves if each not in later]
    # A session makes room before its neighbour comes.
    later.sort(key=_new_start, reverse=True)
    sooner.sort(key=_new_start)
    moved = [_move(connection, clerk, rows[seen.uid], slot) for seen, slot in (*later, *sooner)]
    if moved:
        key = "message.moved_all" if len(moved) > 1 else "message.moved"
        first = min(moved, key=lambda row: (row.starts_at, row.uid))
        clerks.carry_over(connection, clerk, first)
        clerks.tell_patient(connection, clerk, first, key, withdrawals.APPOINTMENT)
    if len(moved) > 1:
        clerks.tell_of_series(connection, clerk, moved[0].series_id, EventType.SERIES_REPAIRED)


def walk_in(connection: Connection, clerk: Clerk, guest: WalkIn) -> None:
    """Write in somebody without a chat, also for a time that is running."""
    room = bookings.room_of(connection, clerks.slug_of(connection, clerk), guest.service)
    known = guest.slot.practitioner in room.practitioners
    if not known or guest.slot.ends_at <= clerk.now or not guest.name.strip():
        raise SlotsGone((guest.slot,))
    booker = Booker(clerks.NO_CHAT, 0, clerks.slug_of(connection, clerk), clerk.now)
    bookings.drop_ended_holds(connection, booker, room, (guest.slot,))
    row = {
        **clerks.new_row(clerk, guest.uid, guest.service, guest.note),
        **bookings.times_in(room, guest.slot),
        "number": 1,
        "series_id": guest.uid,
        "state": "booked",
        "code": guest.code,
        "walk_in_name": guest.name.strip(),
        "walk_in_phone": guest.phone.strip() or None,
    }
    if not bookings.insert(connection, row):
        raise SlotsGone((guest.slot,))
    calendar_pushes.announce(connection, (guest.uid,), clerk.now)
    clerks.record(connection, clerk, "appointment.walk_in", guest.uid)
    clerks.tell_channels(connection, clerk, guest.uid, EventType.BOOKING_CONFIRMED)


def _cancel(connection: Connection, clerk: Clerk, seen: Seen, what: str) -> Any:
    row = clerks.find(connection, clerk, seen)
    if row.starts_at <= clerk.now:
        raise NotAllowed("a visit that has begun cannot be cancelled: mark it as missed or done")
    row = _to(connection, clerk, seen, "cancelled", what, is_news=True)
    withdrawals.of_appointment(connection, row.uid, "Cancelled")
    waitlist.changed(connection, row.uid, clerk.now)
    waitlist.freed(connection, bookings.span_of(row), clerk.now)
    clerks.tell_channels(connection, clerk, row.uid, EventType.BOOKING_CANCELLED)
    return row


def _move(connection: Connection, clerk: Clerk, row: Any, slot: Slot) -> Any:
    if row.state not in ("pending", "booked"):
        raise NotAllowed(f"an appointment that is {row.state} cannot be moved")
    if row.starts_at <= clerk.now:
        raise NotAllowed("a visit that has begun cannot be moved")
    before = lead_events.before(connection, row.uid)
    booker = Booker(row.chat_id, row.run, row.slug, clerk.now, is_staff=True)
    bookings.move(connection, booker, MoveAppointment(row.uid, slot))
    clerks.record(connection, clerk, "appointment.moved", row.uid)
    withdrawals.of_appointment(connection, row.uid, "Moved")
    clerks.tell_channels(connection, clerk, row.uid, EventType.BOOKING_RESCHEDULED, before)
    _redraw_cards(connection, clerk, row)
    return clerks.row_of(connection, clerk, row.uid)


def _redraw_cards(connection: Connection, clerk: Clerk, row: Any) -> None:
    card_redraws.of_run(connection, clerk.clinic_id, row.chat_id, row.run, clerk.now)


def _new_start(move: tuple[Seen, Slot]) -> datetime:
    return move[1].starts_at


def _to(
    connection: Connection,
    clerk: Clerk,
    seen: Seen,
    state: str,
    what: str,
    *,
    is_news: bool = False,
) -> Any:
    """Take an appointment to a state. `is_news`: calendars must hear of it, so SEQUENCE grows."""
    row = clerks.find(connection, clerk, seen)
    if state not in ALLOWED[row.state]:
        raise NotAllowed(f"an appointment that is {row.state} cannot become {state}")
    return _set(connection, clerk, seen, state, what, is_news=is_news)


def _set(
    connection: Connection,
    clerk: Clerk,
    seen: Seen,
    state: str,
    what: str,
    *,
    is_news: bool = False,
) -> Any:
    connection.execute(
        update(Appointment)
        .where(Appointment.uid == seen.uid)
        .values(
            state=state,
            sequence=Appointment.sequence + int(is_news),
            version=Appointment.version + 1,
            updated_at=clerk.now,
        )
    )
    clerks.record(connection, clerk, what, seen.uid)
    changed = clerks.row_of(connection, clerk, seen.uid)
    if is_news:
        calendar_pushes.announce(connection, (seen.uid,), clerk.now)
        _redraw_cards(connection, clerk, changed)
    clerks.carry_over(connection, clerk, changed)
    return changed
