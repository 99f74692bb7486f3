"""The clinic's people: who may see what, how they signed in, and what they looked at."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import COUNTER, Model, UtcDateTime, Words, quoted

ROLES = ("owner", "staff")

PURPOSES = ("invite", "sign_in")


class StaffMember(Model):
    """Someone of a clinic. One who leaves is marked, not deleted: the record names them."""

    __tablename__ = "staff_members"
    __table_args__ = (
        CheckConstraint(f"role IN ({quoted(ROLES)})", name="role"),
        UniqueConstraint("clinic_id", "chat_id"),
        Index(None, "chat_id"),
    )
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset(
        {
            "id",
            "clinic_id",
            "name",
            "role",
            "chat_id",
            "wants_cards",
            "totp_secret",
            "totp_used",
            "created_at",
            "joined_at",
            "removed_at",
        }
    )

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinics.id"))
    name: Mapped[str] = mapped_column(Words)
    role: Mapped[str] = mapped_column(Words)
    chat_id: Mapped[int | None] = mapped_column(BigInteger)  # their own Telegram chat
    wants_cards: Mapped[bool]  # a card in Telegram for each new lead
    totp_secret: Mapped[str | None] = mapped_column(Words)  # sealed
    totp_used: Mapped[int | None] = mapped_column(BigInteger)  # last time step used, never again
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    joined_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class StaffToken(Model):
    """A single-use link: an invitation, or a way into the console. Only its digest is kept."""

    __tablename__ = "staff_tokens"
    __table_args__ = (CheckConstraint(f"purpose IN ({quoted(PURPOSES)})", name="purpose"),)
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset(
        {"digest", "staff_id", "purpose", "created_at", "expires_at", "used_at"}
    )

    digest: Mapped[str] = mapped_column(Words, primary_key=True)  # SHA-256, hexadecimal
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"))
    purpose: Mapped[str] = mapped_column(Words)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ConsoleSession(Model):
    """Someone signed in to the console. Only the cookie's digest is kept."""

    __tablename__ = "console_sessions"
    __table_args__ = (Index(None, "staff_id"),)
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset(
        {"digest", "staff_id", "is_verified", "created_at", "seen_at", "expires_at", "ended_at"}
    )

    digest: Mapped[str] = mapped_column(Words, primary_key=True)  # SHA-256, hexadecimal
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"))
    is_verified: Mapped[bool]  # the second factor was given, or none is asked for
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)  # whatever is done meanwhile
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AuditEntry(Model):
    """What somebody of a clinic looked at or did: only ever added to. Ids and codes only."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index(None, "clinic_id", "at"), Index(None, "subject", "subject_id"))
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset(
        {"id", "clinic_id", "staff_id", "what", "subject", "subject_id", "at"}
    )

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinics.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    what: Mapped[str] = mapped_column(Words)  # as "lead.viewed", "appointment.moved"
    subject: Mapped[str] = mapped_column(Words)  # as "lead", "appointment"
    subject_id: Mapped[str] = mapped_column(Words)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
