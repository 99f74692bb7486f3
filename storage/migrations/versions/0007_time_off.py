"""Time off and patients without a chat in the calendar, and what staff made of a lead."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

#: Whose time is taken from when until when: a practitioner's with buffers, a patient's without.
GUARDS = {
    "practitioner": ("practitioner_id", "blocks_from", "blocks_until"),
    "patient": ("chat_id", "starts_at", "ends_at"),
}

#: The row that makes room for the new one.
OLD = {"insert": "NULL", "update": "OLD.uid"}

EXPECTED = "'held', 'pending', 'booked', 'arrived'"
OVER = "'fulfilled', 'cancelled', 'noshow'"

WHO = "(chat_id IS NULL) = (state = 'blocked' OR walk_in_name IS NOT NULL)"
STATUS = "status IN ('new', 'accepted', 'contacted', 'declined')"

BY = "fk_{}_staff_id_staff_members"

NEW_COLUMNS = ("walk_in_name", "walk_in_phone", "note")


def upgrade() -> None:
    take_guards_off()
    with op.batch_alter_table("appointments") as table:
        for name in NEW_COLUMNS:
            table.add_column(sa.Column(name, sa.Text(), nullable=True))
        table.add_column(staff_column("appointments"))
        table.alter_column("chat_id", existing_type=sa.BigInteger(), nullable=True)
        table.drop_constraint(op.f("ck_appointments_state"), type_="check")
        table.create_check_constraint(
            op.f("ck_appointments_state"), f"state IN ({EXPECTED}, 'blocked', {OVER})"
        )
        table.create_check_constraint(op.f("ck_appointments_who"), WHO)
    put_guards_on(f"({EXPECTED}, 'blocked')")
    with op.batch_alter_table("leads") as table:
        table.add_column(sa.Column("status", sa.Text(), nullable=False, server_default="new"))
        table.add_column(sa.Column("status_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(staff_column("leads"))
        table.add_column(sa.Column("declined_why", sa.Text(), nullable=True))
        table.create_check_constraint(op.f("ck_leads_status"), STATUS)
    with op.batch_alter_table("leads") as table:
        table.alter_column("status", existing_type=sa.Text(), server_default=None)
        table.create_index(op.f("ix_leads_clinic_id_status"), ["clinic_id", "status"])


def downgrade() -> None:
    with op.batch_alter_table("leads") as table:
        table.drop_index(op.f("ix_leads_clinic_id_status"))
        table.drop_constraint(op.f("ck_leads_status"), type_="check")
        table.drop_constraint(op.f(BY.format("leads")), type_="foreignkey")
        for name in ("status", "status_at", "staff_id", "declined_why"):
            table.drop_column(name)
    take_guards_off()
    # The older tables know neither time off nor patients without a chat.
    op.execute("DELETE FROM appointments WHERE chat_id IS NULL")
    with op.batch_alter_table("appointments") as table:
        table.drop_constraint(op.f("ck_appointments_who"), type_="check")
        table.drop_constraint(op.f("ck_appointments_state"), type_="check")
        table.create_check_constraint(
            op.f("ck_appointments_state"), f"state IN ({EXPECTED}, {OVER})"
        )
        table.drop_constraint(op.f(BY.format("appointments")), type_="foreignkey")
        table.alter_column("chat_id", existing_type=sa.BigInteger(), nullable=False)
        for name in (*NEW_COLUMNS, "staff_id"):
            table.drop_column(name)
    put_guards_on(f"({EXPECTED})")


def staff_column(table: str) -> "sa.Column[int]":
    return sa.Column(
        "staff_id",
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        sa.ForeignKey("staff_members.id", name=op.f(BY.format(table))),
        nullable=True,
    )


def take_guards_off() -> None:
    """Their list of states changes; SQLite drops triggers with the table it makes anew."""
    for name in GUARDS:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(f"ALTER TABLE appointments DROP CONSTRAINT ex_appointments_{name}")
        else:
            op.execute(f"DROP TRIGGER appointments_{name}_insert")
            op.execute(f"DROP TRIGGER appointments_{name}_update")


def put_guards_on(occupying: str) -> None:
    for name, (whose, start, end) in GUARDS.items():
        if op.get_bind().dialect.name == "postgresql":
            op.execute(
                f"ALTER TABLE appointments ADD CONSTRAINT ex_appointments_{name} "
                f"EXCLUDE USING gist ({whose} WITH =, tstzrange({start}, {end}, '[)') WITH &&) "
                f"WHERE (state IN {occupying})"
            )
        else:
            refuse_on_sqlite(name, whose, start, end, occupying)


def refuse_on_sqlite(name: str, whose: str, start: str, end: str, occupying: str) -> None:
    for verb in ("insert", "update"):
        op.execute(
            f"CREATE TRIGGER appointments_{name}_{verb} BEFORE {verb} ON appointments "  # noqa: S608 - constants
            f"WHEN NEW.state IN {occupying} AND EXISTS ("
            f"SELECT 1 FROM appointments AS other WHERE other.{whose} = NEW.{whose} "
            f"AND other.state IN {occupying} AND other.uid IS NOT {OLD[verb]} "
            f"AND other.{start} < NEW.{end} AND other.{end} > NEW.{start}) "
            f"BEGIN SELECT RAISE(ABORT, 'appointments overlap: {name}'); END"
        )
