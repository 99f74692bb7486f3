"""Messages in the console: taken, answered, handed over, closed; photos streamed and deleted."""

from __future__ import annotations

import re

import pytest

from clinic.console.photos import image_type
from flows.effects import HandOffLead, LeadKind, MessageToClinic
from storage import turns
from storage.desk import LONGEST
from tests.builders import a_conversation, a_turn
from tests.clinic.console import routes
from tests.clinic.console.test_leads import lead_path
from tests.clinic.console.world import Browser, ConsoleWorld


async def asked(world: ConsoleWorld, words: str = "Do you have parking?") -> None:
    """Let Maya write to Willow."""
    maya = a_conversation(60, first_name="Maya")
    turn = a_turn(MessageToClinic(words), conversation=maya, now=world.clock())
    assert await world.database.write(turns.commit, turn) == turns.Committed()


async def thread_path(browser: Browser) -> str:
    found = re.search(r'href="(/messages/\d+)#last"', (await browser.get("/messages")).text)
    assert found
    return found.group(1)


async def test_a_question_waits_and_is_answered(world: ConsoleWorld, member: Browser) -> None:
    await asked(world)
    assert "Waits for an answer" in (await member.get("/messages")).text
    path = await thread_path(member)
    page = await member.follows(await member.post(f"{path}/answer", {"body": "Yes, in Mill Lane."}))

    assert "On its way to the patient." in page.text
    assert "waiting to be sent" in page.text
    assert "You are on it." in page.text
    assert "Waits for an answer" not in (await member.get("/messages")).text


async def test_an_answer_that_is_too_long_is_kept_in_the_field(
    world: ConsoleWorld, member: Browser
) -> None:
    await asked(world)
    path = await thread_path(member)
    answer = await member.post(f"{path}/answer", {"body": "x" * (LONGEST + 1)})

    assert answer.status_code == 422
    assert "3500 characters at most" in answer.text
    assert "x" * (LONGEST + 1) in answer.text


async def test_a_thread_is_handed_over_and_closed(
    world: ConsoleWorld, owner: Browser, member: Browser
) -> None:
    await asked(world)
    path = await thread_path(member)
    joe = str(world.people["willow", "staff"].id)
    await owner.get(path)
    handed = await owner.follows(await owner.post(f"{path}/hand-over", {"to": joe}))
    closed = await member.follows(await member.post(f"{path}/state", {"open": "no"}))

    assert "Joe Penhale is on it." in handed.text
    assert "Nobody waits for you." in closed.text
    assert "Maya" in (await member.get("/messages?show=closed")).text


async def test_a_thread_cannot_be_handed_to_another_clinics_people(
    world: ConsoleWorld, owner: Browser
) -> None:
    await asked(world)
    path = await thread_path(owner)
    stranger = str(world.people["harbour", "owner"].id)

    assert (await owner.post(f"{path}/hand-over", {"to": stranger})).status_code == 404


async def test_staff_write_first_from_a_lead(world: ConsoleWorld, member: Browser) -> None:
    lead = await routes.lead_of(world, "willow")
    await member.get(f"/leads/{lead}")
    page = await member.follows(await member.post(f"/leads/{lead}/thread"))

    assert "Nothing written yet." in page.text


async def test_a_card_s_link_leads_to_the_conversation_or_to_the_lead_before_there_is_one(
    world: ConsoleWorld, member: Browser
) -> None:
    maya = a_conversation(60, first_name="Maya")
    wants_person = a_turn(HandOffLead(LeadKind.PERSON), conversation=maya, now=world.clock())
    assert await world.database.write(turns.commit, wants_person) == turns.Committed()
    path = await lead_path(member)

    before = await member.get(f"{path}/messages")
    writes = a_turn(MessageToClinic("Hello"), before=0, conversation=maya, now=world.clock())
    assert await world.database.write(turns.commit, writes) == turns.Committed()
    after = await member.get(f"{path}/messages")

    assert before.headers["location"] == path
    assert after.headers["location"] == f"{await thread_path(member)}#last"


async def test_a_photo_is_streamed_to_its_own_clinic_and_kept_by_no_browser(
    world: ConsoleWorld, member: Browser
) -> None:
    lead, photo = await routes.lead_of(world, "willow"), await routes.photo_of(world, "willow")
    path = f"/leads/{lead}/photos/{photo}"
    stranger = await world.signed_in_client("owner", "harbour")
    answer = await member.get(path)

    assert (answer.status_code, answer.content) == (200, routes.A_PICTURE)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    assert (await stranger.get(path)).status_code == 404


@pytest.mark.parametrize(("content", "status"), [(b"<svg onload=x>", 415), (None, 502)])
async def test_what_is_no_picture_or_not_there_is_not_shown(
    world: ConsoleWorld, member: Browser, content: bytes | None, status: int
) -> None:
    lead, photo = await routes.lead_of(world, "willow"), await routes.photo_of(world, "willow")
    world.telegram.pictures.clear()
    if content is not None:
        world.telegram.pictures["AgAC"] = content

    answer = await member.get(f"/leads/{lead}/photos/{photo}")
    assert answer.status_code == status
    assert "AgAC" not in answer.text


async def test_staff_delete_a_photo(world: ConsoleWorld, member: Browser) -> None:
    lead, photo = await routes.lead_of(world, "willow"), await routes.photo_of(world, "willow")
    await member.get(f"/leads/{lead}")
    page = await member.follows(await member.post(f"/leads/{lead}/photos/{photo}/delete"))

    assert "The photo is deleted." in page.text
    assert (await member.get(f"/leads/{lead}/photos/{photo}")).status_code == 404


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xd8\xff\xe1", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_only_safe_pictures_have_a_type(content: bytes, kind: str | None) -> None:
    assert image_type(content) == kind
