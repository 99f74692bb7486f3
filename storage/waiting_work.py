"""What waits for a clinic's people, in three numbers that every page of the console tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from storage import asked_visits, desk, lead_list


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits for somebody."""

    leads: int  # new ones
    asked: int  # requests for visits
    messages: int  # threads that end with the patient's words


def count(connection: Connection, clinic_id: int, now: datetime) -> Waiting:
    """Count what waits; each number is one look along an index."""
    return Waiting(
        leads=lead_list.new(connection, clinic_id),
        asked=asked_visits.count(connection, clinic_id, now),
        messages=desk.waiting(connection, clinic_id),
    )
