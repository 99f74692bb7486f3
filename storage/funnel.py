"""How far people come: through the questions, to a verdict, to a visit, to the end of a course.

Counts are exact here; what is shown of small ones is the page's to decide. Whoever starts over
before a verdict counts once, by the later try.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, not_, or_, select
from sqlalchemy.orm import aliased

from flows.effects import LeadKind
from flows.protocol import Outcome
from storage import documents
from storage.models import Appointment, Conversation, Decision, Intake, Lead, StepVisit

#: Whoever has not written for so long has left.
QUIET = timedelta(days=1)

#: The filter of those who came without a campaign's link.
NO_CAMPAIGN = "-"

_TREATMENT = "treatment"
_BOOKED = ("pending", "booked", "arrived", "fulfilled", "noshow", "cancelled")
_CAME = ("arrived", "fulfilled")


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom to count; empty words ask for everybody."""

    clinic_id: int
    since: datetime | None = None  # when they started, aware UTC
    campaign: str = ""
    protocol: str = ""  # key of one version


@dataclass(frozen=True, slots=True)
class StepCount:
    """One question: how many people it came up for, and what they did."""

    step: str
    reached: int
    answered: int
    left: int  # reached, still to be answered, and nothing written for a day
    went_back: int  # from it
    changed: int  # its answer, later


@dataclass(frozen=True, slots=True)
class Stages:
    """The way from the first tap to the end of a course, in people."""

    started: int
    agreed: int
    verdicts: Mapping[str, int]  # outcome -> people whose last verdict it is
    booked: int  # or asked for a time, whatever became of it
    came: int
    finished: int  # came to every session that was planned


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be asked for within a time."""

    campaigns: tuple[str, ...]
    protocols: tuple[str, ...]  # the one used last first


def choices(connection: Connection, clinic_id: int, since: datetime | None) -> Choices:
    """Return the campaigns and versions of those who started since then."""
    own = and_(*_within(Scope(clinic_id, since)))
    campaigns = select(Intake.campaign).where(own, Intake.campaign.is_not(None)).distinct()
    protocols = select(Intake.protocol).where(own).group_by(Intake.protocol)
    latest = func.max(Intake.started_at).desc()
    return Choices(
        tuple(
            name or "" for name in connection.execute(campaigns.order_by(Intake.campaign)).scalars()
        ),
        tuple(connection.execute(protocols.order_by(latest, Intake.protocol)).scalars()),
    )


def steps(connection: Connection, scope: Scope, now: datetime) -> tuple[StepCount, ...]:
    """Count each question that came up, those of most people first.

    One that does not matter any more after a change elsewhere, and was never answered, is not
    counted for that person.
    """
    is_answered = StepVisit.answered_at.is_not(None)
    is_here = and_(Conversation.run == Intake.run, Conversation.updated_at > now - QUIET)
    reached = func.count()
    rows = connection.execute(
        select(
            StepVisit.step,
            reached,
            _people(is_answered),
            _people(and_(not_(is_answered), not_(is_here))),
            _people(StepVisit.backs > 0),
            _people(StepVisit.changes > 0),
        )
        .select_from(Intake)
        .join(StepVisit, and_(StepVisit.chat_id == Intake.chat_id, StepVisit.run == Intake.run))
        .join(Conversation, Conversation.chat_id == Intake.chat_id)
        .where(*_counted(scope), not_(and_(StepVisit.passed_over, not_(is_answered))))
        .group_by(StepVisit.step)
        .order_by(reached.desc(), StepVisit.step)
    )
    return tuple(StepCount(*row) for row in rows)


def stages(connection: Connection, scope: Scope) -> Stages:
    """Count the people who came to each stage."""
    outcome, booked, came = _outcome(), _has_visit(_BOOKED), _has_visit(_CAME)
    people = (
        select(
            outcome.label("outcome"),
            Intake.agreed_at.is_not(None).label("agreed"),
            booked.label("booked"),
            came.label("came"),
        )
        .where(*_counted(scope))
        .subquery()
    )
    rows = connection.execute(
        select(
            people.c.outcome,
            func.count().label("started"),
            _people(people.c.agreed).label("agreed"),
            _people(people.c.booked).label("booked"),
            _people(people.c.came).label("came"),
        ).group_by(people.c.outcome)
    ).all()
    return Stages(
        started=sum(row.started for row in rows),
        agreed=sum(row.agreed for row in rows),
        verdicts={row.outcome: row.started for row in rows if row.outcome},
        booked=sum(row.booked for row in rows),
        came=sum(row.came for row in rows),
        finished=_finished(connection, scope),
    )


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    found = [Intake.clinic_id == scope.clinic_id]
    if scope.since is not None:
        found.append(Intake.started_at >= scope.since)
    if scope.campaign == NO_CAMPAIGN:
        found.append(Intake.campaign.is_(None))
    elif scope.campaign:
        found.append(Intake.campaign == scope.campaign)
    if scope.protocol:
        found.append(Intake.protocol == scope.protocol)
    return found


def _counted(scope: Scope) -> list[ColumnElement[bool]]:
    later = aliased(Intake)
    tried_again = exists(
        select(later.run).where(
            later.chat_id == Intake.chat_id,
            later.run > Intake.run,
            later.clinic_id == Intake.clinic_id,
        )
    )
    return [*_within(scope), or_(not_(tried_again), _outcome().is_not(None))]


def _outcome() -> Any:
    """Return the last verdict of the run; words that mean an emergency are one."""
    red_flag = exists(
        select(Lead.id).where(
            Lead.chat_id == Intake.chat_id,
            Lead.run == Intake.run,
            Lead.kind == LeadKind.URGENT.value,
        )
    )
    verdict = (
        select(Decision.outcome)
        .where(Decision.chat_id == Intake.chat_id, Decision.run == Intake.run)
        .order_by(Decision.id.desc())
        .limit(1)
        .correlate(Intake)
        .scalar_subquery()
    )
    return case((red_flag, Outcome.URGENT.value), else_=verdict)


def _has_visit(states: tuple[str, ...]) -> ColumnElement[bool]:
    return exists(select(Appointment.uid).where(*_visits(), Appointment.state.in_(states)))


def _visits() -> tuple[ColumnElement[bool], ...]:
    return (
        Appointment.chat_id == Intake.chat_id,
        Appointment.run == Intake.run,
        Appointment.clinic_id == Intake.clinic_id,
    )


def _people(which: ColumnElement[bool]) -> Any:
    return func.coalesce(func.sum(case((which, 1), else_=0)), 0)


def _finished(connection: Connection, scope: Scope) -> int:
    """Count those who came to as many treatments as were planned before the first of them.

    A later plan of the same run is for the rest of the course, or for a visit a year on.
    """
    courses = (
        select(
            Intake.chat_id,
            Intake.run,
            func.count().label("came"),
            func.min(Appointment.starts_at).label("first_at"),
        )
        .join(Appointment, and_(*_visits()))
        .where(
            *_counted(scope),
            Appointment.service == _TREATMENT,
            Appointment.state.in_(_CAME),
        )
        .group_by(Intake.chat_id, Intake.run)
        .subquery()
    )
    plan = (
        select(Decision.plan)
        .where(
            Decision.chat_id == courses.c.chat_id,
            Decision.run == courses.c.run,
            Decision.plan.is_not(None),
            Decision.at <= courses.c.first_at,
        )
        .order_by(Decision.id.desc())
        .limit(1)
        .correlate(courses)
        .scalar_subquery()
    )
    rows = connection.execute(select(courses.c.came, plan.label("plan")))
    return sum(1 for row in rows if row.plan and row.came >= documents.read_plan(row.plan).sessions)
