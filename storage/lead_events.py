"""What happened to a lead or a booking, told to the clinic's own systems.

`tell` runs in the transaction of what happened and leaves one message in the outbox for every
channel of the clinic that wants to hear of it. The message holds what was true then, so that each
try of it says the same; its id is made of what happened, so that a repeated one is known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, assert_never

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from storage import outbox
from storage.models import (
    Appointment,
    Decision,
    Lead,
    LeadChannel,
    Practitioner,
    WaitlistEntry,
    WaitlistOffer,
)
from storage.outbox import Message, Value
from storage.outbox_policy import Kind

Facts = dict[str, Value]

#: What `ref_type` says of a message about a lead; `ref_id` is then the lead's number.
LEAD = "lead"

#: What `disabled_why` says of a channel whose receiver answered 410. Nobody wished it off, so its
#: messages are kept: each is given up at once and can be sent again when the channel is on.
GONE = "http_410"

_KINDS: Mapping[str, Kind] = {"webhook": Kind.LEAD, "mail": Kind.MAIL}


class EventType(StrEnum):
    """Everything that a channel can be told of; clinics read these names."""

    LEAD_QUALIFIED = "lead.qualified"
    LEAD_DEFERRED = "lead.deferred"
    LEAD_DECLINED = "lead.declined"
    LEAD_REVIEW = "lead.review"
    LEAD_URGENT = "lead.urgent"
    LEAD_PERSON_WANTED = "lead.person_wanted"
    BOOKING_HELD = "booking.held"  # kept for a patient who has not confirmed, or for staff to
    BOOKING_CONFIRMED = "booking.confirmed"
    BOOKING_RESCHEDULED = "booking.rescheduled"  # with `previous`, its time before
    BOOKING_CANCELLED = "booking.cancelled"
    BOOKING_NO_SHOW = "booking.no_show"
    BOOKING_COMPLETED = "booking.completed"
    SERIES_BOOKED = "series.booked"
    SERIES_REPAIRED = "series.repaired"  # one session moved, and others after it
    SERIES_COMPLETED = "series.completed"  # the last session that the plan asks for was done
    WAITLIST_OFFERED = "waitlist.offered"  # a freed time, to somebody who waits for one
    WAITLIST_ACCEPTED = "waitlist.accepted"  # their visit was moved there
    WAITLIST_DECLINED = "waitlist.declined"
    WAITLIST_EXPIRED = "waitlist.expired"  # nobody answered in time
    RECALL_DUE = "recall.due"  # from now on somebody might write or call
    RECALL_BOOKED = "recall.booked"  # somebody told of as due has a visit again
    CONSENT_WITHDRAWN = "consent.withdrawn"  # the patient wants no more messages
    LEAD_ERASED = "lead.erased"  # nothing is kept of the patient any more; delete yours as well


@dataclass(frozen=True, slots=True)
class OfLead:
    """Something happened to a lead."""

    lead_id: int


@dataclass(frozen=True, slots=True)
class OfErased:
    """A lead is there no more: its number is all that is told."""

    lead_id: int


@dataclass(frozen=True, slots=True)
class Before:
    """Where an appointment stood before it was moved."""

    starts_at: datetime
    ends_at: datetime
    practitioner: str  # slug


@dataclass(frozen=True, slots=True)
class OfBooking:
    """Something happened to one appointment, which is read as it stands now."""

    uid: str
    previous: Before | None = None  # of a rescheduled one


@dataclass(frozen=True, slots=True)
class OfSeries:
    """Something happened to a series, whose sessions are read as they stand now."""

    series_id: str


@dataclass(frozen=True, slots=True)
class OfOffer:
    """Something happened to a time that was offered to somebody who waits."""

    offer_id: int


@dataclass(frozen=True, slots=True)
class OfRecall:
    """Something happened to a recall. Never why: the reason can be an answer about health."""

    lead_id: int
    since: datetime  # from when on it is due, aware UTC


Subject = OfLead | OfErased | OfBooking | OfSeries | OfOffer | OfRecall


def tell(
    connection: Connection, clinic_id: int, event: EventType, subject: Subject, now: datetime
) -> int:
    """Leave a message for each channel that wants the event; return how many.

    Call it after the change, in its transaction, with the `now` of the change. A subject of
    another clinic, or one that is not there, is told to nobody.
    """
    channels = listening(connection, clinic_id, event)
    facts = _facts(connection, clinic_id, subject) if channels else {}
    if not facts:
        return 0
    event_id = _event_id(event, subject, facts, now)
    lead_id = str(facts.get("lead", ""))
    return sum(
        outbox.enqueue(
            connection,
            Message(
                key=f"{event_id}:{channel.id}",
                kind=_KINDS[channel.kind],
                due_at=now,
                ref_type=LEAD if lead_id else "",
                ref_id=lead_id,
                payload={
                    **facts,
                    "event": event_id,
                    "type": event.value,
                    "channel": channel.id,
                    "at": instant(now),
                },
            ),
            now,
        )
        for channel in channels
    )


def listening(
    connection: Connection, clinic_id: int, event: EventType | None = None
) -> Sequence[Any]:
    """Return (id, kind, event_types) of the clinic's channels that are for an event.

    They are those that nobody turned off: a receiver that says it is gone misses nothing.
    """
    unwished = or_(LeadChannel.disabled_at.is_(None), LeadChannel.disabled_why == GONE)
    rows = connection.execute(
        select(LeadChannel.id, LeadChannel.kind, LeadChannel.event_types)
        .where(LeadChannel.clinic_id == clinic_id, unwished)
        .order_by(LeadChannel.id)
    ).all()
    return [row for row in rows if event is None or wants(row.event_types, event)]


def wants(event_types: str, event: EventType) -> bool:
    """Say whether a channel's list of types, empty for all of them, has this one."""
    return not event_types or event in event_types.split()


def before(connection: Connection, uid: str) -> Before | None:
    """Return where an appointment stands; read it before moving it."""
    row = connection.execute(
        select(Appointment.starts_at, Appointment.ends_at, Practitioner.slug)
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .where(Appointment.uid == uid)
    ).one_or_none()
    return None if row is None else Before(row.starts_at, row.ends_at, row.slug)


def instant(at: datetime) -> str:
    """Return an aware datetime as RFC 3339 writes it in UTC, to the microsecond where it has one.

    The plus sign of an offset is none of the characters that a message may hold.
    """
    if at.utcoffset() is None:
        raise ValueError("a datetime must be aware, got a naive one")
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def _event_id(event: EventType, subject: Subject, facts: Facts, now: datetime) -> str:
    named = [event.value, repr(subject), instant(now), *(f"{k}={facts[k]}" for k in sorted(facts))]
    return "evt_" + hashlib.sha256("\n".join(named).encode()).hexdigest()[:32]


def _facts(connection: Connection, clinic_id: int, subject: Subject) -> Facts:
    """Return what a message says of its subject; empty when the clinic has no such thing."""
    match subject:
        case OfLead():
            return _of_lead(connection, Lead.id == subject.lead_id, Lead.clinic_id == clinic_id)
        case OfErased():
            return {"lead": subject.lead_id}
        case OfBooking():
            rows = _sessions(connection, clinic_id, Appointment.uid == subject.uid)
            return _of_booking(rows, subject.previous)
        case OfSeries():
            rows = _sessions(connection, clinic_id, Appointment.series_id == subject.series_id)
            return _of_series(rows)
        case OfOffer():
            return _of_offer(connection, clinic_id, subject.offer_id)
        case OfRecall():
            facts = _facts(connection, clinic_id, OfLead(subject.lead_id))
            return {**facts, "recall_since": instant(subject.since)} if facts else {}
        case _:
            assert_never(subject)


def _of_lead(connection: Connection, *which: ColumnElement[bool]) -> Facts:
    lead = connection.execute(select(Lead).where(*which)).one_or_none()
    if lead is None:
        return {}
    facts: Facts = {"lead": lead.id, "status": lead.status, "kind": lead.kind}
    if lead.score is not None:
        facts["score"] = lead.score
    if lead.recheck_on is not None:
        facts["recheck_on"] = lead.recheck_on.isoformat()
    decision = connection.execute(
        select(Decision.id)
        .where(Decision.chat_id == lead.chat_id, Decision.run == lead.run)
        .order_by(Decision.id.desc())
        .limit(1)
    ).scalar()
    return facts if decision is None else {**facts, "decision": decision}


def _of_booking(rows: Sequence[Any], previous: Before | None) -> Facts:
    facts: Facts = {}
    for row in rows:
        facts = {**_lead_of(row), "series": row.series_id, "service": row.service, **_times(row)}
        facts["version"] = row.version
    if facts and previous is not None:
        facts["previous_starts_at"] = instant(previous.starts_at)
        facts["previous_ends_at"] = instant(previous.ends_at)
        facts["previous_practitioner"] = previous.practitioner
    return facts


def _of_series(rows: Sequence[Any]) -> Facts:
    facts: Facts = {}
    for row in rows:
        facts |= {**_lead_of(row), "series": row.series_id, "service": row.service}
    for count, row in enumerate(rows, 1):
        facts |= {"sessions": count}
        facts |= {f"{count}.{name}": value for name, value in _times(row).items()}
    return facts


def _of_offer(connection: Connection, clinic_id: int, offer_id: int) -> Facts:
    """Return the visit of who waits, as it stands now, and what was offered."""
    offer = connection.execute(
        select(WaitlistOffer, WaitlistEntry.uid, Practitioner.slug)
        .join(WaitlistEntry, WaitlistEntry.id == WaitlistOffer.entry_id)
        .join(Practitioner, Practitioner.id == WaitlistOffer.practitioner_id)
        .where(WaitlistOffer.id == offer_id)
    ).one_or_none()
    rows = _sessions(connection, clinic_id, Appointment.uid == offer.uid) if offer else ()
    facts = _of_booking(rows, None)
    if offer and facts:
        facts["offer_starts_at"] = instant(offer.starts_at)
        facts["offer_ends_at"] = instant(offer.ends_at)
        facts["offer_until"] = instant(offer.until_at)
        facts["offer_practitioner"] = offer.slug
    return facts


def _lead_of(row: Any) -> Facts:
    return {} if row.lead_id is None else {"lead": row.lead_id}


def _times(row: Any) -> Facts:
    return {
        "uid": row.uid,
        "number": row.number,
        "status": row.state,
        "starts_at": instant(row.starts_at),
        "ends_at": instant(row.ends_at),
        "practitioner": row.slug,
    }


def _sessions(connection: Connection, clinic_id: int, which: ColumnElement[bool]) -> Sequence[Any]:
    """Return a clinic's appointments, the first session first, with the lead that they are of."""
    return connection.execute(
        select(Appointment, Practitioner.slug, Lead.id.label("lead_id"))
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .outerjoin(Lead, and_(Lead.chat_id == Appointment.chat_id, Lead.run == Appointment.run))
        .where(Appointment.clinic_id == clinic_id, which)
        .order_by(Appointment.number, Appointment.uid)
    ).all()
