"""The clinic's list of leads: why, how ready, when, and no health answer."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, timedelta

import pytest

from flows.conversation import Answer
from flows.effects import CancelSeries, HandOffLead, LeadKind, SavePhone
from flows.protocol import Outcome
from storage import leads, turns
from storage.database import Database
from storage.leads import LeadRow, UnknownClinic
from tests.builders import (
    MONDAY,
    NOW,
    a_confirmation,
    a_conversation,
    a_decision,
    a_slot,
    a_turn,
    four_weekly,
)

BOOKED = HandOffLead(LeadKind.BOOKED, 80)


async def test_a_booked_lead_has_its_times_and_its_code(willow: Database) -> None:
    ada = a_conversation(campaign="spring")
    series = four_weekly(a_slot(), 2)
    turn = a_turn(a_decision(), a_confirmation(*series), BOOKED, conversation=ada)
    await willow.write(turns.commit, turn)

    (lead,) = await willow.read(leads.all_leads)

    assert (lead.clinic, lead.kind, lead.verdict, lead.score) == (
        "willow",
        "booked",
        "eligible",
        80,
    )
    assert lead.booked == (MONDAY, MONDAY + timedelta(weeks=4))
    assert (lead.code, lead.campaign, lead.created_at) == ("AB12", "spring", NOW)


async def test_a_deferred_lead_has_the_day_to_ask_again(willow: Database) -> None:
    recheck = HandOffLead(LeadKind.DEFERRED, None, date(2026, 6, 1))
    await willow.write(turns.commit, a_turn(a_decision(Outcome.DEFERRED), recheck))

    (lead,) = await willow.read(leads.all_leads)
    assert (lead.verdict, lead.score, lead.recheck_on) == ("deferred", None, date(2026, 6, 1))


async def test_asking_for_a_person_is_noted_beside_what_is_known(willow: Database) -> None:
    await willow.write(turns.commit, a_turn(a_decision(), a_confirmation(a_slot()), BOOKED))
    asked = a_turn(HandOffLead(LeadKind.PERSON), before=0, now=NOW + timedelta(hours=1))
    await willow.write(turns.commit, asked)

    (lead,) = await willow.read(leads.all_leads)

    assert (lead.kind, lead.score, lead.wants_person) == ("booked", 80, True)
    assert lead.wants_person_at == NOW + timedelta(hours=1)


async def test_a_patient_who_only_wants_a_person_is_a_lead(willow: Database) -> None:
    await willow.write(turns.commit, a_turn(HandOffLead(LeadKind.PERSON)))

    (lead,) = await willow.read(leads.all_leads)
    assert (lead.kind, lead.wants_person) == ("person", True)


async def test_a_later_kind_of_the_same_run_replaces_the_earlier(willow: Database) -> None:
    await willow.write(turns.commit, a_turn(a_decision(), HandOffLead(LeadKind.ELIGIBLE, 70)))
    later = a_turn(a_confirmation(a_slot()), BOOKED, before=0, now=NOW + timedelta(hours=1))
    await willow.write(turns.commit, later)

    (lead,) = await willow.read(leads.all_leads)
    assert (lead.kind, lead.score, lead.created_at) == ("booked", 80, NOW)


async def test_a_new_run_is_a_new_lead_and_newer_ones_come_first(willow: Database) -> None:
    await willow.write(
        turns.commit, a_turn(a_decision(Outcome.REVIEW), HandOffLead(LeadKind.REVIEW))
    )
    again = a_turn(
        a_decision(Outcome.DECLINED),
        HandOffLead(LeadKind.DECLINED),
        before=0,
        conversation=a_conversation(run=2),
    )
    await willow.write(turns.commit, again)

    assert [lead.kind for lead in await willow.read(leads.all_leads)] == ["declined", "review"]


async def test_the_clinic_reads_who_it_is_and_how_to_reach_them(willow: Database) -> None:
    ada = a_conversation(first_name="Ada")
    turn = a_turn(SavePhone("+44 7700 900000"), HandOffLead(LeadKind.PERSON), conversation=ada)
    await willow.write(turns.commit, turn)

    (lead,) = await willow.read(leads.all_leads)

    assert (lead.first_name, lead.phone) == ("Ada", "+44 7700 900000")
    assert "Ada" not in repr(lead)
    assert "7700" not in repr(lead)


async def test_urgent_leads_come_first_then_who_waits_for_a_person(willow: Database) -> None:
    kinds = (LeadKind.URGENT, LeadKind.PERSON, LeadKind.ELIGIBLE, LeadKind.REVIEW)
    for hour, kind in enumerate(kinds):
        turn = a_turn(
            HandOffLead(kind),
            conversation=a_conversation(20 + hour),
            now=NOW + timedelta(hours=hour),
        )
        await willow.write(turns.commit, turn)

    listed = await willow.read(leads.all_leads)

    assert [lead.kind for lead in listed] == ["urgent", "person", "review", "eligible"]


async def test_cancelled_times_are_no_longer_listed(willow: Database) -> None:
    await willow.write(turns.commit, a_turn(a_decision(), a_confirmation(a_slot()), BOOKED))
    await willow.write(turns.commit, a_turn(CancelSeries("series"), before=0))

    (lead,) = await willow.read(leads.all_leads)
    assert (lead.booked, lead.code) == ((), "")


async def test_a_patient_may_ask_for_a_person_before_choosing_a_clinic(willow: Database) -> None:
    nowhere = a_conversation(clinic=None, state="choose_clinic")
    turn = a_turn(HandOffLead(LeadKind.PERSON), conversation=nowhere)
    await willow.write(turns.commit, turn)

    (lead,) = await willow.read(leads.all_leads)
    assert (lead.clinic, lead.verdict) == (None, None)


async def test_leads_can_be_listed_for_one_clinic(willow: Database) -> None:
    await willow.write(turns.commit, a_turn(HandOffLead(LeadKind.PERSON)))

    assert len(await willow.read(leads.all_leads, "willow")) == 1
    assert await willow.read(leads.all_leads, "harbour") == []


async def test_a_clinic_that_does_not_exist_is_named_with_those_that_do(willow: Database) -> None:
    with pytest.raises(UnknownClinic, match="must be one of harbour, willow, got 'oak'"):
        await willow.read(leads.all_leads, "oak")


async def test_a_lead_holds_no_answer(willow: Database) -> None:
    secret = a_conversation(answers={"pregnancy": Answer(("pregnant",))})
    await willow.write(
        turns.commit, a_turn(a_decision(), HandOffLead(LeadKind.PERSON), conversation=secret)
    )

    (lead,) = await willow.read(leads.all_leads)
    assert "pregnan" not in repr(lead)
    assert {field.name for field in fields(LeadRow)}.isdisjoint({"answers", "reasons"})
