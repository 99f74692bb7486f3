"""What happens after the chat: when to look at a patient again, reviews, the waiting list."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import COUNTER, Model, UtcDateTime, Words, quoted

OFFER_STATES = ("offered", "accepted", "declined", "expired", "gone")


class FollowUp(Model):
    """When a patient's history is to be looked at again, and what they want to hear of."""

    __tablename__ = "follow_ups"
    __table_args__ = (Index(None, "look_at"), Index(None, "recall_at"))
    __pii_columns__ = frozenset({"chat_id", "recall"})
    __plain_columns__ = frozenset(
        {
            "look_at",
            "stopped_kinds",
            "paused_at",
            "staff_id",
            "recall_at",
            "recall_told_at",
            "recall_lead_id",
            "called_at",
        }
    )

    chat_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("patients.chat_id"), primary_key=True, autoincrement=False
    )
    look_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: nothing lies ahead
    stopped_kinds: Mapped[str] = mapped_column(Words)  # separated by spaces
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # staff wait with this patient
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))  # who paused it
    recall: Mapped[str | None] = mapped_column(Words)  # why somebody might write or call
    recall_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # from when on
    recall_told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the same of one told of
    recall_lead_id: Mapped[int | None] = mapped_column(ForeignKey("leads.id"))  # it was told of
    called_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # staff called them last


class SeriesReview(Model):
    """What a patient says of a finished course."""

    __tablename__ = "series_reviews"
    __table_args__ = (CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),)
    __pii_columns__ = frozenset({"chat_id", "rating", "words"})
    __plain_columns__ = frozenset({"series_id", "at"})

    series_id: Mapped[str] = mapped_column(Words, primary_key=True)
    chat_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("patients.chat_id"))
    rating: Mapped[int]
    words: Mapped[str | None] = mapped_column(Words)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class WaitlistEntry(Model):
    """A patient who would like one appointment to be sooner."""

    __tablename__ = "waitlist_entries"
    __table_args__ = (Index(None, "clinic_id", "ended_at"), Index(None, "chat_id"))
    __pii_columns__ = frozenset({"chat_id"})
    __plain_columns__ = frozenset({"id", "clinic_id", "uid", "created_at", "ended_at", "ended_why"})

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinics.id"))
    chat_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("patients.chat_id"))
    uid: Mapped[str] = mapped_column(ForeignKey("appointments.uid"))  # what is to be sooner
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_why: Mapped[str | None] = mapped_column(Words)


class WaitlistOffer(Model):
    """A freed time that one waiting patient may have until `until_at`."""

    __tablename__ = "waitlist_offers"
    __table_args__ = (
        CheckConstraint(f"state IN ({quoted(OFFER_STATES)})", name="state"),
        CheckConstraint("starts_at < ends_at", name="order"),
        UniqueConstraint("entry_id", "practitioner_id", "starts_at"),
        Index(None, "practitioner_id", "starts_at"),
        Index(None, "state", "until_at"),
    )
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset(
        {
            "id",
            "entry_id",
            "practitioner_id",
            "starts_at",
            "ends_at",
            "state",
            "offered_at",
            "until_at",
        }
    )

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("waitlist_entries.id"))
    practitioner_id: Mapped[int] = mapped_column(ForeignKey("practitioners.id"))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(Words)
    offered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until_at: Mapped[datetime] = mapped_column(UtcDateTime)
