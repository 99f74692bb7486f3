"""How fresh a practitioner's own calendar is, one push a calendar, and what kind of clash it is."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

NEVER = "1970-01-01 00:00:00+00:00"
ACCOUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("calendar_accounts") as table:
        table.add_column(
            sa.Column("stale_minutes", sa.Integer(), nullable=False, server_default="15")
        )
        table.add_column(sa.Column("read_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(
            sa.Column("next_at", sa.DateTime(timezone=True), nullable=False, server_default=NEVER)
        )
        table.add_column(sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
        table.create_check_constraint(
            op.f("ck_calendar_accounts_stale_minutes"), "stale_minutes > 0"
        )
    with op.batch_alter_table("calendar_accounts") as table:
        table.alter_column("stale_minutes", existing_type=sa.Integer(), server_default=None)
        table.alter_column("next_at", existing_type=sa.DateTime(timezone=True), server_default=None)
        table.alter_column("failures", existing_type=sa.Integer(), server_default=None)
    # Nothing wrote these tables before, so there is nothing to carry over.
    op.drop_table("calendar_pushes")
    op.drop_table("calendar_clashes")
    make_pushes("account_id", "uid")
    make_clashes("uid", "kind", "starts_at", "ends_at")


def downgrade() -> None:
    op.drop_table("calendar_pushes")
    op.drop_table("calendar_clashes")
    make_pushes("uid")
    make_clashes("uid", "starts_at", "ends_at")
    with op.batch_alter_table("calendar_accounts") as table:
        table.drop_constraint(op.f("ck_calendar_accounts_stale_minutes"), type_="check")
        for name in ("stale_minutes", "read_at", "next_at", "failures"):
            table.drop_column(name)


def make_pushes(*key: str) -> None:
    is_new = len(key) > 1
    times = ("starts_at", "ends_at", "pushed_at") if is_new else ("pushed_at",)
    op.create_table(
        "calendar_pushes",
        sa.Column("account_id", ACCOUNT, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("href", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in times),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["calendar_accounts.id"],
            name=op.f("fk_calendar_pushes_account_id_calendar_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["uid"], ["appointments.uid"], name=op.f("fk_calendar_pushes_uid_appointments")
        ),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_calendar_pushes")),
    )
    other = "uid" if is_new else "account_id"
    op.create_index(op.f(f"ix_calendar_pushes_{other}"), "calendar_pushes", [other], unique=False)


def make_clashes(*unique: str) -> None:
    is_new = "kind" in unique
    op.create_table(
        "calendar_clashes",
        sa.Column("id", ACCOUNT, nullable=False),
        sa.Column("account_id", ACCOUNT, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        *([sa.Column("kind", sa.Text(), nullable=False)] if is_new else []),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        *(
            [
                sa.CheckConstraint(
                    "kind IN ('overlap', 'moved', 'deleted')", name=op.f("ck_calendar_clashes_kind")
                )
            ]
            if is_new
            else []
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["calendar_accounts.id"],
            name=op.f("fk_calendar_clashes_account_id_calendar_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["uid"], ["appointments.uid"], name=op.f("fk_calendar_clashes_uid_appointments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_clashes")),
        sa.UniqueConstraint(*unique, name=op.f(f"uq_calendar_clashes_{'_'.join(unique)}")),
    )
    op.create_index(
        op.f("ix_calendar_clashes_account_id"), "calendar_clashes", ["account_id"], unique=False
    )
