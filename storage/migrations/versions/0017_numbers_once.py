"""On SQLite too the number of a deleted lead, thread or decision is never given again."""

from alembic import op

revision = "0017"
down_revision = "0016"

TABLES = ("leads", "threads", "decisions")


def upgrade() -> None:
    make_anew(counts_on=True)


def downgrade() -> None:
    make_anew(counts_on=False)


def make_anew(*, counts_on: bool) -> None:
    """SQLite learns it only when a table is made; PostgreSQL never gave a number twice."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for name in TABLES:
        terms = {"sqlite_autoincrement": counts_on}
        with op.batch_alter_table(name, recreate="always", table_kwargs=terms):
            pass
