"""Notes which questions a turn showed, had answered, changed or passed over."""

from __future__ import annotations

import functools
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, update

from flows.conversation import Conversation
from flows.passage import Passage
from storage import upserts
from storage.models import Clinic, Intake, StepVisit, table_of

_INTAKES, _VISITS = table_of(Intake), table_of(StepVisit)

_CLINIC = select(Clinic.id).where(Clinic.slug == bindparam("slug")).scalar_subquery()

_AGREED = (
    update(_INTAKES)
    .where(
        _INTAKES.c.chat_id == bindparam("chat"),
        _INTAKES.c.run == bindparam("of_run"),
        _INTAKES.c.agreed_at.is_(None),
    )
    .values(agreed_at=bindparam("at"))
)

_PASS_OVER = (
    update(_VISITS)
    .where(
        _VISITS.c.chat_id == bindparam("chat"),
        _VISITS.c.run == bindparam("of_run"),
        _VISITS.c.step.in_(bindparam("steps", expanding=True)),
        _VISITS.c.answered_at.is_(None),
    )
    .values(passed_over=True)
)


def note(
    connection: Connection, conversation: Conversation, passage: Passage, now: datetime
) -> None:
    """Add a turn's part to the run, in the turn's transaction."""
    which = {"chat": conversation.chat_id, "of_run": conversation.run}
    if passage.begins:
        _begin(connection, conversation, now)
    rows = _rows(conversation, passage, now)
    if rows:
        connection.execute(_visit(connection.dialect.name), rows)
    if passage.agrees:
        connection.execute(_AGREED, {**which, "at": now})
    if passage.passed_over:
        connection.execute(_PASS_OVER, {**which, "steps": passage.passed_over})


def _begin(connection: Connection, conversation: Conversation, now: datetime) -> None:
    values = {
        "slug": conversation.clinic,
        "chat_id": conversation.chat_id,
        "run": conversation.run,
        "campaign": conversation.campaign,
        "protocol": conversation.protocol,
        "started_at": now,
    }
    connection.execute(_intake(connection.dialect.name), values)


@functools.cache
def _intake(dialect: str) -> upserts.Insert:
    """Before the first answer a patient may still come to another clinic in the same run."""
    columns = ("chat_id", "run", "campaign", "protocol", "started_at")
    fresh = upserts.insert(dialect, Intake).values(
        clinic_id=_CLINIC, **{name: bindparam(name) for name in columns}
    )
    again = {name: fresh.excluded[name] for name in ("clinic_id", "campaign", "protocol")}
    return fresh.on_conflict_do_update(index_elements=["chat_id", "run"], set_=again)


def _rows(conversation: Conversation, passage: Passage, now: datetime) -> list[dict[str, object]]:
    steps = dict.fromkeys((*passage.reached, *passage.changed, passage.back_from))
    return [
        {
            "chat_id": conversation.chat_id,
            "run": conversation.run,
            "step": step,
            "reached_at": now,
            "answered_at": now if step in passage.answered else None,
            "passed_over": False,
            "backs": int(step == passage.back_from),
            "changes": int(step in passage.changed),
        }
        for step in steps
        if step
    ]


@functools.cache
def _visit(dialect: str) -> upserts.Insert:
    fresh = upserts.insert(dialect, StepVisit)
    return fresh.on_conflict_do_update(
        index_elements=["chat_id", "run", "step"],
        set_={
            "answered_at": func.coalesce(_VISITS.c.answered_at, fresh.excluded.answered_at),
            "passed_over": False,
            "backs": _VISITS.c.backs + fresh.excluded.backs,
            "changes": _VISITS.c.changes + fresh.excluded.changes,
        },
    )
