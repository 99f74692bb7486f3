"""Where leads and appointments go: systems of the clinic, calendars of its practitioners."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "lead_channels",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("event_types", sa.Text(), nullable=False),
        sa.Column("includes_answers", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_why", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('webhook', 'mail')", name=op.f("ck_lead_channels_kind")),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_lead_channels_clinic_id_clinics")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_channels")),
        sa.UniqueConstraint(
            "clinic_id", "address", name=op.f("uq_lead_channels_clinic_id_address")
        ),
    )
    op.create_table(
        "feed_tokens",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("practitioner_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["practitioner_id"],
            ["practitioners.id"],
            name=op.f("fk_feed_tokens_practitioner_id_practitioners"),
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_feed_tokens")),
    )
    op.create_index(
        op.f("ix_feed_tokens_practitioner_id"), "feed_tokens", ["practitioner_id"], unique=False
    )
    op.create_table(
        "calendar_accounts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("practitioner_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("when_stale", sa.Text(), nullable=False),
        sa.Column("sync_token", sa.Text(), nullable=True),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "when_stale IN ('closed', 'show_age')", name=op.f("ck_calendar_accounts_when_stale")
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"],
            ["practitioners.id"],
            name=op.f("fk_calendar_accounts_practitioner_id_practitioners"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_accounts")),
        sa.UniqueConstraint("practitioner_id", name=op.f("uq_calendar_accounts_practitioner_id")),
    )
    op.create_table(
        "external_busy",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("href", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_external_busy_order")),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["calendar_accounts.id"],
            name=op.f("fk_external_busy_account_id_calendar_accounts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_busy")),
        sa.UniqueConstraint(
            "account_id",
            "href",
            "starts_at",
            name=op.f("uq_external_busy_account_id_href_starts_at"),
        ),
    )
    op.create_index(
        op.f("ix_external_busy_account_id_ends_at"),
        "external_busy",
        ["account_id", "ends_at"],
        unique=False,
    )
    op.create_table(
        "calendar_pushes",
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("href", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("pushed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["calendar_accounts.id"],
            name=op.f("fk_calendar_pushes_account_id_calendar_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["uid"], ["appointments.uid"], name=op.f("fk_calendar_pushes_uid_appointments")
        ),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_calendar_pushes")),
    )
    op.create_index(
        op.f("ix_calendar_pushes_account_id"), "calendar_pushes", ["account_id"], unique=False
    )
    op.create_table(
        "calendar_clashes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["calendar_accounts.id"],
            name=op.f("fk_calendar_clashes_account_id_calendar_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["uid"], ["appointments.uid"], name=op.f("fk_calendar_clashes_uid_appointments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_clashes")),
        sa.UniqueConstraint(
            "uid", "starts_at", "ends_at", name=op.f("uq_calendar_clashes_uid_starts_at_ends_at")
        ),
    )
    op.create_index(
        op.f("ix_calendar_clashes_account_id"), "calendar_clashes", ["account_id"], unique=False
    )


def downgrade() -> None:
    op.drop_table("calendar_clashes")
    op.drop_table("calendar_pushes")
    op.drop_table("external_busy")
    op.drop_table("calendar_accounts")
    op.drop_table("feed_tokens")
    op.drop_table("lead_channels")
