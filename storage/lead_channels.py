"""The addresses a clinic wants its leads and bookings told to, and what became of each message."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select, update

from storage import outbox
from storage.faults import StorageError
from storage.lead_events import LEAD, EventType, instant
from storage.models import WAITING, Clinic, Lead, LeadChannel, Outbox, table_of
from storage.outbox_policy import Kind
from storage.program import which_clinic

#: What `disabled_why` says of a channel that was removed; its past deliveries are still known.
REMOVED = "removed"

_KINDS = (Kind.LEAD.value, Kind.MAIL.value)

_CHANNELS, _MESSAGES = table_of(LeadChannel), table_of(Outbox)


class ChannelFault(StorageError):
    """A channel cannot be added or changed like this."""


@dataclass(frozen=True, slots=True)
class NewChannel:
    """A channel to be added; its address was checked by whoever knows how it is reached."""

    kind: str  # webhook or mail
    address: str
    secret: str | None = field(default=None, repr=False)  # sealed
    event_types: tuple[EventType, ...] = ()  # empty: all
    includes_answers: bool = False  # health answers go to this address, by https alone


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as it is kept."""

    id: int
    clinic_id: int
    clinic: str  # slug
    kind: str
    address: str
    event_types: tuple[str, ...]
    includes_answers: bool
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str | None
    secret: str | None = field(repr=False)  # sealed
    old_secret: str | None = field(repr=False)  # sealed

    @property
    def is_on(self) -> bool:
        """Say whether it is told of what happens."""
        return self.disabled_at is None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event of a lead on its way to one channel."""

    message: int  # number in the outbox
    event_id: str
    event_type: str
    happened_at: str  # RFC 3339, UTC
    channel_id: int
    kind: str
    address: str
    state: str  # pending, claimed, sending, sent, uncertain, dead or cancelled
    tries: int
    due_at: datetime  # of the next try, while it is pending
    sent_at: datetime | None
    why: str | None  # code of what went wrong last


def add(connection: Connection, clinic_id: int, new: NewChannel, now: datetime) -> int:
    """Add a channel, or put one back that was removed; return its number. Raises ChannelFault."""
    if new.includes_answers and not new.address.startswith("https://"):
        raise ChannelFault("health answers are sent to https:// addresses only")
    known = connection.execute(
        select(_CHANNELS.c.id, _CHANNELS.c.disabled_why).where(
            _CHANNELS.c.clinic_id == clinic_id, _CHANNELS.c.address == new.address
        )
    ).one_or_none()
    values: dict[str, Any] = {
        "kind": new.kind,
        "secret": new.secret,
        "old_secret": None,
        "event_types": " ".join(new.event_types),
        "includes_answers": new.includes_answers,
        "created_at": now,
        "disabled_at": None,
        "disabled_why": None,
    }
    if known is None:
        row = {"clinic_id": clinic_id, "address": new.address, **values}
        added = connection.execute(insert(_CHANNELS).values(**row).returning(_CHANNELS.c.id))
        return int(added.scalar_one())
    if known.disabled_why != REMOVED:
        raise ChannelFault(f"channel {known.id} has this address already; remove it first")
    connection.execute(update(_CHANNELS).where(_CHANNELS.c.id == known.id).values(**values))
    return int(known.id)


def listed(connection: Connection, clinic_id: int) -> list[Channel]:
    """Return a clinic's channels, those that are off included, removed ones not."""
    return [
        channel
        for channel in _read(connection, _CHANNELS.c.clinic_id == clinic_id)
        if channel.disabled_why != REMOVED
    ]


def find(connection: Connection, clinic_id: int, channel_id: int) -> Channel:
    """Return one channel of a clinic; raises ChannelFault when it has none of this number."""
    for channel in listed(connection, clinic_id):
        if channel.id == channel_id:
            return channel
    raise ChannelFault(f"{channel_id} is not the number of a channel of this clinic")


def load(connection: Connection, channel_id: int) -> Channel | None:
    """Return a channel by its number, whatever became of it."""
    return next(iter(_read(connection, _CHANNELS.c.id == channel_id)), None)


def disable(connection: Connection, channel_id: int, why: str, now: datetime) -> bool:
    """Turn a channel off for a reason in one code; False when it is off already."""
    return _change(connection, channel_id, _ON, disabled_at=now, disabled_why=why)


def enable(connection: Connection, clinic_id: int, channel_id: int) -> None:
    """Turn a channel on again. Raises ChannelFault."""
    find(connection, clinic_id, channel_id)
    _change(connection, channel_id, disabled_at=None, disabled_why=None)


def remove(connection: Connection, clinic_id: int, channel_id: int, now: datetime) -> int:
    """Remove a channel and take back what waits for it; return how many messages that were.

    What it was told before stays known. Raises ChannelFault.
    """
    find(connection, clinic_id, channel_id)
    _change(
        connection,
        channel_id,
        disabled_at=now,
        disabled_why=REMOVED,
        secret=None,
        old_secret=None,
    )
    waiting = connection.execute(
        update(_MESSAGES)
        .where(*messages_to(channel_id), _MESSAGES.c.state.in_(WAITING))
        .values(state="cancelled", last_error=REMOVED, lease_token=None, lease_until=None)
    )
    return waiting.rowcount


def rotate(connection: Connection, clinic_id: int, channel_id: int, sealed: str) -> None:
    """Sign with a new secret, and with the last one too until `forget_old`.

    Raises ChannelFault.
    """
    channel = find(connection, clinic_id, channel_id)
    if channel.kind != "webhook":
        raise ChannelFault("only a webhook has a secret")
    _change(connection, channel_id, secret=sealed, old_secret=channel.secret)


def forget_old(connection: Connection, clinic_id: int, channel_id: int) -> None:
    """Sign with the newest secret alone. Raises ChannelFault."""
    find(connection, clinic_id, channel_id)
    _change(connection, channel_id, old_secret=None)


def choose(
    connection: Connection, clinic_id: int, channel_id: int, event_types: Iterable[EventType]
) -> None:
    """Change what a channel is told of; nothing means everything. Raises ChannelFault."""
    find(connection, clinic_id, channel_id)
    _change(connection, channel_id, event_types=" ".join(event_types))


def deliveries_of(connection: Connection, clinic_id: int, lead_id: int) -> list[Delivery]:
    """Return who was, will be, or could not be told of a lead and its bookings, oldest first.

    Empty for a lead of another clinic.
    """
    owned = select(Lead.id).where(Lead.id == lead_id, Lead.clinic_id == clinic_id)
    if connection.execute(owned).scalar() is None:
        return []
    of_lead = (_MESSAGES.c.ref_type == LEAD, _MESSAGES.c.ref_id == str(lead_id))
    return _deliveries(connection, clinic_id, *of_lead)


def given_up(connection: Connection, clinic_id: int) -> list[Delivery]:
    """Return what a clinic's channels, but removed ones, did not get, oldest first."""
    kept = {channel.id for channel in listed(connection, clinic_id)}
    lost = _deliveries(connection, clinic_id, _MESSAGES.c.state.in_(outbox.GIVEN_UP))
    return [each for each in lost if each.channel_id in kept]


def messages_to(channel_id: int) -> outbox.Condition:
    """Return what is true of the messages to a channel, by the key that `lead_events` gives."""
    return (_MESSAGES.c.kind.in_(_KINDS), _MESSAGES.c.key.endswith(f":{channel_id}"))


def clinic_of(connection: Connection, slug: str | None) -> tuple[int, str]:
    """Return the number and slug of a clinic; the only one when no slug is given.

    Raises ChannelFault.
    """
    known = {row.slug: row.id for row in connection.execute(select(Clinic.id, Clinic.slug))}
    if slug is None and len(known) == 1:
        slug = next(iter(known))
    if slug is None or slug not in known:
        raise ChannelFault(which_clinic(known, slug))
    return known[slug], slug


def slug_of(connection: Connection, clinic_id: int) -> str:
    """Return a clinic's slug."""
    return connection.execute(select(Clinic.slug).where(Clinic.id == clinic_id)).scalar_one()


def zone_of(connection: Connection, clinic_id: int) -> str:
    """Return a clinic's IANA zone."""
    return connection.execute(select(Clinic.zone).where(Clinic.id == clinic_id)).scalar_one()


_ON = _CHANNELS.c.disabled_at.is_(None)


def _read(connection: Connection, which: ColumnElement[bool]) -> list[Channel]:
    rows = connection.execute(
        select(_CHANNELS, Clinic.slug.label("clinic"))
        .join(Clinic, Clinic.id == _CHANNELS.c.clinic_id)
        .where(which)
        .order_by(_CHANNELS.c.id)
    ).mappings()
    return [Channel(**{**row, "event_types": tuple(row["event_types"].split())}) for row in rows]


def _change(
    connection: Connection, channel_id: int, *which: ColumnElement[bool], **values: Any
) -> bool:
    changed = connection.execute(
        update(_CHANNELS).where(_CHANNELS.c.id == channel_id, *which).values(**values)
    )
    return changed.rowcount == 1


def _deliveries(
    connection: Connection, clinic_id: int, *which: ColumnElement[bool]
) -> list[Delivery]:
    addresses = {
        channel.id: channel for channel in _read(connection, _CHANNELS.c.clinic_id == clinic_id)
    }
    found = []
    for row in connection.execute(
        select(_MESSAGES).where(_MESSAGES.c.kind.in_(_KINDS), *which).order_by(_MESSAGES.c.id)
    ):
        told = json.loads(row.payload)
        channel = addresses.get(told.get("channel", 0))
        if channel is None:
            continue
        found.append(
            Delivery(
                message=row.id,
                event_id=told["event"],
                event_type=told["type"],
                happened_at=told.get("at", instant(row.created_at)),
                channel_id=channel.id,
                kind=channel.kind,
                address=channel.address,
                state=row.state,
                tries=row.attempt,
                due_at=row.due_at,
                sent_at=row.sent_at,
                why=row.last_error,
            )
        )
    return found
