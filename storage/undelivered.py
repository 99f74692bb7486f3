"""What did not reach a clinic's channels: told to staff, and sent again when they say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from storage import lead_channels, outbox
from storage.lead_channels import ChannelFault
from storage.lead_events import GONE
from storage.models import WAITING, Outbox, table_of

_TABLE = table_of(Outbox)


class ChannelIsOff(ChannelFault):
    """Nothing can be sent to a channel that is off."""


@dataclass(frozen=True, slots=True)
class Some:
    """At least one message to a channel that failed."""

    count: int
    at: datetime  # of those given up: when one was last tried; of the others: the next try
    why: str  # code of what went wrong with that one


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a channel has not got."""

    lost: Some | None  # given up: nobody tries any more
    waiting: Some | None  # failed so far, and tried again


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a clinic should look at."""

    gone: int  # channels that are off because their receivers said 410
    lost: int  # messages given up, of channels that nobody turned off


def lacking(connection: Connection, clinic_id: int) -> Mapping[int, Lacking]:
    """Return what each channel of a clinic has not got, by the channel's number."""
    return {
        channel.id: Lacking(_lost(connection, channel.id), _waiting(connection, channel.id))
        for channel in lead_channels.listed(connection, clinic_id)
    }


def trouble(connection: Connection, clinic_id: int) -> Trouble:
    """Return what is wrong with the channels that nobody turned off."""
    unwished = [
        channel
        for channel in lead_channels.listed(connection, clinic_id)
        if channel.is_on or channel.disabled_why == GONE
    ]
    lost = [_lost(connection, channel.id) for channel in unwished]
    return Trouble(
        gone=sum(not channel.is_on for channel in unwished),
        lost=sum(some.count for some in lost if some is not None),
    )


def send_again(connection: Connection, clinic_id: int, channel_id: int, now: datetime) -> int:
    """Send everything that a channel did not get after all; return how many messages that is.

    Raises ChannelFault, and ChannelIsOff as one.
    """
    if not lead_channels.find(connection, clinic_id, channel_id).is_on:
        raise ChannelIsOff(f"channel {channel_id} is off; turn it on first")
    return outbox.replay_all(connection, lead_channels.messages_to(channel_id), now)


def _lost(connection: Connection, channel_id: int) -> Some | None:
    rows = select(_TABLE.c.due_at, _TABLE.c.last_error, func.count().over().label("many")).where(
        *lead_channels.messages_to(channel_id), _TABLE.c.state.in_(outbox.GIVEN_UP)
    )
    return _some(
        connection.execute(
            rows.order_by(_TABLE.c.due_at.desc(), _TABLE.c.id.desc()).limit(1)
        ).one_or_none()
    )


def _waiting(connection: Connection, channel_id: int) -> Some | None:
    rows = select(_TABLE.c.due_at, _TABLE.c.last_error, func.count().over().label("many")).where(
        *lead_channels.messages_to(channel_id), _TABLE.c.state.in_(WAITING), _TABLE.c.attempt > 0
    )
    return _some(
        connection.execute(rows.order_by(_TABLE.c.due_at, _TABLE.c.id).limit(1)).one_or_none()
    )


def _some(row: Row[Any] | None) -> Some | None:
    return None if row is None else Some(row.many, row.due_at, row.last_error or "")
