"""INSERT with ON CONFLICT, which both databases have and SQLAlchemy names once for each."""

from __future__ import annotations

from typing import TypeAlias

from sqlalchemy.dialects import postgresql, sqlite

from storage.models import Model, table_of

Insert: TypeAlias = sqlite.Insert | postgresql.Insert


def insert(dialect: str, model: type[Model]) -> Insert:
    """Start an INSERT into the model's table for a database of this kind."""
    table = table_of(model)
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
