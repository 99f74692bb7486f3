"""What was done in a practitioner's own calendar and does not agree with an appointment.

Something may lie over an appointment, or the appointment itself was moved or deleted there. Each is
kept and shown until it goes away: the overlap ends, the appointment is moved, cancelled or over, or
staff have seen to it. Nothing is ever dropped without a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select, update

from storage import cards, staff, upserts
from storage.models import (
    Appointment,
    CalendarAccount,
    CalendarClash,
    Clinic,
    ExternalBusy,
    Practitioner,
    StaffMember,
)

#: Appointments that somebody will come to.
_TO_COME = ("pending", "booked", "arrived")


class ClashKind(StrEnum):
    """What was done outside."""

    OVERLAP = "overlap"  # something else lies over the appointment
    MOVED = "moved"  # the appointment was given other times there, or called off
    DELETED = "deleted"  # the appointment was deleted there


@dataclass(frozen=True, slots=True)
class Clash:
    """An appointment and what was done outside. What the other thing is was never read."""

    id: int
    kind: ClashKind
    uid: str
    practitioner: str  # slug
    code: str
    appointment_starts_at: datetime
    appointment_ends_at: datetime
    starts_at: datetime  # of what is there outside; of the appointment when it was deleted
    ends_at: datetime
    found_at: datetime


@dataclass(frozen=True, slots=True)
class ClashCard:
    """What staff are told of a clash in Telegram."""

    kind: ClashKind
    practitioner: str  # name
    code: str
    booked_at: datetime  # when the appointment begins
    starts_at: datetime  # of what is there outside
    ends_at: datetime
    zone: str  # the clinic's IANA zone
    locale: str
    chat_id: int  # the member's


def note(  # noqa: PLR0913 - what happened, where, to which, and when
    connection: Connection,
    account_id: int,
    uid: str,
    kind: ClashKind,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
) -> bool:
    """Keep a clash and tell staff; False when it is known and open already."""
    values = {"account_id": account_id, "found_at": now, "settled_at": None}
    same = {"uid": uid, "kind": kind.value, "starts_at": starts_at, "ends_at": ends_at}
    statement = upserts.insert(connection.dialect.name, CalendarClash).values(**same, **values)
    row = connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(same), set_=values, where=CalendarClash.settled_at.is_not(None)
        ).returning(CalendarClash.id)
    ).one_or_none()
    if row is None:
        return False
    _tell_staff(connection, row.id, account_id, now)
    return True


def look(connection: Connection, account_id: int, now: datetime) -> int:
    """Compare what is booked with what was read; return how many overlaps are new.

    Clashes that went away are settled.
    """
    overlaps = connection.execute(
        select(Appointment.uid, ExternalBusy.starts_at, ExternalBusy.ends_at)
        .join(CalendarAccount, CalendarAccount.practitioner_id == Appointment.practitioner_id)
        .join(ExternalBusy, ExternalBusy.account_id == CalendarAccount.id)
        .where(
            CalendarAccount.id == account_id,
            Appointment.state.in_(_TO_COME),
            Appointment.ends_at > now,
            ExternalBusy.starts_at < Appointment.ends_at,
            ExternalBusy.ends_at > Appointment.starts_at,
        )
        .distinct()
        .order_by(ExternalBusy.starts_at)
    ).all()
    _settle_gone(connection, account_id, now)
    return sum(
        note(connection, account_id, row.uid, ClashKind.OVERLAP, row.starts_at, row.ends_at, now)
        for row in overlaps
    )


def open_clashes(connection: Connection, clinic_id: int, now: datetime) -> list[Clash]:
    """Return what a clinic has to see to, the soonest appointment first."""
    rows = connection.execute(
        select(
            CalendarClash.id,
            CalendarClash.kind,
            CalendarClash.uid,
            Practitioner.slug,
            Appointment.code,
            Appointment.starts_at.label("appointment_starts_at"),
            Appointment.ends_at.label("appointment_ends_at"),
            CalendarClash.starts_at,
            CalendarClash.ends_at,
            CalendarClash.found_at,
        )
        .join(Appointment, Appointment.uid == CalendarClash.uid)
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .where(
            Appointment.clinic_id == clinic_id,
            CalendarClash.settled_at.is_(None),
            _still_matters(now),
        )
        .order_by(Appointment.starts_at, CalendarClash.id)
    )
    return [
        Clash(
            row.id,
            ClashKind(row.kind),
            row.uid,
            row.slug,
            row.code,
            row.appointment_starts_at,
            row.appointment_ends_at,
            row.starts_at,
            row.ends_at,
            row.found_at,
        )
        for row in rows
    ]


def card(connection: Connection, clash_id: int, member_id: int) -> ClashCard | None:
    """Return what a member of staff is told of a clash; None when it was settled meanwhile."""
    row = connection.execute(
        select(
            CalendarClash.kind,
            CalendarClash.starts_at,
            CalendarClash.ends_at,
            Practitioner.name,
            Appointment.code,
            Appointment.starts_at.label("booked_at"),
            Clinic.zone,
            Clinic.locale,
            StaffMember.chat_id,
        )
        .join(Appointment, Appointment.uid == CalendarClash.uid)
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .join(Clinic, Clinic.id == Appointment.clinic_id)
        .join(StaffMember, StaffMember.clinic_id == Clinic.id)
        .where(
            CalendarClash.id == clash_id,
            CalendarClash.settled_at.is_(None),
            Appointment.state.in_(_TO_COME),
            StaffMember.id == member_id,
            StaffMember.wants_cards,
            StaffMember.removed_at.is_(None),
            StaffMember.chat_id.is_not(None),
        )
    ).one_or_none()
    if row is None:
        return None
    return ClashCard(
        kind=ClashKind(row.kind),
        practitioner=row.name,
        code=row.code,
        booked_at=row.booked_at,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        zone=row.zone,
        locale=row.locale,
        chat_id=row.chat_id,
    )


def settle(connection: Connection, clinic_id: int, clash_id: int, now: datetime) -> bool:
    """Note that staff have seen to a clash; False when the clinic has no such open one."""
    own = select(Appointment.uid).where(Appointment.clinic_id == clinic_id)
    done = connection.execute(
        update(CalendarClash)
        .where(
            CalendarClash.id == clash_id,
            CalendarClash.settled_at.is_(None),
            CalendarClash.uid.in_(own),
        )
        .values(settled_at=now)
    )
    return done.rowcount == 1


def _settle_gone(connection: Connection, account_id: int, now: datetime) -> None:
    still_there = exists().where(
        ExternalBusy.account_id == CalendarClash.account_id,
        ExternalBusy.starts_at == CalendarClash.starts_at,
        ExternalBusy.ends_at == CalendarClash.ends_at,
    )
    stands = exists().where(
        Appointment.uid == CalendarClash.uid,
        _still_matters(now),
        or_(
            CalendarClash.kind != ClashKind.OVERLAP.value,
            and_(
                Appointment.starts_at < CalendarClash.ends_at,
                Appointment.ends_at > CalendarClash.starts_at,
            ),
        ),
    )
    connection.execute(
        update(CalendarClash)
        .where(
            CalendarClash.account_id == account_id,
            CalendarClash.settled_at.is_(None),
            or_(
                ~stands,
                and_(CalendarClash.kind == ClashKind.OVERLAP.value, ~still_there),
            ),
        )
        .values(settled_at=now)
        .execution_options(synchronize_session=False)
    )


def _still_matters(now: datetime) -> ColumnElement[bool]:
    """Say that the appointment is to come and was not changed after the clash was found."""
    return and_(
        Appointment.state.in_(_TO_COME),
        Appointment.ends_at > now,
        or_(
            CalendarClash.kind == ClashKind.OVERLAP.value,
            Appointment.updated_at <= CalendarClash.found_at,
        ),
    )


def _tell_staff(connection: Connection, clash_id: int, account_id: int, now: datetime) -> None:
    clinic_id = connection.execute(
        select(Practitioner.clinic_id)
        .join(CalendarAccount, CalendarAccount.practitioner_id == Practitioner.id)
        .where(CalendarAccount.id == account_id)
    ).scalar_one()
    for member in staff.wanting_cards(connection, clinic_id):
        about = f"clash:{clash_id}:{int(now.timestamp())}"
        cards.put(connection, about, member.id, {"clash": clash_id}, now)
