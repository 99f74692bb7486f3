"""After signing in somebody is where they wanted to be, and never on another site."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from clinic.console import way_back
from tests.clinic.console.test_second_step import Phone, phone
from tests.clinic.console.world import Browser, ConsoleWorld, enter

__all__ = ["phone"]  # a fixture


async def arrives(world: ConsoleWorld, browser: Browser) -> str:
    """Sign in; return where that leads."""
    return (await enter(browser, await world.link())).headers["location"]


@pytest.mark.parametrize(
    "path", ["/leads/7", "/leads", "/calendar/visits/series-1", "/settings/people"]
)
async def test_a_link_into_the_console_is_kept_over_signing_in(
    world: ConsoleWorld, path: str
) -> None:
    browser = world.browser()
    sent_on = await browser.get(path)
    assert sent_on.headers["location"] == "/sign-in"

    assert await arrives(world, browser) == path
    assert way_back.COOKIE not in browser.cookies


async def test_what_was_searched_for_is_not_kept(world: ConsoleWorld) -> None:
    browser = world.browser()
    await browser.get("/leads?text=Anna")

    assert await arrives(world, browser) == "/leads"


async def test_it_is_kept_over_the_second_step(world: ConsoleWorld, phone: Phone) -> None:
    browser = world.browser()
    await browser.get("/leads/7")
    assert await arrives(world, browser) == "/second-step"
    await browser.get("/second-step")

    answer = await browser.post("/second-step", {"code": phone.code()})

    assert answer.headers["location"] == "/leads/7"


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/", "/today", "/live", "/leads/7/export.json", "/leads/7/photos/1", "/sign-out"],
)
async def test_what_is_no_page_is_not_kept(world: ConsoleWorld, path: str) -> None:
    browser = world.browser()
    await browser.get(path)

    assert way_back.COOKIE not in browser.cookies
    assert await arrives(world, browser) == "/today"


async def test_a_form_is_not_kept(world: ConsoleWorld, owner: Browser) -> None:
    stranger = world.browser()
    stranger.csrf = owner.csrf

    await stranger.post("/leads/7/note", {"body": "x"})

    assert way_back.COOKIE not in stranger.cookies


@pytest.mark.parametrize(
    "forged",
    [
        *(
            "https://evil.example/today",
            "//evil.example/today",
            "/\\evil.example",
            "/today\r\nX: y",
        ),
        *(
            "/..//evil.example",
            "/today/../../x",
            "javascript:alert(1)",
            "/leads/x",
            "today",
            "/%2f%2fe",
        ),
        "/today" + "x" * 500,
    ],
)
async def test_a_forged_cookie_leads_home(world: ConsoleWorld, forged: str) -> None:
    browser = world.browser()
    browser.cookies[way_back.COOKIE] = quote(forged, safe="")

    assert await arrives(world, browser) == "/today"
    assert way_back.COOKIE not in browser.cookies
