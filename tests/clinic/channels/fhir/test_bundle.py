"""A lead of every verdict leaves as a valid Bundle that keeps every answer."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from importlib import resources
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from sqlalchemy import update

from bot.clock import SystemClock
from clinic.channels.export import Exports
from flows.conversation import Stage
from flows.effects import DeletePhotos, HandOffLead, KeepPhoto, LeadKind
from flows.events import Action
from flows.passage import Passage
from flows.protocol import Outcome
from flows.relevance import current_answers
from storage import clinics, protocol_files, protocol_versions, turns
from storage.database import Database
from storage.models import Appointment, Lead, Patient
from storage.protocol_versions import ProtocolText
from tests.builders import a_conversation, a_turn
from tests.clinic.channels.fhir.reader import answers_in
from tests.clinic.channels.fhir.strictness import dangling, unknown_codes
from tests.clinic.channels.world import WILLOW
from tests.flows.chat import NOW, Chat, a_scene, an_instant_clinic, catalogues, protocol

VERDICTS = {
    Outcome.ELIGIBLE: {},
    Outcome.REVIEW: {"scar_type": ("icepick",)},
    Outcome.DEFERRED: {"today": ("pregnancy",), "pregnancy": ("pregnant",)},
    Outcome.DECLINED: {"history": ("keloid",), "keloid": ("face",)},
    Outcome.URGENT: {"acne_now": ("inflamed",), "acne_ill": ("yes",)},
}


@pytest.fixture
async def clinic(database: Database) -> Database:
    """Return a database with the clinic and the protocol that the dialogue's tests talk to."""
    text = clinics.demo_text().replace('"amara"', '"ana"')
    await database.write(clinics.import_clinic, text, "demo_clinic.toml")
    source = ProtocolText(_packaged(), "")
    key, digest = protocol().key, protocol().digest
    await database.write(protocol_versions.remember, key, digest, source, NOW)
    return database


def talked(outcome: Outcome) -> Chat:
    """Return a chat that has come to its verdict and, where it may, to a booking."""
    chat = Chat(scene=a_scene(an_instant_clinic()))
    chat.starts().answers(**VERDICTS[outcome])
    if chat.state == Stage.REVIEW:
        chat.chooses(Action.CONFIRM)
    if chat.state in (Stage.PLAN, Stage.CONSULT):
        chat.chooses(Action.BOOK, "0")
    return chat


async def left_as(database: Database, chat: Chat) -> Any:
    """Keep what a chat came to and return its lead's Bundle."""
    assert chat.conversation is not None
    handed = any(isinstance(effect, HandOffLead) for effect in chat.effects)
    effects = (*chat.effects, *(() if handed else (HandOffLead(LeadKind.DECLINED),)))
    turn = replace(
        a_turn(*effects, conversation=chat.conversation),
        now=NOW,
        passage=Passage(begins=True, agrees=True),
    )
    assert await database.write(turns.commit, turn) == turns.Committed()
    return await exported(database)


async def exported(database: Database) -> Any:
    now = SystemClock().now()
    text = await Exports(database, catalogues()).fhir(WILLOW, 1, now)
    assert text is not None
    return json.loads(text)


def parts(bundle: Any, kind: str) -> list[Any]:
    resources = [entry["resource"] for entry in bundle["entry"]]
    return [resource for resource in resources if resource["resourceType"] == kind]


@pytest.mark.parametrize("outcome", Outcome)
async def test_a_bundle_is_valid_and_keeps_every_answer(clinic: Database, outcome: Outcome) -> None:
    chat = talked(outcome)

    bundle = await left_as(clinic, chat)

    assert not list(unknown_codes(Bundle.model_validate(bundle)))
    assert dangling(bundle) == []
    (response,) = parts(bundle, "QuestionnaireResponse")
    assert chat.conversation is not None
    given = current_answers(protocol(), chat.conversation.answers)
    assert answers_in(protocol(), response) == given
    (risk,) = parts(bundle, "RiskAssessment")
    assert risk["prediction"][0]["outcome"]["coding"][0]["code"] == outcome


async def test_a_lead_that_a_red_flag_stopped_is_an_urgent_task(clinic: Database) -> None:
    chat = Chat(scene=a_scene(an_instant_clinic()))
    chat.comes_to("other_health", history=("other",)).says("I want to kill myself")

    bundle = await left_as(clinic, chat)

    assert not list(unknown_codes(Bundle.model_validate(bundle)))
    assert dangling(bundle) == []
    (task,) = parts(bundle, "Task")
    assert (task["priority"], task["status"]) == ("urgent", "requested")


async def test_a_booked_course_is_a_plan_of_its_appointments(clinic: Database) -> None:
    bundle = await left_as(clinic, talked(Outcome.ELIGIBLE))

    (plan,) = parts(bundle, "CarePlan")
    booked = parts(bundle, "Appointment")
    assert (plan["status"], plan["intent"]) == ("active", "plan")
    assert len(plan["activity"]) == len(booked) == len(parts(bundle, "Slot"))
    assert all("reference" in each for each in plan["activity"])
    (agreed,) = parts(bundle, "Consent")
    assert (agreed["status"], agreed["dateTime"]) == ("active", "2026-11-23T09:00:00Z")


@pytest.mark.parametrize(
    ("state", "status", "slot"),
    [
        ("pending", "pending", "busy-tentative"),
        ("booked", "booked", "busy"),
        ("arrived", "arrived", "busy"),
        ("fulfilled", "fulfilled", "busy"),
        ("noshow", "noshow", "busy"),
        ("cancelled", "cancelled", None),
    ],
)
async def test_an_appointment_has_the_state_it_is_in(
    clinic: Database, state: str, status: str, slot: str | None
) -> None:
    await left_as(clinic, talked(Outcome.REVIEW))
    await clinic.write(lambda c: c.execute(update(Appointment).values(state=state)) and None)

    bundle = await exported(clinic)

    (visit,) = parts(bundle, "Appointment")
    assert visit["status"] == status
    assert [each["status"] for each in parts(bundle, "Slot")] == ([slot] if slot else [])
    assert not list(unknown_codes(Bundle.model_validate(bundle)))


@pytest.mark.parametrize(
    ("status", "task"),
    [("accepted", "accepted"), ("contacted", "in-progress"), ("declined", "rejected")],
)
async def test_the_task_says_how_far_the_clinic_is(
    clinic: Database, status: str, task: str
) -> None:
    await left_as(clinic, talked(Outcome.DEFERRED))
    changed = update(Lead).values(status=status, status_at=NOW)
    await clinic.write(lambda c: c.execute(changed) and None)

    bundle = await exported(clinic)

    assert parts(bundle, "Task")[0]["status"] == task
    assert not list(unknown_codes(Bundle.model_validate(bundle)))


async def test_who_stopped_messages_has_withdrawn_that_consent(clinic: Database) -> None:
    await left_as(clinic, talked(Outcome.DEFERRED))
    await clinic.write(lambda c: c.execute(update(Patient).values(stopped_at=NOW)) and None)

    bundle = await exported(clinic)

    assert [each["status"] for each in parts(bundle, "Consent")] == ["active", "inactive"]


async def test_a_yes_to_photos_is_a_consent_while_photos_are_kept(clinic: Database) -> None:
    chat = talked(Outcome.DEFERRED)
    await left_as(clinic, chat)
    assert chat.conversation is not None
    said = {"event": "Chose", "action": Action.PHOTOS_YES}
    for day, effects, what in (
        (1, (), said),
        (2, (KeepPhoto("file"),), {"event": "SentPhoto"}),
    ):
        turn = a_turn(*effects, before=day - 1, conversation=chat.conversation)
        turn = replace(turn, now=NOW + timedelta(days=day), event_log=(json.dumps(what),))
        assert await clinic.write(turns.commit, turn) == turns.Committed()

    bundle = await exported(clinic)

    _, agreed = parts(bundle, "Consent")
    assert agreed["category"][0]["coding"][0]["code"] == "photos"
    assert (agreed["status"], agreed["dateTime"]) == ("active", "2026-11-24T09:00:00Z")
    assert not list(unknown_codes(Bundle.model_validate(bundle)))

    gone = a_turn(DeletePhotos(), before=2, conversation=chat.conversation)
    assert await clinic.write(turns.commit, gone) == turns.Committed()
    assert len(parts(await exported(clinic), "Consent")) == 1


async def test_who_wants_a_person_before_any_verdict_is_a_task_alone(clinic: Database) -> None:
    early = a_turn(HandOffLead(LeadKind.PERSON), conversation=a_conversation())
    await clinic.write(turns.commit, early)

    bundle = await exported(clinic)

    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert kinds == ["Patient", "Organization", "Task"]
    assert dangling(bundle) == []


async def test_a_version_that_is_not_known_any_more_leaves_the_verdict_by_its_codes(
    willow: Database,
) -> None:
    chat = talked(Outcome.DECLINED)

    bundle = await left_as(willow, chat)

    assert parts(bundle, "QuestionnaireResponse") == []
    assert len(parts(bundle, "RiskAssessment")) == 1
    assert dangling(bundle) == []


async def test_a_lead_of_another_clinic_is_not_there(clinic: Database) -> None:
    await left_as(clinic, talked(Outcome.DEFERRED))

    assert await Exports(clinic, catalogues()).fhir(2, 1, NOW) is None


def _packaged() -> str:
    folder = resources.files("flows") / "protocols"
    return (folder / protocol_files.PACKAGED).read_text(encoding="utf-8")
