"""INSERT with ON CONFLICT, which both databases have and SQLAlchemy names once for each."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from storage.models import Model


def insert(connection: Connection, model: type[Model]) -> sqlite.Insert | postgresql.Insert:
    """Start an INSERT into the model's table for the connection's database."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(model)
    return sqlite.insert(model)
