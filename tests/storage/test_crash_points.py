"""Every write passes its three points, on both databases."""

from __future__ import annotations

import pytest

from storage import clinics, crash_points, patients
from storage.database import connect
from tests.builders import NOW


async def test_a_write_passes_its_points_in_order(database_url: str) -> None:
    passed: list[str] = []
    database = connect(database_url, passed=passed.append)

    await database.write(patients.save, 7, first_name="Ada", locale="en", now=NOW)
    await database.close()

    assert passed == [f"patients.save {at}" for at in ("begun", "written", "committed")]


async def test_a_write_that_fails_is_begun_and_no_more(database_url: str) -> None:
    passed: list[str] = []
    database = connect(database_url, passed=passed.append)

    with pytest.raises(ZeroDivisionError):
        await database.write(lambda _connection: 1 // 0)
    await database.close()

    assert [each.rpartition(" ")[2] for each in passed] == ["begun"]


def test_a_write_is_called_by_module_and_function() -> None:
    assert crash_points.name_of(clinics.use_protocol) == "clinics.use_protocol"
