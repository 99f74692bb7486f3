"""One patient's nudges as staff see them, and what staff do: pause, resume, send one, call."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from flows.follow_up import NudgeKind, Silence
from flows.nudges import Standing, outlook
from flows.recalls import by_hand
from storage import audit, follow_ups, histories, outbox, upserts
from storage.lead_work import Whose
from storage.models import WAITING, Clinic, Conversation, FollowUp, Lead, Outbox, StaffMember
from storage.outbox_policy import Kind

PAUSED = "Paused"

#: Stands in the key of a nudge that somebody of the clinic sent.
BY_STAFF = ":staff:"


class Sending(StrEnum):
    """What became of a wish to send a nudge now."""

    QUEUED = "queued"
    ALREADY = "already"  # today
    NOT_NOW = "not_now"  # it makes no sense now, or the patient must not be written to
    UNKNOWN = "unknown"  # the clinic has no such lead


@dataclass(frozen=True, slots=True)
class NudgeLine:
    """One nudge of a patient and what became of it."""

    kind: str
    standing: Standing
    why: str  # a `Silence`, or why the outbox did not send it; empty where nothing is in the way
    at: datetime  # sent, or due
    state: str = ""  # of the outbox; empty where nothing was made yet
    by_staff: bool = False


@dataclass(frozen=True, slots=True)
class NudgeSheet:
    """All nudges of one patient, and what may be done."""

    lines: tuple[NudgeLine, ...]
    silences: frozenset[Silence]
    paused_at: datetime | None
    paused_by: str
    called_at: datetime | None
    choices: tuple[NudgeKind, ...]  # may be sent now


def sheet(connection: Connection, clinic_id: int, lead_id: int, now: datetime) -> NudgeSheet | None:
    """Return the nudges of a lead's patient; None where the clinic does not follow them up."""
    chat_id = _chat(connection, clinic_id, lead_id)
    history = histories.load(connection, chat_id, now) if chat_id is not None else None
    if chat_id is None or history is None:
        return None
    made = _made(connection, chat_id)
    told = {(line.kind, ref) for ref, line in made}
    lines = [line for _, line in made]
    lines += [
        NudgeLine(each.nudge.kind.value, each.standing, each.why, each.nudge.due_at)
        for each in outlook(history, now)
        if (each.nudge.kind.value, each.nudge.ref) not in told
    ]
    row = connection.execute(
        select(FollowUp.paused_at, FollowUp.called_at, StaffMember.name)
        .outerjoin(StaffMember, StaffMember.id == FollowUp.staff_id)
        .where(FollowUp.chat_id == chat_id)
    ).one_or_none()
    return NudgeSheet(
        tuple(sorted(lines, key=lambda line: line.at)),
        history.silences,
        row.paused_at if row else None,
        (row.name or "") if row else "",
        row.called_at if row else None,
        tuple(each.kind for each in by_hand(history, now)),
    )


def pause(connection: Connection, whose: Whose) -> bool:
    """Send this patient nothing by itself any more, nor what waits; False: no such lead."""
    chat_id = _chat(connection, whose.clinic_id, whose.lead_id)
    if chat_id is None:
        return False
    _set(connection, chat_id, paused_at=whose.now, staff_id=whose.staff_id)
    connection.execute(
        update(Outbox)
        .where(
            Outbox.chat_id == chat_id,
            Outbox.kind == Kind.NUDGE.value,
            Outbox.state.in_(WAITING),
        )
        .values(state="cancelled", last_error=PAUSED, lease_token=None, lease_until=None)
    )
    _record(connection, whose, "nudges.paused", chat_id)
    return True


def resume(connection: Connection, whose: Whose) -> bool:
    """Let messages come by themselves again; False: no such lead."""
    chat_id = _chat(connection, whose.clinic_id, whose.lead_id)
    if chat_id is None:
        return False
    _set(connection, chat_id, paused_at=None, staff_id=whose.staff_id)
    _record(connection, whose, "nudges.resumed", chat_id)
    return True


def called(connection: Connection, whose: Whose) -> bool:
    """Note that somebody called this patient; False: no such lead."""
    chat_id = _chat(connection, whose.clinic_id, whose.lead_id)
    if chat_id is None:
        return False
    _set(connection, chat_id, called_at=whose.now)
    _record(connection, whose, "patient.called", chat_id)
    return True


def send(connection: Connection, whose: Whose, kind: str) -> Sending:
    """Send one nudge now, once a day at most; the outbox keeps quiet hours and heeds a stop."""
    chat_id = _chat(connection, whose.clinic_id, whose.lead_id)
    if chat_id is None:
        return Sending.UNKNOWN
    history = histories.load(connection, chat_id, whose.now)
    wanted = by_hand(history, whose.now) if history else ()
    nudge = next((each for each in wanted if each.kind == kind), None)
    if nudge is None or history is None:
        return Sending.NOT_NOW
    today = whose.now.astimezone(ZoneInfo(history.zone)).date()
    message = follow_ups.message(chat_id, nudge, whose.now, f":staff:{today.isoformat()}")
    if not outbox.enqueue(connection, message, whose.now):
        return Sending.ALREADY
    _record(connection, whose, "nudge.sent", chat_id)
    return Sending.QUEUED


def _chat(connection: Connection, clinic_id: int, lead_id: int) -> int | None:
    """Return the patient of a lead, while their chat is with this clinic."""
    return connection.execute(
        select(Lead.chat_id)
        .join(Conversation, Conversation.chat_id == Lead.chat_id)
        .join(Clinic, Clinic.slug == Conversation.clinic)
        .where(Lead.id == lead_id, Lead.clinic_id == clinic_id, Clinic.id == clinic_id)
    ).scalar()


def _set(connection: Connection, chat_id: int, **values: object) -> None:
    fresh = upserts.insert(connection.dialect.name, FollowUp).values(
        chat_id=chat_id, stopped_kinds="", **values
    )
    connection.execute(fresh.on_conflict_do_update(index_elements=["chat_id"], set_=values))


def _record(connection: Connection, whose: Whose, what: str, chat_id: int) -> None:
    follow_ups.mark(connection, chat_id, whose.now)
    audit.record(
        connection, whose.clinic_id, whose.staff_id, what, "lead", whose.lead_id, whose.now
    )


def _made(connection: Connection, chat_id: int) -> list[tuple[str, NudgeLine]]:
    rows = connection.execute(
        select(Outbox)
        .where(Outbox.chat_id == chat_id, Outbox.kind == Kind.NUDGE.value)
        .order_by(Outbox.id)
    )
    found = []
    for row in rows:
        payload = json.loads(row.payload)
        standing = Standing.SENT if row.state in ("sent", "uncertain") else Standing.MISSED
        if row.state in (*WAITING, "sending"):
            standing = Standing.WAITING
        line = NudgeLine(
            kind=payload["nudge"],
            standing=standing,
            why="" if row.state == "sent" else row.last_error or "",
            at=row.sent_at or row.due_at,
            state=row.state,
            by_staff=BY_STAFF in row.key,
        )
        found.append((payload["ref"], line))
    return found
