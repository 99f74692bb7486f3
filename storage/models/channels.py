"""Where a clinic's leads and appointments go: its own systems and its own calendars."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import COUNTER, Model, UtcDateTime, Words, quoted

CHANNELS = ("webhook", "mail")

#: What is offered while a clinic's own calendar cannot be read: nothing, or what was last known.
STALE_POLICIES = ("closed", "show_age")

#: What was done outside: something lies over an appointment, or the appointment itself was changed.
CLASH_KINDS = ("overlap", "moved", "deleted")


class LeadChannel(Model):
    """An address that is told of leads and bookings."""

    __tablename__ = "lead_channels"
    __table_args__ = (
        CheckConstraint(f"kind IN ({quoted(CHANNELS)})", name="kind"),
        UniqueConstraint("clinic_id", "address"),
    )
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset(
        {
            "id",
            "clinic_id",
            "kind",
            "address",
            "secret",
            "old_secret",
            "event_types",
            "includes_answers",
            "created_at",
            "disabled_at",
            "disabled_why",
        }
    )

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinics.id"))
    kind: Mapped[str] = mapped_column(Words)
    address: Mapped[str] = mapped_column(Words)  # a URL or an e-mail address
    secret: Mapped[str | None] = mapped_column(Words)  # sealed; signs what is sent
    old_secret: Mapped[str | None] = mapped_column(Words)  # sealed; signs too while it is replaced
    event_types: Mapped[str] = mapped_column(Words)  # separated by spaces; empty: all
    includes_answers: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    disabled_why: Mapped[str | None] = mapped_column(Words)


class FeedToken(Model):
    """The secret address of a practitioner's calendar feed. Only its digest is kept."""

    __tablename__ = "feed_tokens"
    __table_args__ = (Index(None, "practitioner_id"),)
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset({"digest", "practitioner_id", "created_at", "revoked_at"})

    digest: Mapped[str] = mapped_column(Words, primary_key=True)  # SHA-256, hexadecimal
    practitioner_id: Mapped[int] = mapped_column(ForeignKey("practitioners.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CalendarAccount(Model):
    """A practitioner's own calendar on a CalDAV server."""

    __tablename__ = "calendar_accounts"
    __table_args__ = (
        CheckConstraint(f"when_stale IN ({quoted(STALE_POLICIES)})", name="when_stale"),
        CheckConstraint("stale_minutes > 0", name="stale_minutes"),
        UniqueConstraint("practitioner_id"),
    )
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset(
        {
            "id",
            "practitioner_id",
            "url",
            "username",
            "password",
            "when_stale",
            "stale_minutes",
            "sync_token",
            "read_at",
            "synced_at",
            "next_at",
            "failures",
            "failed_at",
            "failure",
            "write_next_at",
            "write_failure",
            "created_at",
        }
    )

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    practitioner_id: Mapped[int] = mapped_column(ForeignKey("practitioners.id"))
    url: Mapped[str] = mapped_column(Words)
    username: Mapped[str] = mapped_column(Words)
    password: Mapped[str] = mapped_column(Words)  # sealed
    when_stale: Mapped[str] = mapped_column(Words)
    stale_minutes: Mapped[int]  # what was read longer ago is stale
    sync_token: Mapped[str | None] = mapped_column(Words)
    read_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime
    )  # last time it was read as a whole
    synced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # last time that all was well
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)  # not asked again before
    failures: Mapped[int]  # in a row
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failure: Mapped[str | None] = mapped_column(Words)  # in words that staff can act on
    write_next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # nothing written before
    write_failure: Mapped[str | None] = mapped_column(Words)  # while something waits to be written
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ExternalBusy(Model):
    """Time that is taken in a practitioner's own calendar: when, never why."""

    __tablename__ = "external_busy"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="order"),
        UniqueConstraint("account_id", "href", "starts_at"),
        Index(None, "account_id", "ends_at"),
    )
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset({"id", "account_id", "href", "starts_at", "ends_at"})

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("calendar_accounts.id"))
    href: Mapped[str] = mapped_column(Words)  # the resource that it was read from
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CalendarPush(Model):
    """An appointment as it was last written to a practitioner's own calendar.

    One that was changed outside is marked with a `sequence` of -1, so that it is written again.
    """

    __tablename__ = "calendar_pushes"
    __table_args__ = (Index(None, "uid"),)
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset(
        {"account_id", "uid", "href", "etag", "sequence", "starts_at", "ends_at", "pushed_at"}
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("calendar_accounts.id"), primary_key=True)
    uid: Mapped[str] = mapped_column(ForeignKey("appointments.uid"), primary_key=True)
    href: Mapped[str] = mapped_column(Words)
    etag: Mapped[str] = mapped_column(Words)
    sequence: Mapped[int]
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    pushed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CalendarClash(Model):
    """Something done in the practitioner's own calendar that does not agree with an appointment."""

    __tablename__ = "calendar_clashes"
    __table_args__ = (
        CheckConstraint(f"kind IN ({quoted(CLASH_KINDS)})", name="kind"),
        UniqueConstraint("uid", "kind", "starts_at", "ends_at"),
        Index(None, "account_id"),
    )
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset(
        {"id", "account_id", "uid", "kind", "starts_at", "ends_at", "found_at", "settled_at"}
    )

    id: Mapped[int] = mapped_column(COUNTER, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("calendar_accounts.id"))
    uid: Mapped[str] = mapped_column(ForeignKey("appointments.uid"))
    kind: Mapped[str] = mapped_column(Words)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)  # of what is there outside
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
