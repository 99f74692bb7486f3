"""A database with a row, or many, in every table."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

from sqlalchemy import Column, Connection, func, insert, select

from flows.effects import HandOffLead, LeadKind
from storage import clinics, inbox, outbox, protocol_versions, turns
from storage.database import Database, connect
from storage.models import Closure, DayOverride, Model
from storage.outbox import Message
from storage.outbox_policy import Kind
from storage.protocol_versions import ProtocolText
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

ACCOUNT = {"practitioner_id": 1, "url": "https://x", "username": "u", "password": "p"}
SPAN = {"account_id": 1, "ends_at": NOW + timedelta(hours=1)}
OFFERED = {"entry_id": 1, "practitioner_id": 1}

#: The tables of the clinic's side, each after those it refers to; times are filled in.
STAFF_ROWS: dict[str, dict[str, Any]] = {
    "staff_members": {"clinic_id": 1, "name": "Robin", "role": "owner", "wants_cards": True},
    "staff_tokens": {"digest": "0a", "staff_id": 1, "purpose": "invite"},
    "console_sessions": {"digest": "0b", "staff_id": 1, "is_verified": True},
    "audit_entries": {"clinic_id": 1, "what": "lead.viewed", "subject": "lead", "subject_id": "1"},
    "lead_notes": {"lead_id": 1, "body": "called"},
    "findings": {"lead_id": 1, "finding": "agree", "reason": ""},
    "threads": {"clinic_id": 1, "chat_id": 1, "is_open": True},
    "thread_messages": {"thread_id": 1, "author": "patient", "body": "Hello?"},
    "photos": {"chat_id": 1, "run": 1, "file_id": "AgAC"},
    "lead_channels": {
        "clinic_id": 1,
        "kind": "mail",
        "address": "a@example.org",
        "event_types": "",
        "includes_answers": False,
    },
    "feed_tokens": {"digest": "0c", "practitioner_id": 1},
    "calendar_accounts": {**ACCOUNT, "when_stale": "show_age", "stale_minutes": 15, "failures": 0},
    "external_busy": {**SPAN, "href": "/1.ics"},
    "calendar_pushes": {**SPAN, "uid": "s1-1", "href": "/2", "etag": "e", "sequence": 0},
    "calendar_clashes": {**SPAN, "uid": "s1-1", "kind": "overlap"},
    "protocol_signatures": {
        "clinic_id": 1,
        "staff_id": 1,
        "protocol": "small/1/0123",
        "digest": "0123",
        "name": "Dr Robin",
        "post": "GMC 1",
    },
    "intakes": {"chat_id": 1, "run": 1, "clinic_id": 1, "protocol": "p/1/0a"},
    "step_visits": {
        "chat_id": 1,
        "run": 1,
        "step": "age",
        "passed_over": False,
        "backs": 0,
        "changes": 1,
    },
    "series_reviews": {"series_id": "s1", "chat_id": 1, "rating": 5},
    "waitlist_entries": {"clinic_id": 1, "chat_id": 1, "uid": "s1-1"},
    "waitlist_offers": {**OFFERED, "ends_at": NOW + timedelta(hours=1), "state": "offered"},
}

LEAD = HandOffLead(LeadKind.BOOKED, 80)


async def fill(url: str, patients: int = 3) -> None:
    """Put clinics, patients, conversations, bookings, leads, messages and updates into it."""
    database = connect(url)
    await database.write(clinics.import_clinic, open_always(), "demo_clinic.toml")
    key, text = a_conversation().protocol, ProtocolText("text = 'ä'", "")
    await database.write(protocol_versions.remember, key, "0123", text, NOW)
    for chat in range(1, patients + 1):
        await meet(database, chat)
    await database.write(close_sometimes)
    await database.write(staff_the_clinic)
    await database.write(inbox.park, 5, "KeyError", NOW, payload='{"update_id": 5}')
    await database.close()


def close_sometimes(connection: Connection) -> None:
    """Close the first clinic for a week, and let its practitioner work other hours one day."""
    day = MONDAY.date()
    connection.execute(
        insert(Closure).values(clinic_id=1, from_on=day - timedelta(7), until_on=day, note="x")
    )
    connection.execute(
        insert(DayOverride).values(
            practitioner_id=1, on_date=day, opens=time(9, 30), closes=time(17)
        )
    )


def staff_the_clinic(connection: Connection) -> None:
    """Put one row into every table of the clinic's side."""
    for table, row in STAFF_ROWS.items():
        times = {each.name: NOW for each in Model.metadata.tables[table].columns if _is_due(each)}
        connection.execute(insert(Model.metadata.tables[table]).values(**times, **row))


def _is_due(column: Column[Any]) -> bool:
    is_time = column.name == "at" or column.name.endswith("_at")
    return is_time and column.name != "ends_at" and not column.nullable


async def meet(database: Database, chat: int) -> None:
    """Let a patient book a session, and enqueue a message about it."""
    hours = 2 * (chat // 250 % 6)  # the clinic is open from morning to night, one day is closed
    slot = a_slot(MONDAY + timedelta(days=1 + chat % 250, hours=hours))
    effects = (a_decision(), a_confirmation(slot, series=f"s{chat}"), LEAD)
    conversation = a_conversation(chat, first_name="Ñandú 😀")
    done = await database.write(turns.commit, a_turn(*effects, conversation=conversation))
    assert done == turns.Committed()
    message = Message(
        f"confirmation:{chat}", Kind.CONFIRMATION, NOW, chat, "appointment", f"s{chat}-1", {"n": 1}
    )
    await database.write(outbox.enqueue, message, NOW)


def counts(connection: Connection) -> dict[str, int]:
    """Return the rows of each table."""
    return {
        name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for name, table in Model.metadata.tables.items()
    }


async def counted(url: str) -> dict[str, int]:
    """Return the rows of each table of a database."""
    database = connect(url)
    try:
        return await database.read(counts)
    finally:
        await database.close()
