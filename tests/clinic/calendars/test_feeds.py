"""Secret feeds over HTTP, as a calendar program fetches them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from icalendar import Calendar
from starlette.applications import Starlette

from clinic.calendars import feeds as module
from flows.effects import CancelSeries, MoveAppointment
from storage import feeds
from tests.builders import MONDAY, NOW, a_slot
from tests.clinic.calendars.entries import by_icalendar, by_vobject
from tests.clinic.calendars.world import World

AMARA = 1


@dataclass
class Fetched:
    """A feed's address and who fetches it."""

    client: httpx.AsyncClient
    token: str

    async def get(self, token: str = "", **headers: str) -> httpx.Response:
        path = module.path(token or self.token)
        return await self.client.get(path, headers=headers)


@pytest.fixture
async def feed(world: World) -> AsyncIterator[Fetched]:
    app = Starlette(routes=module.routes())
    app.state.site = _Site(world.database, world.clock.now)
    token = module.new_token()
    await world.database.write(feeds.renew, AMARA, module.digest(token), NOW)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield Fetched(client, token)


@dataclass(frozen=True)
class _Site:
    database: object
    now: object


async def test_a_feed_is_the_same_to_two_readers(world: World, feed: Fetched) -> None:
    await world.book(a_slot(), a_slot(MONDAY + timedelta(days=28)))
    await world.change(MoveAppointment("s7-1", a_slot(MONDAY + timedelta(hours=2))))

    answer = await feed.get()

    found = by_icalendar(answer.text)
    assert by_vobject(answer.text) == found
    assert [(one.sequence, one.status) for one in found.values()] == [
        (1, "CONFIRMED"),
        (0, "CONFIRMED"),
    ]
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"


async def test_a_feed_says_what_calendar_programs_want_to_know(feed: Fetched) -> None:
    calendar = Calendar.from_ical((await feed.get()).content)

    assert calendar["NAME"] == "Amara Osei · Willow Skin Clinic"
    assert calendar["REFRESH-INTERVAL"].to_ical() == b"PT15M"
    assert calendar["REFRESH-INTERVAL"].params == {"VALUE": "DURATION"}
    assert calendar["COLOR"] == "teal"


async def test_a_feed_names_no_patient_and_no_treatment(world: World, feed: Fetched) -> None:
    await world.book(a_slot(), a_slot(MONDAY + timedelta(days=28)), pending=True)

    text = (await feed.get()).text

    assert "SUMMARY:Session 1 of 2 · code AB12" in text
    assert "STATUS:TENTATIVE" in text
    assert not [word for word in ("Ada", "reatment", "needling") if word in text]


async def test_a_cancelled_visit_is_called_off_in_the_feed(world: World, feed: Fetched) -> None:
    await world.book(a_slot())
    await world.change(CancelSeries("s7"))

    (one,) = by_icalendar((await feed.get()).text).values()

    assert (one.status, one.sequence) == ("CANCELLED", 1)


async def test_what_has_not_changed_is_not_sent_again(world: World, feed: Fetched) -> None:
    first = await feed.get()
    world.clock.at += timedelta(minutes=15)
    again = await feed.get(**{"If-None-Match": first.headers["etag"]})
    await world.book(a_slot())
    changed = await feed.get(**{"If-None-Match": f'W/"x", {first.headers["etag"]}'})

    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200


async def test_a_wrong_address_is_answered_like_one_that_was_taken_back(
    world: World, feed: Fetched
) -> None:
    old = feed.token
    await world.database.write(feeds.revoke, AMARA, NOW)

    answers = [await feed.get(token) for token in (old, module.new_token(), "x", "é" * 43)]

    told = {(each.status_code, each.text, *sorted(each.headers.items())) for each in answers}
    assert len(told) == 1
    assert answers[0].status_code == 404


async def test_who_tries_many_addresses_is_asked_to_wait(feed: Fetched) -> None:
    for _ in range(module.WRONG.amount):
        assert (await feed.get("x")).status_code == 404

    refused = await feed.get("x")

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")


async def test_a_right_address_may_be_fetched_often(feed: Fetched) -> None:
    answers = [await feed.get() for _ in range(2 * module.WRONG.amount)]

    assert {each.status_code for each in answers} == {200}


def test_an_address_is_never_the_same_twice() -> None:
    tokens = {module.new_token() for _ in range(100)}

    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {43}
