"""Cheap marks that change when a clinic's leads, calendar or messages do."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, cast, func, select

from storage import console_sessions
from storage.models import Appointment, CalendarClash, Finding, Lead, LeadNote, Outbox, Thread
from storage.models.columns import Words


def look(
    connection: Connection, clinic_id: int, token: str, now: datetime
) -> dict[str, str] | None:
    """Return a mark for each topic of a clinic; None once the session of the token has ended."""
    found = console_sessions.find(connection, token, now)
    if found is None:
        return None
    on = now.astimezone(ZoneInfo(found[1].zone)).date()
    calendar = _mark(connection, _appointments(clinic_id)) + _mark(connection, _clashes(clinic_id))
    return {
        "leads": _mark(connection, _leads(clinic_id))
        + _mark(connection, _written(LeadNote, clinic_id))
        + _mark(connection, _written(Finding, clinic_id)),
        "calendar": calendar,
        "today": f"{calendar} {on}",  # another day shows other patients
        "messages": _mark(connection, _threads(clinic_id)) + _mark(connection, _sent(clinic_id)),
    }


def _mark(connection: Connection, statement: Select[*tuple[object, ...]]) -> str:
    return "/".join(str(part) for part in connection.execute(statement).one())


def _leads(clinic_id: int) -> Select[*tuple[object, ...]]:
    return select(func.count(), func.max(Lead.updated_at)).where(Lead.clinic_id == clinic_id)


def _written(model: type[LeadNote] | type[Finding], clinic_id: int) -> Select[*tuple[object, ...]]:
    return (
        select(func.count(), func.max(model.id))
        .join(Lead, Lead.id == model.lead_id)
        .where(Lead.clinic_id == clinic_id)
    )


def _appointments(clinic_id: int) -> Select[*tuple[object, ...]]:
    return select(
        func.count(), func.max(Appointment.updated_at), func.sum(Appointment.version)
    ).where(Appointment.clinic_id == clinic_id)


def _clashes(clinic_id: int) -> Select[*tuple[object, ...]]:
    return (
        select(func.count(), func.max(CalendarClash.id), func.max(CalendarClash.settled_at))
        .join(Appointment, Appointment.uid == CalendarClash.uid)
        .where(Appointment.clinic_id == clinic_id)
    )


def _threads(clinic_id: int) -> Select[*tuple[object, ...]]:
    return select(func.count(), func.max(Thread.updated_at)).where(Thread.clinic_id == clinic_id)


def _sent(clinic_id: int) -> Select[*tuple[object, ...]]:
    """How far the answers to patients are."""
    return (
        select(func.count(Outbox.sent_at), func.max(Outbox.sent_at), func.sum(Outbox.attempt))
        .select_from(Thread)
        .join(Outbox, (Outbox.ref_type == "thread") & (Outbox.ref_id == cast(Thread.id, Words)))
        .where(Thread.clinic_id == clinic_id, Thread.is_open)
    )
