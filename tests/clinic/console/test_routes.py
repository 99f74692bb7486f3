"""Sweeps over every route: tenant wall, headers, cookies, forged forms. New pages are swept too."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clinic.console.guard import HALF_WAY
from clinic.console.limits import Limits
from storage import console_sessions
from tests.clinic.console import routes
from tests.clinic.console.routes import Way
from tests.clinic.console.world import Browser, ConsoleWorld, console_world, enter

REFUSED = {303, 401, 403, 404}
WRONG = (
    ("cross-site", {"Sec-Fetch-Site": "cross-site"}),
    ("another site of the same domain", {"Sec-Fetch-Site": "same-site"}),
    ("typed in by hand", {"Sec-Fetch-Site": "none"}),
    ("a foreign origin", {"Origin": "https://evil.example"}),
    ("a foreign origin that claims more", {"Origin": "https://evil.example",
     "Sec-Fetch-Site": "same-origin"}),
    ("no origin", {"Origin": "null"}),
    ("no browser", {}),
)  # fmt: skip


@pytest.fixture
async def world(sqlite_url: str, tmp_path: Path) -> AsyncIterator[ConsoleWorld]:
    """Yield a console that allows a thousand times more than it does to people."""
    async with console_world(sqlite_url, tmp_path, pace=Limits(times=1000)) as running:
        yield running


async def go(browser: Browser, way: Way, world: ConsoleWorld, ids_of: str) -> tuple[int, str]:
    """Try a way with the ids and fields of a clinic; return status and text."""
    ids = {name: await routes.IDS[name](world, ids_of) for name in way.ids}
    if way.path == "/live":
        async with browser.stream("/live") as answer:
            return answer.status_code, ""
    if way.method == "GET":
        answer = await browser.get(way.filled(ids))
    else:
        make = routes.FORMS.get(way.path)
        answer = await browser.post(way.filled(ids), await make(world, ids_of) if make else {})
    return answer.status_code, answer.text


async def test_every_parameter_is_known_to_the_sweeps(world: ConsoleWorld) -> None:
    unknown = {name for way in routes.ways(world.app) for name in way.ids} - set(routes.IDS)

    assert not unknown, f"say in tests/clinic/console/routes.py how a clinic gets: {unknown}"


async def test_no_route_answers_without_a_session(world: ConsoleWorld) -> None:
    browser = world.browser()
    shut = [way for way in routes.ways(world.app) if not way.is_public]

    reached = [str(way) for way in shut if (await go(browser, way, world, "willow"))[0] not in
               {303, 401, 403}]  # fmt: skip

    assert (reached, len(shut) > 10) == ([], True)


async def test_no_route_answers_before_the_code_of_the_second_step(world: ConsoleWorld) -> None:
    browser, shut = await half_way(world), [way for way in routes.ways(world.app) if is_shut(way)]
    reached = []
    for way in shut:
        ids = {name: await routes.IDS[name](world, "willow") for name in way.ids}
        if way.path == "/live":
            async with browser.stream(way.path) as answer:
                status, leads_to = answer.status_code, answer.headers.get("location")
        else:
            make = routes.FORMS.get(way.path)
            fields = {"csrf": browser.csrf, **(await make(world, "willow") if make else {})}
            own = {"Origin": browser.address, "Sec-Fetch-Site": "same-origin"}
            answer = await browser.ask(way.method, way.filled(ids), fields, own)
            status, leads_to = answer.status_code, answer.headers.get("location")
        if (status, leads_to) != (303, "/second-step"):
            reached.append(f"{way}: {status} {leads_to}")

    assert (reached, len(shut) > 50) == ([], True)
    assert (await browser.get("/second-step")).status_code == 200  # it is still half-way


def is_shut(way: Way) -> bool:
    """Say whether a way needs the second step of whoever has turned it on."""
    return not way.is_public and way.path not in HALF_WAY


async def half_way(world: ConsoleWorld) -> Browser:
    """Return the browser of an owner who has used a link and is asked for a code."""
    sealed = world.app.state.site.seal.close("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    member = world.people["willow", "owner"]
    turn_on = console_sessions.turn_on_second_step
    await world.database.write(turn_on, member, sealed, 1, world.clock())
    browser = world.browser()
    answer = await enter(browser, await world.link())
    assert answer.headers["location"] == "/second-step"
    await browser.get("/second-step")
    return browser


@pytest.mark.parametrize("role", ["owner", "staff"])
async def test_no_route_crosses_to_another_clinic(world: ConsoleWorld, role: str) -> None:
    await routes.visit_of(world, "willow")
    crossings = []
    for way in routes.ways(world.app):
        stranger = await world.signed_in_client(role, "harbour")
        status, text = await go(stranger, way, world, "willow")
        with_ids = set(way.ids) - {"act", "name", "link", "token"} or way.path in routes.FORMS
        if "Patient-of-willow" in text or (with_ids and status not in {403, 404}):
            crossings.append(f"{way}: {status}")

    assert crossings == []


@pytest.mark.parametrize("role", ["owner", "staff"])
async def test_every_route_answers_its_own_clinic(world: ConsoleWorld, role: str) -> None:
    wrong = []
    for way in routes.ways(world.app):
        status, _ = await go(await world.signed_in_client(role), way, world, "willow")
        expected = {200, 303, 422} if not way.owners_only or role == "owner" else {403}
        belongs_to_owner = way.path == "/account/sessions/end" and role == "staff"
        if status not in expected and not way.is_public and not belongs_to_owner:
            wrong.append(f"{way}: {status}")

    assert wrong == []


async def test_every_answer_carries_the_headers(world: ConsoleWorld) -> None:
    owner, stranger = await world.signed_in_client(), world.browser()
    without = []
    for way in routes.ways(world.app):
        ids = {name: await routes.IDS[name](world, "willow") for name in way.ids}
        for browser, methods in ((stranger, ("GET", "POST")), (owner, ("GET", "POST", "PUT"))):
            for method in methods:
                if way.path == "/live" and method == "GET" and browser is owner:
                    continue
                answer = await browser.ask(method, way.filled(ids))
                if not _is_safe(dict(answer.headers)):
                    without.append(f"{method} {way.path}")

    assert without == []


async def test_an_event_stream_carries_the_headers(world: ConsoleWorld) -> None:
    owner = await world.signed_in_client()

    async with owner.stream("/live") as answer:
        assert _is_safe(dict(answer.headers))


async def test_every_cookie_is_for_this_host_and_for_http_alone(world: ConsoleWorld) -> None:
    weak = []
    for way in routes.ways(world.app):
        browser = await world.signed_in_client()
        seen = len(browser.set_cookies)
        await go(browser, way, world, "willow")
        weak += [line for line in browser.set_cookies[seen:] if not _is_strict(line)]
    browser = await world.signed_in_client()
    await browser.post("/leads/search", {"text": "Maya"})
    assert browser.set_cookies[-1].startswith("__Host-console-searches=")
    weak += [line for line in browser.set_cookies[-1:] if not _is_strict(line)]
    owner = world.browser()
    await owner.get(link := await world.link())
    await owner.post("/sign-in", {"link": link.rpartition("/")[2]})
    weak += [line for line in owner.set_cookies if not _is_strict(line)]

    assert (weak, len(owner.set_cookies)) == ([], 1)


async def test_no_form_is_taken_from_elsewhere(world: ConsoleWorld) -> None:
    owner = await world.signed_in_client()
    taken = []
    for way in routes.ways(world.app):
        if way.method != "POST":
            continue
        ids = {name: await routes.IDS[name](world, "willow") for name in way.ids}
        for why, headers in WRONG:
            fields = {"csrf": owner.csrf, "version": "1", "link": "a" * 43}
            answer = await owner.ask("POST", way.filled(ids), fields, headers)
            if answer.status_code != 403:
                taken.append(f"{way} {why}: {answer.status_code}")

    assert taken == []


async def test_no_form_is_taken_without_its_token(world: ConsoleWorld) -> None:
    owner, colleague = await world.signed_in_client(), await world.signed_in_client("staff")
    taken = []
    for way in routes.ways(world.app):
        if way.method != "POST" or way.is_public:
            continue
        ids = {name: await routes.IDS[name](world, "willow") for name in way.ids}
        for token in ("", "0" * 64, colleague.csrf, "ü"):
            answer = await owner.post(way.filled(ids), {"csrf": token})
            if answer.status_code != 403:
                taken.append(f"{way}: {answer.status_code}")

    assert taken == []


async def test_no_page_changes_anything_when_it_is_read(world: ConsoleWorld) -> None:
    forms = {way.path for way in routes.ways(world.app) if way.method == "POST"}
    both = [w for w in routes.ways(world.app) if w.method == "GET" and w.path in forms]

    assert {way.method for way in routes.ways(world.app)} == {"GET", "POST"}
    for way in both:
        owner = await world.signed_in_client()
        assert (await go(owner, way, world, "willow"))[0] in {200, 303}


def _is_safe(headers: dict[str, str]) -> bool:
    policy = headers.get("content-security-policy", "")
    return (
        headers.get("cache-control") == "no-store"
        and headers.get("x-content-type-options") == "nosniff"
        and headers.get("referrer-policy") == "no-referrer"
        and headers.get("cross-origin-opener-policy") == "same-origin"
        and headers.get("cross-origin-resource-policy") == "same-origin"
        and headers.get("x-frame-options") == "DENY"
        and "camera=()" in headers.get("permissions-policy", "")
        and policy.startswith("default-src 'none'; script-src 'nonce-")
        and all(
            part in policy
            for part in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'")
        )
        and "unsafe" not in policy
        and "server" not in headers
    )


def _is_strict(line: str) -> bool:
    return bool(
        line.startswith("__Host-")
        and re.search("; *secure", line, flags=re.IGNORECASE)
        and re.search("; *httponly", line, flags=re.IGNORECASE)
        and re.search("; *samesite=lax", line, flags=re.IGNORECASE)
        and re.search("; *path=/(;|$)", line, flags=re.IGNORECASE)
        and "domain=" not in line.lower()
    )
