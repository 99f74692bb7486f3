"""A practice that has been at it for years: very many leads, in tables of any version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, insert, inspect, select

from storage.models import Model, Practitioner
from tests.builders import NOW

Row = dict[str, Any]

TURNS = 12  # lines of the audit trail for each lead
UPDATES = 2  # rows of the inbox for each lead: older ones are removed after eight days
MESSAGES = 3  # for each lead
BOOKERS = 3  # every third lead books a course
VISITS = 4  # in a course
COMING = 50  # every fiftieth course lies ahead, the others are over

_AT_ONCE = 10_000  # rows in one statement
_KEY = "microneedling/2026-01-01/0123456789ab"
_LONG = "x" * 600  # about what a conversation or a verdict takes


def crowd(connection: Connection, leads: int) -> None:
    """Insert so many leads and all that belongs to them, as far as there are tables for it.

    The clinics are there. The columns are those of the newest version and of this one.
    """
    there = {name: _columns(connection, name) for name in inspect(connection).get_table_names()}
    practitioners = connection.execute(select(Practitioner.id).order_by(Practitioner.id)).scalars()
    made = {
        "patients": _patients(leads),
        "conversations": _conversations(leads),
        "events": _events(leads),
        "inbox": _inbox(leads),
        "decisions": _decisions(leads),
        "leads": _leads(leads),
        "appointments": _appointments(leads, list(practitioners)),
        "outbox": _outbox(leads),
        "intakes": _intakes(leads),
        "follow_ups": _follow_ups(leads),
    }
    for table, rows in made.items():
        if table not in there:
            continue
        known = ({name: row[name] for name in row if name in there[table]} for row in rows)
        while some := list(islice(known, _AT_ONCE)):
            connection.execute(insert(Model.metadata.tables[table]), some)


def _columns(connection: Connection, table: str) -> set[str]:
    return {column["name"] for column in inspect(connection).get_columns(table)}


def _patients(leads: int) -> Iterator[Row]:
    for chat in range(1, leads + 1):
        yield {"chat_id": chat, "first_name": "Ñandú 😀", "locale": "en", "created_at": NOW}


def _conversations(leads: int) -> Iterator[Row]:
    for chat in range(1, leads + 1):
        yield {
            "chat_id": chat,
            "clinic": "willow",
            "state": "plan",
            "revision": TURNS,
            "run": 1,
            "protocol": _KEY,
            "document": f'{{"chat": {chat}, "of": "{_LONG}"}}',
            "updated_at": NOW,
        }


def _events(leads: int) -> Iterator[Row]:
    for chat in range(1, leads + 1):
        for turn in range(TURNS):
            yield {
                "chat_id": chat,
                "run": 1,
                "revision": turn,
                "update_id": TURNS * chat + turn,
                "what": "answered: step.option",
                "at": NOW + timedelta(seconds=turn),
            }


def _inbox(leads: int) -> Iterator[Row]:
    for number in range(UPDATES * leads):
        row = {"bot_id": 1, "update_id": number, "state": "done", "tries": 1, "why": "", "at": NOW}
        yield row


def _decisions(leads: int) -> Iterator[Row]:
    for chat in range(1, leads + 1):
        yield {
            "chat_id": chat,
            "run": 1,
            "revision": TURNS,
            "protocol": _KEY,
            "outcome": "eligible",
            "bookable": "treatment",
            "answers": f'{{"chat": {chat}, "of": "{_LONG}"}}',
            "verdict": "{}",
            "score": "{}",
            "at": NOW,
        }


def _leads(leads: int) -> Iterator[Row]:
    for chat in range(1, leads + 1):
        yield {
            "clinic_id": 1,
            "chat_id": chat,
            "run": 1,
            "kind": "booked" if chat % BOOKERS == 0 else "review",
            "score": chat % 100,
            "status": "new",
            "created_at": NOW,
            "updated_at": NOW,
        }


def _appointments(leads: int, practitioners: Sequence[int]) -> Iterator[Row]:
    """Yield visits one after the other; those that lie ahead first, while SQLite's guard is quick.

    Its triggers look through a practitioner's earlier visits for each one that takes time.
    """
    courses = range(BOOKERS, leads + 1, BOOKERS)
    coming = [chat for chat in courses if chat % COMING == 0]
    over = [chat for chat in courses if chat % COMING]
    for place, chat in enumerate((*coming, *over)):
        for number in range(1, VISITS + 1):
            hour = place // len(practitioners) * VISITS + number
            starts_at = NOW + timedelta(days=1, hours=hour)
            ends_at = starts_at + timedelta(minutes=45)
            yield {
                "uid": f"s{chat}-{number}",
                "clinic_id": 1,
                "practitioner_id": practitioners[place % len(practitioners)],
                "service": "treatment",
                "chat_id": chat,
                "run": 1,
                "series_id": f"s{chat}",
                "number": number,
                "starts_at": starts_at,
                "ends_at": ends_at,
                "blocks_from": starts_at,
                "blocks_until": ends_at + timedelta(minutes=15),
                "state": "booked" if place < len(coming) else "fulfilled",
                "code": "AB12",
                "sequence": 0,
                "version": 1,
                "created_at": NOW,
                "updated_at": NOW,
            }


def _outbox(leads: int) -> Iterator[Row]:
    for chat in range(1, leads + 1):
        for number in range(MESSAGES):
            yield {
                "key": f"confirmation:{chat}:{number}",
                "kind": "confirmation",
                "chat_id": chat,
                "ref_type": "appointment",
                "ref_id": f"s{chat}-1",
                "payload": "{}",
                "due_at": NOW,
                "state": "sent",
                "attempt": 1,
                "doubts": 0,
                "created_at": NOW,
                "sent_at": NOW,
            }


def _intakes(leads: int) -> Iterator[Row]:
    for chat in range(1, leads + 1):
        yield {
            "chat_id": chat,
            "run": 1,
            "clinic_id": 1,
            "protocol": _KEY,
            "started_at": NOW,
            "agreed_at": NOW,
        }


def _follow_ups(leads: int) -> Iterator[Row]:
    for chat in range(1, leads + 1):
        day = NOW + timedelta(days=chat % 400)
        yield {"chat_id": chat, "stopped_kinds": "", "recall": "yearly", "recall_at": day}
