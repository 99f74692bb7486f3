"""A turn is committed whole, once, and only from the state it was made from."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select

from flows.effects import AllowMessages, HandOffLead, LeadKind, SavePhone, StopMessages
from flows.protocol import Outcome
from storage import conversations, decisions, inbox, models, turns
from storage.database import Database
from storage.decisions import NoValidVerdict
from storage.faults import StorageError
from storage.turns import Committed, Duplicate, SlotTaken, Stale
from tests.builders import (
    MONDAY,
    NOW,
    a_confirmation,
    a_conversation,
    a_decision,
    a_hold,
    a_slot,
    a_turn,
)


def count(connection: Connection, model: type[models.Model]) -> int:
    return connection.execute(select(func.count()).select_from(model)).scalar_one()


def patient(connection: Connection) -> models.Patient:
    row = connection.execute(select(models.Patient)).one()
    return models.Patient(**row._mapping)


async def test_a_turn_is_kept_with_its_patient_and_its_audit_line(willow: Database) -> None:
    outcome = await willow.write(turns.commit, a_turn())

    loaded = await willow.read(conversations.load, 7)
    assert outcome == Committed()
    assert loaded == conversations.Loaded(a_conversation(), None, None)
    assert (await willow.read(patient)).first_name == "Ada"
    assert await willow.read(count, models.Event) == 1


async def test_a_repeated_update_changes_nothing(willow: Database) -> None:
    await willow.write(turns.commit, a_turn())
    later = a_turn(before=0, update_id=7000, conversation=a_conversation(state="changed"))

    assert await willow.write(turns.commit, a_turn()) == Duplicate()
    assert await willow.write(turns.commit, later) == Duplicate()
    assert await willow.read(count, models.Event) == 1
    assert (await willow.read(conversations.load, 7)).conversation.state == "plan"


async def test_the_same_update_id_of_another_bot_is_another_update(willow: Database) -> None:
    await willow.write(turns.commit, a_turn())
    other = a_turn(before=0, update_id=7000, bot_id=5)

    assert await willow.write(turns.commit, other) == Committed()


@pytest.mark.parametrize("before", [None, 1, 3])
async def test_a_turn_made_from_another_revision_is_stale(
    willow: Database, before: int | None
) -> None:
    await willow.write(turns.commit, a_turn())

    outcome = await willow.write(turns.commit, a_turn(before=before, update_id=99))

    assert outcome == Stale()
    assert not await willow.read(inbox.is_settled, 99)
    assert (await willow.read(conversations.load, 7)).conversation.revision == 0


async def test_a_turn_of_an_unknown_chat_may_not_claim_a_revision(willow: Database) -> None:
    assert await willow.write(turns.commit, a_turn(before=4)) == Stale()


async def test_a_turn_whose_slot_is_taken_leaves_nothing_behind(willow: Database) -> None:
    await willow.write(turns.commit, a_turn(a_decision(), a_hold(a_slot())))
    bo = a_conversation(8, first_name="Bo")
    late = a_turn(
        a_decision(),
        SavePhone("+44 20 7946 0001"),
        a_hold(a_slot(), series="late"),
        conversation=bo,
    )

    outcome = await willow.write(turns.commit, late)

    assert outcome == SlotTaken((a_slot(),))
    assert await willow.read(conversations.load, 8) is None
    assert not await willow.read(inbox.is_settled, late.update_id)
    assert await willow.read(count, models.Patient) == 1


async def test_the_same_update_may_come_again_with_another_slot(willow: Database) -> None:
    await willow.write(turns.commit, a_turn(a_decision(), a_hold(a_slot())))
    bo = a_conversation(8)
    late = a_turn(a_decision(), a_hold(a_slot(), series="late"), conversation=bo)
    await willow.write(turns.commit, late)
    free = a_hold(a_slot(MONDAY + timedelta(days=1), practitioner="rowan"), series="late")

    again = replace(late, effects=(a_decision(), free))

    assert await willow.write(turns.commit, again) == Committed()


async def test_effects_are_applied_in_their_order(willow: Database) -> None:
    turn = a_turn(a_decision(), a_hold(a_slot()), HandOffLead(LeadKind.ELIGIBLE, 80))

    assert await willow.write(turns.commit, turn) == Committed()
    lead = await willow.read(lambda c: c.execute(select(models.Lead)).one())
    assert (lead.kind, lead.verdict, lead.score) == ("eligible", "eligible", 80)


async def test_a_shared_phone_number_and_a_stop_are_kept(willow: Database) -> None:
    await willow.write(turns.commit, a_turn(SavePhone("+44 20 7946 0001"), StopMessages()))

    ada = await willow.read(patient)
    assert (ada.phone, ada.stopped_at) == ("+44 20 7946 0001", NOW)


async def test_a_patient_who_comes_back_may_be_written_to(willow: Database) -> None:
    await willow.write(turns.commit, a_turn(StopMessages()))
    await willow.write(turns.commit, a_turn(AllowMessages(), before=0))

    assert (await willow.read(patient)).stopped_at is None


async def test_a_new_first_name_and_locale_are_kept(willow: Database) -> None:
    await willow.write(turns.commit, a_turn())
    renamed = a_conversation(first_name="Ada\0 L.", locale="pt")
    await willow.write(turns.commit, a_turn(before=0, conversation=renamed))

    ada = await willow.read(patient)
    assert (ada.first_name, ada.locale) == ("Ada L.", "pt")


async def test_a_decision_is_kept_with_what_it_was_made_from(willow: Database) -> None:
    await willow.write(turns.commit, a_turn(a_decision(Outcome.REVIEW)))

    row = await willow.read(lambda c: c.execute(select(models.Decision)).one())
    assert (row.outcome, row.bookable, row.protocol) == (
        "review",
        "consultation",
        "microneedling/2026-01-01/0123456789ab",
    )


@pytest.mark.parametrize("effect", [a_hold(a_slot()), a_confirmation(a_slot())])
@pytest.mark.parametrize(
    "before",
    [
        (),
        (a_decision(Outcome.REVIEW),),
        (a_decision(Outcome.DECLINED),),
        (a_decision(Outcome.ELIGIBLE), a_decision(Outcome.URGENT)),
    ],
    ids=["no verdict", "review", "declined", "urgent after eligible"],
)
async def test_no_treatment_is_booked_without_a_verdict_that_allows_it(
    willow: Database, effect: object, before: tuple[object, ...]
) -> None:
    with pytest.raises(NoValidVerdict):
        await willow.write(turns.commit, a_turn(*before, effect))

    assert await willow.read(count, models.Appointment) == 0
    assert await willow.read(conversations.load, 7) is None


async def test_a_verdict_of_an_earlier_run_does_not_count(willow: Database) -> None:
    await willow.write(turns.commit, a_turn(a_decision()))
    again = a_turn(a_hold(a_slot()), before=0, conversation=a_conversation(run=2))

    with pytest.raises(NoValidVerdict):
        await willow.write(turns.commit, again)


@pytest.mark.parametrize(("open_ended", "allowed"), [(False, True), (True, False)])
async def test_a_review_allows_a_consultation_unless_it_must_wait(
    willow: Database, open_ended: bool, allowed: bool
) -> None:
    decision = a_decision(Outcome.REVIEW, open_ended=open_ended)
    await willow.write(turns.commit, a_turn(decision))

    found = await willow.read(decisions.latest, 7, 1)

    assert (found.bookable == "consultation") is allowed


async def test_a_booking_needs_a_clinic(willow: Database) -> None:
    nowhere = a_conversation(clinic=None)

    with pytest.raises(StorageError, match="needs a clinic"):
        await willow.write(
            turns.commit, a_turn(a_decision(), a_hold(a_slot()), conversation=nowhere)
        )


async def test_a_failed_update_may_be_tried_again(willow: Database) -> None:
    await willow.write(inbox.fail, 7000, "KeyError", NOW - timedelta(seconds=1))

    assert await willow.write(turns.commit, a_turn(update_id=7000)) == Committed()
