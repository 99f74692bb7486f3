"""Which constraints the models promise, and which a database has."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Connection, ForeignKeyConstraint, UniqueConstraint, inspect

from storage.models import Model


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


def differing(connection: Connection) -> set[str]:
    """Return the names of constraints that are promised and not kept, or kept and not promised."""
    return {
        name
        for table in Model.metadata.tables
        for kind, names in kept(connection, table).items()
        for name in promised(table, kind) ^ names
    }
