"""*Today*: who comes, and what staff do about it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from storage import audit, clinic_protocols, lead_channels, staff_bookings
from storage.clerks import Clerk, Seen
from storage.models import Outbox
from tests.builders import a_slot, four_weekly
from tests.clinic.console import routes
from tests.clinic.console.world import Browser, ConsoleWorld
from tests.flows.chat import protocol


async def test_the_day_lists_who_comes_to_whom(world: ConsoleWorld, member: Browser) -> None:
    at = world.clock().replace(hour=14, minute=0)
    await world.books(*four_weekly(a_slot(at), 3), name="Maya")
    await world.books(a_slot(at, practitioner="rowan"), name="Kofi")

    page = (await member.get("/today")).text

    amara, rowan = page.index("Amara Osei</h2>"), page.index("Rowan Pell</h2>")
    assert amara < page.index("Maya") < rowan < page.index("Kofi")
    assert "Micro-needling session, 1 of 3" in page
    assert ">14:00<" in page


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", ["Nobody is booked.", "Nobody is booked."]),
        ("?on=2026-11-25", ["No hours on this day.", "Nobody is booked."]),
        ("?on=2026-11-29", ["Closed on this day."] * 2),
        ("?on=2026-12-25", ["Closed on this day."] * 2),
    ],
)
async def test_an_empty_day_says_whether_anybody_works(
    world: ConsoleWorld, member: Browser, query: str, words: list[str]
) -> None:
    page = (await member.get(f"/today{query}")).text

    assert re.findall(r'<div class="empty">.*?<p>(.*?)</p>', page) == words


async def test_owners_are_told_of_a_channel_that_does_not_get_everything(
    world: ConsoleWorld, owner: Browser, member: Browser
) -> None:
    link = '<a href="/settings/channels">Look at Channels</a>'
    assert link not in (await owner.get("/today")).text
    number = int(await routes.channel_of(world, "willow"))
    await world.database.write(lead_channels.disable, number, "http_410", world.clock())

    page = (await owner.get("/today")).text
    assert f"A channel is off: its receiver says that it is gone for good. {link}" in page
    assert link not in (await member.get("/today")).text

    await world.database.write(lead_channels.enable, 1, number)
    await world.books(a_slot(world.clock()))
    given_up = update(Outbox).values(state="dead", last_error="http_500")
    await world.database.write(lambda c: c.execute(given_up) and None)
    assert f"1 message did not reach a channel. {link}" in (await owner.get("/today")).text


async def test_times_are_the_clinic_s(world: ConsoleWorld) -> None:
    world.clock.at = world.clock().replace(month=7, day=7)  # summer: Lisbon is an hour ahead of UTC
    harbour = await world.signed_in_client("owner", "harbour")
    await world.books(
        a_slot(world.clock().replace(hour=13), minutes=75, practitioner="ines"), clinic="harbour"
    )

    assert ">14:20<" in (await harbour.get("/today")).text


async def test_another_day_is_a_link_away(world: ConsoleWorld, member: Browser) -> None:
    await world.books(a_slot(world.clock() + timedelta(days=1)), name="Maya")

    assert "Maya" not in (await member.get("/today")).text
    assert "Maya" in (await member.get("/today?on=2026-11-25")).text


@pytest.mark.parametrize("on", ["", "x", "2026-13-01", "9999-12-31", "0001-01-01", "2026-11-24T1"])
async def test_a_day_that_is_none_is_today(member: Browser, on: str) -> None:
    assert "Tue 24 Nov 2026" in (await member.get(f"/today?on={on}")).text


async def test_a_patient_arrives_and_is_done(world: ConsoleWorld, member: Browser) -> None:
    uid = await world.books(a_slot(world.clock()), name="Maya")

    arrived = await member.post(f"/today/visits/{uid}/arrived", {"version": "1"})
    page = (await member.follows(arrived)).text
    assert "Maya is here." in page
    assert "1</strong> here" in page

    await member.post(f"/today/visits/{uid}/done", {"version": "2"})
    assert "1</strong> done" in (await member.get("/today")).text


async def test_a_mark_is_taken_back_from_its_notice(world: ConsoleWorld, member: Browser) -> None:
    uid = await world.books(a_slot(world.clock()), name="Maya")
    page = await member.follows(await member.post(f"/today/visits/{uid}/missed", {"version": "1"}))
    form = re.search(
        r'data-notice.*?action="([^"]+)".*?name="version" value="(\d+)"', page.text, re.S
    )
    assert form

    back = await member.follows(await member.post(form.group(1), {"version": form.group(2)}))

    assert "Taken back: Maya." in back.text
    assert "1</strong> to come" in back.text


async def test_a_notice_is_shown_once(world: ConsoleWorld, member: Browser) -> None:
    uid = await world.books(a_slot(world.clock()), name="Maya")
    answer = await member.post(f"/today/visits/{uid}/arrived", {"version": "1"})

    assert "Maya is here." in (await member.follows(answer)).text
    assert "Maya is here." not in (await member.get("/today")).text


async def test_who_was_slower_is_told(world: ConsoleWorld, member: Browser) -> None:
    uid = await world.books(a_slot(world.clock()), name="Maya")
    joe = world.people["willow", "staff"]
    clerk = Clerk(joe.clinic_id, joe.id, world.clock())
    await world.database.write(staff_bookings.mark_arrived, clerk, Seen(uid, 1))

    answer = await member.post(f"/today/visits/{uid}/missed", {"version": "1"})

    assert "Somebody else changed this." in (await member.follows(answer)).text


async def test_nobody_misses_a_visit_that_has_not_begun(
    world: ConsoleWorld, member: Browser
) -> None:
    uid = await world.books(a_slot(world.clock() + timedelta(hours=1)), name="Maya")

    answer = await member.post(f"/today/visits/{uid}/missed", {"version": "1"})

    assert "Nobody has missed a visit that has not begun." in (await member.follows(answer)).text


async def test_a_request_is_confirmed(world: ConsoleWorld, member: Browser) -> None:
    uid = await world.books(a_slot(world.clock() + timedelta(hours=1)), name="Maya", pending=True)
    assert "To confirm" in (await member.get("/today")).text

    await member.post(f"/today/visits/{uid}/confirm", {"version": "1"})

    assert "Booked" in (await member.get("/today")).text


@pytest.mark.parametrize(
    ("act", "version"),
    [("arrived", ""), ("arrived", "x"), ("arrived", "9" * 12), ("fly", "1"), ("arrived", "²")],
)
async def test_a_mark_that_is_none_leads_nowhere(
    world: ConsoleWorld, member: Browser, act: str, version: str
) -> None:
    uid = await world.books(a_slot(world.clock()))

    answer = await member.post(f"/today/visits/{uid}/{act}", {"version": version})

    assert answer.status_code == 404


async def test_a_mark_is_recorded_with_who_made_it(world: ConsoleWorld, member: Browser) -> None:
    uid = await world.books(a_slot(world.clock()))
    await member.post(f"/today/visits/{uid}/arrived", {"version": "1"})

    joe = world.people["willow", "staff"]
    (entry,) = await world.database.read(
        audit.entries, joe.clinic_id, subject="appointment", subject_id=uid
    )
    assert (entry.staff, entry.what) == (joe.name, "appointment.arrived")


async def test_owners_are_told_that_the_questions_are_not_signed_until_they_are(
    world: ConsoleWorld, owner: Browser, member: Browser
) -> None:
    told = 'The questions are not signed yet. <a href="/settings/protocol">'
    before, staffs = (await owner.get("/today")).text, (await member.get("/today")).text
    version = (protocol().key, protocol().digest)
    amara = world.people["willow", "owner"]
    await world.database.write(
        clinic_protocols.sign, amara.clinic_id, amara.id, version, "Dr N", "GMC 7", world.clock()
    )

    after = (await owner.get("/today")).text

    assert [told in page for page in (before, staffs, after)] == [True, False, False]


async def test_the_line_of_now_stands_between_past_and_future(
    world: ConsoleWorld, member: Browser
) -> None:
    await world.books(a_slot(world.clock() - timedelta(hours=2)), name="Early")
    await world.books(a_slot(world.clock() + timedelta(hours=2)), name="Later")

    page = (await member.get("/today")).text

    assert page.index("Early") < page.index('class="now"') < page.index("Later")


async def test_no_line_of_now_on_another_day(world: ConsoleWorld, member: Browser) -> None:
    await world.books(a_slot(world.clock() + timedelta(days=1)))

    assert 'class="now"' not in (await member.get("/today?on=2026-11-25")).text
