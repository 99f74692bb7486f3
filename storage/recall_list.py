"""Whom the clinic might write to or call: found by what the last look at each patient said."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select
from sqlalchemy.orm import aliased

from flows.nudges import Outlook, outlook
from flows.recalls import GIVEN_UP, Why
from storage import histories
from storage.models import Clinic, Conversation, FollowUp, Lead, Patient

PER_PAGE = 20

#: From so long after its day on a recall is overdue.
OVERDUE = timedelta(days=14)

#: So long after a call somebody is left in peace.
CALLED_FOR = timedelta(days=14)


class Group(StrEnum):
    """A part of the list."""

    DUE = "due"
    OVERDUE = "overdue"
    UNREACHABLE = "unreachable"
    WAITING = "waiting"  # its day is still to come, or they were called


@dataclass(frozen=True, slots=True)
class RecallLine:
    """One patient of the list. Name and phone number are no part of its `repr`."""

    lead_id: int
    why: Why | None  # None: out of reach, and nothing else
    since: datetime | None
    paused_at: datetime | None
    called_at: datetime | None
    unreachable_at: datetime | None
    nudges: tuple[Outlook, ...]  # every nudge and how it stands
    first_name: str = field(repr=False)
    phone: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecallPage:
    """Some of a group's patients, and how many there are in each group."""

    lines: tuple[RecallLine, ...]
    counts: dict[Group, int]
    number: int  # of this page, from 1
    pages: int  # at least 1


def page(
    connection: Connection, clinic_id: int, group: Group, number: int, now: datetime
) -> RecallPage:
    """Return one page of a group, those who wait longest first."""
    counts = {
        each: connection.execute(
            _of(clinic_id, select(func.count()).select_from(FollowUp)).where(_in(each, now))
        ).scalar_one()
        for each in Group
    }
    pages = max(1, -(-counts[group] // PER_PAGE))
    number = min(max(1, number), pages)
    wanted = (
        FollowUp.chat_id,
        FollowUp.recall,
        FollowUp.recall_at,
        FollowUp.paused_at,
        FollowUp.called_at,
        Patient.unreachable_at,
        Patient.first_name,
        Patient.phone,
        Lead.id,
    )
    rows = connection.execute(
        _of(clinic_id, select(*wanted).select_from(FollowUp))
        .where(_in(group, now))
        .order_by(FollowUp.recall_at, FollowUp.chat_id)
        .limit(PER_PAGE)
        .offset((number - 1) * PER_PAGE)
    ).all()
    return RecallPage(tuple(_line(connection, row, now) for row in rows), counts, number, pages)


def _of(clinic_id: int, statement: Any) -> Any:
    """Keep to the patients whose last lead, and chat, are the clinic's and who want to hear."""
    later = aliased(Lead)
    is_last = not_(
        select(later.id).where(later.chat_id == Lead.chat_id, later.run > Lead.run).exists()
    )
    return (
        statement.join(Lead, and_(Lead.chat_id == FollowUp.chat_id, is_last))
        .join(Patient, Patient.chat_id == FollowUp.chat_id)
        .join(Conversation, Conversation.chat_id == FollowUp.chat_id)
        .join(Clinic, and_(Clinic.slug == Conversation.clinic, Clinic.id == Lead.clinic_id))
        .where(
            Lead.clinic_id == clinic_id,
            Lead.status != "declined",
            Lead.kind != "urgent",
            Patient.stopped_at.is_(None),
        )
    )


def _in(group: Group, now: datetime) -> ColumnElement[bool]:
    at = FollowUp.recall_at
    was_called = and_(FollowUp.called_at.is_not(None), FollowUp.called_at > now - CALLED_FOR)
    is_lost = Patient.unreachable_at.is_not(None)
    to_do = and_(not_(was_called), not_(is_lost))
    match group:
        case Group.DUE:
            return and_(to_do, at <= now, at > now - OVERDUE)
        case Group.OVERDUE:
            return and_(to_do, at <= now - OVERDUE, at > now - GIVEN_UP)
        case Group.UNREACHABLE:
            return and_(is_lost, not_(was_called))
        case Group.WAITING:
            called = and_(was_called, or_(at > now - GIVEN_UP, is_lost))
            return or_(and_(not_(is_lost), at > now), called)


def _line(connection: Connection, row: Any, now: datetime) -> RecallLine:
    history = histories.load(connection, row.chat_id, now)
    return RecallLine(
        lead_id=row.id,
        why=Why(row.recall) if row.recall else None,
        since=row.recall_at,
        paused_at=row.paused_at,
        called_at=row.called_at,
        unreachable_at=row.unreachable_at,
        nudges=outlook(history, now) if history else (),
        first_name=row.first_name,
        phone=row.phone,
    )
