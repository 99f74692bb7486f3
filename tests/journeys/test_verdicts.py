"""Patients for whom something stands in the way: what they are told, and what the clinic gets."""

import pytest

from flows.conversation import Stage
from storage import leads
from tests.journeys.world import World


async def kinds(here: World) -> list[str]:
    return [lead.kind for lead in await here.database.read(leads.all_leads)]


async def test_active_acne_is_deferred_with_a_date(here: World):
    guide = await here.meets()
    await guide.answers(acne_now="inflamed", acne_ill="no", acne_signs="none", acne_medicine="no")

    assert await guide.taps("All correct") == Stage.DEFERRED
    await guide.patient.sees("21 December 2026")
    await guide.patient.sees("new acne can make new scars")
    assert await kinds(here) == ["deferred"]


async def test_a_keloid_is_declined_and_nothing_is_handed_over(here: World):
    guide = await here.meets()

    assert await guide.answers(history="keloid", keloid="face") == Stage.DECLINED
    await guide.patient.sees("dermatologist")
    assert await kinds(here) == []


async def test_pregnancy_is_deferred_without_blame(here: World):
    guide = await here.meets()
    await guide.answers(today="pregnancy", pregnancy="pregnant")

    assert await guide.taps("All correct") == Stage.DEFERRED
    await guide.patient.sees("after pregnancy and breastfeeding")
    assert await kinds(here) == ["deferred"]


async def test_ice_pick_scars_are_sent_to_a_consultation_and_booked(here: World):
    guide = await here.meets()
    await guide.answers(scar_type="icepick")

    assert await guide.taps("All correct") == Stage.CONSULT
    await guide.patient.sees("Tiny deep holes usually need other methods")
    assert await guide.taps("Book:") == Stage.CONTACT
    assert await guide.taps("Here in Telegram") == Stage.BOOKED
    assert await kinds(here) == ["booked"]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("honestly i want to kill myself", "116 123"),
        ("i have a fever and the redness is spreading", "999"),
    ],
)
async def test_a_red_flag_in_free_text_stops_everything(here: World, words, answer):
    guide = await here.meets()
    await guide.taps("Yes, let")

    assert await guide.says(words) == Stage.URGENT
    await guide.patient.sees(answer)
    assert await kinds(here) == ["urgent"]
    assert not any("Book" in label for label in guide.patient.buttons)


async def test_a_minor_is_declined_before_any_health_question(here: World):
    guide = await here.meets()

    assert await guide.answers(age="under_18") == Stage.DECLINED
    await guide.patient.sees("parent or guardian")
    assert set((await guide.conversation()).answers) == {"consent", "age"}
    assert await kinds(here) == []


async def test_colour_marks_only_lead_to_a_consultation(here: World):
    guide = await here.meets()
    await guide.answers(scar_type="flat")

    assert await guide.taps("All correct") == Stage.CONSULT
    await guide.patient.sees("colour")


async def test_an_event_in_three_weeks_keeps_its_days_free(here: World):
    guide = await here.meets()
    await guide.answers(timing="event")
    assert await guide.says("14 December 2026") == Stage.REVIEW
    assert await guide.taps("All correct") == Stage.PLAN

    offers = (await guide.conversation()).booking.offers
    days = [slot.starts_at.date().isoformat() for offer in offers for slot in offer.slots]

    assert days
    assert not any("2026-12-07" <= day <= "2026-12-14" for day in days)


async def test_editing_an_early_answer_changes_the_verdict(here: World):
    guide = await here.meets()
    await guide.answers()
    assert await guide.taps("All correct") == Stage.PLAN

    await guide.taps("‹ Back")
    assert await guide.taps("Change: Age") == "age"
    assert await guide.taps("18 to 21") == Stage.REVIEW
    assert await guide.taps("All correct") == Stage.CONSULT


async def test_an_edit_drops_what_hung_on_the_answer_and_says_so(here: World):
    guide = await here.meets()
    await guide.answers(history="diabetes", diabetes="controlled")

    await guide.taps("Change: Health history")
    await guide.taps("Diabetes")  # the tick comes off
    assert await guide.taps("None of these") == Stage.REVIEW
    await guide.patient.sees("no longer need to ask: Diabetes")


async def test_no_score_is_shown_to_the_patient(here: World):
    guide = await here.meets()
    await guide.answers()
    await guide.taps("All correct")

    assert "100" not in (await guide.patient.sees("Times that fit")).text
