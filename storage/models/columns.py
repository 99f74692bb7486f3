"""What all tables have in common: named constraints, and column types that refuse bad values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar, cast

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData, Table, Text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

#: SQLite counts rows only in a column that is exactly INTEGER.
COUNTER = BigInteger().with_variant(Integer, "sqlite")

#: For a table whose numbers are known elsewhere, as in the record of what staff did: the number of
#: a deleted row is not given to another one. PostgreSQL never does; SQLite must be asked.
NEVER_AGAIN = {"sqlite_autoincrement": True}


class Model(DeclarativeBase):
    """A table. Every column stands on exactly one of the two lists.

    Personal columns are those to be encrypted, exported and erased with their patient.
    """

    metadata = MetaData(naming_convention=NAMES)

    __pii_columns__: ClassVar[frozenset[str]]
    __plain_columns__: ClassVar[frozenset[str]]


def table_of(model: type[Model]) -> Table:
    """Return the model's table: for statements that every turn runs it is quicker to build on."""
    return cast("Table", model.__table__)


def quoted(values: tuple[str, ...]) -> str:
    """Return words of ours as an SQL list, for a check constraint."""
    return ", ".join(f"'{value}'" for value in values)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: takes aware datetimes only and gives back aware UTC on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive datetimes; SQLite has no zones, so it is given the UTC wall clock."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError("a datetime must be aware, got a naive one")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Text from outside, without the characters that PostgreSQL cannot store."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Drop NUL and replace halves of surrogate pairs."""
        if value is None:
            return None
        return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
