"""The console in a real browser: signing in, marks and their undo, what changes by itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from storage import staff
from tests.browser.console_pages import PHONE, signed_in_page
from tests.builders import a_slot
from tests.clinic.console.world import ConsoleWorld, console_world

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def world(sqlite_url: str, tmp_path: Path) -> AsyncIterator[ConsoleWorld]:
    """Yield a console whose clock says when patients of today come."""
    async with console_world(sqlite_url, tmp_path) as running:
        yield running


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_the_cookie_holds_on_this_machine_without_https(
    chromium: Browser, world: ConsoleWorld, name: str
) -> None:
    world.address = world.address.replace("127.0.0.1", name)

    async with signed_in_page(chromium, world) as page:
        (cookie,) = await page.context.cookies()
        assert (cookie["name"], cookie["secure"], cookie["httpOnly"]) == (
            "__Host-console",
            True,
            True,
        )
        await page.get_by_role("button", name="Sign out").click()
        await page.wait_for_url("**/sign-in")
        assert await page.context.cookies() == []


@pytest.mark.parametrize("is_listening", [True, False])
async def test_a_page_whose_session_ends_elsewhere_leads_to_signing_in(
    chromium: Browser, world: ConsoleWorld, is_listening: bool
) -> None:
    async with signed_in_page(chromium, world) as page:
        if is_listening:
            async with page.expect_response("**/live"):
                await page.reload()
        owner = world.people["willow", "owner"]
        await world.database.write(staff.end_all, owner.id, world.clock())

        await page.wait_for_url("**/sign-in")
        assert await page.context.cookies() == []


async def test_signing_out_is_not_cut_off_when_the_page_hears_of_it_first(
    chromium: Browser, world: ConsoleWorld
) -> None:
    async with signed_in_page(chromium, world) as page:
        heard = asyncio.Event()
        page.on("requestfailed", lambda sent: sent.url.endswith("/live") and heard.set())

        async def after_the_page_heard(route: Route) -> None:
            added_on_the_way = {"sec-fetch-site": "same-origin"}
            sent = await route.request.all_headers() | added_on_the_way
            answer = await route.fetch(headers=sent, max_redirects=0)
            async with asyncio.timeout(20):
                await heard.wait()
            await asyncio.sleep(0.5)  # in which a reload would begin
            await route.fulfill(response=answer)

        async with page.expect_response("**/live"):
            await page.reload()
        await page.route("**/sign-out", after_the_page_heard)
        opened: list[str] = []
        page.on("request", lambda sent: sent.is_navigation_request() and opened.append(sent.url))
        await page.get_by_role("button", name="Sign out").click()

        await page.wait_for_url("**/sign-in")
        assert opened == [world.address + path for path in ("/sign-out", "/sign-in")]


async def test_a_patient_who_books_appears_by_themselves(
    chromium: Browser, world: ConsoleWorld
) -> None:
    async with signed_in_page(chromium, world, "staff") as page:
        await expect(page.get_by_text("Nobody is booked.")).to_have_count(2)
        await world.books(a_slot(world.clock() + timedelta(hours=1)), name="Maya")

        await expect(page.get_by_role("link", name="Maya")).to_be_visible(timeout=15_000)


async def test_a_mark_and_its_undo(chromium: Browser, world: ConsoleWorld) -> None:
    await world.books(a_slot(world.clock()), name="Maya")
    async with signed_in_page(chromium, world, "staff", viewport=PHONE) as page:
        await page.get_by_role("button", name="Is here: Maya").click()
        await expect(page.get_by_text("Maya is here.")).to_be_visible()
        await expect(page.get_by_text("Arrived")).to_be_visible()

        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_text("Taken back: Maya.")).to_be_visible()
        await expect(page.get_by_text("Booked", exact=True)).to_be_visible()


async def test_everything_works_without_scripts(chromium: Browser, world: ConsoleWorld) -> None:
    async with signed_in_page(chromium, world, "staff", java_script_enabled=False) as page:
        await page.get_by_role("link", name="Walk-in").click()
        await page.get_by_label("What for").select_option("consultation")
        await page.get_by_role("button", name="Show times").click()
        await page.get_by_role("radio").first.check(force=True)
        await page.get_by_label("Name").fill("Tom")
        await page.get_by_role("button", name="Book").click()

        await expect(page.get_by_text("Tom is booked.")).to_be_visible()


@pytest.mark.parametrize("has_scripts", [True, False])
async def test_a_signature_that_is_not_taken_says_so_where_one_looks(
    chromium: Browser, world: ConsoleWorld, has_scripts: bool
) -> None:
    options = {"viewport": PHONE, "java_script_enabled": has_scripts}
    async with signed_in_page(chromium, world, **options) as page:
        await page.goto(f"{world.address}/settings/protocol")
        await page.get_by_label("Clinician’s name").fill("Dr N. Haddad")
        await page.get_by_role("button", name="Sign", exact=True).click()

        told = page.get_by_role("alert")
        await expect(told).to_be_focused()
        await expect(told).to_be_in_viewport(ratio=1)
        await expect(told).to_contain_text("Not signed. 2 things below are missing or wrong.")
        await expect(page).to_have_title(re.compile("^Problem: Protocol"))
        await told.get_by_role("link").click()
        await expect(page.get_by_label("Post and registration number")).to_be_focused()

        await page.get_by_label("Post and registration number").fill("Dermatologist, GMC 7")
        await page.get_by_role("button", name="Sign", exact=True).click()

        await told.get_by_role("link", name="Please read it first, then tick this.").click()
        tick = page.get_by_role("checkbox")
        await expect(tick).to_be_focused()
        await expect(tick).to_be_in_viewport()


async def test_another_service_keeps_the_name_and_enter_books(
    chromium: Browser, world: ConsoleWorld
) -> None:
    async with signed_in_page(chromium, world, "staff") as page:
        await page.goto(f"{world.address}/today/walk-in")
        await page.get_by_label("Name").fill("Tom")
        await page.get_by_label("What for").select_option("consultation")

        await expect(page.locator("option:checked")).to_have_text("Skin consultation, 30 min")
        await expect(page.get_by_label("Name")).to_have_value("Tom")
        assert page.url.endswith("/today/walk-in")
        await page.get_by_role("radio").first.check(force=True)
        await page.get_by_label("Name").press("Enter")
        await expect(page.get_by_text("Tom is booked.")).to_be_visible()


async def test_a_visit_is_marked_by_keyboard_alone(chromium: Browser, world: ConsoleWorld) -> None:
    await world.books(a_slot(world.clock()), name="Maya")
    async with signed_in_page(chromium, world, "staff") as page:
        for _ in range(40):
            await page.keyboard.press("Tab")
            focused = await page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''")
            if focused.startswith("Is here: Maya"):
                break
        await page.keyboard.press("Enter")

        await expect(page.get_by_text("Maya is here.")).to_be_visible()
