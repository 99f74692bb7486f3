"""What came after the nudges: after, not because of them."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from storage.models import Appointment, Clinic, Conversation, Event, Outbox
from storage.outbox_policy import Kind

#: What a patient does within this time of a nudge is told beside it.
WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Earned:
    """One kind of nudge: how many were sent, and after how many of them something happened."""

    kind: str
    sent: int
    booked: int  # a visit was booked or asked for
    confirmed: int  # a visit was confirmed by the patient
    came_back: int  # the patient wrote or tapped


def earned(connection: Connection, clinic_id: int, since: datetime) -> tuple[Earned, ...]:
    """Return what came after the clinic's nudges since then, the kinds sent most first."""
    visit = and_(
        Appointment.chat_id == Outbox.chat_id,
        Appointment.clinic_id == clinic_id,
        Appointment.state != "held",
    )
    rows = connection.execute(
        select(
            Outbox.payload,
            Outbox.sent_at,
            _first(Appointment.created_at, visit),
            _first(Appointment.confirmed_at, visit),
            _first(Event.at, Event.chat_id == Outbox.chat_id),
        )
        .join(Conversation, Conversation.chat_id == Outbox.chat_id)
        .join(Clinic, and_(Clinic.slug == Conversation.clinic, Clinic.id == clinic_id))
        .where(Outbox.kind == Kind.NUDGE.value, Outbox.state == "sent", Outbox.sent_at >= since)
    )
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for payload, sent_at, *firsts in rows:
        count = counts[json.loads(payload)["nudge"]]
        count[0] += 1
        for place, first_at in enumerate(firsts, 1):
            count[place] += first_at is not None and first_at <= sent_at + WITHIN
    found = (Earned(kind, *count) for kind, count in counts.items())
    return tuple(sorted(found, key=lambda each: (-each.sent, each.kind)))


def _first(at: Any, which: ColumnElement[bool]) -> Any:
    """Return when something first happened after the nudge."""
    return (
        select(func.min(at)).where(which, at > Outbox.sent_at).correlate(Outbox).scalar_subquery()
    )
