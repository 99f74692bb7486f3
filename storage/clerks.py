"""One act of a clinic's people on one appointment, and everything that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from storage import audit, follow_ups, lead_events, outbox, patient_visits, withdrawals
from storage.bookings import NoSuchAppointment
from storage.faults import StorageError
from storage.lead_events import Before, EventType, OfBooking, OfSeries
from storage.models import Appointment, Clinic, Practitioner, table_of
from storage.outbox import Message
from storage.outbox_policy import Kind

#: Writing somebody in, or time off, is done for no chat: none has this id.
NO_CHAT = 0


class ChangedMeanwhile(StorageError):
    """Somebody else changed the appointment after it was shown."""


class NotAllowed(StorageError):
    """What is wanted does not fit where the appointment stands."""


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who of which clinic does something, and when."""

    clinic_id: int
    staff_id: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """An appointment as it was shown to whoever acts on it."""

    uid: str
    version: int


def find(connection: Connection, clerk: Clerk, seen: Seen, state: str | None = None) -> Any:
    """Return and lock an appointment of the clinic as it was seen, with practitioner and zone."""
    chat_id = connection.execute(
        select(Appointment.chat_id).where(
            Appointment.uid == seen.uid, Appointment.clinic_id == clerk.clinic_id
        )
    ).scalar()
    if chat_id is not None:  # before the appointment, as a turn does
        patient_visits.lock(connection, chat_id)
        follow_ups.mark(connection, chat_id, clerk.now)
    row = row_of(connection, clerk, seen.uid)
    if state is not None and row.state != state:
        raise NoSuchAppointment(f"the clinic has no such appointment that is {state}")
    if row.version != seen.version:
        raise ChangedMeanwhile("the appointment was changed by somebody else; look at it again")
    return row


def row_of(connection: Connection, clerk: Clerk, uid: str) -> Any:
    """Return and lock an appointment of the clinic; raises NoSuchAppointment."""
    row = connection.execute(
        select(Appointment, Practitioner.slug.label("practitioner"), Clinic.slug, Clinic.zone)
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .join(Clinic, Clinic.id == Appointment.clinic_id)
        .where(Appointment.uid == uid, Appointment.clinic_id == clerk.clinic_id)
        .with_for_update(of=table_of(Appointment))
    ).one_or_none()
    if row is None:
        raise NoSuchAppointment("the clinic has no such appointment")
    return row


def slug_of(connection: Connection, clerk: Clerk) -> str:
    """Return the slug of the clerk's clinic."""
    found = select(Clinic.slug).where(Clinic.id == clerk.clinic_id)
    return connection.execute(found).scalar_one()


def new_row(clerk: Clerk, uid: str, service: str, note: str) -> dict[str, object]:
    """Return what is the same in every row that staff write in."""
    return {
        "uid": uid,
        "clinic_id": clerk.clinic_id,
        "service": service,
        "chat_id": None,
        "run": 0,
        "hold_until": None,
        "sequence": 0,
        "version": 1,
        "note": note.strip() or None,
        "staff_id": clerk.staff_id,
        "created_at": clerk.now,
        "updated_at": clerk.now,
    }


def carry_over(connection: Connection, clerk: Clerk, row: Any) -> None:
    """Put the patient's visits, as they stand now, into the patient's conversation."""
    if row.chat_id is not None:
        patient_visits.carry_over(connection, row.chat_id, row.series_id, clerk.now)


def record(connection: Connection, clerk: Clerk, what: str, uid: str) -> None:
    """Add a line about an appointment to the clinic's record."""
    audit.record(connection, clerk.clinic_id, clerk.staff_id, what, "appointment", uid, clerk.now)


def tell_channels(
    connection: Connection,
    clerk: Clerk,
    uid: str,
    event: EventType,
    before: Before | None = None,
) -> None:
    """Tell the clinic's own systems what happened to an appointment."""
    subject = OfBooking(uid, before)
    lead_events.tell(connection, clerk.clinic_id, event, subject, clerk.now)


def tell_of_series(connection: Connection, clerk: Clerk, series_id: str, event: EventType) -> None:
    """Tell the clinic's own systems what happened to a series."""
    lead_events.tell(connection, clerk.clinic_id, event, OfSeries(series_id), clerk.now)


def tell_patient(connection: Connection, clerk: Clerk, row: Any, text: str, ref_type: str) -> None:
    """Queue a message of a text key to the patient; nothing for somebody without a chat."""
    if row.chat_id is None:
        return
    message = Message(
        key=f"{text}:{row.uid}:{row.version}",
        kind=Kind.CONFIRMATION,
        due_at=clerk.now,
        chat_id=row.chat_id,
        ref_type=ref_type,
        ref_id=row.uid,
        payload={"text": text},
        not_after=row.starts_at if ref_type == withdrawals.APPOINTMENT else None,
    )
    outbox.enqueue(connection, message, clerk.now)
