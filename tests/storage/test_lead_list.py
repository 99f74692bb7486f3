"""The inbox: who is in it, in which order, found by which words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flows import eligibility
from flows.effects import HandOffLead, LeadKind, SavePhone
from flows.protocol import Outcome
from storage import lead_list, lead_work
from storage.database import Database
from storage.lead_list import BANDS, NO_CAMPAIGN, PER_PAGE, Order, Wanted
from storage.lead_work import Whose
from tests.builders import MONDAY, NOW, a_confirmation, a_slot
from tests.storage.desk_world import Desk, a_desk


@pytest.fixture
async def here(database: Database) -> Desk:
    """Five leads of one clinic, one of another."""
    desk = await a_desk(database)
    await desk.lead(1, score=90, campaign="spring", first_name="Ada")
    await desk.lead(2, Outcome.REVIEW, 55, first_name="Björn", now=NOW + timedelta(minutes=1))
    await desk.lead(3, Outcome.DEFERRED, 20, first_name="Chloe", now=NOW + timedelta(minutes=2))
    await desk.lead(4, Outcome.URGENT, None, first_name="Dev", now=NOW + timedelta(minutes=3))
    await desk.lead(5, score=None, first_name="Ada", now=NOW + timedelta(minutes=4))
    await desk.says(3, HandOffLead(LeadKind.PERSON), first_name="Chloe")
    await desk.says(1, SavePhone("+44 (20) 7946-0123"), first_name="Ada", campaign="spring")
    slot = a_slot(MONDAY)
    await desk.says(1, a_confirmation(slot), first_name="Ada", campaign="spring")
    await desk.lead(6, first_name="Ada", clinic="harbour")
    return desk


async def names(here: Desk, **wanted: object) -> list[str]:
    page = await here.database.read(lead_list.page, here.clinic_id, Wanted(**wanted), NOW)
    return [line.first_name for line in page.lines]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["Dev", "Chloe", "Ada", "Björn", "Ada"]),
        ({"verdict": "review"}, ["Björn"]),
        ({"band": "high"}, ["Ada"]),
        ({"band": "low"}, ["Chloe"]),
        ({"kind": "urgent"}, ["Dev"]),
        ({"campaign": "spring"}, ["Ada"]),
        ({"campaign": NO_CAMPAIGN}, ["Dev", "Chloe", "Ada", "Björn"]),
        ({"wants_person": True}, ["Chloe"]),
        ({"awaits_review": True}, ["Dev", "Björn"]),
        ({"text": "ada"}, ["Ada", "Ada"]),
        ({"text": "Bjö"}, ["Björn"]),
        ({"text": "ab12"}, ["Ada"]),
        ({"text": "020 7946"}, []),
        ({"text": "20 7946 0123"}, ["Ada"]),
        ({"text": "%"}, []),
        ({"text": "#4"}, ["Dev"]),
        ({"status": "accepted"}, []),
        ({"order": Order.NEWEST}, ["Ada", "Dev", "Chloe", "Björn", "Ada"]),
        ({"order": Order.OLDEST}, ["Ada", "Björn", "Chloe", "Dev", "Ada"]),
        ({"order": Order.SCORE}, ["Ada", "Björn", "Chloe", "Ada", "Dev"]),
        ({"order": Order.VISIT}, ["Ada", "Ada", "Dev", "Chloe", "Björn"]),
    ],
)
async def test_the_list_shows_what_is_wanted(
    here: Desk, wanted: dict[str, object], found: list[str]
) -> None:
    assert await names(here, **wanted) == found


async def test_a_line_has_its_next_visit_and_its_status(here: Desk) -> None:
    whose = Whose(here.clinic_id, here.bo, 1, NOW)
    await here.database.write(lead_work.set_status, whose, "new", "accepted")
    page = await here.database.read(lead_list.page, here.clinic_id, Wanted(status="accepted"), NOW)

    (line,) = page.lines
    assert (line.next_at, line.visits) == (MONDAY, 1)
    assert (line.status, line.staff) == ("accepted", "Bo")


async def test_counts_are_of_one_clinic(here: Desk) -> None:
    counts = await here.database.read(lead_list.counts, here.clinic_id)

    assert (counts.total, counts.by_status) == (5, {"new": 5})
    assert (counts.wants_person, counts.awaits_review, counts.campaigns) == (1, 2, ("spring",))


async def test_long_lists_come_in_pages(here: Desk) -> None:
    for chat in range(10, 10 + PER_PAGE):
        await here.lead(chat)
    read = here.database.read
    first = await read(lead_list.page, here.clinic_id, Wanted(), NOW)
    last = await read(lead_list.page, here.clinic_id, Wanted(page=99), NOW)

    assert (len(first.lines), first.total, first.pages) == (PER_PAGE, PER_PAGE + 5, 2)
    assert (len(last.lines), last.number) == (5, 2)


async def test_a_review_waits_until_somebody_judged_that_very_verdict(here: Desk) -> None:
    waiting = await here.database.read(lead_list.reviews, here.clinic_id, NOW)
    lead = next(line.id for line in waiting if line.first_name == "Björn")
    whose = Whose(here.clinic_id, here.ann, lead, NOW)
    await here.database.write(lead_work.add_finding, whose, "agree", "", 2)
    then = await here.database.read(lead_list.reviews, here.clinic_id, NOW)
    await here.lead(2, Outcome.REVIEW, 50, first_name="Björn")
    again = await here.database.read(lead_list.reviews, here.clinic_id, NOW)

    assert [line.first_name for line in waiting] == ["Dev", "Björn"]
    assert [line.first_name for line in then] == ["Dev"]
    assert [line.first_name for line in again] == ["Dev", "Björn"]


def test_the_bands_are_those_of_the_score() -> None:
    for total in range(101):
        low, high = BANDS[eligibility.band(total)]
        assert low <= total <= high
