"""The judge of upgrades passes a sound one and names what is wrong with the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from storage import migrations
from storage.database import connect
from tests import postgres
from tests.faults import upgrades
from tests.storage import filled


@pytest.fixture(params=["sqlite", "postgresql"])
async def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return a database with rows, as it was before the newest migration."""
    url = f"sqlite:///{tmp_path}/old.db"
    if request.param == "postgresql":
        server: postgres.Server = request.getfixturevalue("postgres_server")
        url = await server.clone()
    else:
        migrations.upgrade(url)
    await filled.fill(url)
    migrations.downgrade(url, "0015")
    return url


async def run(url: str, statement: str) -> None:
    def execute(connection: Connection) -> None:
        connection.execute(text(statement))

    database = connect(url)
    try:
        await database.write(execute)
    finally:
        await database.close()


async def test_a_sound_upgrade_has_no_complaints(old_url: str) -> None:
    before = await upgrades.contents(old_url)

    migrations.upgrade(old_url)

    assert before["leads"].count == 3
    assert await upgrades.complaints(old_url, before) == []


@pytest.mark.parametrize(
    ("spoils", "complaint"),
    [
        ("DELETE FROM photos", "photos: 1 rows before, 0 after, or others"),
        ("UPDATE leads SET score = 81 WHERE id = 2", "leads: 3 rows before, 3 after, or others"),
        ("CREATE INDEX mine ON leads (score)", "unlike the models: "),
        ("UPDATE resurface_version SET version_num = '0015'", "DatabaseOutdated"),
    ],
)
async def test_what_went_wrong_is_named(old_url: str, spoils: str, complaint: str) -> None:
    before = await upgrades.contents(old_url)
    migrations.upgrade(old_url)
    await run(old_url, spoils)

    (told,) = await upgrades.complaints(old_url, before)

    assert told.startswith(complaint)


async def test_an_upgrade_that_does_not_end_at_its_point_is_named(
    old_url: str, tmp_path: Path
) -> None:
    orders = upgrades.orders_for(old_url, tmp_path)

    assert await upgrades.cut_off(orders, (upgrades.STATEMENT, 500)) != []


async def test_upgrades_of_which_none_does_anything_are_named(old_url: str, tmp_path: Path) -> None:
    migrations.upgrade(old_url)
    orders = upgrades.orders_for(old_url, tmp_path)

    assert await upgrades.by_two(orders, tmp_path) == ["0 of two upgraded, not 1"]


async def test_upgrades_that_fail_are_named(old_url: str, tmp_path: Path) -> None:
    await run(old_url, "UPDATE resurface_version SET version_num = '9999'")
    orders = upgrades.orders_for(old_url, tmp_path)

    told = await upgrades.by_two(orders, tmp_path, expected=0)

    assert told == ["two at once ended with [1, 1]"]
