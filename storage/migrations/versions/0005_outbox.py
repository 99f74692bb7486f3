"""The outbox, and parked updates that can be replayed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

STATE = "ck_inbox_state"
OLD_STATES = "state IN ('done', 'failed', 'parked')"
NEW_STATES = "state IN ('done', 'failed', 'parked', 'replay')"


def upgrade() -> None:
    # SQLite changes a constraint by making the table anew.
    with op.batch_alter_table("inbox") as table:
        table.add_column(sa.Column("payload", sa.Text(), nullable=True))
        table.drop_constraint(op.f(STATE), type_="check")
        table.create_check_constraint(op.f(STATE), NEW_STATES)
    make_outbox()


def downgrade() -> None:
    op.drop_table("outbox")
    op.execute("UPDATE inbox SET state = 'parked' WHERE state = 'replay'")
    with op.batch_alter_table("inbox") as table:
        table.drop_constraint(op.f(STATE), type_="check")
        table.create_check_constraint(op.f(STATE), OLD_STATES)
        table.drop_column("payload")


def make_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=True),
        sa.Column("ref_type", sa.Text(), nullable=False),
        sa.Column("ref_id", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("doubts", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'claimed', 'sending', 'sent', 'uncertain', 'dead', "
            "'cancelled', 'blocked')",
            name=op.f("ck_outbox_state"),
        ),
        sa.CheckConstraint("attempt >= 0 AND doubts >= 0", name=op.f("ck_outbox_counts")),
        sa.CheckConstraint(
            "state NOT IN ('claimed', 'sending') "
            "OR (lease_token IS NOT NULL AND lease_until IS NOT NULL)",
            name=op.f("ck_outbox_lease"),
        ),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["patients.chat_id"], name=op.f("fk_outbox_chat_id_patients")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
    )
    for columns in (["state", "due_at"], ["ref_type", "ref_id"], ["chat_id"]):
        op.create_index(op.f(f"ix_outbox_{'_'.join(columns)}"), "outbox", columns, unique=False)
