"""What the clinic's people looked at and did. Only ever added to; ids and codes, never words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from storage.models import AuditEntry, StaffMember


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the record."""

    at: datetime
    staff: str  # name; empty: the program itself
    what: str  # as "lead.viewed"
    subject: str
    subject_id: str


def record_each(  # noqa: PLR0913 - as of one
    connection: Connection,
    clinic_id: int,
    staff_id: int | None,
    what: str,
    subject: str,
    subject_ids: Iterable[object],
    now: datetime,
) -> None:
    """Add a line as `record` does for each of several subjects."""
    values = {"clinic_id": clinic_id, "staff_id": staff_id, "what": what, "subject": subject}
    rows = [{**values, "subject_id": str(each), "at": now} for each in subject_ids]
    if rows:
        connection.execute(insert(AuditEntry), rows)


def record(  # noqa: PLR0913 - who, where, what, on which, when
    connection: Connection,
    clinic_id: int,
    staff_id: int | None,
    what: str,
    subject: str,
    subject_id: object,
    now: datetime,
) -> None:
    """Add a line: `what` as "lead.viewed", `subject` as "lead", in the transaction of the act."""
    record_each(connection, clinic_id, staff_id, what, subject, (subject_id,), now)


def entries(
    connection: Connection,
    clinic_id: int,
    *,
    subject: str | None = None,
    subject_id: object = None,
    limit: int = 100,
) -> list[Entry]:
    """Return a clinic's lines, the newest first, of one subject when it is named."""
    statement = (
        select(
            AuditEntry.at,
            StaffMember.name,
            AuditEntry.what,
            AuditEntry.subject,
            AuditEntry.subject_id,
        )
        .outerjoin(StaffMember, StaffMember.id == AuditEntry.staff_id)
        .where(AuditEntry.clinic_id == clinic_id)
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    if subject is not None:
        statement = statement.where(
            AuditEntry.subject == subject, AuditEntry.subject_id == str(subject_id)
        )
    return [
        Entry(row.at, row.name or "", row.what, row.subject, row.subject_id)
        for row in connection.execute(statement)
    ]
