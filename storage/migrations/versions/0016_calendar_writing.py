"""What is wrong with writing to a practitioner's own calendar, apart from reading it."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


# Not in a batch: SQLite would make the table anew, and other tables' rows refer to it.


def upgrade() -> None:
    moment, words = sa.DateTime(timezone=True), sa.Text()
    op.add_column("calendar_accounts", sa.Column("write_next_at", moment, nullable=True))
    op.add_column("calendar_accounts", sa.Column("write_failure", words, nullable=True))


def downgrade() -> None:
    op.drop_column("calendar_accounts", "write_failure")
    op.drop_column("calendar_accounts", "write_next_at")
