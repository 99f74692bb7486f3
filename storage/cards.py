"""A card in the outbox: a word to one of a clinic's people in Telegram."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection

from storage import outbox, withdrawals
from storage.outbox import Message, Value
from storage.outbox_policy import Kind


def put(
    connection: Connection,
    about: str,
    member_id: int,
    payload: Mapping[str, Value],
    now: datetime,
    due_at: datetime | None = None,
) -> bool:
    """Leave a card for a member, due now where `due_at` is not given; False when it was there.

    `about` says what it is about and which version of it, as "12:booked": there is one card of it
    for each member.
    """
    return outbox.enqueue(
        connection,
        Message(
            key=f"card:{about}:{member_id}",
            kind=Kind.CARD,
            due_at=due_at or now,
            ref_type=withdrawals.STAFF,
            ref_id=str(member_id),
            payload=payload,
        ),
        now,
    )


def take_back(connection: Connection, about: str, *which: ColumnElement[bool]) -> int:
    """Cancel the cards that wait about something, narrowed by `which`: the next one says more."""
    return withdrawals.of_keys(connection, f"card:{about}:", "Outdone", *which)
