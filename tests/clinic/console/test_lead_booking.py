"""A receptionist books for a lead on the phone: as the chat would, and into the chat."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import select, update

from clinic.console.free_times import key_of
from flows.conversation import Conversation, Stage
from flows.effects import HandOffLead, LeadKind
from flows.protocol import Outcome
from flows.slots import Slot
from storage import conversations, patients, staff_bookings, turns
from storage.clerks import Clerk
from storage.models import Appointment, Lead, Practitioner
from storage.staff_bookings import WalkIn
from tests.builders import a_conversation, a_decision, a_slot, a_turn, four_weekly
from tests.clinic.console.test_requests import form_of, told
from tests.clinic.console.world import Browser, ConsoleWorld
from tests.flows.calendars import a_plan

MAYA = 70


async def a_lead(world: ConsoleWorld, **changes: Any) -> str:
    """Let Maya be shown her plan of four and leave; return the path of her lead."""
    today = world.clock().date()
    days = tuple(today + timedelta(weeks=4 * number) for number in range(4))
    plan = a_plan(starts_on=today, proposed_on=days)
    made = changes.pop("made", replace(a_decision(), plan=plan))
    kind = changes.pop("kind", LeadKind.ELIGIBLE)
    known = {"first_name": "Maya", "decided_on": today, **changes}
    turn = a_turn(
        made, HandOffLead(kind, 80), conversation=a_conversation(MAYA, **known), now=world.clock()
    )
    assert await world.database.write(turns.commit, turn) == turns.Committed()
    of_maya = select(Lead.id).where(Lead.chat_id == MAYA)
    number = await world.database.read(lambda c: c.execute(of_maya).scalar())
    return f"/leads/{number}"


async def chat(world: ConsoleWorld) -> Conversation:
    loaded = await world.database.read(conversations.load, MAYA)
    assert loaded is not None
    return loaded.conversation


async def starts(world: ConsoleWorld) -> list[str]:
    query = select(Appointment.starts_at).where(Appointment.chat_id == MAYA)
    found = await world.database.read(lambda c: c.execute(query.order_by("starts_at")).scalars())
    return [f"{at:%a %d %b %H:%M}" for at in found]


def thursday(world: ConsoleWorld) -> Slot:
    """Return the Thursday of next week at 13:00, when Amara works."""
    return a_slot(world.clock().replace(month=12, day=3, hour=13, minute=0))


async def chosen(browser: Browser, path: str, slot: Slot) -> str:
    query = f"who={slot.practitioner}&on={slot.starts_at:%Y-%m-%d}&slot={quote(key_of(slot))}"
    return (await browser.get(f"{path}/book?{query}")).text


async def test_the_lead_s_page_leads_to_a_booked_course(
    world: ConsoleWorld, member: Browser
) -> None:
    path = await a_lead(world)
    assert f'href="{path}/book"' in (await member.get(path)).text
    page = await chosen(member, path, thursday(world))
    assert "Their plan has 4 sessions, 3 to 6 weeks apart." in page

    answer = await member.post(*form_of(page, "Book all 4"))

    after = (await member.follows(answer)).text
    assert answer.headers["location"] == path
    assert "4 visits are booked, from Thu 3 Dec, 13:00 on. They are told in Telegram." in after
    assert "Book for this patient" not in after
    assert "Accepted by Joe Penhale" in after
    assert "Joe Penhale booked for the patient" in after
    assert await starts(world) == [
        "Thu 03 Dec 13:00",
        "Thu 31 Dec 13:00",
        "Thu 28 Jan 13:00",
        "Thu 25 Feb 13:00",
    ]
    assert (await chat(world)).state == Stage.BOOKED
    assert await told(world) == ["message.booked_all"]


async def test_the_soonest_course_is_proposed_and_one_visit_can_be_taken_of_it(
    world: ConsoleWorld, member: Browser
) -> None:
    path = await a_lead(world)
    page = (await member.get(f"{path}/book")).text
    assert "Book it like this?" in page

    answer = await member.post(*form_of(page, "Book only the first"))

    after = (await member.follows(answer)).text
    assert "1 visit is booked" in after
    assert await told(world) == ["message.booked"]
    assert "Book the next visit" in after
    rest = (await member.get(f"{path}/book")).text
    assert "3 visits of the course have no time yet." in rest
    await member.post(*form_of(rest, "Book all 3"))
    assert [each.number for each in (await chat(world)).booking.sessions] == [1, 2, 3, 4]
    assert "Book the next visit" not in (await member.get(path)).text


@pytest.mark.parametrize("query", ["on=2026-12-04&who=rowan", "on=2026-12-04", "who=rowan"])
async def test_whoever_chose_a_day_or_a_person_is_offered_no_other_day_s_time(
    world: ConsoleWorld, member: Browser, query: str
) -> None:
    path = await a_lead(world)

    page = (await member.get(f"{path}/book?{query}")).text

    assert "Choose a first time on " in page
    assert ("Book it like this?" in page, 'name="seen"' in page) == (False, False)
    assert 'class="timechip"' in page
    assert not re.search(r'class="timechip"[^>]*aria-current', page)
    assert f'href="{path}/book"' in page


async def test_a_chosen_time_that_is_gone_is_replaced_by_no_other(
    world: ConsoleWorld, member: Browser
) -> None:
    path = await a_lead(world)

    answer = await member.post(
        f"{path}/book", {"slot": "amara 2026-12-03T03:00:00+00:00", "on": "2026-12-03"}
    )

    assert (answer.status_code, "taken a moment ago" in answer.text) == (422, True)
    assert ("Choose a first time on Thu 3 Dec" in answer.text, "Book all" in answer.text) == (
        True,
        False,
    )


async def test_a_first_time_without_room_for_the_others_can_be_booked_alone(
    world: ConsoleWorld, member: Browser
) -> None:
    path = await a_lead(world)
    late = four_weekly(thursday(world), 10)[-1]

    page = await chosen(member, path, late)

    assert "From there no times fit for the other 3." in page
    assert "Book all" not in page


async def test_a_time_that_has_just_gone_is_not_booked(
    world: ConsoleWorld, member: Browser
) -> None:
    path, slot = await a_lead(world), thursday(world)
    form = form_of(await chosen(member, path, slot), "Book all 4")
    owner = world.people["willow", "owner"]
    clerk = Clerk(owner.clinic_id, owner.id, world.clock())
    guest = WalkIn("w", "treatment", slot, "AB23CD", "Tom")
    await world.database.write(staff_bookings.walk_in, clerk, guest)

    answer = await member.post(*form)

    assert (answer.status_code, "taken a moment ago" in answer.text) == (422, True)
    assert await starts(world) == []


async def test_a_later_time_that_has_gone_shows_the_new_proposal_first(
    world: ConsoleWorld, member: Browser
) -> None:
    path, slot = await a_lead(world), thursday(world)
    form = form_of(await chosen(member, path, slot), "Book all 4")
    owner = world.people["willow", "owner"]
    clerk = Clerk(owner.clinic_id, owner.id, world.clock())
    guest = WalkIn("w", "treatment", four_weekly(slot)[2], "AB23CD", "Tom")
    await world.database.write(staff_bookings.walk_in, clerk, guest)

    answer = await member.post(*form)

    assert (answer.status_code, "changed this a moment ago" in answer.text) == (422, True)
    assert "Book all 4" in answer.text
    assert await starts(world) == []


async def test_what_patients_may_not_book_is_not_offered_for_them(
    world: ConsoleWorld, member: Browser
) -> None:
    path = await a_lead(world)
    soon = a_slot(world.clock().replace(hour=15, minute=0))  # within the clinic's notice
    page = await chosen(member, path, soon)

    assert "taken a moment ago" in page
    assert ">15:00</a>" not in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"decided_on": None, "state": "age"}, "before there is a verdict"),
        ({"red_flag": "emergency"}, "after a red flag"),
        ({"state": Stage.NO_CONSENT.value}, "took their agreement back"),
        ({"made": a_decision(Outcome.DEFERRED)}, "The verdict allows no visit"),
    ],
)
async def test_a_lead_that_may_not_be_booked_says_why(
    world: ConsoleWorld, member: Browser, changes: dict[str, Any], words: str
) -> None:
    path = await a_lead(world, **changes)
    assert "/book" not in (await member.get(path)).text

    for ask in (member.get, member.post):
        answer = await ask(f"{path}/book")
        assert answer.headers["location"] == path
        assert words in (await member.follows(answer)).text
    assert await starts(world) == []


async def test_a_patient_who_goes_back_to_the_questions_meanwhile_is_not_booked(
    world: ConsoleWorld, member: Browser
) -> None:
    path = await a_lead(world)
    form = form_of(await chosen(member, path, thursday(world)), "Book all 4")
    before = await chat(world)
    editing = replace(before, state="age", decided_on=None)
    await world.database.write(turns.commit, a_turn(before=before.revision, conversation=editing))

    answer = await member.post(*form)

    assert "before there is a verdict" in (await member.follows(answer)).text
    assert await chat(world) == replace(editing, revision=before.revision + 1)


@pytest.mark.parametrize("how", [patients.stop_messages, patients.mark_unreachable])
async def test_whoever_gets_no_messages_is_to_be_told_by_phone(
    world: ConsoleWorld, member: Browser, how: Any
) -> None:
    path = await a_lead(world)
    await world.database.write(how, MAYA, world.clock())
    page = await chosen(member, path, thursday(world))
    assert "tell them the times by phone" in page

    answer = await member.post(*form_of(page, "Book all 4"))

    assert "please tell them by phone" in (await member.follows(answer)).text
    assert len(await starts(world)) == 4


async def test_a_consultation_is_one_visit(world: ConsoleWorld, member: Browser) -> None:
    changes = {"kind": LeadKind.REVIEW, "state": Stage.CONSULT.value}
    path = await a_lead(world, made=a_decision(Outcome.REVIEW), **changes)
    page = (await member.get(f"{path}/book")).text
    assert "One visit: Skin consultation, 30 min" in page

    await member.post(*form_of(page, ">Book<"))

    assert (await chat(world)).booking.service == "consultation"
    assert len(await starts(world)) == 1


async def test_a_day_without_times_and_one_out_of_reach_are_no_fault(
    world: ConsoleWorld, member: Browser
) -> None:
    path = await a_lead(world)
    for query in ("on=2026-12-06&who=amara", "on=2020-01-01", "on=9999-12-31", "who=nobody"):
        answer = await member.get(f"{path}/book?{query}")
        assert answer.status_code == 200
    closed = (await member.get(f"{path}/book?on=2026-12-06&who=amara")).text
    assert "No free time on Sun 6 Dec 2026" in html.unescape(closed)


async def test_a_clinic_without_anybody_has_no_time_to_offer(
    world: ConsoleWorld, member: Browser
) -> None:
    path = await a_lead(world)
    leave = update(Practitioner).values(is_active=False)
    await world.database.write(lambda c: c.execute(leave) and None)

    page = (await member.get(f"{path}/book")).text

    assert "No time is free that fits" in page
    assert not re.search(r'name="seen"', page)
