"""One's own page: sessions."""

from __future__ import annotations

from storage import console_sessions
from tests.clinic.console.world import Browser, ConsoleWorld


async def test_one_s_own_sessions_are_listed_and_this_one_is_marked(
    world: ConsoleWorld, owner: Browser
) -> None:
    await world.signed_in_client("owner")

    page = (await owner.get("/account")).text

    assert (page.count("This browser"), page.count("Another browser")) == (1, 1)


async def test_another_session_of_one_s_own_is_ended(world: ConsoleWorld, owner: Browser) -> None:
    other = await world.signed_in_client("owner")
    digest = await digest_of(world, other)

    await owner.post("/account/sessions/end", {"session": digest})

    assert (await other.get("/today")).headers["location"] == "/sign-in"
    assert (await owner.get("/today")).status_code == 200


async def test_a_colleague_s_session_cannot_be_ended(
    world: ConsoleWorld, owner: Browser, member: Browser
) -> None:
    digest = await digest_of(world, owner)

    assert (await member.post("/account/sessions/end", {"session": digest})).status_code == 404
    assert (await owner.get("/today")).status_code == 200


async def test_signing_out_everywhere_ends_sessions_and_links(
    world: ConsoleWorld, owner: Browser
) -> None:
    other, link = await world.signed_in_client("owner"), await world.link("owner")

    await owner.post("/account/sign-out-everywhere")

    assert (await other.get("/today")).headers["location"] == "/sign-in"
    assert (await other.post("/sign-in", {"link": link.rpartition("/")[2]})).status_code == 403


async def digest_of(world: ConsoleWorld, browser: Browser) -> str:
    """Return what is kept of a browser's session."""
    token = browser.cookies["__Host-console"]
    found = await world.database.read(console_sessions.find, token, world.clock())
    assert found
    return found[0].digest
