"""Signing in and out, over real HTTP."""

from __future__ import annotations

import logging
import sys

import pytest

from clinic.console import sessions
from storage import audit, staff, staff_keys
from tests.clinic.console.world import Browser, ConsoleWorld, enter


async def test_a_link_signs_in(world: ConsoleWorld) -> None:
    browser = world.browser()

    answer = await enter(browser, await world.link("staff"))

    assert (answer.status_code, answer.headers["location"]) == (303, "/today")
    assert "Joe Penhale" in (await browser.follows(answer)).text


async def test_the_page_says_how_to_make_a_link_on_the_server(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [".venv/bin/resurface", "run"])

    assert (
        "<code>.venv/bin/resurface console-link</code>"
        in (await world.browser().get("/sign-in")).text
    )


async def test_opening_a_link_does_not_use_it_up(world: ConsoleWorld) -> None:
    link = await world.link()
    for _ in range(3):
        await world.browser().get(link)

    assert (await enter(world.browser(), link)).headers["location"] == "/today"


async def test_a_link_works_once(world: ConsoleWorld) -> None:
    link = await world.link()
    await enter(world.browser(), link)

    assert await refused(world, link)


async def test_a_link_works_for_five_minutes(world: ConsoleWorld) -> None:
    good, late = await world.link(), await world.link()

    world.clock.moves(minutes=4, seconds=59)
    assert (await enter(world.browser(), good)).status_code == 303
    world.clock.moves(seconds=1)
    assert await refused(world, late)


@pytest.mark.parametrize("forged", ["a" * 43, "0", "../today", "a" * 5000, "é" * 43, "' OR 1=1 --"])
async def test_a_forged_link_is_refused(world: ConsoleWorld, forged: str) -> None:
    browser = world.browser()

    answer = await browser.post("/sign-in", {"link": forged})

    assert (answer.status_code, browser.cookies) == (403, {})


async def test_an_invitation_is_no_way_into_the_console(world: ConsoleWorld) -> None:
    token = "i" * 43
    await world.database.write(
        staff.invite, world.people["willow", "owner"].id, token, world.clock()
    )

    assert await refused(world, f"/sign-in/{token}")


async def test_the_link_of_somebody_who_left_is_refused(world: ConsoleWorld) -> None:
    link, joe = await world.link("staff"), world.people["willow", "staff"]
    await world.database.write(staff.remove, joe.clinic_id, joe.id, world.clock())

    assert await refused(world, link)


async def test_every_refusal_reads_the_same(world: ConsoleWorld) -> None:
    used, late = await world.link(), await world.link()
    await enter(world.browser(), used)
    world.clock.moves(minutes=6)

    pages = {await words_of_refusal(world, link) for link in (used, late, "/sign-in/" + "z" * 43)}

    assert len(pages) == 1


async def test_signing_in_makes_a_new_session(world: ConsoleWorld) -> None:
    browser = await world.signed_in_client("staff")
    before = browser.cookies[sessions.COOKIE]

    await enter(browser, await world.link("owner"))
    after = browser.cookies[sessions.COOKIE]
    browser.cookies[sessions.COOKIE] = before

    assert before != after
    assert (await browser.get("/today")).headers["location"] == "/sign-in"


async def test_a_cookie_of_the_visitor_s_own_making_is_never_taken_up(world: ConsoleWorld) -> None:
    browser = world.browser()
    browser.cookies[sessions.COOKIE] = planted = "p" * 43

    await enter(browser, await world.link())

    assert browser.cookies[sessions.COOKIE] != planted


async def test_no_cookie_comes_before_signing_in(world: ConsoleWorld) -> None:
    browser = world.browser()

    await browser.get("/sign-in")
    await browser.get(await world.link())

    assert browser.set_cookies == []


async def test_nobody_sees_a_page_without_signing_in(world: ConsoleWorld) -> None:
    answer = await world.browser().get("/today")

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


async def test_what_fetches_by_itself_is_told_so_without_a_page(world: ConsoleWorld) -> None:
    answer = await world.browser().get("/today", **{"Sec-Fetch-Mode": "cors"})

    assert answer.status_code == 401


async def test_signing_out_ends_the_session_on_the_server(owner: Browser) -> None:
    kept = dict(owner.cookies)

    await owner.post("/sign-out")
    assert owner.cookies == {}
    owner.cookies = kept

    assert (await owner.get("/today")).headers["location"] == "/sign-in"


async def test_the_cookie_of_an_ended_session_is_taken_away(owner: Browser) -> None:
    kept = dict(owner.cookies)
    await owner.post("/sign-out")
    owner.cookies = kept

    await owner.get("/today", **{"Sec-Fetch-Mode": "cors"})

    assert owner.cookies == {}


async def test_signing_out_clears_the_browser(owner: Browser) -> None:
    await owner.post("/leads/search", {"text": "Maya"})
    assert len(owner.cookies) == 2

    answer = await owner.post("/sign-out")

    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert owner.cookies == {}


async def test_half_an_hour_without_use_ends_a_session(world: ConsoleWorld, owner: Browser) -> None:
    world.clock.moves(minutes=29)
    assert (await owner.get("/today")).status_code == 200
    world.clock.moves(minutes=29)
    assert (await owner.get("/today")).status_code == 200
    world.clock.moves(minutes=30)

    assert (await owner.get("/today")).headers["location"] == "/sign-in"


async def test_a_page_that_refreshes_itself_does_not_count_as_use(
    world: ConsoleWorld, owner: Browser
) -> None:
    world.clock.moves(minutes=20)
    await owner.get("/today", X_Live="1")
    world.clock.moves(minutes=10)

    assert (await owner.get("/today")).headers["location"] == "/sign-in"


async def test_twelve_hours_end_a_session_however_much_it_is_used(
    world: ConsoleWorld, owner: Browser
) -> None:
    for _ in range(12 * 3 - 1):
        world.clock.moves(minutes=20)
        assert (await owner.get("/today")).status_code == 200
    world.clock.moves(minutes=20)

    assert (await owner.get("/today")).headers["location"] == "/sign-in"


async def test_somebody_who_is_removed_is_out_at_once(world: ConsoleWorld, member: Browser) -> None:
    joe = world.people["willow", "staff"]
    await world.database.write(staff.remove, joe.clinic_id, joe.id, world.clock())

    assert (await member.get("/today")).headers["location"] == "/sign-in"


async def test_whoever_has_the_server_can_sign_somebody_out(
    world: ConsoleWorld, member: Browser
) -> None:
    joe = world.people["willow", "staff"]
    await world.database.write(staff_keys.sign_out, joe.id, world.clock())

    assert (await member.get("/today")).headers["location"] == "/sign-in"


async def test_tries_to_sign_in_are_slowed_down_by_address(world: ConsoleWorld) -> None:
    statuses = [
        (await world.browser().post("/sign-in", {"link": "b" * 43})).status_code for _ in range(12)
    ]

    assert statuses == [403] * 10 + [429] * 2


async def test_wrong_tries_lock_nobody_out(world: ConsoleWorld, owner: Browser) -> None:
    for _ in range(12):
        await world.browser().post("/sign-in", {"link": "b" * 43})

    assert (await owner.get("/today")).status_code == 200


async def test_signing_in_is_recorded(world: ConsoleWorld) -> None:
    await enter(world.browser(), await world.link("staff"))

    joe = world.people["willow", "staff"]
    (entry,) = await world.database.read(audit.entries, joe.clinic_id)
    assert (entry.staff, entry.what, entry.subject_id) == (joe.name, "session.begun", str(joe.id))


async def test_neither_links_nor_names_reach_the_log(
    world: ConsoleWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    link = await world.link("staff")
    await enter(world.browser(), link)
    await enter(world.browser(), link)

    told = [record for record in caplog.records if record.name.startswith("clinic")]
    text = " ".join(f"{vars(record)}" for record in told)
    assert {record.message for record in told} == {"signed in", "a sign-in was refused"}
    assert "Joe" not in text
    assert link.rpartition("/")[2] not in text


async def refused(world: ConsoleWorld, link: str) -> bool:
    """Say whether nobody gets in by a link."""
    browser = world.browser()
    answer = await enter(browser, link)
    return answer.status_code == 403 and sessions.COOKIE not in browser.cookies


async def words_of_refusal(world: ConsoleWorld, link: str) -> str:
    """Return the page of a refusal, without what is fresh on every page."""
    answer = await enter(world.browser(), link)
    return answer.text.partition("<main")[2]
