"""The last look at a message of the outbox before it is sent: is it wanted, and is it quiet?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from flows.quiet_hours import QuietHours
from storage import patients, withdrawals
from storage.models import OCCUPYING, Appointment, Clinic, Conversation, Patient, StaffMember
from storage.outbox_policy import POLICIES, Kind


def why_not(connection: Connection, row: Row[Any], now: datetime) -> str:
    """Return in one word why a message is no longer to be sent; empty when it is."""
    if row.not_after is not None and row.not_after < now:
        return "TooLate"
    if row.chat_id is not None and POLICIES[Kind(row.kind)].heeds_stop:
        patient = connection.execute(
            select(Patient.stopped_at, Patient.unreachable_at).where(Patient.chat_id == row.chat_id)
        ).one()
        if patient.stopped_at is not None:
            return patients.STOPPED
        if patient.unreachable_at is not None:
            return patients.UNREACHABLE
    if row.ref_type == withdrawals.APPOINTMENT:
        state = connection.execute(
            select(Appointment.state).where(Appointment.uid == row.ref_id)
        ).scalar()
        if state not in OCCUPYING:
            return "AppointmentGone"
    if row.ref_type == withdrawals.STAFF and not _wants_cards(connection, int(row.ref_id)):
        return "MemberGone"
    return ""


def _wants_cards(connection: Connection, staff_id: int) -> bool:
    wants = select(StaffMember.wants_cards).where(
        StaffMember.id == staff_id,
        StaffMember.removed_at.is_(None),
        StaffMember.chat_id.is_not(None),
    )
    return bool(connection.execute(wants).scalar())


def quiet_until(
    connection: Connection, row: Row[Any], now: datetime, quiet: QuietHours | None
) -> datetime | None:
    """Return when the quiet hours end that keep a message waiting; None when none do."""
    if quiet is None or not POLICIES[Kind(row.kind)].is_quiet:
        return None
    return quiet.until(now, _zone(connection, row))


def _zone(connection: Connection, row: Row[Any]) -> str:
    """Return the zone of the clinic that the message is about, UTC when it is about none."""
    zone = select(Clinic.zone)
    if row.ref_type == withdrawals.APPOINTMENT:
        zone = zone.join(Appointment, Appointment.clinic_id == Clinic.id)
        zone = zone.where(Appointment.uid == row.ref_id)
    else:
        zone = zone.join(Conversation, Conversation.clinic == Clinic.slug)
        zone = zone.where(Conversation.chat_id == row.chat_id)
    return connection.execute(zone).scalar() or "UTC"
