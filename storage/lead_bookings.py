"""Visits that staff book for a lead, in the lead's own chat: whether they may, and the booking.

The verdict of the chat decides, as it does when patients book by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from flows import appointing
from flows import plan as plans
from flows.conversation import Conversation, Offer, Stage, treating
from flows.effects import ConfirmSeries, HandOffLead, LeadKind
from flows.plan import Plan
from storage import (
    audit,
    bookings,
    card_redraws,
    cards,
    clerks,
    conversations,
    decisions,
    follow_ups,
    lead_records,
    lead_work,
    leads,
    patient_visits,
    withdrawals,
)
from storage.bookings import Booker
from storage.clerks import ChangedMeanwhile, Clerk
from storage.lead_events import EventType
from storage.lead_records import DecisionRecord, LeadRecord
from storage.models import Lead, Patient

_CONSULTATION = "consultation"


class WhyNot(StrEnum):
    """Why nothing may be booked for a lead."""

    ANEW = "anew"  # the chat has gone on: to new questions, or to another clinic
    RED_FLAG = "red_flag"
    DECLINED = "declined"  # by the clinic's people
    NO_CONSENT = "no_consent"
    UNDECIDED = "undecided"  # no verdict, or answers are being changed
    UNSUITABLE = "unsuitable"  # the verdict allows no visit
    ALL_BOOKED = "all_booked"


@dataclass(frozen=True, slots=True)
class ToBook:
    """What may be booked for a lead. Nothing of the patient is part of its `repr`."""

    lead_id: int
    service: str  # code
    plan: Plan | None  # what is left of the course; None: a single visit
    from_on: date  # the earliest local day
    revision: int  # of the conversation that was looked at
    held: str  # series of which the patient holds times; they are given back
    series_id: str  # that goes on; empty: a new one begins
    code: str
    booked: int  # treatments before
    hears: bool  # messages reach the patient
    chat_id: int = field(repr=False)
    run: int = field(repr=False)


def look(
    connection: Connection, clinic_id: int, lead_id: int, now: datetime
) -> ToBook | WhyNot | None:
    """Return what may be booked for a lead, or why nothing; None: the clinic has no such lead."""
    lead = lead_records.read(connection, clinic_id, lead_id)
    if lead is None:
        return None
    whose = connection.execute(
        select(Lead.chat_id, Patient.unreachable_at)
        .join(Patient, Patient.chat_id == Lead.chat_id)
        .where(Lead.id == lead_id)
    ).one()
    loaded = conversations.load(connection, whose.chat_id)
    held = loaded.conversation if loaded else None
    if held is None or held.run != lead.run or held.clinic != lead.clinic:
        return WhyNot.ANEW
    found = _refusal(lead, held)
    if found is not None or lead.decision is None:
        return found or WhyNot.UNDECIDED
    today = now.astimezone(ZoneInfo(lead.zone)).date()
    hears = lead.stopped_at is None and whose.unreachable_at is None
    return _left(lead, held, lead.decision, today, hears=hears)


def book(connection: Connection, clerk: Clerk, seen: ToBook, offer: Offer, token: str) -> str:
    """Book times of what was seen, all or nothing; return the UID of the first visit.

    The patient is told once, and the lead stands as booked. `token` is fresh, random and
    hexadecimal. Raises ChangedMeanwhile, SlotsGone and NoValidVerdict.
    """
    patient_visits.lock(connection, seen.chat_id)
    if look(connection, clerk.clinic_id, seen.lead_id, clerk.now) != seen:
        raise ChangedMeanwhile("the lead was changed by somebody else; look at it again")
    decisions.require(connection, seen.chat_id, seen.run, seen.service)
    wanted = _series(seen, offer, token)
    booker = Booker(seen.chat_id, seen.run, clerks.slug_of(connection, clerk), clerk.now)
    bookings.confirm(connection, booker, wanted)
    conversation = patient_visits.add(connection, seen.chat_id, wanted)
    _hand_over(connection, clerk, seen, conversation)
    _tell(connection, clerk, wanted)
    follow_ups.mark(connection, seen.chat_id, clerk.now)
    return wanted.sessions[0].uid


def _refusal(lead: LeadRecord, held: Conversation) -> WhyNot | None:
    is_urgent = lead.kind == LeadKind.URGENT or held.state == Stage.URGENT
    is_decided = lead.decision is not None and held.decided_on is not None
    allows = lead.decision.verdict.bookable if lead.decision else None
    reasons = (
        (is_urgent or held.red_flag is not None, WhyNot.RED_FLAG),
        (lead.status == "declined", WhyNot.DECLINED),
        (held.state == Stage.NO_CONSENT, WhyNot.NO_CONSENT),
        (not is_decided, WhyNot.UNDECIDED),
        (allows is None, WhyNot.UNSUITABLE),
    )
    return next((why for holds, why in reasons if holds), None)


def _left(
    lead: LeadRecord, held: Conversation, decision: DecisionRecord, today: date, *, hears: bool
) -> ToBook | WhyNot:
    """Return what the visits there are leave to be booked."""
    booking, service = held.booking, decision.verdict.bookable or ""
    done, plan = treating(booking.booked), decision.plan
    from_on = max(today, (plan.starts_on if plan else decision.verdict.recheck_on) or today)
    if done and (service == _CONSULTATION or plan is None):
        return WhyNot.ALL_BOOKED
    if done and plan is not None:
        last_on = max(each.slot.starts_at for each in done).astimezone(ZoneInfo(lead.zone)).date()
        plan = plans.rest(plan, len(done), last_on, today)
        if plan is None:
            return WhyNot.ALL_BOOKED
        from_on = plan.starts_on
    goes_on = bool(booking.booked) and service != _CONSULTATION
    return ToBook(
        lead_id=lead.id,
        service=service,
        plan=plan if service != _CONSULTATION else None,
        from_on=from_on,
        revision=held.revision,
        held=booking.series_id if booking.hold_until else "",
        series_id=booking.series_id if goes_on else "",
        code=booking.code if goes_on else "",
        booked=max((each.number for each in done), default=0),
        hears=hears,
        chat_id=held.chat_id,
        run=held.run,
    )


def _series(seen: ToBook, offer: Offer, token: str) -> ConfirmSeries:
    sessions = appointing.sessions_of(offer, token, seen.booked)
    series_id, code = seen.series_id or token[:16], seen.code or appointing.booking_code(token)
    return ConfirmSeries(series_id, code, seen.service, sessions, pending=False)


def _hand_over(
    connection: Connection, clerk: Clerk, seen: ToBook, conversation: Conversation
) -> None:
    score = connection.execute(select(Lead.score).where(Lead.id == seen.lead_id)).scalar()
    leads.hand_off(connection, conversation, HandOffLead(LeadKind.BOOKED, score), clerk.now)
    lead_work.accept_run(connection, clerk, seen.chat_id, seen.run)
    cards.take_back(connection, f"{seen.lead_id}:{LeadKind.ELIGIBLE}")
    card_redraws.enqueue(connection, clerk.clinic_id, seen.lead_id, clerk.now)
    clinic_id, staff_id = clerk.clinic_id, clerk.staff_id
    audit.record(connection, clinic_id, staff_id, "lead.booked", "lead", seen.lead_id, clerk.now)


def _tell(connection: Connection, clerk: Clerk, booked: ConfirmSeries) -> None:
    """Tell the clinic's channels as of a patient's own booking, and the patient once."""
    for each in booked.sessions:
        clerks.tell_channels(connection, clerk, each.uid, EventType.BOOKING_CONFIRMED)
    is_series = len(booked.sessions) > 1
    if is_series:
        clerks.tell_of_series(connection, clerk, booked.series_id, EventType.SERIES_BOOKED)
    first = clerks.row_of(connection, clerk, booked.sessions[0].uid)
    key = "message.booked_all" if is_series else "message.booked"
    clerks.tell_patient(connection, clerk, first, key, withdrawals.APPOINTMENT)
