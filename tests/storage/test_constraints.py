"""The constraints that the models promise are in the database, on each kind, by name."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Connection, ForeignKeyConstraint, UniqueConstraint, inspect
from sqlalchemy import text as sql

from storage import bookings
from storage.bookings import Booker
from storage.database import Database
from storage.faults import StatementFailed
from storage.models import Model
from tests.builders import NOW, a_confirmation, a_slot

GUARDED = ("patient", "practitioner")


def promised(table: str, kind: type[Any]) -> set[str]:
    """Return the names of a model's constraints of one kind."""
    found = (each for each in Model.metadata.tables[table].constraints if isinstance(each, kind))
    return {str(each.name) for each in found}


def kept(connection: Connection, table: str) -> dict[type[Any], set[str]]:
    """Return the names of the constraints that the database has."""
    seen = inspect(connection)
    return {
        CheckConstraint: {str(each["name"]) for each in seen.get_check_constraints(table)},
        UniqueConstraint: {str(each["name"]) for each in seen.get_unique_constraints(table)},
        ForeignKeyConstraint: {str(each["name"]) for each in seen.get_foreign_keys(table)},
    }


@pytest.mark.parametrize("table", sorted(Model.metadata.tables))
async def test_every_promised_constraint_is_kept(database: Database, table: str) -> None:
    found = await database.read(kept, table)

    assert found == {kind: promised(table, kind) for kind in found}


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
