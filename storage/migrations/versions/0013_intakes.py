"""The way of patients through the questions, and whom somebody might write to or call."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ON_FOLLOW_UPS = (
    ("recall", sa.Text()),
    ("recall_at", sa.DateTime(timezone=True)),
    ("called_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    op.create_table(
        "intakes",
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["patients.chat_id"], name=op.f("fk_intakes_chat_id_patients")
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_intakes_clinic_id_clinics")
        ),
        sa.PrimaryKeyConstraint("chat_id", "run", name=op.f("pk_intakes")),
    )
    op.create_index(op.f("ix_intakes_clinic_id_started_at"), "intakes", ["clinic_id", "started_at"])
    op.create_table(
        "step_visits",
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("passed_over", sa.Boolean(), nullable=False),
        sa.Column("backs", sa.Integer(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.CheckConstraint("backs >= 0 AND changes >= 0", name=op.f("ck_step_visits_counts")),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["patients.chat_id"], name=op.f("fk_step_visits_chat_id_patients")
        ),
        sa.PrimaryKeyConstraint("chat_id", "run", "step", name=op.f("pk_step_visits")),
        sqlite_with_rowid=False,
    )
    for name, kind in ON_FOLLOW_UPS:
        op.add_column("follow_ups", sa.Column(name, kind, nullable=True))
    op.create_index(op.f("ix_follow_ups_recall_at"), "follow_ups", ["recall_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_follow_ups_recall_at"), "follow_ups")
    for name, _ in reversed(ON_FOLLOW_UPS):
        op.drop_column("follow_ups", name)
    op.drop_table("step_visits")
    op.drop_index(op.f("ix_intakes_clinic_id_started_at"), "intakes")
    op.drop_table("intakes")
