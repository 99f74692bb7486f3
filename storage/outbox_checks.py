"""The last look at a message of the outbox before it is sent: is it wanted, and is it quiet?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from flows.follow_up import History, Silence
from flows.nudges import Standing, last_look
from flows.quiet_hours import QuietHours
from storage import histories, patients, withdrawals
from storage.models import OCCUPYING, Appointment, Clinic, Conversation, Patient, StaffMember
from storage.outbox_policy import POLICIES, Kind

_SILENCES: Mapping[Silence, str] = {
    Silence.STOPPED: patients.STOPPED,
    Silence.UNREACHABLE: patients.UNREACHABLE,
    Silence.PAUSED: "Paused",
    Silence.RED_FLAG: "RedFlag",
    Silence.WITHDRAWN: "Withdrawn",
}

_STANDINGS: Mapping[Standing, str] = {
    Standing.PAUSED: "SomethingChanged",
    Standing.UNWANTED: "Unwanted",
    Standing.MISSED: "Outdated",
}


def why_not(connection: Connection, row: Row[Any], now: datetime) -> str:
    """Return in one word why a message is no longer to be sent; empty when it is."""
    if row.not_after is not None and row.not_after < now:
        return "TooLate"
    return (
        _of_patient(connection, row)
        or _of_subject(connection, row)
        or (_of_nudge(connection, row, now) if row.kind == Kind.NUDGE else "")
    )


def _of_patient(connection: Connection, row: Row[Any]) -> str:
    if row.chat_id is None or not POLICIES[Kind(row.kind)].heeds_stop:
        return ""
    patient = connection.execute(
        select(Patient.stopped_at, Patient.unreachable_at).where(Patient.chat_id == row.chat_id)
    ).one()
    if patient.stopped_at is not None:
        return patients.STOPPED
    return "" if patient.unreachable_at is None else patients.UNREACHABLE


def _of_subject(connection: Connection, row: Row[Any]) -> str:
    if row.ref_type == withdrawals.APPOINTMENT:
        state = connection.execute(
            select(Appointment.state).where(Appointment.uid == row.ref_id)
        ).scalar()
        if state not in OCCUPYING:
            return "AppointmentGone"
    if row.ref_type == withdrawals.STAFF and not _wants_cards(connection, int(row.ref_id)):
        return "MemberGone"
    return ""


def _of_nudge(connection: Connection, row: Row[Any], now: datetime) -> str:
    """What was made in the evening may wait for the morning, and much can happen in between."""
    named = json.loads(row.payload)
    history = histories.load(connection, row.chat_id, now) if "nudge" in named else None
    if history is None:  # whoever makes its words finds that there is nothing to say
        return ""
    return _word(history, last_look(history, named["nudge"], named["ref"], named["uid"]))


def _word(history: History, standing: Standing) -> str:
    if standing is Standing.SILENT:
        return _SILENCES[min(history.silences)]
    return _STANDINGS.get(standing, "")


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
