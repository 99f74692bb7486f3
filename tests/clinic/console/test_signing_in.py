"""Signing in and out, over real HTTP."""

from __future__ import annotations

from clinic.console import sessions
from tests.clinic.console.world import Browser, ConsoleWorld, enter


async def test_a_link_signs_in(world: ConsoleWorld) -> None:
    browser = world.browser()

    answer = await enter(browser, await world.link("staff"))

    assert (answer.status_code, answer.headers["location"]) == (303, "/today")
    assert "Joe Penhale" in (await browser.follows(answer)).text


async def test_opening_a_link_does_not_use_it_up(world: ConsoleWorld) -> None:
    link = await world.link()
    for _ in range(3):
        await world.browser().get(link)

    assert (await enter(world.browser(), link)).headers["location"] == "/today"


async def test_nobody_sees_a_page_without_signing_in(world: ConsoleWorld) -> None:
    answer = await world.browser().get("/today")

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


async def test_signing_out_ends_the_session_on_the_server(owner: Browser) -> None:
    kept = dict(owner.cookies)

    await owner.post("/sign-out")
    owner.cookies = kept

    assert sessions.COOKIE in kept
    assert (await owner.get("/today")).headers["location"] == "/sign-in"
