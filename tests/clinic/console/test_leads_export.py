"""A list of leads as a file: what is filtered, without who they are, and on record."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import timedelta

import httpx

from flows.effects import HandOffLead, LeadKind
from storage import audit, turns
from tests.builders import a_conversation, a_slot, a_turn
from tests.clinic.console.test_leads import a_review, searched
from tests.clinic.console.world import Browser, ConsoleWorld


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


async def exported(browser: Browser, page: httpx.Response) -> httpx.Response:
    """Take the list along that a page shows."""
    (address,) = re.findall(r'href="(/leads/export[^"]*)"', page.text)
    return await browser.get(html.unescape(address))


async def test_a_list_is_exported_as_it_is_filtered_and_sorted_with_all_its_pages(
    world: ConsoleWorld, member: Browser
) -> None:
    await a_review(world)
    for number in range(27):
        at = world.clock() + timedelta(days=7, hours=2 * number)
        await world.books(a_slot(at, minutes=5), name="Maya")

    page = await searched(member, text="Maya", order="visit")
    answer = await exported(member, page)

    rows = rows_of(answer.text)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="leads.csv"'
    assert "maya" not in str(answer.url).lower()
    assert [row["next visit"] for row in rows] == sorted(row["next visit"] for row in rows)
    assert len(rows) == 27
    assert rows[0] == {
        "lead": rows[0]["lead"],
        "came": "2026-11-10 10:20",
        "status": "new",
        "stands at": "booked",
        "verdict": "eligible",
        "score": "80",
        "source": "",
        "wants a person since": "",
        "visits booked": "1",
        "next visit": "2026-12-01 10:20",
        "changed": "2026-11-10 10:20",
    }
    assert "Maya" not in answer.text
    filtered = await member.get("/leads?verdict=review")
    assert [row["verdict"] for row in rows_of((await exported(member, filtered)).text)] == [
        "review"
    ]
    everybody = await exported(member, await member.get("/leads?page=2"))
    assert len(rows_of(everybody.text)) == 28


async def test_an_exported_list_is_on_record_with_each_lead_that_it_held(
    world: ConsoleWorld, member: Browser
) -> None:
    await a_review(world)
    await world.books(a_slot(world.clock()), name="Maya")

    await exported(member, await searched(member, text="Maya"))

    clinic_id = world.people["willow", "staff"].clinic_id
    lines = await world.database.read(audit.entries, clinic_id)
    found = [each for each in lines if each.what == "lead.exported_in_list"]
    assert [(each.staff, each.subject, each.subject_id) for each in found] == [
        ("Joe Penhale", "lead", "2")
    ]
    assert "Joe Penhale exported this in a list" in (await member.get("/leads/2")).text


async def test_no_cell_of_a_list_is_a_formula(world: ConsoleWorld, member: Browser) -> None:
    wanted = HandOffLead(LeadKind.PERSON)
    conversation = a_conversation(61, campaign="=1+1")
    turn = a_turn(wanted, conversation=conversation, now=world.clock())
    assert await world.database.write(turns.commit, turn) == turns.Committed()

    (row,) = rows_of((await exported(member, await member.get("/leads"))).text)

    assert row["source"] == "'=1+1"


async def test_a_search_that_is_over_exports_nobody(world: ConsoleWorld, member: Browser) -> None:
    await a_review(world)

    answer = await member.get("/leads/export.csv?search=long-ago&verdict=review")

    assert answer.headers["location"] == "/leads?verdict=review"
    assert "That search is over." in (await member.follows(answer)).text


async def test_an_empty_list_is_not_offered_as_a_file(member: Browser) -> None:
    assert "Export this list" not in (await member.get("/leads")).text
    assert rows_of((await member.get("/leads/export.csv")).text) == []


async def test_another_clinic_s_list_is_its_own(world: ConsoleWorld) -> None:
    await a_review(world)
    stranger = await world.signed_in_client("owner", "harbour")

    assert rows_of((await stranger.get("/leads/export.csv")).text) == []
