"""Threads between patients and the clinic's people, and what staff write about a lead.

Everything that staff ask for names their clinic: what belongs to another one is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from flows.conversation import Conversation
from flows.effects import MessageToClinic
from storage import audit, looks, message_cards, outbox, upserts
from storage.models import Clinic, Lead, Outbox, Patient, StaffMember, Thread, ThreadMessage
from storage.outbox import Message
from storage.outbox_policy import Kind

#: Longest answer of staff: Telegram takes 4096 characters, a greeting and a hint are added.
LONGEST = 3500

PATIENT, STAFF = "patient", "staff"


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A thread in a list. Name and words are no part of its `repr`."""

    id: int
    is_open: bool
    staff_id: int | None  # who is on it
    staff: str
    opened_at: datetime
    updated_at: datetime
    awaits: bool  # the last word is the patient's
    messages: int
    first_name: str = field(repr=False)
    preview: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a thread, and what became of one that staff wrote."""

    id: int
    author: str
    staff: str  # name, of what staff wrote
    at: datetime
    delivery: str  # state in the outbox, as "sent"; empty for what the patient wrote
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ThreadStory:
    """A thread with all its messages, oldest first."""

    row: ThreadRow
    lead_id: int | None  # the patient's latest lead at this clinic
    can_be_reached: bool
    phone: str | None = field(repr=False)
    messages: tuple[Said, ...] = field(repr=False)


def receive(
    connection: Connection, conversation: Conversation, effect: MessageToClinic, now: datetime
) -> int | None:
    """Keep what a patient wrote to their clinic's people; the thread is open from now on.

    Return the thread; None when the conversation's clinic is gone.
    """
    clinic_id = connection.execute(
        select(Clinic.id).where(Clinic.slug == conversation.clinic)
    ).scalar()
    if clinic_id is None:
        return None
    before = connection.execute(
        _rows(Thread.clinic_id == clinic_id, Thread.chat_id == conversation.chat_id)
    ).one_or_none()
    thread_id = _open(connection, clinic_id, conversation.chat_id, now)
    message_id = _say(connection, thread_id, PATIENT, None, effect.text, now)
    if before is not None and not _thread(before).awaits:  # else staff were told already
        message_cards.enqueue(connection, conversation, message_id, before.staff_id, now)
    return thread_id


def threads(
    connection: Connection, clinic_id: int, *, is_open: bool = True, limit: int = 200
) -> list[ThreadRow]:
    """Return a clinic's threads: those whose patient waits come first, then the latest."""
    rows = connection.execute(
        _rows(Thread.clinic_id == clinic_id, Thread.is_open.is_(is_open)).limit(limit)
    )
    return sorted((_thread(row) for row in rows), key=lambda row: not row.awaits)


def waiting(connection: Connection, clinic_id: int) -> int:
    """Return how many open threads end with the patient's words."""
    last_author = (
        select(ThreadMessage.author)
        .where(ThreadMessage.thread_id == Thread.id)
        .order_by(ThreadMessage.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        select(func.count())
        .select_from(Thread)
        .where(Thread.clinic_id == clinic_id, Thread.is_open, last_author == PATIENT)
    )
    return connection.execute(statement).scalar_one()


def thread(connection: Connection, clinic_id: int, thread_id: int) -> ThreadStory | None:
    """Return a thread with its messages; None when the clinic has no such thread."""
    row = connection.execute(
        _rows(Thread.clinic_id == clinic_id, Thread.id == thread_id)
    ).one_or_none()
    if row is None:
        return None
    lead = select(func.max(Lead.id)).where(Lead.clinic_id == clinic_id, Lead.chat_id == row.chat_id)
    return ThreadStory(
        row=_thread(row),
        lead_id=connection.execute(lead).scalar(),
        can_be_reached=row.unreachable_at is None,
        phone=row.phone,
        messages=messages(connection, thread_id),
    )


def view(
    connection: Connection, clinic_id: int, staff_id: int, thread_id: int, now: datetime
) -> ThreadStory | None:
    """Return a thread and record that it was looked at; None: the clinic has no such thread."""
    story = thread(connection, clinic_id, thread_id)
    if story is not None:
        subject = ("thread", thread_id)
        looks.record(connection, clinic_id, staff_id, "thread.viewed", subject, now)
    return story


def messages(connection: Connection, thread_id: int) -> tuple[Said, ...]:
    """Return what was said, oldest first, with how far the answers of staff are."""
    statement = (
        select(ThreadMessage, StaffMember.name)
        .outerjoin(StaffMember, StaffMember.id == ThreadMessage.staff_id)
        .where(ThreadMessage.thread_id == thread_id)
        .order_by(ThreadMessage.id)
    )
    rows = connection.execute(statement).all()
    states = _deliveries(connection, [_key(row.id) for row in rows if row.author == STAFF])
    return tuple(
        Said(
            id=row.id,
            author=row.author,
            staff=row.name or "",
            at=row.at,
            delivery=states.get(_key(row.id), ""),
            body=row.body,
        )
        for row in rows
    )


def thread_of_lead(connection: Connection, clinic_id: int, lead_id: int) -> int | None:
    """Return the thread with a lead's patient; None when there is none yet."""
    statement = (
        select(Thread.id)
        .join(Lead, Lead.chat_id == Thread.chat_id)
        .where(Lead.id == lead_id, Lead.clinic_id == clinic_id, Thread.clinic_id == clinic_id)
    )
    return connection.execute(statement).scalar()


def begin(
    connection: Connection, clinic_id: int, lead_id: int, staff_id: int, now: datetime
) -> int | None:
    """Open the thread with a lead's patient for staff to write first; None: no such lead."""
    chat_id = connection.execute(
        select(Lead.chat_id).where(Lead.id == lead_id, Lead.clinic_id == clinic_id)
    ).scalar()
    if chat_id is None:
        return None
    thread_id = _open(connection, clinic_id, chat_id, now)
    audit.record(connection, clinic_id, staff_id, "thread.opened", "thread", thread_id, now)
    return thread_id


def answer(
    connection: Connection,
    clinic_id: int,
    staff_id: int,
    thread_id: int,
    body: str,
    now: datetime,
) -> int | None:
    """Keep what staff wrote and send it; the thread is open, and theirs when it was nobody's.

    Return the message; None when the clinic has no such thread. ValueError for words that are
    none or too many.
    """
    words = body.strip()
    if not words or len(words) > LONGEST:
        raise ValueError(f"an answer must have 1 to {LONGEST} characters, got {len(words)}")
    row = connection.execute(
        select(Thread.chat_id, Thread.staff_id).where(_is(clinic_id, thread_id)).with_for_update()
    ).one_or_none()
    if row is None:
        return None
    connection.execute(
        update(Thread)
        .where(Thread.id == thread_id)
        .values(is_open=True, closed_at=None, updated_at=now, staff_id=row.staff_id or staff_id)
    )
    message_id = _say(connection, thread_id, STAFF, staff_id, words, now)
    outbox.enqueue(
        connection,
        Message(
            key=_key(message_id),
            kind=Kind.REPLY,
            due_at=now,
            chat_id=row.chat_id,
            ref_type="thread",
            ref_id=str(thread_id),
            payload={"message": message_id},
        ),
        now,
    )
    audit.record(connection, clinic_id, staff_id, "thread.answered", "thread", thread_id, now)
    return message_id


def hand_over(
    connection: Connection,
    clinic_id: int,
    staff_id: int,
    thread_id: int,
    to_staff_id: int | None,
    now: datetime,
) -> bool:
    """Put a member of the clinic on a thread, or nobody; False: no such thread or member."""
    if to_staff_id is not None:
        member = select(StaffMember.id).where(
            StaffMember.id == to_staff_id,
            StaffMember.clinic_id == clinic_id,
            StaffMember.removed_at.is_(None),
        )
        if connection.execute(member).scalar() is None:
            return False
    changed = _change(connection, clinic_id, thread_id, staff_id=to_staff_id, updated_at=now)
    if changed:
        what = "thread.taken" if to_staff_id == staff_id else "thread.handed_over"
        audit.record(connection, clinic_id, staff_id, what, "thread", thread_id, now)
    return changed


def set_open(
    connection: Connection,
    clinic_id: int,
    staff_id: int,
    thread_id: int,
    now: datetime,
    *,
    is_open: bool,
) -> bool:
    """Close a thread or open it again; False when the clinic has no such thread."""
    closed_at = None if is_open else now
    values = {"is_open": is_open, "closed_at": closed_at, "updated_at": now}
    changed = _change(connection, clinic_id, thread_id, **values)
    if changed:
        what = "thread.reopened" if is_open else "thread.closed"
        audit.record(connection, clinic_id, staff_id, what, "thread", thread_id, now)
    return changed


def _open(connection: Connection, clinic_id: int, chat_id: int, now: datetime) -> int:
    fresh = upserts.insert(connection.dialect.name, Thread).values(
        clinic_id=clinic_id, chat_id=chat_id, is_open=True, opened_at=now, updated_at=now
    )
    opened = fresh.on_conflict_do_update(
        index_elements=["chat_id", "clinic_id"],
        set_={"is_open": True, "closed_at": None, "updated_at": now},
    ).returning(Thread.id)
    return int(connection.execute(opened).scalar_one())


def _say(
    connection: Connection,
    thread_id: int,
    author: str,
    staff_id: int | None,
    body: str,
    now: datetime,
) -> int:
    said = insert(ThreadMessage).values(
        thread_id=thread_id, author=author, staff_id=staff_id, body=body, at=now
    )
    return int(connection.execute(said.returning(ThreadMessage.id)).scalar_one())


def _change(connection: Connection, clinic_id: int, thread_id: int, **values: object) -> bool:
    changed = update(Thread).where(_is(clinic_id, thread_id)).values(**values)
    return connection.execute(changed).rowcount == 1


def _is(clinic_id: int, thread_id: int) -> ColumnElement[bool]:
    return (Thread.id == thread_id) & (Thread.clinic_id == clinic_id)


def _deliveries(connection: Connection, keys: Sequence[str]) -> dict[str, str]:
    rows = connection.execute(select(Outbox.key, Outbox.state).where(Outbox.key.in_(keys)))
    return {row.key: row.state for row in rows}


def _key(message_id: int) -> str:
    return f"reply:{message_id}"


def _last() -> Any:
    return (
        select(
            ThreadMessage.thread_id,
            func.max(ThreadMessage.id).label("last_id"),
            func.count().label("messages"),
        )
        .group_by(ThreadMessage.thread_id)
        .subquery()
    )


def _rows(*which: ColumnElement[bool]) -> Any:
    last = _last()
    return (
        select(
            Thread,
            Patient.first_name,
            Patient.phone,
            Patient.unreachable_at,
            StaffMember.name,
            ThreadMessage.author,
            ThreadMessage.body,
            last.c.messages,
        )
        .join(Patient, Patient.chat_id == Thread.chat_id)
        .outerjoin(StaffMember, StaffMember.id == Thread.staff_id)
        .outerjoin(last, last.c.thread_id == Thread.id)
        .outerjoin(ThreadMessage, ThreadMessage.id == last.c.last_id)
        .where(*which)
        .order_by(Thread.updated_at.desc(), Thread.id.desc())
    )


def _thread(row: Any) -> ThreadRow:
    return ThreadRow(
        id=row.id,
        is_open=row.is_open,
        staff_id=row.staff_id,
        staff=row.name or "",
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        awaits=row.is_open and row.author == PATIENT,
        messages=row.messages or 0,
        first_name=row.first_name,
        preview=" ".join((row.body or "").split())[:120],
    )
