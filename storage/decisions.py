"""Verdicts, kept with all that is needed to reach them again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from flows.conversation import Conversation
from flows.effects import RecordDecision
from storage import documents
from storage.faults import StorageError
from storage.models import Decision


class NoValidVerdict(StorageError):
    """A booking was asked for that no verdict of the conversation's run allows."""


@dataclass(frozen=True, slots=True)
class Latest:
    """The verdict that counts for one run of a conversation."""

    outcome: str
    bookable: str | None  # code of the service it allows


def record(
    connection: Connection, conversation: Conversation, effect: RecordDecision, now: datetime
) -> None:
    """Keep a verdict with its answers; the protocol's key names the exact version used."""
    connection.execute(
        insert(Decision).values(
            chat_id=conversation.chat_id,
            run=conversation.run,
            revision=conversation.revision,
            protocol=conversation.protocol,
            outcome=effect.verdict.outcome,
            bookable=effect.verdict.bookable,
            answers=documents.write_answers(conversation.answers),
            verdict=documents.write_verdict(effect.verdict),
            score=documents.write_score(effect.score),
            plan=documents.write_plan(effect.plan) if effect.plan else None,
            decided_on=conversation.decided_on,
            at=now,
        )
    )


def latest(connection: Connection, chat_id: int, run: int) -> Latest | None:
    """Return the run's last verdict; None before there is one."""
    row = connection.execute(
        select(Decision.outcome, Decision.bookable)
        .where(Decision.chat_id == chat_id, Decision.run == run)
        .order_by(Decision.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Latest(row[0], row[1])


def require(connection: Connection, chat_id: int, run: int, service: str) -> None:
    """Raise NoValidVerdict unless the run's last verdict allows this service.

    The dialogue never offers such times; this keeps a fault of ours from becoming an appointment.
    """
    decision = latest(connection, chat_id, run)
    if decision is None or decision.bookable != service:
        found = "no verdict" if decision is None else f"verdict {decision.outcome}"
        raise NoValidVerdict(f"{service} may not be booked: the run has {found}")
