"""The second step: codes from an app, each of them once."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyotp
import pytest

from clinic.console import second_step, sessions
from clinic.staff_commands import staff_table
from storage import staff, staff_keys
from storage.staff_keys import Wanted
from tests.clinic.console.world import NOW, Browser, ConsoleWorld, enter

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@dataclass
class Phone:
    """An authenticator app."""

    world: ConsoleWorld
    secret: str

    def code(self, seconds: int = 0) -> str:
        """Return the code that it shows now, or some seconds from now."""
        return pyotp.TOTP(self.secret).at(int(self.world.clock().timestamp()) + seconds)


@pytest.fixture
async def phone(world: ConsoleWorld, owner: Browser) -> Phone:
    """Return the phone of an owner who turned on the second step a minute ago."""
    draft = await owner.post("/account/second-step")
    secret = re.search(r'class="key">([A-Z2-7 ]+)<', draft.text)
    sealed = re.search(r'name="draft" value="([^"]+)"', draft.text)
    assert secret
    assert sealed
    phone = Phone(world, secret.group(1).replace(" ", ""))
    fields = {"draft": sealed.group(1), "code": phone.code()}
    answer = await owner.post("/account/second-step/on", fields)
    assert answer.headers["location"] == "/account"
    world.clock.moves(minutes=1)
    return phone


async def half_way(world: ConsoleWorld) -> Browser:
    """Return a browser that used a link, and is asked for a code."""
    browser = world.browser()
    answer = await enter(browser, await world.link("owner"))
    assert answer.headers["location"] == "/second-step"
    await browser.get("/second-step")
    return browser


async def test_a_link_and_a_code_sign_in(world: ConsoleWorld, phone: Phone) -> None:
    browser = await half_way(world)

    answer = await browser.post("/second-step", {"code": phone.code()})

    assert answer.headers["location"] == "/today"
    assert (await browser.get("/today")).status_code == 200


async def test_a_link_alone_shows_no_page(world: ConsoleWorld, phone: Phone) -> None:
    browser = await half_way(world)

    for path in ("/today", "/account", "/live"):
        assert (await browser.get(path)).headers["location"] == "/second-step"
    assert (await browser.post("/account/sign-out-everywhere")).status_code == 303
    assert (await browser.get("/second-step")).status_code == 200


async def test_the_code_makes_a_new_session(world: ConsoleWorld, phone: Phone) -> None:
    browser = await half_way(world)
    before = browser.cookies[sessions.COOKIE]

    await browser.post("/second-step", {"code": phone.code()})
    after = browser.cookies[sessions.COOKIE]
    browser.cookies[sessions.COOKIE] = before

    assert after != before
    assert (await browser.get("/today")).headers["location"] == "/sign-in"


async def test_a_code_counts_once(world: ConsoleWorld, phone: Phone) -> None:
    first, second = await half_way(world), await half_way(world)
    code = phone.code()

    assert (await first.post("/second-step", {"code": code})).status_code == 303
    assert (await second.post("/second-step", {"code": code})).status_code == 403


async def test_an_older_code_does_not_count_after_a_newer_one(
    world: ConsoleWorld, phone: Phone
) -> None:
    first, second = await half_way(world), await half_way(world)
    older = phone.code(-30)

    await first.post("/second-step", {"code": phone.code()})

    assert (await second.post("/second-step", {"code": older})).status_code == 403


async def test_the_code_that_turned_it_on_signs_nobody_in(
    world: ConsoleWorld, phone: Phone
) -> None:
    world.clock.moves(seconds=-60)
    browser = await half_way(world)

    assert (await browser.post("/second-step", {"code": phone.code()})).status_code == 403


async def test_five_wrong_codes_end_the_session(world: ConsoleWorld, phone: Phone) -> None:
    browser = await half_way(world)
    wrong = f"{(int(phone.code()) + 1) % 1_000_000:06d}"

    statuses = [(await browser.post("/second-step", {"code": wrong})).status_code for _ in range(6)]

    assert statuses == [403] * 5 + [303]
    assert (await browser.get("/second-step")).headers["location"] == "/sign-in"


async def test_an_account_s_codes_are_slowed_down_over_all_sessions(
    world: ConsoleWorld, phone: Phone
) -> None:
    wrong = f"{(int(phone.code()) + 1) % 1_000_000:06d}"
    for _ in range(2):
        browser = await half_way(world)
        for _ in range(5):
            await browser.post("/second-step", {"code": wrong})
    browser = await half_way(world)

    answer = await browser.post("/second-step", {"code": phone.code()})

    assert answer.headers["location"] == "/sign-in"


async def test_a_session_without_its_code_ends_after_ten_minutes(
    world: ConsoleWorld, phone: Phone
) -> None:
    browser = await half_way(world)
    world.clock.moves(minutes=10)

    assert (await browser.get("/second-step")).headers["location"] == "/sign-in"


async def test_the_secret_is_sealed_at_rest(world: ConsoleWorld, phone: Phone) -> None:
    (amara, *_) = await world.database.read(staff.members, "willow")

    assert amara.totp_secret
    assert phone.secret not in amara.totp_secret
    assert phone.secret not in str(staff_table([amara]))


async def test_it_is_turned_off_by_a_code_only(
    world: ConsoleWorld, owner: Browser, phone: Phone
) -> None:
    await owner.post("/account/second-step/off", {"code": "000000"})
    assert "On. When you sign in" in (await owner.get("/account")).text

    await owner.post("/account/second-step/off", {"code": phone.code()})
    assert "Off. With it on" in (await owner.get("/account")).text


async def test_the_server_is_the_way_back_for_a_lost_phone(
    world: ConsoleWorld, phone: Phone
) -> None:
    wanted = Wanted(clinic="willow", forget_second_step=True)
    _, link = await world.database.write(
        staff_keys.console_link, wanted, world.address, "r" * 43, world.clock()
    )

    answer = await enter(world.browser(), link.removeprefix(world.address))

    assert answer.headers["location"] == "/today"


async def test_a_draft_of_somebody_else_is_not_taken(
    world: ConsoleWorld, owner: Browser, member: Browser
) -> None:
    draft = re.search(
        r'name="draft" value="([^"]+)"', (await owner.post("/account/second-step")).text
    )
    assert draft

    answer = await member.post("/account/second-step/on", {"draft": draft.group(1), "code": "1"})

    assert answer.headers["location"] == "/account"
    assert "Off. With it on" in (await member.get("/account")).text


@pytest.mark.parametrize("late", [-30, 0, 30])
def test_a_clock_may_be_half_a_minute_off(late: int) -> None:
    code = pyotp.TOTP(SECRET).at(int(NOW.timestamp()) + late)

    assert second_step.step_of(SECRET, code, NOW) == int(NOW.timestamp()) // 30 + late // 30


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-12345", "12 34"])
def test_what_is_no_code_is_refused(code: str) -> None:
    assert second_step.step_of(SECRET, code, NOW) is None


@pytest.mark.parametrize("late", [-90, -60, 60, 90])
def test_a_code_of_another_minute_is_refused(late: int) -> None:
    code = pyotp.TOTP(SECRET).at(int(NOW.timestamp()) + late)

    assert second_step.step_of(SECRET, code, NOW) is None
