"""Take back messages of the outbox that nobody has begun to send."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, select, update

from storage.models import WAITING, Appointment, Outbox
from storage.outbox_policy import Kind

#: What `ref_type` says of a message about an appointment; `ref_id` is then its UID.
APPOINTMENT = "appointment"

#: The same of a message that is to be sent although the appointment no longer stands.
ENDED = "ended_appointment"

#: The same of a message to one of the clinic's people; `ref_id` is then the member's id.
STAFF = "staff"


def of_patient(connection: Connection, chat_id: int, why: str) -> int:
    """Cancel everything that waits for a patient; return how many messages that were."""
    return _cancel(connection, why, Outbox.chat_id == chat_id)


def of_appointment(connection: Connection, uid: str, why: str) -> int:
    """Cancel what waits to be said to a patient about one appointment; return how many messages."""
    return _cancel(
        connection,
        why,
        Outbox.ref_type == APPOINTMENT,
        Outbox.ref_id == uid,
        Outbox.kind.in_((Kind.CONFIRMATION.value, Kind.NUDGE.value)),
    )


def of_message(connection: Connection, key: str, why: str) -> int:
    """Cancel one message by its key."""
    return _cancel(connection, why, Outbox.key == key)


def of_keys(connection: Connection, prefix: str, why: str, *which: ColumnElement[bool]) -> int:
    """Cancel the messages whose keys begin so, narrowed by `which`."""
    return _cancel(connection, why, Outbox.key.startswith(prefix), *which)


def of_series(connection: Connection, chat_id: int, series_id: str, why: str) -> int:
    """Cancel everything about a series' cancelled appointments; return how many messages."""
    cancelled = select(Appointment.uid).where(
        Appointment.chat_id == chat_id,
        Appointment.series_id == series_id,
        Appointment.state == "cancelled",
    )
    return _cancel(connection, why, Outbox.ref_type == APPOINTMENT, Outbox.ref_id.in_(cancelled))


def _cancel(connection: Connection, why: str, *which: ColumnElement[bool]) -> int:
    """A claimed message is taken back too: whoever claimed it will not be able to arm it."""
    return connection.execute(
        update(Outbox)
        .where(*which, Outbox.state.in_(WAITING))
        .values(state="cancelled", last_error=why, lease_token=None, lease_until=None)
    ).rowcount
