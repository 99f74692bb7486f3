"""How a database's tables compare with the models."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from storage import migrations
from storage.models import Model


def differences(connection: Connection) -> list[object]:
    """Return what would have to be changed for the tables to be those of the models."""
    options = {"version_table": migrations.VERSION_TABLE}
    return list(
        compare_metadata(MigrationContext.configure(connection, opts=options), Model.metadata)
    )
