"""What the whole database waits for next, so that a clock that can be moved can jump there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, bindparam, func, literal, or_, select, union_all

from storage.models import WAITING, Appointment, FollowUp, Outbox, WaitlistEntry, WaitlistOffer
from storage.outbox_policy import Kind


class Awaited(StrEnum):
    """What is to be done, or ends, at a moment."""

    LOOK = "look"  # a patient's history is looked at
    MESSAGE = "message"  # a message of the outbox may go out
    OFFER = "offer"  # a freed time goes to the next who waits
    HOLD = "hold"  # times that a patient did not confirm become free


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time at which something is awaited for somebody."""

    at: datetime  # aware UTC
    awaited: Awaited
    chat_id: int | None  # None: it concerns the clinic's own systems


@dataclass(frozen=True, slots=True)
class GoneOut:
    """A message that was sent."""

    kind: Kind
    chat_id: int | None
    payload: Mapping[str, str | int]
    at: datetime  # aware UTC


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done now, and the time at which anything is to be done, now or later."""

    looks: bool  # at patients' histories, or at an offer that has ended
    messages: int  # of the outbox
    next_at: datetime | None


#: Built once: a simulation asks at each of its hundred thousand events.
_NEXT_LOOK = (
    select(FollowUp.look_at)
    .where(FollowUp.look_at.is_not(None))
    .order_by(FollowUp.look_at)
    .limit(1)
)
_NEXT_MESSAGE = (
    select(Outbox.due_at).where(Outbox.state == "pending").order_by(Outbox.due_at).limit(1)
)
_NEXT_OFFER = select(func.min(WaitlistOffer.until_at)).where(WaitlistOffer.state == "offered")
_MESSAGES = select(func.count()).where(Outbox.state == "pending", Outbox.due_at <= bindparam("now"))


def next_moment(connection: Connection, after: datetime) -> Moment | None:
    """Return the first moment after `after`; None when nothing at all is awaited."""
    look = select(
        FollowUp.look_at.label("at"), literal(Awaited.LOOK.value).label("awaited"), FollowUp.chat_id
    ).where(FollowUp.look_at > after)
    message = select(Outbox.due_at, literal(Awaited.MESSAGE.value), Outbox.chat_id).where(
        Outbox.state.in_(WAITING), Outbox.due_at > after
    )
    hold = select(Appointment.hold_until, literal(Awaited.HOLD.value), Appointment.chat_id).where(
        Appointment.state == "held", Appointment.hold_until > after
    )
    offer = (
        select(WaitlistOffer.until_at, literal(Awaited.OFFER.value), WaitlistEntry.chat_id)
        .join(WaitlistEntry, WaitlistEntry.id == WaitlistOffer.entry_id)
        .where(WaitlistOffer.state == "offered", WaitlistOffer.until_at > after)
    )
    every = union_all(look, message, hold, offer).subquery()
    first = select(every).order_by(every.c.at, every.c.awaited, every.c.chat_id).limit(1)
    row = connection.execute(first).one_or_none()
    return None if row is None else Moment(row.at, Awaited(row.awaited), row.chat_id)


def due(connection: Connection, now: datetime) -> Due:
    """Return what is to be done at `now`, and when there is something to do next."""
    look_at, message_at, offer_at = (
        connection.execute(each).scalar() for each in (_NEXT_LOOK, _NEXT_MESSAGE, _NEXT_OFFER)
    )
    looks = [at for at in (look_at, offer_at) if at is not None]
    is_waiting = message_at is not None and message_at <= now
    return Due(
        looks=any(at <= now for at in looks),
        messages=connection.execute(_MESSAGES, {"now": now}).scalar_one() if is_waiting else 0,
        next_at=min((*looks, *(() if message_at is None else (message_at,))), default=None),
    )


def is_busy(connection: Connection, now: datetime) -> bool:
    """Say whether a look or a message is due that nobody has finished yet."""
    looks = select(func.count()).where(FollowUp.look_at <= now)
    messages = select(func.count()).where(
        or_((Outbox.state.in_(WAITING)) & (Outbox.due_at <= now), Outbox.state == "sending")
    )
    return any(connection.execute(each).scalar_one() for each in (looks, messages))


def gone_out(connection: Connection, since: datetime) -> list[GoneOut]:
    """Return what was sent at or after `since`, in order."""
    rows = connection.execute(
        select(Outbox.kind, Outbox.chat_id, Outbox.payload, Outbox.sent_at)
        .where(Outbox.state == "sent", Outbox.sent_at >= since)
        .order_by(Outbox.sent_at, Outbox.id)
    )
    return [
        GoneOut(Kind(row.kind), row.chat_id, json.loads(row.payload), row.sent_at or since)
        for row in rows
    ]
