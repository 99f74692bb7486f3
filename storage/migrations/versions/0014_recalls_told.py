"""Which recall a clinic's own systems were told of."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

FOREIGN_KEY = "fk_follow_ups_recall_lead_id_leads"


def upgrade() -> None:
    with op.batch_alter_table("follow_ups") as table:
        table.add_column(sa.Column("recall_told_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(
            sa.Column(
                "recall_lead_id",
                sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
                sa.ForeignKey("leads.id", name=op.f(FOREIGN_KEY)),
                nullable=True,
            )
        )
    # Nobody was looked at on the day of a recall alone until now.
    op.execute(
        "UPDATE follow_ups SET look_at = recall_at "
        "WHERE recall_at IS NOT NULL AND (look_at IS NULL OR look_at > recall_at)"
    )


def downgrade() -> None:
    with op.batch_alter_table("follow_ups") as table:
        table.drop_constraint(op.f(FOREIGN_KEY), type_="foreignkey")
        table.drop_column("recall_lead_id")
        table.drop_column("recall_told_at")
