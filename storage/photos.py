"""Photos that patients let their clinic keep: Telegram's names of them, never the pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Select, delete, insert, select

from storage import audit, looks
from storage.models import Lead, Photo


@dataclass(frozen=True, slots=True)
class PhotoRow:
    """One photo of a lead."""

    id: int
    at: datetime
    file_id: str = field(repr=False)


def keep(connection: Connection, chat_id: int, run: int, file_id: str, now: datetime) -> None:
    """Keep a photo of a run; whether the patient agreed is the dialogue's to know."""
    connection.execute(insert(Photo).values(chat_id=chat_id, run=run, file_id=file_id, at=now))


def delete_all(connection: Connection, chat_id: int) -> int:
    """Forget every photo of a patient; return how many there were."""
    return connection.execute(delete(Photo).where(Photo.chat_id == chat_id)).rowcount


def of_lead(connection: Connection, clinic_id: int, lead_id: int) -> list[PhotoRow]:
    """Return the photos of a lead of this clinic, oldest first."""
    rows = connection.execute(_of(clinic_id, lead_id).order_by(Photo.id))
    return [PhotoRow(row.id, row.at, row.file_id) for row in rows]


def photo(connection: Connection, clinic_id: int, lead_id: int, photo_id: int) -> PhotoRow | None:
    """Return one photo; None when this lead of this clinic has no such photo."""
    row = connection.execute(_of(clinic_id, lead_id).where(Photo.id == photo_id)).one_or_none()
    return None if row is None else PhotoRow(row.id, row.at, row.file_id)


def look(
    connection: Connection,
    clinic_id: int,
    staff_id: int,
    lead_id: int,
    photo_id: int,
    now: datetime,
) -> PhotoRow | None:
    """Return one photo and record that it was looked at; None: no such photo."""
    found = photo(connection, clinic_id, lead_id, photo_id)
    if found is not None:
        looks.record(connection, clinic_id, staff_id, "photo.viewed", ("lead", lead_id), now)
    return found


def remove(
    connection: Connection,
    clinic_id: int,
    staff_id: int,
    lead_id: int,
    photo_id: int,
    now: datetime,
) -> bool:
    """Forget one photo; False when this lead of this clinic has no such photo."""
    if photo(connection, clinic_id, lead_id, photo_id) is None:
        return False
    connection.execute(delete(Photo).where(Photo.id == photo_id))
    audit.record(connection, clinic_id, staff_id, "photo.deleted", "lead", lead_id, now)
    return True


def _of(clinic_id: int, lead_id: int) -> Select[int, datetime, str]:
    return (
        select(Photo.id, Photo.at, Photo.file_id)
        .join(Lead, (Lead.chat_id == Photo.chat_id) & (Lead.run == Photo.run))
        .where(Lead.id == lead_id, Lead.clinic_id == clinic_id)
    )
