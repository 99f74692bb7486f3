"""When to look at a patient again, reviews, the waiting list, and what was said of a visit."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

OF_VISITS = ("confirmed_at", "paused_at")


def upgrade() -> None:
    for name in OF_VISITS:
        op.add_column("appointments", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "follow_ups",
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_kinds", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["patients.chat_id"], name=op.f("fk_follow_ups_chat_id_patients")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_members.id"], name=op.f("fk_follow_ups_staff_id_staff_members")
        ),
        sa.PrimaryKeyConstraint("chat_id", name=op.f("pk_follow_ups")),
    )
    op.create_index(op.f("ix_follow_ups_look_at"), "follow_ups", ["look_at"], unique=False)
    op.create_table(
        "series_reviews",
        sa.Column("series_id", sa.Text(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_series_reviews_rating")),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["patients.chat_id"], name=op.f("fk_series_reviews_chat_id_patients")
        ),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_series_reviews")),
    )
    op.create_table(
        "waitlist_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["patients.chat_id"], name=op.f("fk_waitlist_entries_chat_id_patients")
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_waitlist_entries_clinic_id_clinics")
        ),
        sa.ForeignKeyConstraint(
            ["uid"], ["appointments.uid"], name=op.f("fk_waitlist_entries_uid_appointments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waitlist_entries")),
    )
    op.create_index(
        op.f("ix_waitlist_entries_chat_id"), "waitlist_entries", ["chat_id"], unique=False
    )
    op.create_index(
        op.f("ix_waitlist_entries_clinic_id_ended_at"),
        "waitlist_entries",
        ["clinic_id", "ended_at"],
        unique=False,
    )
    op.create_table(
        "waitlist_offers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("practitioner_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('offered', 'accepted', 'declined', 'expired', 'gone')",
            name=op.f("ck_waitlist_offers_state"),
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_waitlist_offers_order")),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["waitlist_entries.id"],
            name=op.f("fk_waitlist_offers_entry_id_waitlist_entries"),
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"],
            ["practitioners.id"],
            name=op.f("fk_waitlist_offers_practitioner_id_practitioners"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waitlist_offers")),
        sa.UniqueConstraint(
            "entry_id",
            "practitioner_id",
            "starts_at",
            name=op.f("uq_waitlist_offers_entry_id_practitioner_id_starts_at"),
        ),
    )
    op.create_index(
        op.f("ix_waitlist_offers_practitioner_id_starts_at"),
        "waitlist_offers",
        ["practitioner_id", "starts_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_waitlist_offers_state_until_at"),
        "waitlist_offers",
        ["state", "until_at"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_table("waitlist_offers")
    op.drop_table("waitlist_entries")
    op.drop_table("series_reviews")
    op.drop_table("follow_ups")
    for name in OF_VISITS:
        op.drop_column("appointments", name)
