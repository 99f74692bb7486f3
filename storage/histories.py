"""What is known of a patient after the chat, read as the value that nudges are decided from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, select

from flows import conversation as values
from flows.conversation import Stage
from flows.follow_up import (
    LOW_RATING,
    Course,
    History,
    NudgeKind,
    Sent,
    Silence,
    Visit,
    VisitState,
)
from flows.plan import Plan
from storage import documents
from storage.models import (
    WAITING,
    Appointment,
    Clinic,
    Conversation,
    Decision,
    FollowUp,
    Lead,
    Outbox,
    Patient,
    SeriesReview,
    table_of,
)
from storage.outbox_policy import Kind

TREATMENT = "treatment"

_CHATS, _PATIENTS, _FOLLOW_UPS = table_of(Conversation), table_of(Patient), table_of(FollowUp)

#: Built once: every look at a patient runs these.
_PERSON = (
    select(
        _CHATS.c.document,
        _CHATS.c.updated_at,
        _PATIENTS.c.stopped_at,
        _PATIENTS.c.unreachable_at,
        _FOLLOW_UPS.c.paused_at,
        _FOLLOW_UPS.c.stopped_kinds,
        _FOLLOW_UPS.c.called_at,
        Clinic.zone,
        Lead.recheck_on,
        Lead.kind,
    )
    .join_from(_CHATS, _PATIENTS, _PATIENTS.c.chat_id == _CHATS.c.chat_id)
    .outerjoin(_FOLLOW_UPS, _FOLLOW_UPS.c.chat_id == _CHATS.c.chat_id)
    .outerjoin(Clinic, Clinic.slug == _CHATS.c.clinic)
    .outerjoin(Lead, (Lead.chat_id == _CHATS.c.chat_id) & (Lead.run == _CHATS.c.run))
    .where(_CHATS.c.chat_id == bindparam("chat"))
)

#: When the run that an appointment was booked in came to its last verdict.
_SCREENED = (
    select(func.max(Decision.at))
    .where(Decision.chat_id == Appointment.chat_id, Decision.run == Appointment.run)
    .scalar_subquery()
    .label("screened_at")
)

_VISITS = (
    select(table_of(Appointment), _SCREENED)
    .where(Appointment.chat_id == bindparam("chat"))
    .order_by(Appointment.starts_at)
)

#: What waits for the end of the quiet hours counts from then on, however early it was made.
_AT = case(
    (Outbox.state.in_(WAITING), Outbox.due_at),
    else_=func.coalesce(Outbox.sent_at, Outbox.created_at),
).label("at")

_SENT = select(Outbox.payload, _AT).where(
    Outbox.chat_id == bindparam("chat"), Outbox.kind == Kind.NUDGE.value
)

_RATED = select(SeriesReview.rating, SeriesReview.at).where(
    SeriesReview.series_id == bindparam("series"), SeriesReview.chat_id == bindparam("chat")
)

_PLAN = (
    select(Decision.plan)
    .where(
        Decision.chat_id == bindparam("chat"),
        Decision.run == bindparam("run"),
        Decision.plan.is_not(None),
    )
    .order_by(Decision.id.desc())
    .limit(1)
)

#: States of the chat in which something waits for the patient, besides the protocol's questions.
_OPEN = frozenset(
    {Stage.REVIEW, Stage.PLAN, Stage.CONSULT, Stage.PICK_DAY, Stage.PICK_TIME, Stage.CONTACT}
)
_CLOSED = frozenset(Stage) - _OPEN


@dataclass(frozen=True, slots=True)
class _Visits:
    """A patient's appointments, and the run that the last course of treatments came from."""

    all: tuple[Visit, ...]
    series_id: str = ""
    run: int = 0
    cancelled_at: datetime | None = None
    hold_until: datetime | None = None


def load(connection: Connection, chat_id: int, now: datetime) -> History | None:
    """Return the patient's history as of `now`; None for a chat that has no conversation."""
    person = connection.execute(_PERSON, {"chat": chat_id}).one_or_none()
    if person is None:
        return None
    conversation = documents.read_conversation(person.document)
    visits = _visits(connection, chat_id, conversation.run, now)
    sent = _sent(connection, chat_id)
    return History(
        zone=person.zone or "UTC",
        run=conversation.run,
        silences=_silences(person, conversation, visits.all),
        stopped_kinds=_stopped_kinds(person),
        is_open=conversation.state not in _CLOSED,
        last_step_at=person.updated_at,
        cancelled_at=visits.cancelled_at,
        recheck_on=person.recheck_on if conversation.state == Stage.DEFERRED else None,
        hold_until=visits.hold_until,
        visits=visits.all,
        course=_course(connection, chat_id, visits.series_id, visits.run),
        sent=sent,
        last_wrote_at=person.updated_at,
        unhappy_at=_unhappy_at(connection, chat_id, conversation.rated, person.called_at),
        declined=conversation.declined,
    )


def is_end_of_course(connection: Connection, visit: Row[Any], now: datetime) -> bool:
    """Say whether an appointment is the session that a plan ends with, be it the last plan or not.

    Never that of a walk-in or a consultation: those follow no plan.
    """
    if visit.chat_id is None:
        return False
    history = load(connection, visit.chat_id, now)
    course = _course(connection, visit.chat_id, visit.series_id, visit.run)
    last = history.end_of(course) if history and course else None
    return last is not None and last.uid == visit.uid


def _silences(
    person: Row[Any], conversation: values.Conversation, visits: tuple[Visit, ...]
) -> frozenset[Silence]:
    has_agreed = conversation.state != Stage.NO_CONSENT and (bool(conversation.answers) or visits)
    found = {
        Silence.STOPPED: person.stopped_at is not None,
        Silence.UNREACHABLE: person.unreachable_at is not None,
        Silence.PAUSED: person.paused_at is not None,
        Silence.RED_FLAG: conversation.red_flag is not None or conversation.state == Stage.URGENT,
        Silence.WITHDRAWN: not has_agreed,
    }
    return frozenset(silence for silence, holds in found.items() if holds)


def _stopped_kinds(person: Row[Any]) -> frozenset[NudgeKind]:
    return frozenset(NudgeKind(kind) for kind in (person.stopped_kinds or "").split())


def _visits(connection: Connection, chat_id: int, run: int, now: datetime) -> _Visits:
    rows = connection.execute(_VISITS, {"chat": chat_id}).all()
    found = tuple(_visit(row) for row in rows)
    treatments = [
        row for row in rows if row.service == TREATMENT and row.state not in ("held", "cancelled")
    ]
    cancelled = [row.updated_at for row in rows if row.state == "cancelled" and row.run == run]
    ahead = [visit for visit in found if visit.starts_at > now and visit.is_expected]
    holds = [row.hold_until for row in rows if row.state == "held" and row.hold_until > now]
    last = max(treatments, key=lambda row: (row.run, row.created_at), default=None)
    return _Visits(
        found,
        last.series_id if last else "",
        last.run if last else 0,
        max(cancelled) if cancelled and not ahead else None,
        max(holds, default=None),
    )


def _visit(row: Row[Any]) -> Visit:
    return Visit(
        uid=row.uid,
        series_id=row.series_id,
        number=row.number,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        state=VisitState(row.state),
        version=row.sequence,
        is_treatment=row.service == TREATMENT,
        is_confirmed=row.confirmed_at is not None,
        is_paused=row.paused_at is not None,
        chosen_at=row.updated_at,
        screened_at=row.screened_at,
    )


def _course(connection: Connection, chat_id: int, series_id: str, run: int) -> Course | None:
    if not series_id:
        return None
    document = connection.execute(_PLAN, {"chat": chat_id, "run": run}).scalar()
    if document is None:
        return None
    plan = documents.read_plan(document)
    return Course(
        series_id,
        plan.sessions,
        plan.spacing,
        review_weeks=(plan.review_on - plan.proposed_on[-1]).days // 7,
        refresher_months=_months(plan),
    )


def _unhappy_at(
    connection: Connection, chat_id: int, series_id: str, called_at: datetime | None
) -> datetime | None:
    """Return when the course rated last was rated low, unless somebody has called since."""
    if not series_id:
        return None
    row = connection.execute(_RATED, {"chat": chat_id, "series": series_id}).one_or_none()
    if row is None or row.rating > LOW_RATING:
        return None
    rated_at: datetime = row.at
    return None if called_at is not None and called_at >= rated_at else rated_at


def _months(plan: Plan) -> int:
    last, again = plan.proposed_on[-1], plan.refresher_on
    return (again.year - last.year) * 12 + again.month - last.month


def _sent(connection: Connection, chat_id: int) -> tuple[Sent, ...]:
    """Every message that was ever made counts: one that was taken back is not made again."""
    rows = connection.execute(_SENT, {"chat": chat_id})
    found = ((json.loads(row.payload), row.at) for row in rows)
    return tuple(Sent(payload["nudge"], payload["ref"], at) for payload, at in found)
