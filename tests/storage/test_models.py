"""Every column is known to be personal or not, and no instant is without a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection, literal, select
from sqlalchemy.exc import StatementError

from storage.database import Database
from storage.models import Model, UtcDateTime

MODELS = sorted((mapper.class_ for mapper in Model.registry.mappers), key=lambda m: m.__name__)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__tablename__)
def test_every_column_is_on_exactly_one_of_the_two_lists(model: type[Model]) -> None:
    personal, plain = model.__pii_columns__, model.__plain_columns__

    assert personal | plain == {column.name for column in model.__table__.columns}
    assert personal & plain == frozenset()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__tablename__)
def test_every_model_says_what_it_is(model: type[Model]) -> None:
    assert model.__doc__


def echoed(connection: Connection, at: datetime | None) -> datetime | None:
    return connection.execute(select(literal(at, UtcDateTime))).scalar_one()


async def test_an_instant_comes_back_in_utc(database: Database) -> None:
    lisbon_summer = timezone(timedelta(hours=1))
    at = datetime(2026, 7, 1, 10, 30, 15, 250_000, tzinfo=lisbon_summer)

    back = await database.read(echoed, at)

    assert back == at
    assert back.tzinfo is UTC


async def test_no_instant_stays_none(database: Database) -> None:
    assert await database.read(echoed, None) is None


async def test_a_naive_datetime_is_refused(database: Database) -> None:
    naive = datetime(2026, 7, 1, 10, 30, tzinfo=UTC).replace(tzinfo=None)

    with pytest.raises(StatementError, match="must be aware"):
        await database.read(echoed, naive)
