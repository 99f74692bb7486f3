"""Appointments, which the database itself keeps from overlapping."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

OCCUPYING = "('held', 'pending', 'booked', 'arrived')"

#: Whose time is taken from when until when: a practitioner's with buffers, a patient's without.
GUARDS = {
    "practitioner": ("practitioner_id", "blocks_from", "blocks_until"),
    "patient": ("chat_id", "starts_at", "ends_at"),
}

#: The row that makes room for the new one.
OLD = {"insert": "NULL", "update": "OLD.uid"}


def upgrade() -> None:
    op.create_table(
        "appointments",
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("practitioner_id", sa.Integer(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("series_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocks_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocks_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("hold_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'held') = (hold_until IS NOT NULL)", name=op.f("ck_appointments_hold")
        ),
        sa.CheckConstraint(
            "state IN ('held', 'pending', 'booked', 'arrived', 'fulfilled', 'cancelled', 'noshow')",
            name=op.f("ck_appointments_state"),
        ),
        sa.CheckConstraint(
            "blocks_from <= starts_at AND starts_at < ends_at AND ends_at <= blocks_until",
            name=op.f("ck_appointments_order"),
        ),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["patients.chat_id"], name=op.f("fk_appointments_chat_id_patients")
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_appointments_clinic_id_clinics")
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"],
            ["practitioners.id"],
            name=op.f("fk_appointments_practitioner_id_practitioners"),
        ),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_appointments")),
    )
    op.create_index(
        op.f("ix_appointments_chat_id_starts_at"),
        "appointments",
        ["chat_id", "starts_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_appointments_practitioner_id_blocks_from"),
        "appointments",
        ["practitioner_id", "blocks_from"],
        unique=False,
    )
    op.create_index(op.f("ix_appointments_series_id"), "appointments", ["series_id"], unique=False)
    for name, (whose, start, end) in GUARDS.items():
        if op.get_bind().dialect.name == "postgresql":
            refuse_on_postgresql(name, whose, start, end)
        else:
            refuse_on_sqlite(name, whose, start, end)


def refuse_on_postgresql(name: str, whose: str, start: str, end: str) -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute(
        f"ALTER TABLE appointments ADD CONSTRAINT ex_appointments_{name} EXCLUDE USING gist "
        f"({whose} WITH =, tstzrange({start}, {end}, '[)') WITH &&) WHERE (state IN {OCCUPYING})"
    )


def refuse_on_sqlite(name: str, whose: str, start: str, end: str) -> None:
    for verb in ("insert", "update"):
        op.execute(
            f"CREATE TRIGGER appointments_{name}_{verb} BEFORE {verb} ON appointments "  # noqa: S608 - constants
            f"WHEN NEW.state IN {OCCUPYING} AND EXISTS ("
            f"SELECT 1 FROM appointments AS other WHERE other.{whose} = NEW.{whose} "
            f"AND other.state IN {OCCUPYING} AND other.uid IS NOT {OLD[verb]} "
            f"AND other.{start} < NEW.{end} AND other.{end} > NEW.{start}) "
            f"BEGIN SELECT RAISE(ABORT, 'appointments overlap: {name}'); END"
        )


def downgrade() -> None:
    op.drop_table("appointments")
