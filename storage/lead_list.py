"""A clinic's leads as a list: filtered, searched, sorted, counted and cut into pages by SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, not_, or_, select

from flows.effects import LeadKind
from flows.protocol import Outcome
from storage import audit, leads
from storage.models import Appointment, Decision, Finding, Lead, Patient, StaffMember

PER_PAGE = 25

#: Readiness in words, with the scores it stands for, both ends included: as `eligibility.band`.
BANDS: Mapping[str, tuple[int, int]] = {"high": (70, 100), "medium": (40, 69), "low": (0, 39)}

#: The filter of leads that came without a campaign's link.
NO_CAMPAIGN = "-"

#: States in which a session is, was, or is asked to be there.
_TO_BE_KEPT = ("pending", "booked", "arrived", "fulfilled")

_SHORTEST_PHONE = 4  # digits that are looked for in phone numbers


class Order(StrEnum):
    """What comes first."""

    TURN = "turn"  # whoever needs somebody soonest
    NEWEST = "newest"
    OLDEST = "oldest"
    SCORE = "score"
    VISIT = "visit"  # the next visit


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show of the list; empty words ask for everything."""

    status: str = ""
    verdict: str = ""
    band: str = ""  # high, medium or low
    kind: str = ""
    campaign: str = ""
    wants_person: bool = False
    awaits_review: bool = False
    text: str = field(default="", repr=False)  # number, booking code, first name or phone
    order: Order = Order.TURN
    page: int = 1


@dataclass(frozen=True, slots=True)
class LeadLine:
    """A lead as the list shows it. Name and phone number are no part of its `repr`."""

    id: int
    kind: str
    verdict: str | None
    score: int | None
    recheck_on: date | None
    campaign: str | None
    wants_person_at: datetime | None
    status: str
    staff: str  # who changed the status last
    awaits_review: bool  # the clinician has said nothing of the verdict yet
    visits: int  # to be kept, or kept
    next_at: datetime | None  # the next of them
    asked: int  # of those to come wait for the clinic's yes
    created_at: datetime
    updated_at: datetime
    first_name: str = field(repr=False)
    phone: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class StillBooked:
    """A declined lead whose patient comes all the same. The name is no part of its `repr`."""

    lead_id: int
    uid: str  # of the first visit to come
    starts_at: datetime
    first_name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LeadPage:
    """Some of the leads that are wanted, and how many there are in all."""

    lines: tuple[LeadLine, ...]
    total: int
    number: int  # of this page, from 1
    pages: int  # at least 1


@dataclass(frozen=True, slots=True)
class Counts:
    """How many leads a clinic has, by what they can be filtered by."""

    by_status: Mapping[str, int]
    wants_person: int  # and is new
    awaits_review: int
    campaigns: tuple[str, ...]

    @property
    def total(self) -> int:
        """How many leads there are."""
        return sum(self.by_status.values())


def page(connection: Connection, clinic_id: int, wanted: Wanted, now: datetime) -> LeadPage:
    """Return one page of the wanted leads; a page behind the last one is the last one."""
    which = _which(clinic_id, wanted)
    total = connection.execute(
        select(func.count())
        .select_from(Lead)
        .join(Patient, Patient.chat_id == Lead.chat_id)
        .where(which)
    ).scalar_one()
    pages = max(1, -(-total // PER_PAGE))
    number = min(max(1, wanted.page), pages)
    rows = connection.execute(
        _lines(now)
        .where(which)
        .order_by(*_order(wanted.order, now))
        .limit(PER_PAGE)
        .offset((number - 1) * PER_PAGE)
    )
    return LeadPage(tuple(_line(row) for row in rows), total, number, pages)


def export(
    connection: Connection, clinic_id: int, staff_id: int, wanted: Wanted, now: datetime
) -> tuple[LeadLine, ...]:
    """Return all the wanted leads, whatever the page, and record that they were taken along."""
    rows = connection.execute(
        _lines(now).where(_which(clinic_id, wanted)).order_by(*_order(wanted.order, now))
    )
    lines = tuple(_line(row) for row in rows)
    taken, ids = "lead.exported_in_list", (line.id for line in lines)
    audit.record_each(connection, clinic_id, staff_id, taken, "lead", ids, now)
    return lines


def reviews(connection: Connection, clinic_id: int, now: datetime) -> list[LeadLine]:
    """Return the leads whose verdict waits for a clinician: urgent ones, then the oldest."""
    urgent_first = case((_is_urgent(), 0), else_=1)
    rows = connection.execute(
        _lines(now)
        .where(Lead.clinic_id == clinic_id, _awaits_review())
        .order_by(urgent_first, Lead.created_at, Lead.id)
    )
    return [_line(row) for row in rows]


def red_flags(connection: Connection, clinic_id: int, now: datetime) -> list[LeadLine]:
    """Return the urgent leads that nobody has dealt with, whoever waits longest first."""
    rows = connection.execute(
        _lines(now)
        .where(Lead.clinic_id == clinic_id, Lead.status == "new", _is_urgent())
        .order_by(Lead.created_at, Lead.id)
    )
    return [_line(row) for row in rows]


def declined_but_booked(connection: Connection, clinic_id: int, now: datetime) -> list[StillBooked]:
    """Return the declined leads with a booked visit to come, each with its first one."""
    rows = connection.execute(
        select(Lead.id, Appointment.uid, Appointment.starts_at, Patient.first_name)
        .join(Appointment, leads.of_visits(clinic_id))
        .join(Patient, Patient.chat_id == Lead.chat_id)
        .where(
            Lead.status == "declined",
            Appointment.clinic_id == clinic_id,
            Appointment.state == "booked",
            Appointment.starts_at > now,
        )
        .order_by(Appointment.starts_at.desc(), Appointment.uid)
    )
    first = {row.id: StillBooked(row.id, row.uid, row.starts_at, row.first_name) for row in rows}
    return sorted(first.values(), key=lambda each: (each.starts_at, each.lead_id))


def new(connection: Connection, clinic_id: int) -> int:
    """Return how many leads nobody has dealt with."""
    return _count(connection, Lead.clinic_id == clinic_id, Lead.status == "new")


def counts(connection: Connection, clinic_id: int) -> Counts:
    """Return how many leads of each sort a clinic has."""
    own = Lead.clinic_id == clinic_id
    by_status = connection.execute(
        select(Lead.status, func.count()).where(own).group_by(Lead.status)
    ).all()
    campaigns = connection.execute(
        select(Lead.campaign)
        .where(own, Lead.campaign.is_not(None))
        .distinct()
        .order_by(Lead.campaign)
    )
    return Counts(
        by_status={status: count for status, count in by_status},  # noqa: C416 - rows, not pairs
        wants_person=_count(connection, own, _wants_person()),
        awaits_review=_count(connection, own, _awaits_review()),
        campaigns=tuple(name for name in campaigns.scalars() if name),
    )


def _count(connection: Connection, *which: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(Lead).where(*which)).scalar_one()


def _which(clinic_id: int, wanted: Wanted) -> ColumnElement[bool]:
    return and_(Lead.clinic_id == clinic_id, *_filters(wanted))


def _filters(wanted: Wanted) -> list[ColumnElement[bool]]:
    low, high = BANDS.get(wanted.band, (0, 0))
    campaign = Lead.campaign == wanted.campaign
    if wanted.campaign == NO_CAMPAIGN:
        campaign = Lead.campaign.is_(None)
    each = (
        (wanted.status, Lead.status == wanted.status),
        (wanted.verdict, Lead.verdict == wanted.verdict),
        (wanted.band, Lead.score.between(low, high)),
        (wanted.kind, Lead.kind == wanted.kind),
        (wanted.campaign, campaign),
        (wanted.wants_person, Lead.wants_person_at.is_not(None)),
        (wanted.awaits_review, _awaits_review()),
    )
    found = [condition for asked, condition in each if asked]
    return [*found, _says(wanted.text.strip())] if wanted.text.strip() else found


def _says(text: str) -> ColumnElement[bool]:
    """Look for words in what staff know a lead by: number, booking code, first name, phone."""
    has_code = exists(
        select(Appointment.uid).where(
            Appointment.chat_id == Lead.chat_id,
            Appointment.run == Lead.run,
            Appointment.code == text.upper(),
        )
    )
    either = [
        has_code,
        Patient.first_name.contains(text, autoescape=True),
        func.lower(Patient.first_name).contains(text.lower(), autoescape=True),
    ]
    number = text.removeprefix("#")
    if re.fullmatch(r"[0-9]{1,15}", number):
        either.append(Lead.id == int(number))
    digits = re.sub(r"[^0-9]", "", text)
    if len(digits) >= _SHORTEST_PHONE and re.fullmatch(r"[0-9+() ./-]+", text):
        either.append(_digits(Patient.phone).contains(digits))
    return or_(*either)


def _digits(phone: Any) -> Any:
    """Take out of a phone number what people write between its digits."""
    for mark in " -().+/":
        phone = func.replace(phone, mark, "")
    return phone


def _is_urgent() -> ColumnElement[bool]:
    return or_(Lead.verdict == Outcome.URGENT.value, Lead.kind == LeadKind.URGENT.value)


def _wants_person() -> ColumnElement[bool]:
    return and_(Lead.wants_person_at.is_not(None), Lead.status == "new")


def _awaits_review() -> ColumnElement[bool]:
    """A finding holds for the verdict that it was made of; a newer verdict waits anew."""
    latest = (
        select(func.max(Decision.id))
        .where(Decision.chat_id == Lead.chat_id, Decision.run == Lead.run)
        .correlate(Lead)
        .scalar_subquery()
    )
    judged = exists(
        select(Finding.id).where(
            Finding.lead_id == Lead.id, Finding.decision_id.is_not_distinct_from(latest)
        )
    )
    flagged = or_(Lead.verdict == Outcome.REVIEW.value, _is_urgent())
    return and_(flagged, not_(judged))


def _order(order: Order, now: datetime) -> Sequence[Any]:
    newest = (Lead.created_at.desc(), Lead.id.desc())
    match order:
        case Order.NEWEST:
            return newest
        case Order.OLDEST:
            return (Lead.created_at, Lead.id)
        case Order.SCORE:
            return (Lead.score.is_(None), Lead.score.desc(), *newest)
        case Order.VISIT:
            upcoming = _visits(func.min(Appointment.starts_at), Appointment.starts_at > now)
            return (upcoming.is_(None), upcoming, *newest)
        case Order.TURN:
            return (_turn(now), *newest)


def _turn(now: datetime) -> Any:
    """Return whose turn it is: the lower, the sooner somebody should look."""
    return case(
        (and_(Lead.kind == LeadKind.URGENT.value, Lead.status == "new"), 0),
        (_wants_person(), 1),
        (or_(Lead.status == "new", _asked(now) > 0), 2),
        else_=3,
    )


def _visits(what: Any, *which: ColumnElement[bool]) -> Any:
    return (
        select(what)
        .where(
            Appointment.chat_id == Lead.chat_id,
            Appointment.run == Lead.run,
            Appointment.clinic_id == Lead.clinic_id,
            Appointment.state.in_(_TO_BE_KEPT),
            *which,
        )
        .correlate(Lead)
        .scalar_subquery()
    )


def _asked(now: datetime) -> Any:
    return _visits(func.count(), Appointment.state == "pending", Appointment.starts_at > now)


def _lines(now: datetime) -> Any:
    upcoming = _visits(func.min(Appointment.starts_at), Appointment.starts_at > now)
    return (
        select(
            Lead,
            Patient.first_name,
            Patient.phone,
            StaffMember.name,
            _awaits_review().label("awaits_review"),
            _visits(func.count()).label("visits"),
            upcoming.label("next_at"),
            _asked(now).label("asked"),
        )
        .join(Patient, Patient.chat_id == Lead.chat_id)
        .outerjoin(StaffMember, StaffMember.id == Lead.staff_id)
    )


def _line(row: Any) -> LeadLine:
    return LeadLine(
        id=row.id,
        kind=row.kind,
        verdict=row.verdict,
        score=row.score,
        recheck_on=row.recheck_on,
        campaign=row.campaign,
        wants_person_at=row.wants_person_at,
        status=row.status,
        staff=row.name or "",
        awaits_review=bool(row.awaits_review),
        visits=row.visits,
        next_at=row.next_at,
        asked=row.asked,
        created_at=row.created_at,
        updated_at=row.updated_at,
        first_name=row.first_name,
        phone=row.phone,
    )
