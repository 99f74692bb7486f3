"""Patients, their conversations, the audit trail and the inbox of updates."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import COUNTER, Model, UtcDateTime, Words


class Patient(Model):
    """Someone who writes to the bot."""

    __tablename__ = "patients"
    __pii_columns__ = frozenset({"chat_id", "first_name", "phone"})
    __plain_columns__ = frozenset({"locale", "created_at", "unreachable_at", "stopped_at"})

    chat_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    first_name: Mapped[str] = mapped_column(Words)
    locale: Mapped[str] = mapped_column(Words)
    phone: Mapped[str | None] = mapped_column(Words)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    unreachable_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Conversation(Model):
    """The state of one chat. `document` holds all of it; other columns repeat parts for queries."""

    __tablename__ = "conversations"
    __table_args__ = (CheckConstraint("revision >= 0 AND run >= 1", name="counts"),)
    __pii_columns__ = frozenset({"chat_id", "state", "document"})
    __plain_columns__ = frozenset(
        {"clinic", "revision", "run", "protocol", "shown_revision", "message_id", "updated_at"}
        | {"reminding_until"}
    )

    chat_id: Mapped[int] = mapped_column(ForeignKey("patients.chat_id"), primary_key=True)
    clinic: Mapped[str | None] = mapped_column(Words)
    state: Mapped[str] = mapped_column(Words)  # a step or verdict, so it tells of the patient
    revision: Mapped[int]
    run: Mapped[int]
    protocol: Mapped[str] = mapped_column(Words)
    document: Mapped[str] = mapped_column(Words)
    shown_revision: Mapped[int | None]
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Until then one of several bots is about to show what was left unanswered.
    reminding_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Event(Model):
    """One line of the audit trail: only ever added to."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "chat_id", "run"),)
    __pii_columns__ = frozenset({"chat_id", "what"})
    __plain_columns__ = frozenset({"id", "run", "revision", "update_id", "at"})

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    run: Mapped[int]
    revision: Mapped[int]
    update_id: Mapped[int] = mapped_column(BigInteger)
    what: Mapped[str] = mapped_column(Words)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Inbox(Model):
    """Updates that were dealt with. A set: after a quiet week Telegram's ids start elsewhere.

    `payload` is the update itself, kept of a parked one so that it can be replayed.
    """

    __tablename__ = "inbox"
    __table_args__ = (
        CheckConstraint("state IN ('done', 'failed', 'parked', 'replay')", name="state"),
    )
    __pii_columns__ = frozenset({"payload"})
    __plain_columns__ = frozenset({"bot_id", "update_id", "state", "tries", "why", "at"})

    bot_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    update_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(Words)
    tries: Mapped[int]
    why: Mapped[str] = mapped_column(Words)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    payload: Mapped[str | None] = mapped_column(Words)
