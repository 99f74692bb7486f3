"""*Team*: what owners do with the team."""

from __future__ import annotations

import re

import pytest

from storage import audit, staff
from tests.clinic.console.world import Browser, ConsoleWorld


async def test_the_page_is_the_owners(owner: Browser, member: Browser) -> None:
    assert (await owner.get("/people")).status_code == 200
    refused = await member.get("/people")
    assert (refused.status_code, "This is for owners" in refused.text) == (403, True)


async def test_staff_cannot_act_on_people_either(world: ConsoleWorld, member: Browser) -> None:
    amara = world.people["willow", "owner"]
    for act in ("invite", "sign-out", "remove"):
        assert (await member.post(f"/people/{amara.id}/{act}")).status_code == 403
    assert (await member.post("/people", {"name": "Eve", "role": "owner"})).status_code == 403


async def test_somebody_is_added_and_invited(world: ConsoleWorld, owner: Browser) -> None:
    page = await owner.follows(await owner.post("/people", {"name": "Noor", "role": "staff"}))
    assert "Noor is on the list." in page.text
    noor = (await world.database.read(staff.members, "willow"))[-1]

    invited = (await owner.post(f"/people/{noor.id}/invite")).text
    token = re.search(r"https://t\.me/willow_skin_bot\?start=staff_([\w-]{43})<", invited)
    assert token
    joined = await world.database.write(staff.join, token.group(1), 900, world.clock())

    assert joined
    assert (joined.id, joined.name) == (noor.id, "Noor")
    assert "staff_" not in (await owner.get("/people")).text


async def test_a_colleague_is_signed_out(
    world: ConsoleWorld, owner: Browser, member: Browser
) -> None:
    await owner.post(f"/people/{world.people['willow', 'staff'].id}/sign-out")

    assert (await member.get("/today")).headers["location"] == "/sign-in"


async def test_a_colleague_is_removed_and_the_record_says_by_whom(
    world: ConsoleWorld, owner: Browser, member: Browser
) -> None:
    joe = world.people["willow", "staff"]

    await owner.post(f"/people/{joe.id}/remove")

    assert (await member.get("/today")).headers["location"] == "/sign-in"
    (entry, *_) = await world.database.read(audit.entries, joe.clinic_id)
    assert (entry.staff, entry.what, entry.subject_id) == (
        "Amara Osei",
        "staff.removed",
        str(joe.id),
    )


async def test_the_last_owner_stays(world: ConsoleWorld, owner: Browser) -> None:
    answer = await owner.post(f"/people/{world.people['willow', 'owner'].id}/remove")

    assert (answer.status_code, "A clinic needs an owner" in answer.text) == (422, True)


@pytest.mark.parametrize("name", ["", " ", "x" * 81, "a\x07"])
async def test_a_name_that_is_none_is_told(owner: Browser, name: str) -> None:
    answer = await owner.post("/people", {"name": name, "role": "staff"})

    assert (answer.status_code, "A name must be" in answer.text) == (422, True)


async def test_a_role_that_is_none_is_told(owner: Browser) -> None:
    answer = await owner.post("/people", {"name": "Eve", "role": "boss"})

    assert answer.status_code == 422
