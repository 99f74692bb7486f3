"""Cards: what staff are told in Telegram of a new lead. Never a name, a number or an answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from flows import eligibility
from flows.conversation import Conversation
from flows.effects import HandOffLead, LeadKind
from storage import asked_visits, cards, lead_work, pauses, staff, staff_bookings
from storage.clerks import Clerk
from storage.lead_work import Whose
from storage.models import Appointment, Clinic, Lead, StaffMember
from storage.staff import Member

#: Most who may be treated book within minutes, and then there is one card instead of two.
_ELIGIBLE_AFTER = timedelta(minutes=10)

#: What somebody has to hear of each time, also when they heard of this lead before.
_ALARMS = frozenset({LeadKind.PERSON, LeadKind.URGENT})

_TO_COME = ("pending", "booked", "arrived")

#: From which statuses each can be reached by a card's button.
_FROM = {
    "accepted": ("new",),
    "contacted": ("new", "accepted"),
    "declined": ("new", "accepted", "contacted"),
}


@dataclass(frozen=True, slots=True)
class CardFacts:
    """A lead as its card shows it, in the eyes of one member."""

    lead_id: int
    clinic: str  # name
    zone: str
    locale: str
    kind: str
    verdict: str | None
    band: str  # high, medium, low; empty without a score
    wants_person: bool
    booked: tuple[tuple[datetime, str, str], ...]  # starts at, code, state: not over yet
    next_booked: datetime | None  # when the first booked visit to come begins
    has_paused: bool  # something changed before one of them, and nobody has looked
    asked: int  # changes with the visits that wait for a yes or a no; 0: none does
    status: str
    by: str  # name of whoever set the status; empty for a new one
    at: datetime | None  # when they did
    chat_id: int | None  # the member's; None when they left or want no cards


def enqueue(
    connection: Connection, conversation: Conversation, effect: HandOffLead, now: datetime
) -> int:
    """Leave a card for each member who wants it, once a kind; an alarm each time. Return how many.

    A turn is committed once, however often its update comes, so its revision names an alarm.
    """
    lead = connection.execute(
        select(Lead.id, Lead.clinic_id).where(
            Lead.chat_id == conversation.chat_id, Lead.run == conversation.run
        )
    ).one_or_none()
    if lead is None or lead.clinic_id is None:
        return 0
    due_at = now + _ELIGIBLE_AFTER if effect.kind is LeadKind.ELIGIBLE else now
    if effect.kind is LeadKind.BOOKED:
        cards.take_back(connection, f"{lead.id}:{LeadKind.ELIGIBLE}")
    if effect.kind in _ALARMS:
        cards.take_back(connection, f"{lead.id}:{effect.kind}")
    which = f":{conversation.revision}" if effect.kind in _ALARMS else ""
    about, says = f"{lead.id}:{effect.kind}{which}", {"lead": lead.id, "kind": effect.kind.value}
    return sum(
        cards.put(connection, about, member.id, says, now, due_at)
        for member in staff.wanting_cards(connection, lead.clinic_id)
    )


def facts(connection: Connection, lead_id: int, member_id: int, now: datetime) -> CardFacts | None:
    """Return what a member may read of a lead; None when it is none of their clinic's."""
    row = connection.execute(
        select(Lead, Clinic.name, Clinic.zone, Clinic.locale)
        .add_columns(StaffMember.chat_id.label("member_chat"), StaffMember.wants_cards)
        .join(Clinic, Clinic.id == Lead.clinic_id)
        .join(StaffMember, StaffMember.clinic_id == Clinic.id)
        .where(Lead.id == lead_id, StaffMember.id == member_id, StaffMember.removed_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    by = connection.execute(select(StaffMember.name).where(StaffMember.id == row.staff_id)).scalar()
    visits = connection.execute(
        select(
            Appointment.starts_at,
            Appointment.code,
            Appointment.state,
            Appointment.version,
            Appointment.paused_at,
        )
        .where(
            Appointment.clinic_id == row.clinic_id,
            Appointment.chat_id == row.chat_id,
            Appointment.run == row.run,
            Appointment.state.in_(_TO_COME),
        )
        .order_by(Appointment.starts_at)
    ).all()
    to_come = (v.starts_at for v in visits if v.state == "booked" and v.starts_at > now)
    return CardFacts(
        lead_id=row.id,
        clinic=row.name,
        zone=row.zone,
        locale=row.locale,
        kind=row.kind,
        verdict=row.verdict,
        band="" if row.score is None else eligibility.band(row.score),
        wants_person=row.wants_person_at is not None,
        booked=tuple((visit.starts_at, visit.code, visit.state) for visit in visits),
        next_booked=next(to_come, None),
        has_paused=any(map(pauses.waits_for_a_look, visits)),
        asked=sum(visit.version for visit in visits if visit.state == "pending"),
        status=row.status,
        by=by or "",
        at=row.status_at,
        chat_id=row.member_chat if row.wants_cards else None,
    )


def settle(
    connection: Connection, member: Member, lead_id: int, shown: str, wanted: str, now: datetime
) -> bool:
    """Give a lead of the member's clinic a status; False when it is not the one that was shown.

    Who presses the same button twice was not slower than themselves. A card asks for no reason.
    """
    lead = connection.execute(
        select(Lead.status, Lead.staff_id).where(
            Lead.id == lead_id, Lead.clinic_id == member.clinic_id
        )
    ).one_or_none()
    if lead is None or wanted not in _FROM:
        return False
    if (lead.status, lead.staff_id) == (wanted, member.id):
        return True
    if shown not in _FROM[wanted]:
        return False
    whose = Whose(member.clinic_id, member.id, lead_id, now)
    return lead_work.set_status(connection, whose, shown, wanted) is lead_work.Change.DONE


def confirm(
    connection: Connection, member: Member, lead_id: int, asked: int, now: datetime
) -> bool:
    """Confirm what a lead's patient asked for; False when it is not what the card showed."""
    shown = facts(connection, lead_id, member.id, now)
    found = asked_visits.unanswered(connection, member.clinic_id, now, lead_id)
    if shown is None or shown.asked != asked or not found:
        return False
    clerk = Clerk(member.clinic_id, member.id, now)
    for request in found:
        staff_bookings.confirm_series(connection, clerk, request.seen)
    return True
