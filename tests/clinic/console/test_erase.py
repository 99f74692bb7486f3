"""An owner erases a person: asked once more, with what will be gone in plain words."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from storage import audit, lead_list
from storage.lead_list import Wanted
from tests.builders import a_slot, four_weekly
from tests.clinic.console.world import Browser, ConsoleWorld


@pytest.fixture
async def lead(world: ConsoleWorld) -> int:
    """Return the lead of Maya, who has two visits to come."""
    slot = a_slot(world.clock() + timedelta(days=1), practitioner="amara")
    await world.books(*four_weekly(slot, 2), name="Maya")
    willow = world.people["willow", "owner"].clinic_id
    lines = (await world.database.read(lead_list.page, willow, Wanted(), world.clock())).lines
    return lines[0].id


async def ask(browser: Browser, lead: int) -> str:
    page = await browser.get(f"/leads/{lead}/erase")
    assert page.status_code == 200, page.text
    return page.text


def visits(page: str) -> dict[str, str]:
    found = re.search(r'name="visits" value="(\d+)"', page)
    assert found
    return {"visits": found.group(1)}


async def test_an_owner_is_told_what_will_be_gone(world: ConsoleWorld, lead: int) -> None:
    owner = await world.signed_in_client("owner")

    page = await ask(owner, lead)

    assert f'href="/leads/{lead}/erase"' in (await owner.get(f"/leads/{lead}")).text
    for words in (
        "Erase Maya",
        "2 visits to come are cancelled",
        "the bot says nothing to them",
        "cannot be undone",
        "Backups made before",
        "Telegram",
    ):
        assert words in page
    assert visits(page) == {"visits": "2"}


async def test_the_person_is_gone_and_the_record_says_who_did_it(
    world: ConsoleWorld, lead: int
) -> None:
    owner = await world.signed_in_client("owner")
    form = visits(await ask(owner, lead))

    answer = await owner.post(f"/leads/{lead}/erase", form)

    assert answer.headers["location"] == "/leads"
    page = (await owner.follows(answer)).text
    assert "Erased. 2 visits were cancelled." in page
    assert "Maya" not in page
    assert (await owner.get(f"/leads/{lead}")).status_code == 404
    person = world.people["willow", "owner"]
    line, *_ = await world.database.read(
        audit.entries, person.clinic_id, subject="lead", subject_id=lead
    )
    assert (line.staff, line.what) == (person.name, "person.erased")


async def test_staff_are_neither_offered_it_nor_let(world: ConsoleWorld, lead: int) -> None:
    member = await world.signed_in_client("staff")

    assert "/erase" not in (await member.get(f"/leads/{lead}")).text
    assert (await member.get(f"/leads/{lead}/erase")).status_code == 403
    assert (await member.post(f"/leads/{lead}/erase", {"visits": "2"})).status_code == 403
    assert (await member.get(f"/leads/{lead}")).status_code == 200


@pytest.mark.parametrize("seen", ["", "1", "two", "9" * 50])
async def test_what_changed_since_it_was_shown_is_shown_anew(
    world: ConsoleWorld, lead: int, seen: str
) -> None:
    owner = await world.signed_in_client("owner")
    await ask(owner, lead)

    answer = await owner.post(f"/leads/{lead}/erase", {"visits": seen})

    assert answer.headers["location"] == f"/leads/{lead}/erase"
    assert "Please look again" in (await owner.follows(answer)).text
    assert (await owner.get(f"/leads/{lead}")).status_code == 200


async def test_erasing_twice_finds_nobody(world: ConsoleWorld, lead: int) -> None:
    owner = await world.signed_in_client("owner")
    form = visits(await ask(owner, lead))
    await owner.post(f"/leads/{lead}/erase", form)

    assert (await owner.post(f"/leads/{lead}/erase", form)).status_code == 404
    assert (await owner.get(f"/leads/{lead}/erase")).status_code == 404
