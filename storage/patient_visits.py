"""A patient's own view of their visits, kept in step with what staff change in the calendar.

Whoever changes an appointment locks the conversation first, as a turn does, so that a patient and
staff who change the same visits wait for each other and do not deadlock.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, case, select, update

from flows import clinic_changes
from flows import conversation as values
from flows.conversation import BookedSession
from flows.effects import ConfirmSeries
from flows.slots import Slot
from storage import documents
from storage.models import Appointment, Clinic, Conversation, Practitioner, table_of

_TABLE = table_of(Conversation)


def lock(connection: Connection, chat_id: int) -> None:
    """Let no turn of this chat be committed before this transaction ends."""
    connection.execute(
        select(_TABLE.c.revision).where(_TABLE.c.chat_id == chat_id).with_for_update()
    )


def carry_over(connection: Connection, chat_id: int, series_id: str, now: datetime) -> None:
    """Put the appointments of a series, as they stand now, into the patient's conversation."""
    row = connection.execute(select(_TABLE).where(_TABLE.c.chat_id == chat_id)).one_or_none()
    if row is None:
        return
    visits = connection.execute(
        select(Appointment, Practitioner.slug, Clinic.zone)
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .join(Clinic, Clinic.id == Appointment.clinic_id)
        .where(
            Appointment.chat_id == chat_id,
            Appointment.series_id == series_id,
            Appointment.state != "held",
        )
        .order_by(Appointment.number, Appointment.starts_at)
    ).all()
    zone = ZoneInfo(visits[0].zone) if visits else ZoneInfo("UTC")
    stand = [visit for visit in visits if visit.state != "cancelled"]
    changed = clinic_changes.after_change(
        documents.read_conversation(row.document),
        series_id,
        tuple(
            BookedSession(
                visit.uid,
                Slot(visit.starts_at, visit.ends_at, visit.slug),
                visit.number,
                visit.sequence,
                visit.confirmed_at is not None,
                visit.state == "noshow",
            )
            for visit in stand
        ),
        pending=any(visit.state == "pending" for visit in stand),
        today=now.astimezone(zone).date(),
    )
    if changed is not None:
        _keep(connection, row, changed)


def add(connection: Connection, chat_id: int, booked: ConfirmSeries) -> values.Conversation:
    """Put visits that the clinic booked for a patient into their conversation; return it."""
    row = connection.execute(select(_TABLE).where(_TABLE.c.chat_id == chat_id)).one()
    changed = clinic_changes.after_booking(documents.read_conversation(row.document), booked)
    _keep(connection, row, changed)
    return changed


def _keep(connection: Connection, row: Any, changed: values.Conversation) -> None:
    # The patient is told in a message of its own: nobody is left without an answer by this.
    shown = case(
        (_TABLE.c.shown_revision == row.revision, changed.revision), else_=_TABLE.c.shown_revision
    )
    connection.execute(
        update(_TABLE)
        .where(_TABLE.c.chat_id == row.chat_id)
        .values(
            state=changed.state,
            revision=changed.revision,
            document=documents.write_conversation(changed),
            shown_revision=shown,  # `updated_at` stays: it tells when the patient last wrote
        )
    )
