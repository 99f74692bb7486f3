"""Who waits for something earlier, and whom a freed time is offered to, one patient at a time.

A time becomes free when an appointment is cancelled or moved away, or time off is given back. It
is offered to whoever has waited longest and whom it fits: with the same practitioner, earlier
than their visit, with the gaps kept, and far enough ahead for the clinic. What is left of a long
time is offered to those after them at once. Who does not answer in time or says no leaves it to
the next. Nobody's time is taken: the appointment moves only when the patient says yes, and only
if the time is still theirs to take and still free then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from flows import waiting
from flows.follow_up import History, NudgeKind, Visit
from flows.quiet_hours import APART, NIGHT
from flows.slots import Slot, free_slots, local
from flows.waiting import Offered
from storage import calendar_store, histories, lead_events, outbox, withdrawals
from storage.lead_events import EventType, OfOffer
from storage.models import Appointment, Clinic, Practitioner, WaitlistEntry, WaitlistOffer
from storage.outbox import Message
from storage.outbox_policy import Kind

OFFERED_FOR = timedelta(hours=2)
MOST_OFFERS = 3  # of one time
_NEAR = timedelta(days=1)  # no appointment with its buffers is longer
_ASKED = 30  # waiting patients looked at for one freed time
_TO_COME = ("pending", "booked")


@dataclass(frozen=True, slots=True)
class Freed:
    """Time that became free, `[starts_at, ends_at)` in aware UTC, without buffers."""

    practitioner_id: int
    starts_at: datetime
    ends_at: datetime


def join(connection: Connection, chat_id: int, uid: str, now: datetime) -> None:
    """Have a patient wait for something earlier than one appointment of theirs. Idempotent."""
    clinic_id = connection.execute(
        select(Appointment.clinic_id).where(
            Appointment.uid == uid,
            Appointment.chat_id == chat_id,
            Appointment.state.in_(_TO_COME),
            Appointment.starts_at > now,
        )
    ).scalar()
    if clinic_id is None or _entry(connection, uid) is not None:
        return
    row = {"clinic_id": clinic_id, "chat_id": chat_id, "uid": uid, "created_at": now}
    connection.execute(insert(WaitlistEntry).values(row))


def leave(connection: Connection, chat_id: int, uid: str, now: datetime) -> None:
    """Let a patient wait no more; what was offered goes to the next. Idempotent."""
    if _entry(connection, uid, chat_id) is not None:
        decline(connection, chat_id, uid, now)
        _end(connection, uid, "left", now)


def decline(connection: Connection, chat_id: int, uid: str, now: datetime) -> None:
    """Take a no to what is offered; the patient waits on. Idempotent."""
    entry_id = _entry(connection, uid, chat_id)
    for offer in _open(connection, WaitlistOffer.entry_id == entry_id):
        _close(connection, offer.id, "declined")
        _tell(connection, offer, EventType.WAITLIST_DECLINED, now)
        withdrawals.of_message(connection, _key(offer), "Declined")
        _offer_next(connection, _span(offer), now)


def changed(
    connection: Connection, uid: str, now: datetime, moved_to: datetime | None = None
) -> None:
    """End the waiting for an appointment that was moved or cancelled; pass on what it was offered.

    Of an offer that ends without a yes this way, the appointment's own event tells.
    """
    entry_id = _entry(connection, uid)
    if entry_id is None:
        return
    left = []
    for offer in _open(connection, WaitlistOffer.entry_id == entry_id):
        is_taken = offer.starts_at == moved_to
        _close(connection, offer.id, "accepted" if is_taken else "gone")
        if is_taken:
            _tell(connection, offer, EventType.WAITLIST_ACCEPTED, now)
        else:
            left.append(_span(offer))
        withdrawals.of_message(connection, _key(offer), "Settled")
    _end(connection, uid, "moved" if moved_to else "cancelled", now)
    for span in left:
        _offer_next(connection, span, now)


def freed(connection: Connection, span: Freed, now: datetime) -> None:
    """Offer a time that became free to the first patients whom it fits."""
    if span.starts_at > now:
        _offer_next(connection, span, now)


def expire(connection: Connection, now: datetime) -> int:
    """Pass on what was not answered in time; return how many offers that were."""
    late = list(_open(connection, WaitlistOffer.until_at <= now))
    for offer in late:
        _close(connection, offer.id, "expired")
        _tell(connection, offer, EventType.WAITLIST_EXPIRED, now)
    for offer in late:
        _offer_next(connection, _span(offer), now)
    return len(late)


def stands(connection: Connection, visit: Row[Any], slot: Slot, now: datetime) -> bool:
    """Say whether a time is offered for a visit still, and keeps the gaps as they are now.

    The offer is locked: whoever would pass it on waits until this answer is known.
    """
    offer = connection.execute(
        select(WaitlistOffer.id)
        .join(WaitlistEntry, WaitlistEntry.id == WaitlistOffer.entry_id)
        .where(
            WaitlistEntry.uid == visit.uid,
            WaitlistEntry.chat_id == visit.chat_id,
            WaitlistEntry.ended_at.is_(None),
            WaitlistOffer.state == "offered",
            WaitlistOffer.starts_at == slot.starts_at,
        )
        .with_for_update(of=WaitlistOffer)
    ).first()
    if offer is None:
        return False
    history = histories.load(connection, visit.chat_id, now)
    return history is not None and _keeps_gaps(visit, history, slot)


def _offer_next(connection: Connection, span: Freed, now: datetime) -> None:
    """Offer what is left of a span: no time to two at once, to nobody two times."""
    offers = _near(connection, span)
    for row in _waiting(connection, span):
        lasts = row.ends_at - row.starts_at
        left = [(start, end) for start, end in _left(span, offers) if end - start >= lasts]
        if not left:
            continue
        at, until = _when(row.zone, now)
        history = histories.load(connection, row.chat_id, now)
        if history is None or not _may_be_asked(history, at):
            continue
        for slot in _sooner(connection, row, left, offers, now, until):
            if _keeps_gaps(row, history, slot):
                _offer(connection, row, slot, now)
                offers = _near(connection, span)
                break


def _near(connection: Connection, span: Freed) -> list[Row[Any]]:
    """Return every offer of a span and of the times beside it, whatever became of it."""
    offers = select(WaitlistOffer).where(
        WaitlistOffer.practitioner_id == span.practitioner_id,
        WaitlistOffer.starts_at < span.ends_at + _NEAR,
        WaitlistOffer.ends_at > span.starts_at - _NEAR,
    )
    return list(connection.execute(offers))


def _left(span: Freed, offers: list[Row[Any]]) -> list[tuple[datetime, datetime]]:
    """Return the parts of a span that were not offered too often before."""
    ends = {at for each in offers for at in (each.starts_at, each.ends_at)}
    inside = {at for at in ends if span.starts_at < at < span.ends_at}
    parts: list[tuple[datetime, datetime]] = []
    for start, end in pairwise(sorted({span.starts_at, *inside, span.ends_at})):
        before = [each for each in offers if each.starts_at < end and each.ends_at > start]
        if len(before) >= MOST_OFFERS:
            continue
        if parts and parts[-1][1] == start:
            start = parts.pop()[0]
        parts.append((start, end))
    return parts


def _waiting(connection: Connection, span: Freed) -> Iterator[Any]:
    """Yield who waits with this practitioner and is asked nothing yet, the longest first."""
    asked = select(WaitlistOffer.entry_id).where(WaitlistOffer.state == "offered")
    rows = connection.execute(
        select(
            WaitlistEntry.id.label("entry_id"),
            Appointment,
            Clinic.slug,
            Clinic.zone,
            Clinic.notice_minutes,
            Practitioner.slug.label("practitioner"),
        )
        .join(Appointment, Appointment.uid == WaitlistEntry.uid)
        .join(Clinic, Clinic.id == WaitlistEntry.clinic_id)
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .where(
            WaitlistEntry.ended_at.is_(None),
            WaitlistEntry.id.not_in(asked),
            Appointment.practitioner_id == span.practitioner_id,
            Appointment.state.in_(_TO_COME),
            Appointment.starts_at > span.starts_at,
            Appointment.paused_at.is_(None),
        )
        .order_by(WaitlistEntry.created_at, WaitlistEntry.id)
        .limit(_ASKED)
    )
    yield from list(rows)


def _when(zone: str, now: datetime) -> tuple[datetime, datetime]:
    """Return from when until when somebody is asked: never into the night."""
    at = NIGHT.over(now, zone)
    at = NIGHT.over(at + OFFERED_FOR, zone) if NIGHT.until(at + OFFERED_FOR, zone) else at
    return at, at + OFFERED_FOR


def _may_be_asked(history: History, at: datetime) -> bool:
    """Keep the manners of everything that comes by itself."""
    if history.silences or NudgeKind.WAITLIST_OFFER in history.stopped_kinds:
        return False
    last = max((each.at for each in history.sent), default=None)
    wrote = history.last_wrote_at
    return last is None or bool(wrote and wrote > last) or at - last >= APART


def _sooner(
    connection: Connection,
    row: Row[Any],
    left: list[tuple[datetime, datetime]],
    offers: list[Row[Any]],
    now: datetime,
    until: datetime,
) -> Iterator[Slot]:
    """Yield the times in what is left that suit the clinic and are earlier than a visit.

    What is offered to somebody at this moment is in the way like what is booked. A yes may come at
    the last moment, so the clinic's notice counts from `until`.
    """
    first, last = local(left[0][0], row.zone).date(), local(left[-1][1], row.zone).date()
    view = calendar_store.view(
        connection, row.slug, row.service, first, last, now, row.chat_id, ignore_uid=row.uid
    )
    earliest = until + timedelta(minutes=row.notice_minutes)
    mine = {each.starts_at for each in offers if each.entry_id == row.entry_id}
    asked = tuple(
        (each.starts_at - view.buffer_before, each.ends_at + view.buffer_after)
        for each in offers
        if each.state == "offered"
    )
    for timetable in view.timetables:
        if timetable.practitioner != row.practitioner:
            continue
        free = replace(timetable, busy=(*timetable.busy, *asked))
        for slot in free_slots(view, free, first, last):
            inside = any(start <= slot.starts_at and slot.ends_at <= end for start, end in left)
            sooner = earliest <= slot.starts_at < row.starts_at and slot.starts_at not in mine
            same = slot.ends_at - slot.starts_at == row.ends_at - row.starts_at
            if inside and sooner and same:
                yield slot


def _keeps_gaps(visit: Row[Any], history: History, slot: Slot) -> bool:
    course = history.course
    if course is None or course.series_id != visit.series_id:
        return True
    sessions = waiting.treating_sessions(history, course.series_id)
    others = [each for each in sessions if each.uid != visit.uid]
    before = [each for each in others if each.starts_at < visit.starts_at]
    after = [each for each in others if each.starts_at > visit.starts_at]
    return waiting.fits(
        course.spacing,
        history.zone,
        _slot_of(before[-1], slot) if before else None,
        slot,
        _slot_of(after[0], slot) if after else None,
    )


def _slot_of(visit: Visit, like: Slot) -> Slot:
    return Slot(visit.starts_at, visit.ends_at, like.practitioner)


def _offer(connection: Connection, row: Row[Any], slot: Slot, now: datetime) -> None:
    at, until = _when(row.zone, now)
    values = {
        "entry_id": row.entry_id,
        "practitioner_id": row.practitioner_id,
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "state": "offered",
        "offered_at": at,
        "until_at": until,
    }
    connection.execute(insert(WaitlistOffer).values(values))
    ref = Offered(row.number, slot.starts_at, until).ref
    message = Message(
        key=_name(row.entry_id, slot.starts_at),
        kind=Kind.NUDGE,
        due_at=at,
        chat_id=row.chat_id,
        ref_type=withdrawals.APPOINTMENT,
        ref_id=row.uid,
        payload={"nudge": NudgeKind.WAITLIST_OFFER.value, "ref": ref, "uid": row.uid},
        not_after=until,
    )
    outbox.enqueue(connection, message, at)
    for offer in _open(connection, WaitlistOffer.entry_id == row.entry_id):
        _tell(connection, offer, EventType.WAITLIST_OFFERED, now)


def _key(offer: Row[Any]) -> str:
    return _name(offer.entry_id, offer.starts_at)


def _name(entry_id: int, starts_at: datetime) -> str:
    return f"waitlist:{entry_id}:{starts_at:%Y%m%d%H%M}"


def _entry(connection: Connection, uid: str, chat_id: int | None = None) -> int | None:
    mine = () if chat_id is None else (WaitlistEntry.chat_id == chat_id,)
    entry = select(WaitlistEntry.id).where(
        WaitlistEntry.uid == uid, WaitlistEntry.ended_at.is_(None), *mine
    )
    return connection.execute(entry).scalar()


def _end(connection: Connection, uid: str, why: str, now: datetime) -> None:
    connection.execute(
        update(WaitlistEntry)
        .where(WaitlistEntry.uid == uid, WaitlistEntry.ended_at.is_(None))
        .values(ended_at=now, ended_why=why)
    )


def _open(connection: Connection, *which: Any) -> Iterator[Any]:
    """Yield the open offers, locked: each is answered, or passed on, once."""
    offers = (
        select(WaitlistOffer, WaitlistEntry.clinic_id)
        .join(WaitlistEntry, WaitlistEntry.id == WaitlistOffer.entry_id)
        .where(WaitlistOffer.state == "offered", *which)
    )
    locked = offers.order_by(WaitlistOffer.id).with_for_update(of=WaitlistOffer)
    yield from connection.execute(locked).all()


def _tell(connection: Connection, offer: Any, event: EventType, now: datetime) -> None:
    lead_events.tell(connection, offer.clinic_id, event, OfOffer(offer.id), now)


def _close(connection: Connection, offer_id: int, state: str) -> None:
    connection.execute(
        update(WaitlistOffer).where(WaitlistOffer.id == offer_id).values(state=state)
    )


def _span(offer: Row[Any]) -> Freed:
    return Freed(offer.practitioner_id, offer.starts_at, offer.ends_at)
