"""What the guard does beside the sweeps of test_routes."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from clinic.console import limits
from clinic.console.app import create_console
from clinic.console.limits import Limits
from clinic.settings import ConsoleRefused, ConsoleSettings
from storage import staff
from storage.database import Database, connect
from tests.builders import a_slot
from tests.clinic.console.world import (
    Browser,
    ConsoleWorld,
    MovedClock,
    QuietTelegram,
    console_world,
)

CANARY = "Maya Canary"


def settings(folder: Path, **more: Any) -> ConsoleSettings:
    """Return settings that no environment changes."""
    return ConsoleSettings(_env_file=None, data_dir=folder, **more)


@pytest.fixture
async def https(sqlite_url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of a console behind a proxy that ends TLS."""
    database = connect(sqlite_url)
    known = settings(tmp_path, console_host="0.0.0.0", console_url="https://desk.willow.example")
    app = create_console(database, MovedClock(), QuietTelegram(), known)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="https://desk.willow.example"
    ) as client:
        yield client
    await database.close()


async def test_https_is_asked_for_a_year(https: httpx.AsyncClient) -> None:
    header = (await https.get("/sign-in")).headers["strict-transport-security"]

    assert header == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize("host", ["127.0.0.1:8081", "evil.example", "desk.willow.example.evil"])
async def test_behind_a_proxy_only_its_own_name_is_known(
    https: httpx.AsyncClient, host: str
) -> None:
    assert (await https.get("/sign-in", headers={"Host": host})).status_code == 421


@pytest.mark.parametrize(
    ("origin", "status"), [("https://desk.willow.example", 403), ("http://desk.willow.example", 0)]
)
async def test_behind_a_proxy_a_form_comes_from_its_https_pages(
    https: httpx.AsyncClient, origin: str, status: int
) -> None:
    answer = await https.post("/sign-in", data={"link": "x"}, headers={"Origin": origin})

    assert ("This link does not work" in answer.text) == bool(status)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "127.0.0.1@evil", "[::2]", "a b"]
)
async def test_a_name_that_is_not_this_machine_s_is_refused(world: ConsoleWorld, host: str) -> None:
    answer = await world.browser().get("/sign-in", Host=host)

    assert answer.status_code in {400, 421}


@pytest.mark.parametrize("host", ["127.0.0.1:9", "localhost:9", "[::1]:9", "localhost"])
async def test_this_machine_s_own_names_are_known(world: ConsoleWorld, host: str) -> None:
    assert (await world.browser().get("/sign-in", Host=host)).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.20", "desk.willow.example"])
async def test_a_console_that_others_reach_needs_https(
    sqlite_url: str, tmp_path: Path, host: str
) -> None:
    database: Database = connect(sqlite_url)

    with pytest.raises(ConsoleRefused, match="set CONSOLE_URL to the https address"):
        create_console(
            database, MovedClock(), QuietTelegram(), settings(tmp_path, console_host=host)
        )
    await database.close()


@pytest.mark.parametrize(
    "address", ["http://desk.willow.example", "https://user@desk", "ftp://x", "https://a/b", "desk"]
)
def test_an_address_without_https_is_no_console_url(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValueError, match="must be https://HOST"):
        settings(tmp_path, console_url=address)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_other_methods_are_refused(owner: Browser, method: str) -> None:
    assert (await owner.ask(method, "/today")).status_code == 405


async def test_a_method_that_does_not_exist_is_no_request(owner: Browser) -> None:
    assert (await owner.ask("FOO", "/today")).status_code == 400


async def test_a_body_may_not_be_larger_than_a_megabyte(owner: Browser) -> None:
    answer = await owner.post("/today/walk-in", {"note": "x" * 1_100_000})

    assert answer.status_code == 413


async def test_a_body_must_be_a_form(owner: Browser) -> None:
    answer = await owner.post("/today/walk-in", Content_Type="application/json")

    assert answer.status_code == 415


@pytest.mark.parametrize("path", ["/today?on=%00", "/today/%00", "/today?on=a%00b"])
async def test_nul_is_refused_in_an_address(owner: Browser, path: str) -> None:
    assert (await owner.get(path)).status_code == 400


async def test_nul_is_refused_in_a_form(owner: Browser) -> None:
    assert (await owner.post("/today/walk-in", {"name": "a\0b"})).status_code == 400


async def test_a_number_too_large_for_any_id_leads_nowhere(owner: Browser) -> None:
    assert (await owner.get(f"/leads/{10**30}")).status_code == 404


async def test_a_session_has_a_pace(sqlite_url: str, tmp_path: Path) -> None:
    pace = Limits()
    async with console_world(sqlite_url, tmp_path, pace=pace) as world:
        owner = await world.signed_in_client()
        digest = staff.digest(owner.cookies["__Host-console"])
        while pace.allows(limits.BY_SESSION, "session", digest):
            pass

        assert (await owner.get("/today")).status_code == 429
        assert (await (await world.signed_in_client("staff")).get("/today")).status_code == 200


async def test_strangers_have_a_pace(sqlite_url: str, tmp_path: Path) -> None:
    pace = Limits()
    async with console_world(sqlite_url, tmp_path, pace=pace) as world:
        while pace.allows(limits.BY_ADDRESS, "address", "127.0.0.1"):
            pass

        answer = await world.browser().get("/sign-in")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")


async def test_a_failure_tells_nobody_what_went_wrong(
    world: ConsoleWorld, owner: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    world.app.router.routes.append(Route("/failing", failing))
    caplog.set_level(logging.DEBUG)

    answer = await owner.get("/failing")

    assert (answer.status_code, answer.text) == (500, "500 Internal Server Error\n")
    assert "ValueError" in {getattr(record, "error", "") for record in caplog.records}
    assert all(CANARY not in f"{vars(record)}" for record in caplog.records)


async def test_a_failure_in_mid_answer_is_not_told_either(
    world: ConsoleWorld, owner: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    world.app.router.routes.append(Route("/half", half))

    with pytest.raises(httpx.RemoteProtocolError):
        await owner.get("/half")
    assert all(CANARY not in record.getMessage() for record in caplog.records)
    assert all(CANARY not in str(record.exc_text) for record in caplog.records)


@pytest.mark.parametrize("path", ["/nowhere", "/leads/x/y/z", "/static/../app.py", "/.env"])
async def test_what_does_not_exist_reads_like_what_is_not_one_s_own(
    owner: Browser, path: str
) -> None:
    answer = await owner.get(path)

    assert (answer.status_code, "Nothing here" in answer.text) == (404, True)


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/metrics", "/healthz", "/debug"])
async def test_nothing_technical_is_public(world: ConsoleWorld, path: str) -> None:
    answer = await world.browser().get(path)

    assert answer.headers["location"] == "/sign-in"


async def test_every_script_and_style_is_our_own_and_has_the_nonce(owner: Browser) -> None:
    page = await owner.get("/today")

    nonce = re.search(r"script-src 'nonce-([\w-]+)'", page.headers["content-security-policy"])
    assert nonce
    loaded = re.findall(r"<(?:script|link rel=\"stylesheet\")[^>]*>", page.text)
    assert len(loaded) == 2
    assert all(f'nonce="{nonce.group(1)}"' in tag and '"/static/' in tag for tag in loaded)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page.text)


async def test_a_nonce_is_used_once(owner: Browser) -> None:
    policies = {(await owner.get("/today")).headers["content-security-policy"] for _ in range(3)}

    assert len(policies) == 3


async def test_files_may_be_kept_for_they_change_their_names(owner: Browser) -> None:
    page = (await owner.get("/today")).text
    for path in re.findall(r'"(/static/[^"]+)"', page):
        answer = await owner.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (
            200,
            "public, max-age=31536000, immutable",
        )


async def test_what_patients_call_themselves_is_text_and_nothing_else(
    world: ConsoleWorld, owner: Browser
) -> None:
    await world.books(a_slot(world.clock()), name="<script>alert(1)</script>")

    page = (await owner.get("/today")).text

    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


async def test_a_notice_of_somebody_s_own_making_is_not_shown(owner: Browser) -> None:
    owner.cookies["__Host-console-notice"] = "eyJ0ZXh0IjoiaGkifQ.forged"

    assert "data-notice" not in (await owner.get("/today")).text


async def failing(_request: Request) -> Response:
    """Fail with a patient's words in hand."""
    raise ValueError(CANARY)


async def half(_request: Request) -> Response:
    """Fail in mid-answer with a patient's words in hand."""

    async def parts() -> AsyncIterator[str]:
        yield "begun"
        raise ValueError(CANARY)

    return StreamingResponse(parts())


async def test_a_refusal_is_logged_with_whom_it_met(
    world: ConsoleWorld, caplog: pytest.LogCaptureFixture
) -> None:
    uid = await world.books(a_slot(world.clock()))
    stranger = await world.signed_in_client("staff", "harbour")

    await stranger.post(f"/today/visits/{uid}/arrived", {"version": "1"})

    await stranger.get("/people")

    theirs = world.people["harbour", "staff"].id
    told = [vars(one) for one in caplog.records if hasattr(one, "status")]
    assert [(one["status"], one["staff_id"]) for one in told] == [(404, theirs), (403, theirs)]
    assert [one["message"] for one in told] == [
        "somebody asked for what is not there, or is another clinic's",
        "somebody was refused",
    ]
