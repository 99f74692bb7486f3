"""A library with the known fault is warned of, once, in words to act on."""

from __future__ import annotations

import pytest
from sqlalchemy.engine import make_url

from storage import sqlite_versions

FILE = make_url("sqlite:///var/resurface.db")


@pytest.mark.parametrize(
    ("version", "has_fault"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 4), False),
    ],
)
def test_the_versions_with_the_fault_are_known(
    version: sqlite_versions.Version, has_fault: bool
) -> None:
    assert sqlite_versions.has_reset_fault(version) is has_fault
    assert bool(sqlite_versions.warning(FILE, version)) is has_fault


def test_the_warning_names_the_version_and_the_cure() -> None:
    assert "SQLite 3.40.1" in (words := sqlite_versions.warning(FILE, (3, 40, 1)))
    assert "3.51.3" in words


def test_postgresql_is_not_concerned() -> None:
    assert sqlite_versions.warning(make_url("postgresql://host/name"), (3, 40, 1)) == ""
