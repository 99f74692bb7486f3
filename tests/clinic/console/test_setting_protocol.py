"""A clinician reads the very version that patients meet, and signs it."""

from __future__ import annotations

import re

import pytest

from storage import audit, clinic_protocols, protocol_files
from storage.clinic_protocols import Version
from storage.protocol_versions import ProtocolText
from tests.clinic.console.world import Browser, ConsoleWorld
from tests.flows.chat import catalogues, protocol

PATH = "/settings/protocol"
OVERRIDES = 'overrides = "microneedling"\n[spacing]\npreferred_days = 35\n'
SIGNED = {"name": "Dr N. Haddad", "post": "Dermatologist, GMC 7", "read": "yes"}


async def digest(browser: Browser) -> str:
    found = re.search(r'name="digest" value="(\w{64})"', (await browser.get(PATH)).text)
    return found.group(1) if found else ""


async def test_the_protocol_is_there_to_read(member: Browser) -> None:
    page = (await member.get(PATH)).text

    assert f"Version {protocol().version}" in page
    assert "<h2>Questions</h2>" in page
    assert "Not signed yet" in page
    assert 'action="/settings/protocol/sign"' not in page


async def test_a_signature_says_who_and_which_version(world: ConsoleWorld, owner: Browser) -> None:
    sent = {**SIGNED, "digest": await digest(owner)}
    page = (await owner.follows(await owner.post(f"{PATH}/sign", sent))).text

    (kept,) = await world.database.read(clinic_protocols.signatures, 1)
    assert (kept.name, kept.digest, kept.staff) == (
        "Dr N. Haddad",
        protocol().digest,
        "Amara Osei",
    )
    assert ("Signed. Thank you." in page, "this version" in page) == (True, True)
    assert (await world.database.read(audit.entries, 1))[0].what == "protocol.signed"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": " "}, "Please fill this in."),
        ({"post": "x" * 81}, "at most 80 letters"),
        ({"read": ""}, "Please read it first"),
        ({"digest": "0" * 64}, "The protocol changed meanwhile"),
    ],
)
async def test_nothing_is_signed_by_mistake(
    world: ConsoleWorld, owner: Browser, given: dict[str, str], words: str
) -> None:
    sent = {**SIGNED, "digest": await digest(owner), **given}

    answer = await owner.post(f"{PATH}/sign", sent)

    assert (answer.status_code, words in answer.text) == (422, True)
    assert await world.database.read(clinic_protocols.signatures, 1) == []


async def test_own_numbers_are_another_version_to_sign(world: ConsoleWorld, owner: Browser) -> None:
    await owner.post(f"{PATH}/sign", {**SIGNED, "digest": await digest(owner)})
    own = protocol_files.load_protocol(catalogues(), OVERRIDES, "own.toml")
    source = ProtocolText(protocol_files.packaged_text(), OVERRIDES)
    await world.database.write(
        clinic_protocols.use, "willow", Version(own.key, own.digest, source), world.clock()
    )

    page = (await owner.get(PATH)).text

    assert "With your own numbers" in page
    assert "Not signed yet" in page
    assert await digest(owner) == own.digest
