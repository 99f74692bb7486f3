"""One turn of one chat, committed as a whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from sqlalchemy import Connection, bindparam, insert, select

from flows import effects
from flows.conversation import Conversation
from flows.effects import Effect
from flows.passage import NOWHERE, Passage
from flows.slots import Slot
from storage import (
    bookings,
    conversations,
    decisions,
    desk,
    erasure,
    follow_ups,
    inbox,
    intakes,
    leads,
    models,
    patients,
    photos,
    staff_cards,
    turn_events,
    visit_answers,
)
from storage.faults import StorageError


@dataclass(frozen=True, slots=True)
class TurnWrites:
    """Everything a turn wants kept."""

    update_id: int
    chat_id: int
    before_revision: int | None  # revision the turn was made from; None: the chat was unknown
    conversation: Conversation  # after the turn
    event_log: tuple[str, ...]  # lines for the audit trail
    effects: tuple[Effect, ...]
    now: datetime
    bot_id: int = 0  # whose update_id it is
    passage: Passage = NOWHERE  # what it did to the questions


@dataclass(frozen=True, slots=True)
class Committed:
    """The turn is on disk."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The update was dealt with before; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Stale:
    """The conversation has moved on since it was loaded; nothing was changed."""


@dataclass(frozen=True, slots=True)
class SlotTaken:
    """These times cannot be booked any more; nothing of the turn was kept."""

    slots: tuple[Slot, ...]


Outcome = Committed | Duplicate | Stale | SlotTaken


class _Refused(Exception):
    """Carries an outcome out of a savepoint that must be rolled back."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


_CalendarEffect = (
    effects.HoldSeries
    | effects.ConfirmSeries
    | effects.ReleaseHold
    | effects.MoveAppointment
    | effects.CancelSeries
    | effects.CancelAppointment
)

_DeskEffect = (
    effects.MessageToClinic | effects.KeepPhoto | effects.DeletePhotos | effects.ErasePatient
)

_BOOKS = (effects.HoldSeries, effects.ConfirmSeries, effects.MoveAppointment)

_CHATS, _PATIENTS = models.table_of(models.Conversation), models.table_of(models.Patient)

#: Locks the row on PostgreSQL, so that two processes cannot both advance one chat.
_STORED = (
    select(
        _CHATS.c.revision, _PATIENTS.c.first_name, _PATIENTS.c.locale, _PATIENTS.c.unreachable_at
    )
    .join_from(_CHATS, _PATIENTS, _PATIENTS.c.chat_id == _CHATS.c.chat_id)
    .where(_CHATS.c.chat_id == bindparam("chat"))
    .with_for_update(of=_CHATS)
)

_LOG = insert(models.table_of(models.Event))


def commit(connection: Connection, writes: TurnWrites) -> Outcome:
    """Apply a turn inside the caller's transaction.

    Raises NoValidVerdict for a booking that no verdict allows, NoSuchAppointment for a move of
    what is not there; then the caller's transaction must be rolled back, as `Database.write` does.
    """
    stored = connection.execute(_STORED, {"chat": writes.chat_id}).one_or_none()
    if (stored.revision if stored else None) != writes.before_revision:
        settled = inbox.is_settled(connection, writes.update_id, bot_id=writes.bot_id)
        return Duplicate() if settled else Stale()
    seen = (writes.conversation.first_name, writes.conversation.locale, None)
    is_known = stored is not None and tuple(stored)[1:] == seen
    if stored is not None and not any(isinstance(effect, _BOOKS) for effect in writes.effects):
        return _apply(connection, writes, is_known=is_known)
    try:
        with connection.begin_nested():
            return _apply(connection, writes, is_known=is_known)
    except bookings.SlotsGone as gone:
        return SlotTaken(gone.slots)
    except _Refused as refused:
        return refused.outcome


def call_person(connection: Connection, chat_id: int, now: datetime) -> str | None:
    """Tell a chat's clinic, outside a turn, that its patient needs a person; return its slug.

    None when the chat has no clinic. The conversation itself is not read: it may be at fault.
    """
    row = connection.execute(
        select(_CHATS.c.run, _CHATS.c.state, _CHATS.c.clinic).where(_CHATS.c.chat_id == chat_id)
    ).one_or_none()
    if row is None or row.clinic is None:
        return None
    who = Conversation(chat_id, row.state, run=row.run, clinic=row.clinic)
    wanted = effects.HandOffLead(effects.LeadKind.PERSON)
    to_tell = turn_events.listen(connection, who, (wanted,))
    _carry_out(connection, who, wanted, now)
    turn_events.tell(connection, to_tell, now)
    return str(row.clinic)


def _apply(connection: Connection, writes: TurnWrites, *, is_known: bool) -> Outcome:
    conversation, now = writes.conversation, writes.now
    if not inbox.claim(connection, writes.update_id, now, bot_id=writes.bot_id):
        return Duplicate()
    if not is_known:
        patients.save(
            connection,
            writes.chat_id,
            first_name=conversation.first_name,
            locale=conversation.locale,
            now=now,
        )
    to_tell = turn_events.listen(connection, conversation, writes.effects)
    for effect in writes.effects:
        _carry_out(connection, conversation, effect, now)
    turn_events.tell(connection, to_tell, now)
    if effects.ErasePatient() in writes.effects:
        return Committed()  # nothing of the turn is kept but that its update was dealt with
    if not conversations.save(connection, conversation, writes.before_revision, now):
        raise _Refused(Stale())  # another process met this new patient at the same instant
    intakes.note(connection, conversation, writes.passage, now)
    follow_ups.mark(connection, writes.chat_id, now)
    _log(connection, writes)
    return Committed()


def _carry_out(
    connection: Connection, conversation: Conversation, effect: Effect, now: datetime
) -> None:
    match effect:
        case effects.RecordDecision():
            decisions.record(connection, conversation, effect, now)
        case effects.HandOffLead():
            leads.hand_off(connection, conversation, effect, now)
            staff_cards.enqueue(connection, conversation, effect, now)
        case effects.SavePhone():
            patients.save_phone(connection, conversation.chat_id, effect.phone)
        case effects.StopMessages():
            patients.stop_messages(connection, conversation.chat_id, now)
        case effects.AllowMessages():
            patients.allow_messages(connection, conversation.chat_id)
        case (
            effects.MessageToClinic()
            | effects.KeepPhoto()
            | effects.DeletePhotos()
            | effects.ErasePatient()
        ):
            _reach_the_desk(connection, conversation, effect, now)
        case (
            effects.ConfirmVisit()
            | effects.PauseVisit()
            | effects.StopNudges()
            | effects.ReviewSeries()
            | effects.DescribeResult()
            | effects.JoinWaitlist()
            | effects.LeaveWaitlist()
            | effects.DeclineOffer()
        ):
            visit_answers.take(connection, conversation.chat_id, effect, now)
        case _:
            _change_calendar(connection, conversation, effect, now)


def _reach_the_desk(
    connection: Connection, conversation: Conversation, effect: _DeskEffect, now: datetime
) -> None:
    match effect:
        case effects.MessageToClinic():
            desk.receive(connection, conversation, effect, now)
        case effects.KeepPhoto():
            chat_id, run = conversation.chat_id, conversation.run
            photos.keep(connection, chat_id, run, effect.file_id, now)
        case effects.DeletePhotos():
            photos.delete_all(connection, conversation.chat_id)
        case effects.ErasePatient():
            erasure.erase_chat(connection, conversation.chat_id, now)
        case _:
            assert_never(effect)


def _change_calendar(
    connection: Connection,
    conversation: Conversation,
    effect: _CalendarEffect,
    now: datetime,
) -> None:
    if conversation.clinic is None:
        raise StorageError("a booking needs a clinic, and the conversation has chosen none")
    chat_id, run = conversation.chat_id, conversation.run
    booker = bookings.Booker(chat_id, run, conversation.clinic, now)
    match effect:
        case effects.HoldSeries():
            decisions.require(connection, chat_id, run, effect.service)
            bookings.hold(connection, booker, effect)
        case effects.ConfirmSeries():
            decisions.require(connection, chat_id, run, effect.service)
            bookings.confirm(connection, booker, effect)
        case effects.ReleaseHold():
            bookings.release(connection, booker, effect)
        case effects.MoveAppointment():
            bookings.move(connection, booker, effect)
        case effects.CancelSeries():
            bookings.cancel(connection, booker, effect)
        case effects.CancelAppointment():
            bookings.cancel_one(connection, booker, effect)
        case _:
            assert_never(effect)


def _log(connection: Connection, writes: TurnWrites) -> None:
    if not writes.event_log:
        return
    rows = [
        {
            "chat_id": writes.chat_id,
            "run": writes.conversation.run,
            "revision": writes.conversation.revision,
            "update_id": writes.update_id,
            "what": what,
            "at": writes.now,
        }
        for what in writes.event_log
    ]
    connection.execute(_LOG, rows)
