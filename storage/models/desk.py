"""What passes between a patient and the clinic's people: notes, findings, messages, photos."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import COUNTER, NEVER_AGAIN, Model, UtcDateTime, Words, quoted

FINDINGS = ("agree", "too_cautious", "missed")

AUTHORS = ("patient", "staff")


class LeadNote(Model):
    """What staff wrote down about a lead; the patient never sees it."""

    __tablename__ = "lead_notes"
    __table_args__ = (Index(None, "lead_id"),)
    __pii_columns__ = frozenset({"body"})
    __plain_columns__ = frozenset({"id", "lead_id", "staff_id", "at"})

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("leads.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    body: Mapped[str] = mapped_column(Words)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Finding(Model):
    """What a clinician says of a verdict after looking at it."""

    __tablename__ = "findings"
    __table_args__ = (
        CheckConstraint(f"finding IN ({quoted(FINDINGS)})", name="finding"),
        Index(None, "lead_id"),
    )
    __pii_columns__ = frozenset({"finding", "reason"})
    __plain_columns__ = frozenset({"id", "lead_id", "decision_id", "staff_id", "at"})

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    lead_id: Mapped[int] = mapped_column(ForeignKey("leads.id"))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    finding: Mapped[str] = mapped_column(Words)
    reason: Mapped[str] = mapped_column(Words)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Thread(Model):
    """The messages of one patient and one clinic; opened again when the patient writes again."""

    __tablename__ = "threads"
    __table_args__ = (
        UniqueConstraint("chat_id", "clinic_id"),
        Index(None, "clinic_id"),
        NEVER_AGAIN,
    )
    __pii_columns__ = frozenset({"chat_id"})
    __plain_columns__ = frozenset(
        {"id", "clinic_id", "staff_id", "is_open", "opened_at", "updated_at", "closed_at"}
    )

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinics.id"))
    chat_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("patients.chat_id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))  # who is on it
    is_open: Mapped[bool]
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ThreadMessage(Model):
    """One message of a thread. One of the staff's is sent by the outbox."""

    __tablename__ = "thread_messages"
    __table_args__ = (
        CheckConstraint(f"author IN ({quoted(AUTHORS)})", name="author"),
        Index(None, "thread_id"),
    )
    __pii_columns__ = frozenset({"body"})
    __plain_columns__ = frozenset({"id", "thread_id", "author", "staff_id", "at"})

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id"))
    author: Mapped[str] = mapped_column(Words)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    body: Mapped[str] = mapped_column(Words)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Photo(Model):
    """A photo that a patient sent after saying yes to it; Telegram keeps the picture itself."""

    __tablename__ = "photos"
    __table_args__ = (Index(None, "chat_id", "run"),)
    __pii_columns__ = frozenset({"chat_id", "file_id"})
    __plain_columns__ = frozenset({"id", "run", "at"})

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    chat_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("patients.chat_id"))
    run: Mapped[int]
    file_id: Mapped[str] = mapped_column(Words)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
