"""Requests for visits: found from every page, answered at once, the patient told once."""

from __future__ import annotations

import json
import re
from datetime import timedelta

from sqlalchemy import select

from flows.conversation import Stage
from flows.effects import HandOffLead, LeadKind, MessageToClinic
from storage import models, turns
from tests.builders import a_conversation, a_slot, a_turn, four_weekly
from tests.clinic.console.test_leads import a_review, lead_path
from tests.clinic.console.world import Browser, ConsoleWorld


async def asks(world: ConsoleWorld, count: int = 4) -> str:
    """Let Maya ask for a series that begins in a week; return the UID of its first visit."""
    first = a_slot(world.clock() + timedelta(days=7))
    return await world.books(*four_weekly(first, count), name="Maya", pending=True)


def form_of(page: str, words: str) -> tuple[str, dict[str, str]]:
    """Return action and fields of the form whose button says this."""
    for form in re.findall(r"<form method=\"post\".*?</form>", page, re.S):
        if words in form:
            fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
            return re.findall(r'action="([^"]+)"', form)[0], fields
    raise AssertionError(f"no form says {words}")


async def told(world: ConsoleWorld) -> list[str]:
    """Return what patients were told of their visits."""
    query = select(models.Outbox.payload).where(models.Outbox.kind == "confirmation")
    found = await world.database.read(lambda c: c.execute(query).scalars().all())
    return [json.loads(payload)["text"] for payload in found]


async def states(world: ConsoleWorld) -> set[str]:
    query = select(models.Appointment.state)
    return set(await world.database.read(lambda c: c.execute(query).scalars().all()))


async def test_today_shows_requests_of_every_day_and_confirms_a_series(
    world: ConsoleWorld, member: Browser
) -> None:
    await asks(world)
    page = (await member.get("/today")).text
    assert "Requests to answer (1)" in page

    answer = await member.post(*form_of(page, "Confirm all 4 visits"))

    assert answer.headers["location"] == "/today"
    after = (await member.follows(answer)).text
    assert "Maya is booked. They are told in Telegram." in after
    assert "Requests to answer" not in after
    assert await states(world) == {"booked"}
    assert [key for key in await told(world) if "confirmed" in key] == ["message.confirmed_all"]


async def test_a_lead_says_that_visits_are_asked_for_and_confirms_them(
    world: ConsoleWorld, member: Browser
) -> None:
    await asks(world)
    path = await lead_path(member)
    page = (await member.get(path)).text
    assert "<p>Asked for a visit. Came" in page
    assert "Accept without confirming" in page

    answer = await member.post(*form_of(page, "Confirm all 4 visits"))

    assert answer.headers["location"] == path
    after = (await member.follows(answer)).text
    assert "<p>Booked. Came" in after
    assert "Accepted by Joe Penhale" in after


async def test_one_visit_is_confirmed_as_one(world: ConsoleWorld, member: Browser) -> None:
    await asks(world, 1)
    page = (await member.get("/today")).text

    await member.post(*form_of(page, "Confirm the visit"))

    assert [key for key in await told(world) if "confirmed" in key] == ["message.confirmed"]


async def test_nobody_is_sent_elsewhere_after_an_answer(
    world: ConsoleWorld, member: Browser
) -> None:
    await asks(world)
    action, fields = form_of((await member.get("/today")).text, "Confirm all 4 visits")

    answer = await member.post(action, {**fields, "back": "https://evil.example/today"})

    assert answer.headers["location"].startswith("/calendar")


async def test_the_leads_say_which_visits_are_to_confirm(
    world: ConsoleWorld, member: Browser
) -> None:
    await asks(world)
    assert "To confirm" in (await member.get("/leads")).text
    page = (await member.get("/today")).text
    await member.post(*form_of(page, "Confirm all 4 visits"))

    assert "To confirm" not in (await member.get("/leads")).text


async def test_every_page_tells_what_waits_elsewhere(world: ConsoleWorld, member: Browser) -> None:
    before = (await member.get("/funnel")).text
    await asks(world)
    await a_review(world)  # with a message to the clinic

    page = (await member.get("/funnel")).text

    counts = re.findall(r'class="count">(\d+)<span class="unseen"> ([\w ]+)', page)
    assert counts == [("1", "to answer"), ("2", "new"), ("1", "waiting")]
    assert 'class="count"' not in before


async def test_another_clinic_s_work_is_not_counted(world: ConsoleWorld) -> None:
    await asks(world)
    await a_review(world)
    stranger = await world.signed_in_client("owner", "harbour")

    assert 'class="count"' not in (await stranger.get("/today")).text
    assert "Maya" not in (await stranger.get("/today")).text


async def test_today_tells_of_a_red_flag_until_somebody_deals_with_it(
    world: ConsoleWorld, member: Browser
) -> None:
    conversation = a_conversation(60, first_name="Ida", state=Stage.URGENT.value)
    effects = (HandOffLead(LeadKind.URGENT, None), MessageToClinic("hello"))
    turn = a_turn(*effects, conversation=conversation, now=world.clock())
    assert await world.database.write(turns.commit, turn) == turns.Committed()
    path = await lead_path(member)
    page = (await member.get("/today")).text
    assert "A red flag waits for somebody." in page
    assert f'<a href="{path}">Ida, just now</a>' in page

    await member.get(path)
    await member.post(f"{path}/status", {"expected": "new", "wanted": "contacted"})

    assert "A red flag waits" not in (await member.get("/today")).text


async def test_visits_are_a_link_away_from_the_lead_and_the_day(
    world: ConsoleWorld, member: Browser
) -> None:
    uid = await world.books(a_slot(world.clock() + timedelta(hours=2)), name="Maya")
    link = f'href="/calendar/visits/{uid}"'

    assert link in (await member.get("/today")).text
    assert link in (await member.get(await lead_path(member))).text


async def test_a_declined_lead_with_a_booked_visit_stands_on_today_until_it_is_cancelled(
    world: ConsoleWorld, member: Browser
) -> None:
    uid = await world.books(a_slot(world.clock() + timedelta(days=7)), name="Maya")
    path = await lead_path(member)
    cancel = f'href="/calendar/visits/{uid}"'
    assert "is declined" not in (await member.get("/today")).text

    fields = {"expected": "new", "wanted": "declined", "why": "not_suitable"}
    page = (await member.follows(await member.post(f"{path}/status", fields))).text

    assert f"Declined, but <a {cancel}>Tue 1 Dec, 10:20</a> is still booked." in page
    today = (await member.get("/today")).text
    assert f'<a href="{path}">Maya</a> is declined, but Tue 1 Dec, 10:20 is still booked.' in today
    assert f"<a {cancel}>Cancel it</a>" in today
    visit = (await member.get(f"/calendar/visits/{uid}")).text
    await member.post(*form_of(visit, "Cancel"))
    assert "is declined" not in (await member.get("/today")).text
    assert "still booked" not in (await member.get(path)).text
