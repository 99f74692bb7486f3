"""Everything of one lead that the clinic's people may read, gathered in one look."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from storage import audit, conversations, desk, lead_records, looks, photos, protocol_versions
from storage.audit import Entry
from storage.desk import Said
from storage.lead_records import LeadRecord
from storage.models import (
    Appointment,
    Event,
    Finding,
    Lead,
    LeadNote,
    Outbox,
    Patient,
    SeriesReview,
    StaffMember,
)
from storage.outbox_policy import Kind
from storage.photos import PhotoRow
from storage.protocol_versions import ProtocolText

#: So many lines of the history are read of each sort, the newest ones.
_LINES = 300


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody of the clinic wrote down."""

    staff: str
    at: datetime
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a clinician said of a verdict."""

    staff: str
    at: datetime
    is_current: bool  # of the verdict that counts now
    finding: str = field(repr=False)
    reason: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Review:
    """How the patient sees the result of a course."""

    at: datetime
    rating: int = field(repr=False)  # 1 to 5
    words: str = field(repr=False)  # empty: none were given


@dataclass(frozen=True, slots=True)
class Happened:
    """Something the patient did, as codes: words that they wrote are left out."""

    at: datetime
    event: str  # as "Answered"
    step: str  # a question or a button; empty for other events
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of the outbox about this lead, and what became of it."""

    kind: str
    state: str
    created_at: datetime
    sent_at: datetime | None
    error: str
    nudge: str  # its kind; empty for what is none


@dataclass(frozen=True, slots=True)
class LeadStory:
    """A lead with all that belongs to it."""

    record: LeadRecord = field(repr=False)
    staff: str  # who changed the status last
    protocol: ProtocolText | None = field(repr=False)
    thread_id: int | None
    can_be_reached: bool  # in Telegram
    red_flag: str = field(repr=False)  # which one ended their questions; empty: none, or long ago
    photos: tuple[PhotoRow, ...]
    reviews: tuple[Review, ...]  # of their courses at this clinic, the newest first
    messages: tuple[Said, ...] = field(repr=False)
    notes: tuple[Note, ...]
    findings: tuple[Judged, ...]
    events: tuple[Happened, ...]
    deliveries: tuple[Sent, ...]
    record_lines: tuple[Entry, ...]  # what staff looked at and did

    @property
    def awaits_review(self) -> bool:
        """Say whether a clinician should still look at the verdict."""
        flagged = self.record.verdict in ("review", "urgent") or self.record.kind == "urgent"
        return flagged and not any(each.is_current for each in self.findings)


def read(connection: Connection, clinic_id: int, lead_id: int) -> LeadStory | None:
    """Return the story of a lead; None when the clinic has no such lead."""
    record = lead_records.read(connection, clinic_id, lead_id)
    if record is None:
        return None
    row = connection.execute(
        select(Lead.chat_id, Lead.run, StaffMember.name, Patient.unreachable_at)
        .join(Patient, Patient.chat_id == Lead.chat_id)
        .outerjoin(StaffMember, StaffMember.id == Lead.staff_id)
        .where(Lead.id == lead_id)
    ).one()
    thread_id = desk.thread_of_lead(connection, clinic_id, lead_id)
    return LeadStory(
        record=record,
        staff=row.name or "",
        protocol=_protocol(connection, record),
        thread_id=thread_id,
        can_be_reached=row.unreachable_at is None,
        red_flag=_red_flag(connection, row.chat_id, row.run),
        photos=tuple(photos.of_lead(connection, clinic_id, lead_id)),
        reviews=_reviews(connection, clinic_id, row.chat_id),
        messages=desk.messages(connection, thread_id) if thread_id else (),
        notes=_notes(connection, lead_id),
        findings=_findings(connection, record),
        events=_events(connection, row.chat_id, row.run),
        deliveries=_deliveries(connection, record, row.chat_id, thread_id),
        record_lines=tuple(
            audit.entries(connection, clinic_id, subject="lead", subject_id=lead_id, limit=_LINES)
        ),
    )


def view(
    connection: Connection, clinic_id: int, staff_id: int, lead_id: int, now: datetime
) -> LeadStory | None:
    """Return the story of a lead and record that it was looked at; None: no such lead.

    A page that stays open looks again and again: see `storage.looks`.
    """
    story = read(connection, clinic_id, lead_id)
    if story is not None:
        looks.record(connection, clinic_id, staff_id, "lead.viewed", ("lead", lead_id), now)
    return story


def _protocol(connection: Connection, record: LeadRecord) -> ProtocolText | None:
    if record.decision is None:
        return None
    return protocol_versions.load(connection, record.decision.protocol)


def _red_flag(connection: Connection, chat_id: int, run: int) -> str:
    """Return the id of the red flag of a run; the conversation keeps that of its present run."""
    loaded = conversations.load(connection, chat_id)
    is_present = loaded is not None and loaded.conversation.run == run
    return (loaded.conversation.red_flag or "") if loaded and is_present else ""


def _notes(connection: Connection, lead_id: int) -> tuple[Note, ...]:
    rows = connection.execute(
        select(LeadNote.at, LeadNote.body, StaffMember.name)
        .outerjoin(StaffMember, StaffMember.id == LeadNote.staff_id)
        .where(LeadNote.lead_id == lead_id)
        .order_by(LeadNote.id.desc())
    )
    return tuple(Note(row.name or "", row.at, row.body) for row in rows)


def _findings(connection: Connection, record: LeadRecord) -> tuple[Judged, ...]:
    current = record.decision.id if record.decision else None
    rows = connection.execute(
        select(Finding, StaffMember.name)
        .outerjoin(StaffMember, StaffMember.id == Finding.staff_id)
        .where(Finding.lead_id == record.id)
        .order_by(Finding.id.desc())
    )
    return tuple(
        Judged(row.name or "", row.at, row.decision_id == current, row.finding, row.reason)
        for row in rows
    )


def _reviews(connection: Connection, clinic_id: int, chat_id: int) -> tuple[Review, ...]:
    courses = select(Appointment.series_id).where(
        Appointment.chat_id == chat_id, Appointment.clinic_id == clinic_id
    )
    rows = connection.execute(
        select(SeriesReview.at, SeriesReview.rating, SeriesReview.words)
        .where(SeriesReview.chat_id == chat_id, SeriesReview.series_id.in_(courses))
        .order_by(SeriesReview.at.desc(), SeriesReview.series_id)
    )
    return tuple(Review(row.at, row.rating, row.words or "") for row in rows)


def _events(connection: Connection, chat_id: int, run: int) -> tuple[Happened, ...]:
    rows = connection.execute(
        select(Event.at, Event.what)
        .where(Event.chat_id == chat_id, Event.run == run)
        .order_by(Event.id.desc())
        .limit(_LINES)
    )
    return tuple(_happened(row.at, row.what) for row in rows)


def _happened(at: datetime, what: str) -> Happened:
    try:
        said = json.loads(what)
    except ValueError:
        said = {}
    codes = said.get("codes") or [said[name] for name in ("code", "arg", "media") if name in said]
    step = said.get("step") or said.get("action") or said.get("faq") or ""
    return Happened(at, str(said.get("event", "")), str(step), tuple(str(code) for code in codes))


def _deliveries(
    connection: Connection, record: LeadRecord, chat_id: int, thread_id: int | None
) -> tuple[Sent, ...]:
    """Return what was sent about this lead, its visits and its thread, the newest first.

    Whom its channels told is `lead_channels.deliveries_of`.
    """
    visits = select(Appointment.uid).where(
        Appointment.chat_id == chat_id, Appointment.run == record.run
    )
    about = or_(
        (Outbox.ref_type == "lead") & (Outbox.ref_id == str(record.id)),
        Outbox.ref_type.in_(("appointment", "ended_appointment")) & Outbox.ref_id.in_(visits),
        (Outbox.ref_type == "thread") & (Outbox.ref_id == str(thread_id or 0)),
    )
    own = Outbox.kind.not_in((Kind.LEAD.value, Kind.MAIL.value))
    newest = select(Outbox).where(about, own).order_by(Outbox.id.desc()).limit(_LINES)
    rows = connection.execute(newest)
    return tuple(
        Sent(row.kind, row.state, row.created_at, row.sent_at, row.last_error or "", _nudge(row))
        for row in rows
    )


def _nudge(row: Any) -> str:
    return str(json.loads(row.payload)["nudge"]) if row.kind == Kind.NUDGE.value else ""
