"""Verdicts with everything needed to reach them again, and the protocols they came from."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import COUNTER, NEVER_AGAIN, Model, UtcDateTime, Words


class Decision(Model):
    """One verdict of a conversation's run, with the answers it was made from."""

    __tablename__ = "decisions"
    __table_args__ = (Index(None, "chat_id", "run", "revision"), NEVER_AGAIN)
    __pii_columns__ = frozenset({"chat_id", "outcome", "answers", "verdict", "score", "plan"})
    __plain_columns__ = frozenset(
        {"id", "run", "revision", "protocol", "bookable", "decided_on", "at"}
    )

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    run: Mapped[int]
    revision: Mapped[int]
    protocol: Mapped[str] = mapped_column(Words)  # key of protocol_versions
    outcome: Mapped[str] = mapped_column(Words)
    bookable: Mapped[str | None] = mapped_column(Words)  # the service it allows
    answers: Mapped[str] = mapped_column(Words)
    verdict: Mapped[str] = mapped_column(Words)
    score: Mapped[str] = mapped_column(Words)
    plan: Mapped[str | None] = mapped_column(Words)
    decided_on: Mapped[date | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ProtocolVersion(Model):
    """A protocol's text as it was when a conversation was held with it. Old ones stay."""

    __tablename__ = "protocol_versions"
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset({"key", "digest", "text", "overrides", "first_used_at"})

    key: Mapped[str] = mapped_column(Words, primary_key=True)
    digest: Mapped[str] = mapped_column(Words)
    text: Mapped[str] = mapped_column(Words)
    overrides: Mapped[str] = mapped_column(Words)
    first_used_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ProtocolSignature(Model):
    """A clinician's agreement to one exact version of a protocol: only ever added to."""

    __tablename__ = "protocol_signatures"
    __table_args__ = (Index(None, "clinic_id"),)
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset(
        {"id", "clinic_id", "staff_id", "protocol", "digest", "name", "post", "at"}
    )

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinics.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"))  # who was signed in
    protocol: Mapped[str] = mapped_column(Words)  # key of the version
    digest: Mapped[str] = mapped_column(Words)
    name: Mapped[str] = mapped_column(Words)  # as the clinician wrote it
    post: Mapped[str] = mapped_column(Words)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
