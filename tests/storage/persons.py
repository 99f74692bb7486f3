"""Somebody of whom every table with a personal column keeps something, and a search for traces."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Text, func, insert, literal, select, update

from storage import calendar_accounts, clinics, erasure, models, turns
from storage.calendar_accounts import Terms, WhenStale
from storage.database import Database
from storage.models import Model
from storage.models.columns import Words
from tests.builders import (
    MONDAY,
    NOW,
    a_confirmation,
    a_conversation,
    a_decision,
    a_slot,
    a_turn,
    open_always,
)
from tests.storage import filled
from tests.storage.test_lead_events import open_channel

PERSONAL = sorted(
    (mapper.class_ for mapper in Model.registry.mappers if mapper.class_.__pii_columns__),
    key=lambda model: model.__tablename__,
)

#: Stands in everything that a person could have written or been called.
CANARY = "canary"

#: Columns that the database lets hold none of a person's words while the person is known.
_BOUND = {("appointments", "walk_in_name"), ("findings", "finding")}

Rows = dict[str, set[tuple[Any, ...]]]


WILLOW, HARBOUR = 1, 2
ADA, BEA = 7_770_001_234_567, 7_770_007_654_321


@dataclass(frozen=True, slots=True)
class Person:
    """Whose rows they are."""

    chat_id: int
    lead_id: int

    @property
    def to_come(self) -> str:
        """Return the UID of the visit that is to come."""
        return f"{_series(self.chat_id)}-1"

    @property
    def over(self) -> str:
        """Return the UID of a visit that took place."""
        return f"{_old(self.chat_id)}-1"


async def open_house(database: Database) -> None:
    """Let the first clinic be always open, with an owner, a channel and a calendar."""
    await database.write(clinics.import_clinic, open_always(), "demo_clinic.toml")
    await database.write(_staff)
    await database.write(open_channel)
    terms = Terms("https://x.example/", "x", "sealed", WhenStale.SHOW_AGE)
    await database.write(calendar_accounts.connect, "willow", "amara", terms, NOW)


def _staff(connection: Connection) -> None:
    member = {"clinic_id": WILLOW, "name": "Robin", "role": "owner", "wants_cards": True}
    _add(connection, "staff_members", {**member, "chat_id": 11})


async def meet(database: Database, chat_id: int, day: int) -> Person:
    """Let a patient come with a visit that is over and one on that day to come, and much beside."""
    now, before = NOW - timedelta(days=30), NOW - timedelta(days=20) + timedelta(days=day % 9)
    old = a_confirmation(a_slot(before), series=_old(chat_id))
    new = a_confirmation(a_slot(MONDAY + timedelta(days=day)), series=_series(chat_id))
    first = a_conversation(chat_id, first_name="Ada")
    ids = 10 * (chat_id % 100_000)  # of updates; they tell nothing of the chat
    deed = (a_decision(), old, filled.LEAD)
    one = a_turn(*deed, conversation=first, now=now, update_id=ids)
    assert await database.write(turns.commit, one) == turns.Committed()
    two = a_turn(new, conversation=first, before=0, now=now, update_id=ids + 1)
    assert await database.write(turns.commit, two) == turns.Committed()
    lead_id = await database.write(_write_down, chat_id)
    return Person(chat_id, lead_id)


def _series(chat_id: int) -> str:
    return f"s{chat_id % 100_000}"


def _old(chat_id: int) -> str:
    return f"old{chat_id % 100_000}"


def _write_down(connection: Connection, chat_id: int) -> int:
    lead = select(models.Lead.id).where(models.Lead.chat_id == chat_id)
    lead_id = connection.execute(lead).scalar_one()
    connection.execute(
        update(models.Appointment)
        .where(models.Appointment.uid == f"{_old(chat_id)}-1")
        .values(state="fulfilled")
    )
    update_ = {"update_id": 5, "message": {"chat": {"id": chat_id}, "text": "Hello?"}}
    for table, row in _rows(chat_id, lead_id, json.dumps(update_)).items():
        _add(connection, table, row)
    thread = select(models.Thread.id).where(models.Thread.chat_id == chat_id)
    said = {"thread_id": connection.execute(thread).scalar_one(), "author": "patient"}
    _add(connection, "thread_messages", {**said, "body": "Hello?"})
    entry = select(models.WaitlistEntry.id).where(models.WaitlistEntry.chat_id == chat_id)
    offered = {"entry_id": connection.execute(entry).scalar_one(), "practitioner_id": 1}
    _add(connection, "waitlist_offers", {**offered, "ends_at": MONDAY, "state": "declined"})
    return lead_id


def _rows(chat_id: int, lead_id: int, payload: str) -> dict[str, dict[str, Any]]:
    own: dict[str, Any] = {"chat_id": chat_id}
    of_run: dict[str, Any] = {**own, "run": 1}
    return {
        "lead_notes": {"lead_id": lead_id, "body": "called"},
        "findings": {"lead_id": lead_id, "finding": "agree", "reason": "well seen"},
        "threads": {"clinic_id": 1, "is_open": True, **own},
        "photos": {"file_id": "AgAC", **of_run},
        "intakes": {"clinic_id": 1, "protocol": "p/1/0a", **of_run},
        "step_visits": {"step": "age", "passed_over": False, "backs": 0, "changes": 0, **of_run},
        "series_reviews": {"series_id": _old(chat_id), "rating": 5, "words": "good", **own},
        "waitlist_entries": {"clinic_id": 1, "uid": f"{_series(chat_id)}-1", **own},
        "inbox": {
            "bot_id": 1,
            "update_id": 10 * (chat_id % 100_000) + 2,
            "state": "parked",
            "tries": 3,
            "why": "KeyError",
            "payload": payload,
        },
        "outbox": {
            "key": f"nudge:{chat_id}:review:old",
            "kind": "nudge",
            "ref_type": "",
            "ref_id": "",
            "payload": json.dumps({"nudge": "review", "ref": "old", "uid": f"{_old(chat_id)}-1"}),
            "state": "sent",
            "attempt": 1,
            "doubts": 0,
            **own,
        },
    }


def _add(connection: Connection, name: str, row: dict[str, Any]) -> None:
    table = Model.metadata.tables[name]
    due = {each.name: NOW for each in table.columns if filled._is_due(each)}
    connection.execute(insert(table).values(**{**due, **row}))


def brand(connection: Connection) -> None:
    """Put a word that is found again into every personal text there is.

    Messages to calendars say nothing of a person.
    """
    for model in PERSONAL:
        table = models.table_of(model)
        for name in sorted(model.__pii_columns__ - {"payload"}):
            is_text = isinstance(table.c[name].type, Words | Text)
            if is_text and (table.name, name) not in _BOUND:
                word = f"{CANARY} {table.name}.{name}"
                connection.execute(update(table).values({name: word}))
    outbox = models.table_of(models.Outbox)
    branded = literal(f'{{"word": "{CANARY} outbox.payload", ').concat(
        func.substr(outbox.c.payload, 2)
    )
    inbox = models.table_of(models.Inbox)
    said = func.replace(inbox.c.payload, "Hello?", f"{CANARY} inbox.payload")
    connection.execute(update(inbox).values(payload=said))
    connection.execute(update(outbox).where(outbox.c.kind != "calendar").values(payload=branded))


def rows(connection: Connection) -> Rows:
    """Return every row of every table."""
    return {
        name: {tuple(row) for row in connection.execute(select(table))}
        for name, table in Model.metadata.tables.items()
    }


def traces(found: Rows, *words: object) -> dict[str, list[str]]:
    """Return the values that hold one of these words, by table."""
    hits = {
        name: [
            str(value) for row in kept for value in row if any(str(w) in str(value) for w in words)
        ]
        for name, kept in found.items()
    }
    return {name: values for name, values in hits.items() if values}


async def erase(
    database: Database, clinic_id: int, staff_id: int | None, lead_id: int, now: datetime
) -> erasure.Erased | None:
    """Erase a lead's person with a look before, as owners do."""
    found = await database.read(erasure.foresee, clinic_id, lead_id, now)
    visits = 0 if found is None else found.visits
    return await database.write(erasure.erase, clinic_id, staff_id, lead_id, visits, now)
