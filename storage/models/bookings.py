"""Appointments and leads."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import COUNTER, NEVER_AGAIN, Model, UtcDateTime, Words, quoted

#: States in which a patient is expected.
EXPECTED = ("held", "pending", "booked", "arrived")

#: States in which a practitioner's time is taken; `blocked` is time off, with nobody in it.
OCCUPYING = (*EXPECTED, "blocked")

STATES = (*OCCUPYING, "fulfilled", "cancelled", "noshow")

#: What staff made of a lead.
LEAD_STATUSES = ("new", "accepted", "contacted", "declined")


class Appointment(Model):
    """One time of one practitioner for one patient, or time off.

    A patient without a chat was written in by staff, who then know a name. Time off has neither.
    Of somebody who was erased the time alone is left: no chat, and an empty name.

    `blocks_from` to `blocks_until` is the time with the service's buffers. The database itself
    refuses two occupying rows that overlap on a practitioner (with buffers) or on a patient
    (without): exclusion constraints on PostgreSQL, triggers on SQLite, both made by the migrations.
    """

    __tablename__ = "appointments"
    __table_args__ = (
        CheckConstraint(f"state IN ({quoted(STATES)})", name="state"),
        CheckConstraint("(state = 'held') = (hold_until IS NOT NULL)", name="hold"),
        CheckConstraint(
            "blocks_from <= starts_at AND starts_at < ends_at AND ends_at <= blocks_until",
            name="order",
        ),
        CheckConstraint(
            "(chat_id IS NULL) = (state = 'blocked' OR walk_in_name IS NOT NULL)", name="who"
        ),
        Index(None, "practitioner_id", "blocks_from"),
        Index(None, "chat_id", "starts_at"),
        Index(None, "series_id"),
    )
    __pii_columns__ = frozenset({"chat_id", "walk_in_name", "walk_in_phone", "note"})
    __plain_columns__ = frozenset(
        {
            "uid",
            "clinic_id",
            "practitioner_id",
            "service",
            "run",
            "series_id",
            "number",
            "starts_at",
            "ends_at",
            "blocks_from",
            "blocks_until",
            "state",
            "hold_until",
            "code",
            "sequence",
            "version",
            "staff_id",
            "confirmed_at",
            "paused_at",
            "created_at",
            "updated_at",
        }
    )

    uid: Mapped[str] = mapped_column(Words, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinics.id"))
    practitioner_id: Mapped[int] = mapped_column(ForeignKey("practitioners.id"))
    service: Mapped[str] = mapped_column(Words)
    chat_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("patients.chat_id"))
    run: Mapped[int]
    series_id: Mapped[str] = mapped_column(Words)
    number: Mapped[int]
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    blocks_from: Mapped[datetime] = mapped_column(UtcDateTime)
    blocks_until: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(Words)
    hold_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    code: Mapped[str] = mapped_column(Words)
    sequence: Mapped[int]  # RFC 5545: grows with every change that calendars must hear of
    version: Mapped[int]
    walk_in_name: Mapped[str | None] = mapped_column(Words)
    walk_in_phone: Mapped[str | None] = mapped_column(Words)
    note: Mapped[str | None] = mapped_column(Words)  # the staff's own
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))  # who wrote it in
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # "I will come"
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # a safety answer; staff look
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Lead(Model):
    """A patient handed to a clinic: one row a run of the conversation. No health answer."""

    __tablename__ = "leads"
    __table_args__ = (
        CheckConstraint(f"status IN ({quoted(LEAD_STATUSES)})", name="status"),
        UniqueConstraint("chat_id", "run"),
        Index(None, "clinic_id", "status"),
        NEVER_AGAIN,
    )
    __pii_columns__ = frozenset({"chat_id", "verdict"})
    __plain_columns__ = frozenset(
        {
            "id",
            "clinic_id",
            "run",
            "kind",
            "score",
            "recheck_on",
            "campaign",
            "wants_person_at",
            "status",
            "status_at",
            "staff_id",
            "declined_why",
            "created_at",
            "updated_at",
        }
    )

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    clinic_id: Mapped[int | None] = mapped_column(ForeignKey("clinics.id"))
    chat_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("patients.chat_id"))
    run: Mapped[int]
    kind: Mapped[str] = mapped_column(Words)
    verdict: Mapped[str | None] = mapped_column(Words)
    score: Mapped[int | None]
    recheck_on: Mapped[date | None]
    campaign: Mapped[str | None] = mapped_column(Words)
    wants_person_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(Words)
    status_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    declined_why: Mapped[str | None] = mapped_column(Words)  # a code of the console's list
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
