"""The constraints that the models promise are in the database, on each kind, by name."""

from __future__ import annotations

import pytest
from sqlalchemy import text as sql

from storage import bookings
from storage.bookings import Booker
from storage.database import Database
from storage.faults import StatementFailed
from tests.builders import NOW, a_confirmation, a_slot
from tests.storage.constraints import differing

GUARDED = ("patient", "practitioner")


async def test_every_promised_constraint_is_kept(database: Database) -> None:
    assert await database.read(differing) == set()


async def test_two_guards_keep_appointments_apart(database: Database) -> None:
    """Alembic compares neither triggers nor exclusions."""
    if database.url.get_backend_name() == "sqlite":
        wanted = {f"appointments_{who}_{verb}" for who in GUARDED for verb in ("insert", "update")}
        names = sql("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'app%'")
    else:
        wanted = {f"ex_appointments_{who}" for who in GUARDED}
        names = sql("SELECT conname FROM pg_constraint WHERE contype = 'x'")

    found = await database.read(lambda c: set(c.execute(names).scalars()))

    assert found == wanted


async def test_an_appointment_belongs_to_a_patient(willow: Database) -> None:
    booker = Booker(404, 1, "willow", NOW)

    with pytest.raises(StatementFailed):
        await willow.write(bookings.confirm, booker, a_confirmation(a_slot()))
