"""Which of several bots shows a patient again what was left unanswered."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    column = sa.Column("reminding_until", sa.DateTime(timezone=True), nullable=True)
    op.add_column("conversations", column)


def downgrade() -> None:
    with op.batch_alter_table("conversations") as table:
        table.drop_column("reminding_until")
