"""Erase one person: nothing of what is kept about a chat is left but times that are nobody's.

One transaction, in the order in which a turn locks: no turn of the chat is committed meanwhile, and
the next one finds a chat that was never seen. What is to come is cancelled first, as a patient
would, so that the time is offered again and calendars and channels hear of it. Appointments stay
without a person, for the calendar and its counts; so does the record of what staff did, which names
leads by number only.

Clinics that share a database share patients. A clinic erases everything only where no other one has
a lead, a visit or a thread of the same patient; otherwise what is its own, and the chat goes back
to its beginning if it is with this clinic. Name, phone number and chat stay then for the others.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    false,
    func,
    not_,
    or_,
    select,
    true,
    update,
)

from flows import conversation as values
from flows.conversation import Stage
from storage import (
    audit,
    bookings,
    documents,
    erasure_cards,
    lead_events,
    patient_visits,
    person_rows,
)
from storage.clerks import ChangedMeanwhile
from storage.inbox import PARKED
from storage.lead_events import EventType, OfBooking, OfErased
from storage.models import (
    Appointment,
    Conversation,
    Decision,
    Event,
    Finding,
    FollowUp,
    Inbox,
    Intake,
    Lead,
    LeadNote,
    Outbox,
    Patient,
    Photo,
    SeriesReview,
    StepVisit,
    Thread,
    ThreadMessage,
    WaitlistEntry,
    WaitlistOffer,
)
from storage.outbox_policy import Kind
from storage.person_rows import PersonRows

ERASED = "person.erased"

_TO_COME = ("pending", "booked")


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would be erased with a lead."""

    leads: int  # of this person, at this clinic
    visits: int  # to come, which would be cancelled
    photos: int
    messages: int  # between the patient and the clinic
    is_elsewhere: bool  # another clinic keeps something of the same person, and goes on
    first_name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: ids and counts."""

    leads: tuple[int, ...]
    cancelled: tuple[str, ...]  # UIDs of visits that were to come


def foresee(connection: Connection, clinic_id: int, lead_id: int, now: datetime) -> Foreseen | None:
    """Return what `erase` would do; None when the clinic has no such lead."""
    chat_id = person_rows.chat_of(connection, clinic_id, lead_id)
    if chat_id is None:
        return None
    person = person_rows.find(connection, chat_id, clinic_id)
    name = select(Patient.first_name).where(Patient.chat_id == chat_id)
    to_come = (Appointment.state.in_(_TO_COME), Appointment.starts_at > now)
    return Foreseen(
        leads=len(person.leads),
        visits=_count(connection, Appointment.uid.in_(person.uids), *to_come),
        photos=_count(connection, Photo.chat_id == chat_id, _in_runs(Photo, person)),
        messages=_count(connection, ThreadMessage.thread_id.in_(person.threads)),
        is_elsewhere=person.clinic_id is not None,
        first_name=connection.execute(name).scalar_one(),
    )


def erase(
    connection: Connection,
    clinic_id: int,
    staff_id: int | None,
    lead_id: int,
    visits: int,
    now: datetime,
) -> Erased | None:
    """Erase a lead's person for a clinic; None when it has no such lead. `staff_id`: who does it.

    `visits` is how many were foreseen to be cancelled: raises ChangedMeanwhile when others would
    be. Where another clinic keeps something of the same person, that stays; see the module.
    """
    chat_id = person_rows.chat_of(connection, clinic_id, lead_id)
    if chat_id is None:
        return None
    _lock(connection, chat_id)
    done = _erase(connection, person_rows.find(connection, chat_id, clinic_id), staff_id, now)
    if len(done.cancelled) != visits:
        raise ChangedMeanwhile("other visits are to come than were shown; look at them again")
    return done


def erase_chat(connection: Connection, chat_id: int, now: datetime) -> Erased:
    """Erase everything that any clinic keeps of a chat, at the patient's own word; tell staff."""
    _lock(connection, chat_id)
    person = person_rows.find(connection, chat_id, None)
    done = _erase(connection, person, None, now)
    visits = Counter(row.clinic_id for row in _visits(connection, done.cancelled))
    newest = {clinic_id: lead_id for lead_id, clinic_id in person.leads if clinic_id is not None}
    for clinic_id, lead_id in newest.items():
        erasure_cards.enqueue(connection, clinic_id, lead_id, visits[clinic_id], now)
    return done


def _lock(connection: Connection, chat_id: int) -> None:
    """Let no turn of this chat, and nothing that refers to the patient, be committed meanwhile."""
    patient_visits.lock(connection, chat_id)
    connection.execute(select(Patient.chat_id).where(Patient.chat_id == chat_id).with_for_update())


def _erase(
    connection: Connection, person: PersonRows, staff_id: int | None, now: datetime
) -> Erased:
    here = Appointment.uid.in_(person.uids)
    cancelled = bookings.cancel_all(connection, person.chat_id, now, here)
    _drop_messages(connection, person)
    _drop_desk(connection, person)
    _drop_visits(connection, person, now)
    _drop_runs(connection, person)
    _drop_chat(connection, person, now)
    _tell(connection, person, cancelled, staff_id, now)
    return Erased(person.lead_ids, cancelled)


def _drop_messages(connection: Connection, person: PersonRows) -> None:
    """Forget messages to the person and about them, sent or not, but those to calendars.

    Whoever is sending one at this moment ends with a lease that is lost, and changes nothing.
    """
    lead_ids = [str(lead) for lead in person.lead_ids]
    about = [and_(Outbox.ref_type == lead_events.LEAD, Outbox.ref_id.in_(lead_ids))]
    about += [Outbox.key.startswith(f"card:{lead}:") for lead in lead_ids]
    told = Outbox.kind.in_((Kind.LEAD.value, Kind.MAIL.value))
    about += [and_(told, _names(series)) for series in person.series]
    connection.execute(delete(Outbox).where(or_(*about, _to_person(connection, person))))


def _to_person(connection: Connection, person: PersonRows) -> ColumnElement[bool]:
    """Return what is true of messages to the person, without those for another clinic."""
    theirs = Outbox.chat_id == person.chat_id
    if person.clinic_id is None:
        return theirs
    threads = [str(each) for each in person.threads]
    ours = [
        Outbox.ref_id.in_(person.uids),
        and_(Outbox.ref_type == "thread", Outbox.ref_id.in_(threads)),
        *map(_names, person.uids),
    ]
    if person.has_chat:  # what is about no visit belongs to the chat
        others = Appointment.clinic_id != person.clinic_id
        kept = select(Appointment.uid).where(Appointment.chat_id == person.chat_id, others)
        about_others = (_names(uid) for uid in connection.execute(kept).scalars())
        ours.append(and_(Outbox.ref_type == "", not_(or_(false(), *about_others))))
    return and_(theirs, or_(*ours))


def _names(word: str) -> ColumnElement[bool]:
    return Outbox.payload.contains(f'"{word}"', autoescape=True)


def _drop_desk(connection: Connection, person: PersonRows) -> None:
    for model in (LeadNote, Finding):
        connection.execute(delete(model).where(model.lead_id.in_(person.lead_ids)))
    connection.execute(delete(ThreadMessage).where(ThreadMessage.thread_id.in_(person.threads)))
    connection.execute(delete(Thread).where(Thread.id.in_(person.threads)))


def _drop_visits(connection: Connection, person: PersonRows, now: datetime) -> None:
    """Forget who was to come, who waits for something earlier and what they said of a course."""
    here = true() if person.clinic_id is None else WaitlistEntry.clinic_id == person.clinic_id
    entries = select(WaitlistEntry.id).where(WaitlistEntry.chat_id == person.chat_id, here)
    connection.execute(delete(WaitlistOffer).where(WaitlistOffer.entry_id.in_(entries)))
    connection.execute(delete(WaitlistEntry).where(WaitlistEntry.id.in_(entries)))
    rated = SeriesReview.chat_id == person.chat_id
    if person.clinic_id is not None:
        rated &= SeriesReview.series_id.in_(person.series)
    connection.execute(delete(SeriesReview).where(rated))
    connection.execute(
        update(Appointment)
        .where(Appointment.uid.in_(person.uids))
        .values(
            chat_id=None,
            run=0,
            walk_in_name="",
            walk_in_phone=None,
            note=None,
            paused_at=None,
            version=Appointment.version + 1,
            updated_at=now,
        )
    )


def _drop_runs(connection: Connection, person: PersonRows) -> None:
    """Forget answers, verdicts, photos and the way through the questions."""
    for model in (Event, Decision, Photo, StepVisit, Intake):
        mine = (model.chat_id == person.chat_id, _in_runs(model, person))
        connection.execute(delete(model).where(*mine))


def _in_runs(model: Any, person: PersonRows) -> ColumnElement[bool]:
    return true() if person.clinic_id is None else model.run.in_(person.runs)


def _drop_chat(connection: Connection, person: PersonRows, now: datetime) -> None:
    chat_id, ours = person.chat_id, FollowUp.chat_id == person.chat_id
    if person.has_chat:
        _drop_updates(connection, chat_id)
    if person.clinic_id is None:
        connection.execute(delete(FollowUp).where(ours))
        connection.execute(delete(Conversation).where(Conversation.chat_id == chat_id))
    else:
        connection.execute(update(FollowUp).where(ours).values(look_at=now))
        told_here = FollowUp.recall_lead_id.in_(person.lead_ids)
        untold = {"recall_told_at": None, "recall_lead_id": None}
        connection.execute(update(FollowUp).where(ours, told_here).values(**untold))
        if person.has_chat:
            _begin_anew(connection, chat_id)
    connection.execute(delete(Lead).where(Lead.id.in_(person.lead_ids)))
    if person.clinic_id is None:
        connection.execute(delete(Patient).where(Patient.chat_id == chat_id))


def _drop_updates(connection: Connection, chat_id: int) -> None:
    """Forget what a parked update says; that there was one is no secret."""
    kept = select(Inbox.bot_id, Inbox.update_id, Inbox.payload).where(Inbox.payload.is_not(None))
    for row in connection.execute(kept).all():
        if _is_from(row.payload, chat_id):
            connection.execute(
                update(Inbox)
                .where(Inbox.bot_id == row.bot_id, Inbox.update_id == row.update_id)
                .values(state=PARKED, payload=None)
            )


def _is_from(payload: str, chat_id: int) -> bool:
    """Say whether an update names a chat anywhere. What cannot be read might."""
    try:
        return _holds_id(json.loads(payload), chat_id)
    except ValueError:
        return True


def _holds_id(value: object, chat_id: int) -> bool:
    if isinstance(value, dict):
        return value.get("id") == chat_id or any(_holds_id(v, chat_id) for v in value.values())
    return isinstance(value, list) and any(_holds_id(each, chat_id) for each in value)


def _begin_anew(connection: Connection, chat_id: int) -> None:
    """Put a chat back to its beginning, in a run that no other clinic's rows belong to.

    Its old buttons are stale, and it waits for no answer of ours.
    """
    old = connection.execute(
        select(Conversation.revision, Conversation.run, Patient.first_name, Patient.locale)
        .join(Patient, Patient.chat_id == Conversation.chat_id)
        .where(Conversation.chat_id == chat_id)
    ).one()
    fresh = values.Conversation(
        chat_id,
        Stage.CHOOSE_CLINIC,
        revision=old.revision + 1,
        run=old.run + 1,
        locale=old.locale,
        first_name=old.first_name,
    )
    connection.execute(
        update(Conversation)
        .where(Conversation.chat_id == chat_id)
        .values(
            clinic=None,
            state=fresh.state,
            revision=fresh.revision,
            run=fresh.run,
            protocol="",
            document=documents.write_conversation(fresh),
            shown_revision=fresh.revision,
            message_id=None,
        )
    )


def _tell(
    connection: Connection,
    person: PersonRows,
    cancelled: Sequence[str],
    staff_id: int | None,
    now: datetime,
) -> None:
    """Tell channels of visits, which are nobody's now, then that leads are gone; and record it."""
    for row in _visits(connection, cancelled):
        gone = OfBooking(row.uid)
        lead_events.tell(connection, row.clinic_id, EventType.BOOKING_CANCELLED, gone, now)
    for lead_id, clinic_id in person.leads:
        if clinic_id is not None:
            lead_events.tell(connection, clinic_id, EventType.LEAD_ERASED, OfErased(lead_id), now)
            audit.record(connection, clinic_id, staff_id, ERASED, "lead", lead_id, now)


def _visits(connection: Connection, uids: Sequence[str]) -> Sequence[Any]:
    """Return UID and clinic of appointments, in the order of their times."""
    found = select(Appointment.uid, Appointment.clinic_id).where(Appointment.uid.in_(uids))
    return connection.execute(found.order_by(Appointment.starts_at)).all()


def _count(connection: Connection, *which: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).where(*which)).scalar_one()
