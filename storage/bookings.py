"""Hold, book, move and cancel appointments. The database itself refuses an overlap.

Every function runs inside the caller's transaction and raises `SlotsGone` when a time is taken; the
caller must then undo what it did.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from flows.conversation import BookedSession
from flows.effects import (
    CancelAppointment,
    CancelSeries,
    ConfirmSeries,
    HoldSeries,
    MoveAppointment,
    ReleaseHold,
)
from flows.slots import Slot
from storage import (
    calendar_pushes,
    external_busy,
    faults,
    outside_hours,
    upserts,
    waitlist,
    withdrawals,
)
from storage.faults import StorageError
from storage.models import Appointment, Clinic, Practitioner, Service

HELD, PENDING, BOOKED, CANCELLED = "held", "pending", "booked", "cancelled"

_EXCLUSION_VIOLATION = "23P01"
_TRIGGER = "appointments overlap"


class SlotsGone(StorageError):
    """Times that are taken, past, of someone who has left, or not offered any more."""

    def __init__(self, slots: tuple[Slot, ...]) -> None:
        super().__init__(f"{len(slots)} of the wanted times cannot be booked")
        self.slots = slots


class NoSuchAppointment(StorageError):
    """The appointment is not this patient's, has begun, or is no longer to be kept."""


@dataclass(frozen=True, slots=True)
class Booker:
    """Who books, where and when."""

    chat_id: int
    run: int
    clinic: str  # slug
    now: datetime
    is_staff: bool = False  # may book outside the hours, and sooner or later than patients may


@dataclass(frozen=True, slots=True)
class Room:
    """What a clinic allows for one service."""

    clinic_id: int
    before: timedelta
    after: timedelta
    practitioners: dict[str, int]  # slug -> id, those who still work there


@dataclass(frozen=True, slots=True)
class _Terms:
    """How the sessions of one series are to stand in the calendar."""

    series_id: str
    service: str
    state: str
    code: str = ""
    hold_until: datetime | None = None


def hold(connection: Connection, booker: Booker, effect: HoldSeries) -> None:
    """Hold every session, all or nothing; the patient's older holds are given back."""
    terms = _Terms(effect.series_id, effect.service, HELD, hold_until=effect.until)
    _take(connection, booker, terms, effect.sessions)


def confirm(connection: Connection, booker: Booker, effect: ConfirmSeries) -> None:
    """Book every session, all or nothing: held ones, and those whose hold ended if still free."""
    state = PENDING if effect.pending else BOOKED
    terms = _Terms(effect.series_id, effect.service, state, effect.code)
    _take(connection, booker, terms, effect.sessions)
    calendar_pushes.announce_series(connection, booker.chat_id, effect.series_id, booker.now)


def release(connection: Connection, booker: Booker, effect: ReleaseHold) -> None:
    """Give held times back."""
    connection.execute(
        delete(Appointment).where(
            Appointment.chat_id == booker.chat_id,
            Appointment.series_id == effect.series_id,
            Appointment.state == HELD,
        )
    )


def cancel(connection: Connection, booker: Booker, effect: CancelSeries) -> None:
    """Cancel every appointment of the patient's series that has not begun, and its messages."""
    release(connection, booker, ReleaseHold(effect.series_id))
    _cancel(connection, booker, Appointment.series_id == effect.series_id)
    withdrawals.of_series(connection, booker.chat_id, effect.series_id, "Cancelled")
    calendar_pushes.announce_series(connection, booker.chat_id, effect.series_id, booker.now)


def cancel_one(connection: Connection, booker: Booker, effect: CancelAppointment) -> None:
    """Cancel one of the patient's appointments that has not begun, and its messages."""
    if not _cancel(connection, booker, Appointment.uid == effect.uid):
        return
    withdrawals.of_appointment(connection, effect.uid, "Cancelled")
    calendar_pushes.announce(connection, (effect.uid,), booker.now)


def cancel_all(
    connection: Connection, chat_id: int, now: datetime, *which: ColumnElement[bool]
) -> tuple[str, ...]:
    """Give back what a patient holds and cancel what is to come, but no message; return UIDs."""
    mine = (Appointment.chat_id == chat_id, Appointment.state == HELD, *which)
    connection.execute(delete(Appointment).where(*mine))
    gone = _cancel(connection, Booker(chat_id, 0, "", now), *which)
    calendar_pushes.announce(connection, gone, now)
    return gone


def _cancel(connection: Connection, booker: Booker, *which: ColumnElement[bool]) -> tuple[str, ...]:
    """Cancel what is to come of these; return the UIDs."""
    gone = connection.execute(
        select(Appointment).where(
            *which,
            Appointment.chat_id == booker.chat_id,
            Appointment.state.in_((PENDING, BOOKED)),
            Appointment.starts_at > booker.now,
        )
    ).all()
    uids = tuple(row.uid for row in gone)
    connection.execute(
        update(Appointment)
        .where(Appointment.uid.in_(uids))
        .values(
            state=CANCELLED,
            sequence=Appointment.sequence + 1,
            version=Appointment.version + 1,
            updated_at=booker.now,
        )
    )
    for row in gone:
        waitlist.changed(connection, row.uid, booker.now)
    for row in gone:
        waitlist.freed(connection, span_of(row), booker.now)
    return uids


def span_of(row: Row[Any]) -> waitlist.Freed:
    """Return the time of an appointment, for whoever waits for one."""
    return waitlist.Freed(row.practitioner_id, row.starts_at, row.ends_at)


def move(connection: Connection, booker: Booker, effect: MoveAppointment) -> None:
    """Move one appointment: its UID stays, its SEQUENCE grows."""
    before = connection.execute(
        select(Appointment).where(
            Appointment.uid == effect.uid,
            Appointment.chat_id == booker.chat_id,
            Appointment.state.in_((PENDING, BOOKED)),
            Appointment.starts_at > booker.now,
        )
    ).one_or_none()
    if before is None:
        raise NoSuchAppointment("an appointment to be moved must be the patient's own and to come")
    if effect.is_offered and not waitlist.stands(connection, before, effect.slot, booker.now):
        raise SlotsGone((effect.slot,))
    room = room_of(connection, booker.clinic, before.service)
    _refuse_impossible(connection, room, booker, (effect.slot,))
    _queue_up(connection, room.practitioners[effect.slot.practitioner])
    drop_ended_holds(connection, booker, room, (effect.slot,))
    try:
        connection.execute(
            update(Appointment)
            .where(Appointment.uid == effect.uid)
            .values(
                **times_in(room, effect.slot),
                sequence=Appointment.sequence + 1,
                version=Appointment.version + 1,
                confirmed_at=None,  # it was said of another time
                updated_at=booker.now,
            )
        )
    except IntegrityError as error:
        if is_overlap(error):
            raise SlotsGone((effect.slot,)) from None
        raise
    waitlist.changed(connection, effect.uid, booker.now, effect.slot.starts_at)
    waitlist.freed(connection, span_of(before), booker.now)
    calendar_pushes.announce(connection, (effect.uid,), booker.now)


def _take(
    connection: Connection, booker: Booker, terms: _Terms, sessions: tuple[BookedSession, ...]
) -> None:
    """Insert the sessions, in one order for all bookers so that they do not block each other."""
    slots = tuple(session.slot for session in sessions)
    room = room_of(connection, booker.clinic, terms.service)
    _refuse_impossible(connection, room, booker, slots)
    _drop_own_holds(connection, booker)
    drop_ended_holds(connection, booker, room, slots)
    gone = [
        session.slot
        for session in sorted(sessions, key=lambda session: session.slot)
        if not insert(connection, _row(booker, terms, room, session))
    ]
    if gone:
        raise SlotsGone(tuple(gone))


def room_of(connection: Connection, clinic: str, service: str) -> Room:
    row = connection.execute(
        select(Clinic.id, Service.before_minutes, Service.after_minutes)
        .join(Service, Service.clinic_id == Clinic.id)
        .where(Clinic.slug == clinic, Service.code == service)
    ).one_or_none()
    if row is None:
        raise StorageError(f"clinic {clinic!r} has no service {service!r}")
    people = connection.execute(
        select(Practitioner.slug, Practitioner.id).where(
            Practitioner.clinic_id == row.id, Practitioner.is_active
        )
    )
    return Room(
        clinic_id=row.id,
        before=timedelta(minutes=row.before_minutes),
        after=timedelta(minutes=row.after_minutes),
        practitioners={row.slug: row.id for row in people},
    )


def _refuse_impossible(
    connection: Connection, room: Room, booker: Booker, slots: tuple[Slot, ...]
) -> None:
    """Refuse what is past, with nobody, or taken in the practitioner's own calendar meanwhile.

    To a patient also what the clinic would not offer now: a screen with times may be hours old.
    """
    known = [slot for slot in slots if slot.practitioner in room.practitioners]
    impossible = {slot for slot in slots if slot.starts_at <= booker.now} | {*slots} - {*known}
    impossible |= _taken_elsewhere(connection, room, known)
    if known and not booker.is_staff:
        clinic = connection.execute(select(Clinic).where(Clinic.id == room.clinic_id)).one()
        impossible |= outside_hours.of_these(connection, clinic, known)
        impossible |= _withheld(connection, clinic, room, booker, known)
    if impossible:
        raise SlotsGone(tuple(slot for slot in slots if slot in impossible))


def _taken_elsewhere(connection: Connection, room: Room, slots: Sequence[Slot]) -> set[Slot]:
    blocked = {
        slot: (
            room.practitioners[slot.practitioner],
            slot.starts_at - room.before,
            slot.ends_at + room.after,
        )
        for slot in slots
    }
    taken = external_busy.taken(connection, blocked.values())
    return {slot for slot, span in blocked.items() if span in taken}


def _withheld(
    connection: Connection, clinic: Row[Any], room: Room, booker: Booker, slots: Sequence[Slot]
) -> set[Slot]:
    """Return what is too soon, too far ahead, or of somebody whose calendar cannot be relied on.

    What is held for the patient was promised while it was none of these.
    """
    opens_at = booker.now + timedelta(minutes=clinic.notice_minutes)
    closes_at = booker.now + timedelta(days=clinic.horizon_days)
    shut = external_busy.shut(connection, room.practitioners.values(), booker.now)
    withheld = {
        slot
        for slot in slots
        if not opens_at <= slot.starts_at <= closes_at
        or room.practitioners[slot.practitioner] in shut
    }
    return withheld - _held(connection, booker) if withheld else withheld


def _held(connection: Connection, booker: Booker) -> set[Slot]:
    rows = connection.execute(
        select(Appointment.starts_at, Appointment.ends_at, Practitioner.slug)
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .where(
            Appointment.chat_id == booker.chat_id,
            Appointment.state == HELD,
            Appointment.hold_until > booker.now,
        )
    )
    return {Slot(row.starts_at, row.ends_at, row.slug) for row in rows}


def _drop_own_holds(connection: Connection, booker: Booker) -> None:
    connection.execute(
        delete(Appointment).where(Appointment.chat_id == booker.chat_id, Appointment.state == HELD)
    )


def drop_ended_holds(
    connection: Connection, booker: Booker, room: Room, slots: Iterable[Slot]
) -> None:
    """Free what was held too long in these times, and by the patient at all.

    The database's constraints cannot look at a clock.
    """
    wanted = [
        and_(
            Appointment.practitioner_id == room.practitioners[slot.practitioner],
            Appointment.blocks_from < slot.ends_at + room.after,
            Appointment.blocks_until > slot.starts_at - room.before,
        )
        for slot in slots
    ]
    connection.execute(
        delete(Appointment).where(
            Appointment.state == HELD,
            Appointment.hold_until <= booker.now,
            or_(Appointment.chat_id == booker.chat_id, *wanted),
        )
    )


def _row(booker: Booker, terms: _Terms, room: Room, session: BookedSession) -> dict[str, object]:
    return {
        "uid": session.uid,
        "clinic_id": room.clinic_id,
        "service": terms.service,
        "chat_id": booker.chat_id,
        "run": booker.run,
        "series_id": terms.series_id,
        "number": session.number,
        **times_in(room, session.slot),
        "state": terms.state,
        "hold_until": terms.hold_until,
        "code": terms.code,
        "sequence": 0,
        "version": 1,
        "created_at": booker.now,
        "updated_at": booker.now,
    }


def times_in(room: Room, slot: Slot) -> dict[str, object]:
    return {
        "practitioner_id": room.practitioners[slot.practitioner],
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "blocks_from": slot.starts_at - room.before,
        "blocks_until": slot.ends_at + room.after,
    }


def insert(connection: Connection, row: dict[str, object]) -> bool:
    """Insert one appointment; False when its time is taken.

    A plain INSERT deadlocks on PostgreSQL when bookers race; with ON CONFLICT the loser waits and
    is told. SQLite's trigger aborts that one statement only.
    """
    statement = upserts.insert(connection.dialect.name, Appointment).on_conflict_do_nothing()
    try:
        return connection.execute(statement, row).rowcount == 1
    except IntegrityError as error:
        if is_overlap(error):
            return False
        raise


def is_overlap(error: IntegrityError) -> bool:
    return faults.sqlstate(error) == _EXCLUSION_VIOLATION or _TRIGGER in str(error.orig)


def _queue_up(connection: Connection, practitioner_id: int) -> None:
    """Let one mover at a time change a practitioner's day: UPDATE has no ON CONFLICT."""
    if connection.dialect.name == "postgresql":
        key = func.hashtext(f"appointments of {practitioner_id}")
        connection.execute(select(func.pg_advisory_xact_lock(key)))
