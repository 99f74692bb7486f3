"""Who writes to the bot, and how they may be reached."""

from __future__ import annotations

import functools
from datetime import datetime

from sqlalchemy import Connection, update

from storage import inbox, upserts, withdrawals
from storage.models import Patient

#: Why a message was not sent.
STOPPED, UNREACHABLE = "Stopped", "Unreachable"


def save(
    connection: Connection, chat_id: int, *, first_name: str, locale: str, now: datetime
) -> None:
    """Create or update a patient who has just written, and so can be reached."""
    row = {
        "chat_id": chat_id,
        "first_name": first_name,
        "locale": locale,
        "created_at": now,
        "unreachable_at": None,
    }
    connection.execute(_save(connection.dialect.name), row)


@functools.cache
def _save(dialect: str) -> upserts.Insert:
    fresh = upserts.insert(dialect, Patient)
    return fresh.on_conflict_do_update(
        index_elements=["chat_id"],
        set_={
            "first_name": fresh.excluded.first_name,
            "locale": fresh.excluded.locale,
            "unreachable_at": None,
        },
    )


def save_phone(connection: Connection, chat_id: int, phone: str) -> None:
    """Keep the number that the patient shared."""
    connection.execute(update(Patient).where(Patient.chat_id == chat_id).values(phone=phone))


def stop_messages(connection: Connection, chat_id: int, now: datetime) -> None:
    """Send no further messages, not even those that wait; the first day of it stays."""
    statement = update(Patient).where(Patient.chat_id == chat_id, Patient.stopped_at.is_(None))
    connection.execute(statement.values(stopped_at=now))
    withdrawals.of_patient(connection, chat_id, STOPPED)


def allow_messages(connection: Connection, chat_id: int) -> None:
    """The patient is back and may be written to."""
    connection.execute(update(Patient).where(Patient.chat_id == chat_id).values(stopped_at=None))


def note_blocked(
    connection: Connection, update_id: int, chat_id: int, now: datetime, *, bot_id: int = 0
) -> None:
    """Take Telegram's word that a patient blocked the bot, once: they may have come back since."""
    if inbox.claim(connection, update_id, now, bot_id=bot_id):
        mark_unreachable(connection, chat_id, now)


def mark_unreachable(connection: Connection, chat_id: int, now: datetime) -> None:
    """The patient blocked the bot or left Telegram; their next message undoes this."""
    statement = update(Patient).where(Patient.chat_id == chat_id, Patient.unreachable_at.is_(None))
    connection.execute(statement.values(unreachable_at=now))
    withdrawals.of_patient(connection, chat_id, UNREACHABLE)
