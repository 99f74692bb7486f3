"""What a patient's turn has to tell the clinic's own systems, in the turn's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select

from flows.conversation import Conversation
from flows.effects import (
    CancelAppointment,
    CancelSeries,
    ConfirmSeries,
    Effect,
    HandOffLead,
    HoldSeries,
    LeadKind,
    MoveAppointment,
    StopMessages,
)
from storage import lead_events
from storage.lead_events import Before, EventType, OfBooking, OfLead, OfSeries, Subject
from storage.models import Appointment, Clinic, Lead

_TOLD = (
    HandOffLead,
    HoldSeries,
    ConfirmSeries,
    MoveAppointment,
    CancelSeries,
    CancelAppointment,
    StopMessages,
)

#: A booked lead is told of by its bookings.
_LEADS: Mapping[LeadKind, EventType] = {
    LeadKind.ELIGIBLE: EventType.LEAD_QUALIFIED,
    LeadKind.DEFERRED: EventType.LEAD_DEFERRED,
    LeadKind.DECLINED: EventType.LEAD_DECLINED,
    LeadKind.REVIEW: EventType.LEAD_REVIEW,
    LeadKind.URGENT: EventType.LEAD_URGENT,
    LeadKind.PERSON: EventType.LEAD_PERSON_WANTED,
}


@dataclass(frozen=True, slots=True)
class ToTell:
    """A turn that somebody may want to hear of, read before its effects are applied."""

    conversation: Conversation  # after the turn
    effects: tuple[Effect, ...]
    clinic_id: int | None = None  # whose channels listen; None: nobody's do
    moved_from: Mapping[str, Before] = field(default_factory=dict)  # by UID


def listen(
    connection: Connection, conversation: Conversation, effects: tuple[Effect, ...]
) -> ToTell | None:
    """Note what will not be known any more once the effects are applied; None: nobody listens."""
    if not any(isinstance(effect, _TOLD) for effect in effects):
        return None
    clinic_id = connection.execute(
        select(Clinic.id).where(Clinic.slug == conversation.clinic)
    ).scalar()
    if clinic_id is None or not lead_events.listening(connection, clinic_id):
        return ToTell(conversation, effects)
    moved = (effect.uid for effect in effects if isinstance(effect, MoveAppointment))
    stood = {uid: lead_events.before(connection, uid) for uid in moved}
    known = {uid: before for uid, before in stood.items() if before is not None}
    return ToTell(conversation, effects, clinic_id, known)


def tell(connection: Connection, to_tell: ToTell | None, now: datetime) -> None:
    """Tell the clinic's channels of a turn whose effects were applied at `now`."""
    if to_tell is None:
        return
    if any(isinstance(effect, StopMessages) for effect in to_tell.effects):
        tell_of_withdrawal(connection, to_tell.conversation.chat_id, now)
    if to_tell.clinic_id is None:
        return
    for event, subject in _events(connection, to_tell, now):
        lead_events.tell(connection, to_tell.clinic_id, event, subject, now)


def tell_of_withdrawal(connection: Connection, chat_id: int, now: datetime) -> None:
    """Tell every clinic that a patient was handed to that they want no more messages."""
    newest = (
        select(Lead.clinic_id, func.max(Lead.id))
        .where(Lead.chat_id == chat_id)
        .group_by(Lead.clinic_id)
    )
    withdrawn = EventType.CONSENT_WITHDRAWN
    for clinic_id, lead_id in connection.execute(newest).all():
        if clinic_id is not None:
            lead_events.tell(connection, clinic_id, withdrawn, OfLead(lead_id), now)


def _events(
    connection: Connection, to_tell: ToTell, now: datetime
) -> Iterator[tuple[EventType, Subject]]:
    is_cancelling = any(isinstance(effect, CancelSeries) for effect in to_tell.effects)
    for effect in to_tell.effects:
        match effect:
            # Going back to the plan after cancelling is no new verdict.
            case HandOffLead(kind=kind) if kind in _LEADS and not is_cancelling:
                lead_id = _lead_id(connection, to_tell.conversation)
                if lead_id is not None:
                    yield _LEADS[kind], OfLead(lead_id)
            case HoldSeries():
                yield from _each(EventType.BOOKING_HELD, (s.uid for s in effect.sessions))
            case ConfirmSeries():
                yield from _booked(effect)
            case MoveAppointment():
                before = to_tell.moved_from.get(effect.uid)
                yield EventType.BOOKING_RESCHEDULED, OfBooking(effect.uid, before)
            case CancelSeries() | CancelAppointment():
                gone = _cancelled(connection, to_tell.conversation.chat_id, effect, now)
                yield from _each(EventType.BOOKING_CANCELLED, gone)
            case _:
                continue
    yield from _repaired(connection, to_tell.effects)


def _booked(effect: ConfirmSeries) -> Iterator[tuple[EventType, Subject]]:
    """A request holds its times until staff confirm them."""
    each = EventType.BOOKING_HELD if effect.pending else EventType.BOOKING_CONFIRMED
    yield from _each(each, (session.uid for session in effect.sessions))
    if len(effect.sessions) > 1:
        yield EventType.SERIES_BOOKED, OfSeries(effect.series_id)


def _repaired(
    connection: Connection, effects: Iterable[Effect]
) -> Iterator[tuple[EventType, Subject]]:
    """One session that moves is told of alone; with others that follow, the series is too."""
    moved = [effect.uid for effect in effects if isinstance(effect, MoveAppointment)]
    if len(moved) < 2:
        return
    repaired = (
        select(Appointment.series_id)
        .where(Appointment.uid.in_(moved))
        .group_by(Appointment.series_id)
        .having(func.count() > 1)
        .order_by(Appointment.series_id)
    )
    for series_id in connection.execute(repaired).scalars():
        yield EventType.SERIES_REPAIRED, OfSeries(series_id)


def _each(event: EventType, uids: Iterable[str]) -> Iterator[tuple[EventType, Subject]]:
    return ((event, OfBooking(uid)) for uid in uids)


def _lead_id(connection: Connection, conversation: Conversation) -> int | None:
    lead = select(Lead.id).where(Lead.chat_id == conversation.chat_id, Lead.run == conversation.run)
    return connection.execute(lead).scalar()


def _cancelled(
    connection: Connection, chat_id: int, effect: CancelSeries | CancelAppointment, now: datetime
) -> list[str]:
    """Return what this turn cancelled, not what was cancelled before."""
    if isinstance(effect, CancelSeries):
        which = Appointment.series_id == effect.series_id
    else:
        which = Appointment.uid == effect.uid
    gone = (
        select(Appointment.uid)
        .where(
            which,
            Appointment.chat_id == chat_id,
            Appointment.state == "cancelled",
            Appointment.updated_at == now,
        )
        .order_by(Appointment.number)
    )
    return list(connection.execute(gone).scalars())
