"""Messages that are sent outside a turn, each with the lease of whoever is sending it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import COUNTER, Model, UtcDateTime, Words, quoted

#: States in which a message may still be taken back: nobody has begun to send it.
WAITING = ("pending", "claimed")

OUTBOX_STATES = (*WAITING, "sending", "sent", "uncertain", "dead", "cancelled", "blocked")


class Outbox(Model):
    """One message, of ids and text keys: its words are made when it is sent.

    Rows stay, for `key` keeps a message from being made twice.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint(f"state IN ({quoted(OUTBOX_STATES)})", name="state"),
        CheckConstraint("attempt >= 0 AND doubts >= 0", name="counts"),
        CheckConstraint(
            "state NOT IN ('claimed', 'sending') "
            "OR (lease_token IS NOT NULL AND lease_until IS NOT NULL)",
            name="lease",
        ),
        Index(None, "state", "due_at"),
        Index(None, "ref_type", "ref_id"),
        Index(None, "chat_id"),
    )
    __pii_columns__ = frozenset({"chat_id", "payload"})
    __plain_columns__ = frozenset(
        {
            "id",
            "key",
            "kind",
            "ref_type",
            "ref_id",
            "due_at",
            "not_after",
            "state",
            "attempt",
            "doubts",
            "lease_token",
            "lease_until",
            "message_id",
            "last_error",
            "created_at",
            "sent_at",
        }
    )

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    key: Mapped[str] = mapped_column(Words, unique=True)  # made of ids, never of a person's words
    kind: Mapped[str] = mapped_column(Words)
    chat_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("patients.chat_id"))
    ref_type: Mapped[str] = mapped_column(Words)  # "" or what `ref_id` names, as "appointment"
    ref_id: Mapped[str] = mapped_column(Words)
    payload: Mapped[str] = mapped_column(Words)  # JSON
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    not_after: Mapped[datetime | None] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(Words)
    attempt: Mapped[int]  # times it was armed
    doubts: Mapped[int]  # of those, how often nobody knows whether it arrived
    lease_token: Mapped[str | None] = mapped_column(Words)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    last_error: Mapped[str | None] = mapped_column(Words)  # a class name, or why it was not sent
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
