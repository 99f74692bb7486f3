"""Load conversations, and know which of them still wait for a reply."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, func, or_, select, update

from flows import conversation as values
from storage import documents, upserts
from storage.models import Clinic, Conversation, Outbox, Patient, Thread, table_of


@dataclass(frozen=True, slots=True)
class Loaded:
    """A stored conversation and what of it the patient has seen."""

    conversation: values.Conversation
    message_id: int | None  # the bot's latest message with a screen
    shown_revision: int | None  # None: nothing was ever shown
    is_talking: bool = False  # has an open thread with the people of this clinic
    is_interrupted: bool = False  # a message came by itself after the chat's last turn


_TABLE = table_of(Conversation)

_IS_TALKING = exists(
    select(Thread.id)
    .join(Clinic, Clinic.id == Thread.clinic_id)
    .where(
        Thread.chat_id == _TABLE.c.chat_id,
        Thread.is_open,
        Clinic.slug == _TABLE.c.clinic,
    )
)

#: One that perhaps arrived counts too, and one whose arrival is about to be noted.
_IS_INTERRUPTED = exists(
    select(Outbox.id).where(
        Outbox.chat_id == _TABLE.c.chat_id,
        Outbox.state.in_(("sending", "sent", "uncertain")),
        func.coalesce(Outbox.sent_at, Outbox.due_at) > _TABLE.c.updated_at,
    )
)

_LOAD = select(
    _TABLE.c.document,
    _TABLE.c.message_id,
    _TABLE.c.shown_revision,
    _IS_TALKING,
    _IS_INTERRUPTED,
).where(_TABLE.c.chat_id == bindparam("chat"))

#: Built once, as every turn runs it; the columns to set are those of the parameters.
_UPDATE = update(_TABLE).where(
    _TABLE.c.chat_id == bindparam("chat"), _TABLE.c.revision == bindparam("before")
)


def load(connection: Connection, chat_id: int) -> Loaded | None:
    """Return the chat's conversation; None when the patient is new."""
    row = connection.execute(_LOAD, {"chat": chat_id}).one_or_none()
    if row is None:
        return None
    return Loaded(documents.read_conversation(row[0]), row[1], row[2], bool(row[3]), bool(row[4]))


def note_shown(connection: Connection, chat_id: int, revision: int, message_id: int | None) -> None:
    """Record that the patient sees the screen of `revision`, in the message `message_id`."""
    connection.execute(
        update(Conversation)
        .where(
            Conversation.chat_id == chat_id,
            or_(
                Conversation.shown_revision.is_(None),
                Conversation.shown_revision <= revision,
            ),
        )
        .values(shown_revision=revision, message_id=message_id)
    )


def unanswered(connection: Connection) -> list[int]:
    """Return the chats whose last turn was committed but never shown, longest waiting first."""
    statement = (
        select(Conversation.chat_id)
        .join(Patient, Patient.chat_id == Conversation.chat_id)
        .where(
            Patient.unreachable_at.is_(None),
            Conversation.shown_revision.is_distinct_from(Conversation.revision),
        )
        .order_by(Conversation.updated_at, Conversation.chat_id)
    )
    return list(connection.execute(statement).scalars())


def claim_reminder(
    connection: Connection, chat_id: int, revision: int, now: datetime, until: datetime
) -> bool:
    """Take it on to show a chat the screen of `revision`, which it never saw.

    False when it has seen it or has gone on, or when somebody else has taken it on: at `until` they
    must have shown it, and may be taken for dead.
    """
    claimed = connection.execute(
        update(Conversation)
        .where(
            Conversation.chat_id == chat_id,
            Conversation.revision == revision,
            Conversation.shown_revision.is_distinct_from(revision),
            or_(Conversation.reminding_until.is_(None), Conversation.reminding_until <= now),
        )
        .values(reminding_until=until)
    )
    return claimed.rowcount == 1


def save(
    connection: Connection,
    conversation: values.Conversation,
    before_revision: int | None,
    now: datetime,
) -> bool:
    """Store the conversation; False when the stored one is not of `before_revision`."""
    columns: dict[str, object] = {
        "clinic": conversation.clinic,
        "state": conversation.state,
        "revision": conversation.revision,
        "run": conversation.run,
        "protocol": conversation.protocol,
        "document": documents.write_conversation(conversation),
        "updated_at": now,
    }
    if before_revision is None:
        fresh = _insert(connection.dialect.name)
        return connection.execute(fresh, columns | {"chat_id": conversation.chat_id}).rowcount == 1
    columns |= {"chat": conversation.chat_id, "before": before_revision}
    return connection.execute(_UPDATE, columns).rowcount == 1


@functools.cache
def _insert(dialect: str) -> upserts.Insert:
    return upserts.insert(dialect, Conversation).on_conflict_do_nothing()
