"""Whatever is sent to whichever route, the console answers; it never fails."""

from __future__ import annotations

import string
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.console.limits import Limits
from tests import postgres
from tests.builders import a_slot
from tests.clinic.console import routes
from tests.clinic.console.forms import known_names
from tests.clinic.console.world import Browser, ConsoleWorld, console_world

#: What breaks programs: lone signs, other scripts, long and large things, things like code.
SIGNS = (
    *("\x00", "\ud7ff\ue000", "\u202e", "%", "%zz", "../..", "{{7*7}}", "{}", "[]", "null", "NaN"),
    *("", "-1", "1e9", "9" * 19, "' OR 1=1 --", "amara x", "a" * 9000),
)
TIMES = ["2026-11-24", "2026-02-30", "0001-01-01", "9999-12-31T23:59:59Z", "2026-11-24T10:30:00"]
ODD = st.one_of(
    st.text(max_size=40),
    st.text(string.digits, max_size=30),
    st.sampled_from([*SIGNS, *TIMES]),
)
KNOWN = known_names()
NAMES = st.one_of(st.sampled_from(KNOWN), st.text(string.ascii_letters, max_size=8))
FIELDS = st.dictionaries(NAMES, ODD, max_size=6)


@pytest.fixture(params=["sqlite", "postgresql"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ConsoleWorld]:
    """Yield a console on each kind of database: they refuse different things."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
    else:
        server: postgres.Server = request.getfixturevalue("postgres_server")
        url = await server.clone()
    async with console_world(url, tmp_path, pace=Limits(times=1000)) as running:
        yield running


def test_the_names_of_every_form_s_fields_are_tried() -> None:
    assert {"slot", "seen", "how", "wanted", "draft", "page", "search", "hours"} <= set(KNOWN)


async def test_no_request_makes_the_console_fail(world: ConsoleWorld) -> None:
    await world.books(a_slot(world.clock()))
    ways = [way for way in routes.ways(world.app) if way.path not in {"/live", "/sign-out"}]
    tried: list[tuple[str, str, dict[str, str]]] = []

    @settings(
        max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.data())
    def plan(data: st.DataObject) -> None:
        way = data.draw(st.sampled_from(ways))
        ids = {name: quote(data.draw(ODD), safe="") or "x" for name in way.ids}
        query = urlencode(data.draw(FIELDS), errors="surrogatepass")
        path = f"{way.filled(ids)[:6000]}?{query[:6000]}"
        tried.append((way.method, path, data.draw(FIELDS) if way.method == "POST" else {}))

    plan()
    reader = await world.signed_in_client()
    failed = []
    for method, path, fields in tried:
        reader = reader if reader.cookies else await world.signed_in_client()
        if not await _answers(reader, method, path, fields):
            failed.append(f"{method} {path} {fields}")

    assert failed == []


async def test_odd_values_for_real_ids_do_not_make_it_fail(world: ConsoleWorld) -> None:
    failed = []
    reader = await world.signed_in_client()
    odd = ["", "9" * 19, "-1", "2026-02-30", "x" * 5000, "²"]
    for way in routes.ways(world.app):
        if way.path in {"/live", "/sign-out", "/account/sign-out-everywhere"}:
            continue
        ids = {name: await routes.IDS[name](world, "willow") for name in way.ids}
        make = routes.FORMS.get(way.path)
        known: dict[str, Any] = dict(await make(world, "willow")) if make else {}
        for value in odd:
            fields = dict.fromkeys({*known, *KNOWN}, value)
            path = way.filled(ids) + "?" + urlencode(dict.fromkeys(KNOWN, value[:200]))
            if not await _answers(reader, way.method, path, fields):
                failed.append(f"{way} {value[:30]!r}")

    assert failed == []


async def _answers(reader: Browser, method: str, path: str, fields: dict[str, str]) -> bool:
    """Say whether a request gets an answer that is no failure."""
    if method == "GET":
        answer = await reader.get(path)
    else:
        answer = await reader.post(path, {**fields, "csrf": reader.csrf})
    return answer.status_code < 500
