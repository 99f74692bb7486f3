"""The way of patients through the questions, as the funnel counts it: no answer, no word."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Model, UtcDateTime, Words


class Intake(Model):
    """One run through a clinic's questions: by which link, with which version."""

    __tablename__ = "intakes"
    __table_args__ = (Index(None, "clinic_id", "started_at"),)
    __pii_columns__ = frozenset({"chat_id"})
    __plain_columns__ = frozenset(
        {"run", "clinic_id", "campaign", "protocol", "started_at", "agreed_at"}
    )

    chat_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("patients.chat_id"), primary_key=True, autoincrement=False
    )
    run: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinics.id"))
    campaign: Mapped[str | None] = mapped_column(Words)
    protocol: Mapped[str] = mapped_column(Words)  # key of protocol_versions
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    agreed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class StepVisit(Model):
    """A question that came up in a run. Which ones do tells of the patient."""

    __tablename__ = "step_visits"
    __table_args__ = (
        CheckConstraint("backs >= 0 AND changes >= 0", name="counts"),
        {"sqlite_with_rowid": False},  # every turn writes here: one tree instead of two
    )
    __pii_columns__ = frozenset({"chat_id", "step"})
    __plain_columns__ = frozenset(
        {"run", "reached_at", "answered_at", "passed_over", "backs", "changes"}
    )

    chat_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("patients.chat_id"), primary_key=True, autoincrement=False
    )
    run: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step: Mapped[str] = mapped_column(Words, primary_key=True)
    reached_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # for the first time
    passed_over: Mapped[bool]  # not answered, and not needed any more after a change elsewhere
    backs: Mapped[int]  # times the patient went back from it
    changes: Mapped[int]  # times its answer became another one
