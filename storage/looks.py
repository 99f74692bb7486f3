"""What the clinic's people looked at, as lines of the record."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from storage import audit
from storage.models import AuditEntry

#: A page that stays open looks again and again. Looks of one person at one thing that are closer
#: together than this are one look.
APART = timedelta(minutes=10)


def record(
    connection: Connection,
    clinic_id: int,
    staff_id: int,
    what: str,
    subject: tuple[str, int],
    now: datetime,
) -> None:
    """Add a line for a look: `what` as "lead.viewed", `subject` as ("lead", 7)."""
    name, number = subject
    looked = select(AuditEntry.id).where(
        AuditEntry.subject == name,
        AuditEntry.subject_id == str(number),
        AuditEntry.what == what,
        AuditEntry.staff_id == staff_id,
        AuditEntry.at > now - APART,
    )
    if connection.execute(looked.limit(1)).scalar() is None:
        audit.record(connection, clinic_id, staff_id, what, name, number, now)
