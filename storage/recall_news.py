"""What a clinic's own systems hear of recalls: one is due, or somebody told of has a visit again.

What was told last is kept beside the recall itself, so that one recall is told once, however
often its patient is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from flows.recalls import GIVEN_UP, Recall
from storage import lead_events
from storage.lead_events import EventType, OfRecall
from storage.models import Appointment, Clinic, Conversation, Lead, table_of

_LEADS, _CHATS, _VISITS = table_of(Lead), table_of(Conversation), table_of(Appointment)

#: A patient's last lead, and the clinic that the chat is with.
_LAST_LEAD = (
    select(
        _LEADS.c.id,
        _LEADS.c.clinic_id,
        _LEADS.c.status,
        _LEADS.c.kind,
        Clinic.id.label("with_clinic_id"),
    )
    .join(_CHATS, _CHATS.c.chat_id == _LEADS.c.chat_id)
    .join(Clinic, Clinic.slug == _CHATS.c.clinic)
    .where(_LEADS.c.chat_id == bindparam("chat"))
    .order_by(_LEADS.c.run.desc())
    .limit(1)
)

#: The clinic of a lead, while the patient has a visit ahead there that was made since.
_WITH_VISIT = (
    select(_LEADS.c.clinic_id)
    .join(
        _VISITS,
        (_VISITS.c.chat_id == _LEADS.c.chat_id) & (_VISITS.c.clinic_id == _LEADS.c.clinic_id),
    )
    .where(
        _LEADS.c.id == bindparam("lead"),
        _VISITS.c.state.in_(("pending", "booked")),
        _VISITS.c.created_at >= bindparam("since"),
        _VISITS.c.starts_at > bindparam("now"),
    )
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Told:
    """The recall that was told last: from when on it was due, and of which lead."""

    since: datetime | None = None
    lead_id: int | None = None


def tell(
    connection: Connection, chat_id: int, found: Recall | None, told: Told, now: datetime
) -> Told:
    """Tell what is new of a patient's recall at a look; return what stands as told from now on.

    It stays until a visit was made or a year has passed: whoever answers has not booked yet.
    """
    if found is not None and found.since <= now:
        is_new = told.since is None or found.since > told.since
        if not is_new or found.since <= now - GIVEN_UP:
            return told
        return _due(connection, chat_id, found.since, now) or told
    if told.since is None or told.lead_id is None:
        return told
    if told.since <= now - GIVEN_UP:
        return Told()
    return _booked(connection, told.lead_id, told.since, now) or told


def _due(connection: Connection, chat_id: int, since: datetime, now: datetime) -> Told | None:
    """Tell the clinic whose list the patient is on, if any; see `storage.recall_list`."""
    lead = connection.execute(_LAST_LEAD, {"chat": chat_id}).one_or_none()
    if lead is None or lead.clinic_id != lead.with_clinic_id:
        return None
    if lead.status == "declined" or lead.kind == "urgent":
        return None
    subject = OfRecall(lead.id, since)
    lead_events.tell(connection, lead.clinic_id, EventType.RECALL_DUE, subject, now)
    return Told(since, lead.id)


def _booked(connection: Connection, lead_id: int, since: datetime, now: datetime) -> Told | None:
    wanted = {"lead": lead_id, "since": since, "now": now}
    clinic_id = connection.execute(_WITH_VISIT, wanted).scalar()
    if clinic_id is None:
        return None
    subject = OfRecall(lead_id, since)
    lead_events.tell(connection, clinic_id, EventType.RECALL_BOOKED, subject, now)
    return Told()
