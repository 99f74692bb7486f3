"""Clinics, their people, services and opening times. Nothing of a patient."""

from __future__ import annotations

from datetime import date, time

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Model, Words


class Clinic(Model):
    """A clinic's profile and booking rules; holidays are expanded when a calendar is read."""

    __tablename__ = "clinics"
    __table_args__ = (
        CheckConstraint("booking_mode IN ('request', 'hold', 'instant')", name="booking_mode"),
    )
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset(
        {
            "id",
            "slug",
            "name",
            "zone",
            "locale",
            "address",
            "phone",
            "map_url",
            "privacy_url",
            "emergency",
            "crisis_line",
            "protocol",
            "booking_mode",
            "hold_minutes",
            "cancel_minutes",
            "notice_minutes",
            "horizon_days",
            "holidays_country",
            "holidays_subdivision",
        }
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(Words, unique=True)
    name: Mapped[str] = mapped_column(Words)
    zone: Mapped[str] = mapped_column(Words)
    locale: Mapped[str] = mapped_column(Words)
    address: Mapped[str] = mapped_column(Words)
    phone: Mapped[str] = mapped_column(Words)
    map_url: Mapped[str] = mapped_column(Words)
    privacy_url: Mapped[str] = mapped_column(Words)
    emergency: Mapped[str] = mapped_column(Words)
    crisis_line: Mapped[str] = mapped_column(Words)
    protocol: Mapped[str] = mapped_column(Words)
    booking_mode: Mapped[str] = mapped_column(Words)
    hold_minutes: Mapped[int]
    cancel_minutes: Mapped[int]
    notice_minutes: Mapped[int]
    horizon_days: Mapped[int]
    holidays_country: Mapped[str] = mapped_column(Words)
    holidays_subdivision: Mapped[str] = mapped_column(Words)


class Practitioner(Model):
    """Someone who treats. One who leaves is closed, not deleted: old appointments name them."""

    __tablename__ = "practitioners"
    __table_args__ = (UniqueConstraint("clinic_id", "slug"),)
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset({"id", "clinic_id", "slug", "name", "position", "is_active"})

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinics.id"))
    slug: Mapped[str] = mapped_column(Words)
    name: Mapped[str] = mapped_column(Words)
    position: Mapped[int]
    is_active: Mapped[bool]


class Service(Model):
    """What a clinic does: how long, with which buffers, on which grid of starting times."""

    __tablename__ = "services"
    __table_args__ = (
        UniqueConstraint("clinic_id", "code"),
        CheckConstraint("minutes > 0 AND step_minutes > 0", name="length"),
        CheckConstraint("before_minutes >= 0 AND after_minutes >= 0", name="buffers"),
    )
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset(
        {
            "id",
            "clinic_id",
            "code",
            "name",
            "minutes",
            "before_minutes",
            "after_minutes",
            "step_minutes",
            "price",
        }
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinics.id"))
    code: Mapped[str] = mapped_column(Words)
    name: Mapped[str] = mapped_column(Words)
    minutes: Mapped[int]
    before_minutes: Mapped[int]
    after_minutes: Mapped[int]
    step_minutes: Mapped[int]
    price: Mapped[str] = mapped_column(Words)


class OpeningHours(Model):
    """Weekly hours of a practitioner, in the clinic's wall-clock time; weekday 0 is Monday."""

    __tablename__ = "opening_hours"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("opens < closes", name="order"),
        UniqueConstraint("practitioner_id", "weekday", "opens"),
    )
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset({"id", "practitioner_id", "weekday", "opens", "closes"})

    id: Mapped[int] = mapped_column(primary_key=True)
    practitioner_id: Mapped[int] = mapped_column(ForeignKey("practitioners.id"))
    weekday: Mapped[int]
    opens: Mapped[time]
    closes: Mapped[time]


class DayOverride(Model):
    """Hours of one date instead of the weekly ones; a row without hours means closed."""

    __tablename__ = "day_overrides"
    __table_args__ = (
        CheckConstraint("(opens IS NULL) = (closes IS NULL)", name="both"),
        CheckConstraint("opens < closes", name="order"),
        UniqueConstraint("practitioner_id", "on_date", "opens"),
    )
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset({"id", "practitioner_id", "on_date", "opens", "closes"})

    id: Mapped[int] = mapped_column(primary_key=True)
    practitioner_id: Mapped[int] = mapped_column(ForeignKey("practitioners.id"))
    on_date: Mapped[date]
    opens: Mapped[time | None]
    closes: Mapped[time | None]


class Closure(Model):
    """Local dates, both inclusive, on which the whole clinic is closed."""

    __tablename__ = "closures"
    __table_args__ = (
        CheckConstraint("from_on <= until_on", name="order"),
        UniqueConstraint("clinic_id", "from_on"),
    )
    __pii_columns__ = frozenset[str]()
    __plain_columns__ = frozenset({"id", "clinic_id", "from_on", "until_on", "note"})

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinics.id"))
    from_on: Mapped[date]
    until_on: Mapped[date]
    note: Mapped[str] = mapped_column(Words)
