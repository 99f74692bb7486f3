"""A card for staff when a patient has deleted their data: a number and a count, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from storage import cards, staff
from storage.models import Clinic, StaffMember


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a card goes to, and how it is worded for them."""

    chat_id: int
    clinic: str  # name
    zone: str
    locale: str


def enqueue(
    connection: Connection, clinic_id: int, lead_id: int, visits: int, now: datetime
) -> int:
    """Leave a card for each member who wants cards; return how many."""
    says = {"erased": lead_id, "visits": visits}
    return sum(
        cards.put(connection, f"{lead_id}:erased", member.id, says, now)
        for member in staff.wanting_cards(connection, clinic_id)
    )


def reader(connection: Connection, member_id: int) -> Reader | None:
    """Return whom a card goes to; None when they left or want no cards."""
    row = connection.execute(
        select(StaffMember.chat_id, Clinic.name, Clinic.zone, Clinic.locale)
        .join(Clinic, Clinic.id == StaffMember.clinic_id)
        .where(
            StaffMember.id == member_id,
            StaffMember.removed_at.is_(None),
            StaffMember.wants_cards,
            StaffMember.chat_id.is_not(None),
        )
    ).one_or_none()
    return None if row is None else Reader(row.chat_id, row.name, row.zone, row.locale)
