"""Run by Alembic for every command; the connection comes from `storage.migrations`."""

from alembic import context

from storage.migrations import VERSION_TABLE
from storage.models import Model

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Model.metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)

with context.begin_transaction():
    context.run_migrations()
