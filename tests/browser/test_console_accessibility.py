"""Every page of the console against the rules of WCAG 2.2 AA, light and dark, desk and phone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyotp
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page
from sqlalchemy import Connection, func, select, update

from clinic.console.free_times import key_of
from clinic.console.limits import Limits
from storage import lead_channels
from storage.lead_channels import NewChannel
from storage.lead_events import EventType
from storage.models import Appointment, Outbox
from tests.browser.console_pages import DESK, PHONE, a_day, signed_in_page
from tests.builders import a_slot, four_weekly
from tests.clinic.console import routes
from tests.clinic.console.forms import forms_of
from tests.clinic.console.test_lead_booking import a_lead
from tests.clinic.console.world import ConsoleWorld, console_world
from tests.flows.calendars import a_plan

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
#: Each link of a page's navigation: its words, its edges, and whether its words are cut off.
LINKS = """[...document.querySelectorAll('nav a')].map((link) => {
  const { left, right, top, bottom } = link.getBoundingClientRect();
  return [link.innerText, left, right, top, bottom, link.scrollWidth > link.offsetWidth];
})"""
#: Sends a form with the token of the page.
SEND = """([path, fields]) => {
  const form = Object.assign(document.createElement('form'), { method: 'post', action: path });
  const csrf = document.querySelector('[name=csrf]').value;
  for (const [name, value] of Object.entries({ ...fields, csrf }))
    form.append(Object.assign(document.createElement('input'), { name, value }));
  document.body.append(form);
  form.submit();
}"""
#: How a page begins that did not take a form: its title, whether what has the focus is within
#: sight, and whether what it leads to is there.
COMPLAINT = """[document.title.slice(0, 9),
  document.activeElement.getBoundingClientRect().bottom < innerHeight,
  [...document.querySelectorAll('#problems a')].every((link) => document.querySelector(link.hash))]
"""
#: Fields that say what a form is about: they stay right when the others are made wrong.
KEPT = {"part", "seen", "csrf"}
#: Settings whose forms are about parts of one document.
SETTINGS = ("", "/services", "/people/amara", "/closed", "/booking")
SIGN_OUT = {"/sign-out", "/account/sign-out-everywhere"}
#: Not pages: a stream, files, and what only sends on.
NO_PAGES = {"/live", "/static/{name}", "/"}


@pytest_asyncio.fixture(loop_scope="session")
async def world(sqlite_url: str, tmp_path: Path) -> AsyncIterator[ConsoleWorld]:
    """Yield a console with a full day."""
    async with console_world(sqlite_url, tmp_path, pace=Limits(times=1000)) as running:
        await a_channel(running)
        await a_day(running)
        await running.database.write(_lose)
        await running.database.write(something_changes, running.clock())
        yield running


async def a_channel(world: ConsoleWorld) -> None:
    """Have the clinic tell a webhook, which has told it to stay away, and another one."""
    for name, types in (("gone", ()), ("here", tuple(EventType))):
        hook = NewChannel("webhook", f"https://{name}.example/a/rather/long/hook", "sealed", types)
        number = await world.database.write(lead_channels.add, 1, hook, world.clock())
        if name == "gone":
            await world.database.write(lead_channels.disable, number, "http_410", world.clock())


def _lose(connection: Connection) -> None:
    """Give up every message to a channel but one, which is tried again."""
    of_channels = Outbox.kind == "lead"
    given_up = update(Outbox).values(state="dead", last_error="http_500", attempt=1)
    last = connection.execute(select(func.max(Outbox.id)).where(of_channels)).scalar_one()
    connection.execute(given_up.where(of_channels, Outbox.id != last))
    again = update(Outbox).values(last_error="timeout", attempt=1)
    connection.execute(again.where(Outbox.id == last))


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", DESK), ("dark", PHONE)], ids=["light desk", "dark phone"]
)
@pytest.mark.asyncio(loop_scope="session")
async def test_every_page_is_there_for_everyone(
    chromium: Browser, world: ConsoleWorld, scheme: str, size: dict[str, int]
) -> None:
    options: dict[str, Any] = {"viewport": size, "color_scheme": scheme, "bypass_csp": True}
    violations = []
    async with signed_in_page(chromium, world, **options) as page:
        for path in await paths(world):
            await page.goto(world.address + path)
            violations += [f"{path} {found}" for found in await found_by_axe(page)]

    assert violations == []


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", DESK), ("dark", PHONE)], ids=["light desk", "dark phone"]
)
@pytest.mark.asyncio(loop_scope="session")
async def test_every_form_with_a_complaint_is_there_for_everyone(
    chromium: Browser, world: ConsoleWorld, scheme: str, size: dict[str, int]
) -> None:
    options: dict[str, Any] = {"viewport": size, "color_scheme": scheme, "bypass_csp": True}
    forms, violations = await complaints(world), []
    async with signed_in_page(chromium, world, **options) as page:
        for path, fields in forms:
            assert await sends(page, path, fields) == 422, path
            await page.locator("#problems:focus").wait_for()
            assert await page.evaluate(COMPLAINT) == ["Problem: ", True, True], path
            violations += [f"{path} {found}" for found in await found_by_axe(page)]

    assert violations == []
    assert {path for path, _ in forms} > {"/today/walk-in", "/people", "/settings/change"}


@pytest.mark.asyncio(loop_scope="session")
async def test_the_second_step_is_there_for_everyone(
    chromium: Browser, world: ConsoleWorld
) -> None:
    violations = []
    for scheme, role in (("light", "owner"), ("dark", "staff")):
        # What moves in would be looked at while it is half there.
        options = {"color_scheme": scheme, "reduced_motion": "reduce", "bypass_csp": True}
        async with signed_in_page(chromium, world, role, **options) as page:
            await page.goto(f"{world.address}/account")
            assert await sends(page, "/account/second-step", {}) == 200
            violations += await found_by_axe(page)
            code = pyotp.TOTP((await page.inner_text(".key")).replace(" ", ""))
            await page.get_by_role("textbox", name="Code").fill("000000")
            await page.get_by_role("button", name="Turn on").click()
            violations += await found_by_axe(page)
            await page.get_by_role("textbox", name="Code").fill(
                code.at(int(world.clock().timestamp()))
            )
            await page.get_by_role("button", name="Turn on").click()
            await page.wait_for_url("**/account")
            violations += await found_by_axe(page)
        context = await chromium.new_context(**options)
        page = await context.new_page()
        await page.goto(world.address + await world.link(role))
        await page.get_by_role("button", name="Sign in").click()
        violations += await found_by_axe(page)
        await page.get_by_role("textbox", name="Code").fill("000000")
        await page.get_by_role("button", name="Go on").click()
        await page.get_by_text("That code is not right").wait_for()
        violations += await found_by_axe(page)
        await context.close()

    assert violations == []


@pytest.mark.asyncio(loop_scope="session")
async def test_signing_in_and_refusals_are_there_for_everyone(
    chromium: Browser, world: ConsoleWorld
) -> None:
    violations = []
    for scheme in ("light", "dark"):
        context = await chromium.new_context(color_scheme=scheme, bypass_csp=True)
        page = await context.new_page()
        for path in ("/sign-in", await world.link()):
            await page.goto(world.address + path)
            violations += await found_by_axe(page)
        await page.goto(world.address + "/sign-in/" + "z" * 43)
        await page.get_by_role("button", name="Sign in").click()
        violations += await found_by_axe(page)
        await context.close()

    assert violations == []


@pytest.mark.asyncio(loop_scope="session")
async def test_a_fault_in_a_page_would_be_found(chromium: Browser, world: ConsoleWorld) -> None:
    async with signed_in_page(chromium, world, bypass_csp=True) as page:
        await page.evaluate("document.querySelector('main').innerHTML += '<img src=\"/x\">'")

        assert any("image-alt" in found for found in await found_by_axe(page))


@pytest.mark.asyncio(loop_scope="session")
async def test_no_page_is_wider_than_a_small_phone(chromium: Browser, world: ConsoleWorld) -> None:
    wide = []
    async with signed_in_page(chromium, world, viewport={"width": 360, "height": 740}) as page:
        for path in await paths(world):
            await page.goto(world.address + path)
            if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wide.append(path)

    assert wide == []


@pytest.mark.parametrize("width", [390, 320])
@pytest.mark.asyncio(loop_scope="session")
async def test_every_link_of_the_navigation_is_within_a_phone(
    chromium: Browser, world: ConsoleWorld, width: int
) -> None:
    links = []
    async with signed_in_page(chromium, world, viewport={**PHONE, "width": width}) as page:
        for path in ("/settings", "/recall", "/leads"):
            await page.goto(world.address + path)
            links += await page.evaluate(LINKS)

    names = {link[0].partition("\n")[0] for link in links}  # without how many wait there
    assert {"Today", "Settings", "Protocol", "Waiting 0"} <= names
    for name, left, right, top, bottom, is_cut in links:
        assert 0 <= left < right <= width, name
        assert 0 <= top < bottom <= PHONE["height"], name
        assert not is_cut, name


async def paths(world: ConsoleWorld) -> list[str]:
    """Return the path of every page for people who signed in."""
    reader, found = await world.signed_in_client(), ["/nowhere"]
    for way in routes.ways(world.app):
        if way.method == "GET" and not way.is_public and way.path not in NO_PAGES:
            ids = {name: await routes.IDS[name](world, "willow") for name in way.ids}
            answer = await reader.get(way.filled(ids))
            assert answer.status_code < 500, way.path
            if answer.headers.get("content-type", "").startswith("text/html"):
                found.append(way.filled(ids))
    more = (of_a_series, of_a_paused_visit, of_a_bookable_lead)
    return [*found, *[path for each in more for path in await each(world)]]


async def complaints(world: ConsoleWorld) -> list[tuple[str, dict[str, str]]]:
    """Return forms that come back with a complaint: where each is sent to, with which fields."""
    reader, tried = await world.signed_in_client(), list[tuple[str, dict[str, str]]]()
    for way in routes.ways(world.app):
        if way.method == "POST" and not way.is_public and way.path not in SIGN_OUT:
            ids = {name: await routes.IDS[name](world, "willow") for name in way.ids}
            tried.append((way.filled(ids), {}))
    for path in SETTINGS:
        parts = (form for form in forms_of((await reader.get(f"/settings{path}")).text))
        for fields in (form.fields for form in parts if "part" in form.fields):
            wrong = {name: fields[name] if name in KEPT else "?" * 900 for name in fields}
            tried.append(("/settings/change", {**wrong, "csrf": reader.csrf}))
    answers = [(await reader.post(path, fields)).status_code for path, fields in tried]
    found = [one for one, status in zip(tried, answers, strict=True) if status == 422]
    return [*found, *await of_times(world)]


async def of_times(world: ConsoleWorld) -> list[tuple[str, dict[str, str]]]:
    """Return forms that doubt the time they ask for, or find it gone."""
    night = {"service": "treatment", "name": "Tom", "who": "amara", "slot": "other", "at": "03:00"}
    off = {"who": "amara", "part": "all", "on": f"{world.clock():%Y-%m-%d}"}
    lead = (await of_a_bookable_lead(world))[0]
    gone = {"slot": "amara 2026-12-03T03:00:00+00:00"}
    return [("/calendar/new", {**night, "on": "2026-12-03"}), ("/calendar/off", off), (lead, gone)]


async def of_a_bookable_lead(world: ConsoleWorld) -> list[str]:
    """Return the pages that propose visits, and one for a chosen time, of somebody not booked."""
    path = await a_lead(world)
    return [f"{path}/book", f"{path}/book?who=amara&on=2026-12-05"]


async def sends(page: Page, path: str, fields: Mapping[str, str]) -> int:
    """Send a form as a page of the console does; return the answer's status."""
    async with page.expect_navigation() as answered:
        await page.evaluate(SEND, [path, dict(fields)])
    answer = await answered.value
    assert answer is not None
    return answer.status


async def of_a_series(world: ConsoleWorld) -> list[str]:
    """Return the pages of a visit to come, and of its move with a repair of the series."""
    world.hour += 1
    first = a_slot(world.clock().replace(hour=13, minute=0) + timedelta(days=2, weeks=world.hour))
    uid = await world.books(*four_weekly(first, 3), plan=a_plan(3))
    second = f"/calendar/visits/{uid.removesuffix('-1')}-2"
    later = replace(first, starts_at=first.starts_at + timedelta(weeks=6))
    day = f"{second}/move?on={later.starts_at:%Y-%m-%d}"
    return [second, day, f"{day}&slot={quote(key_of(later))}"]


def something_changes(connection: Connection, now: datetime) -> None:
    """Let whoever asked for a time, and is yet to come, say that something has changed."""
    asked = update(Appointment).where(Appointment.state == "pending")
    connection.execute(asked.values(paused_at=now))


async def of_a_paused_visit(world: ConsoleWorld) -> list[str]:
    """Return the pages of a visit that waits for a look, and of the day it is on."""
    query = select(Appointment.uid).where(Appointment.paused_at.is_not(None))
    uids = await world.database.read(lambda c: c.execute(query).scalars().all())
    return [f"/calendar/visits/{uids[0]}", "/calendar?who=rowan"]


async def found_by_axe(page: Page) -> list[str]:
    """Return what is wrong with a page, with the first element of each."""
    found = (await Axe().run(page, options=RULES)).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:150]}" for one in found]
