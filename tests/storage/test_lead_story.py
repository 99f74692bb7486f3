"""A lead's story: everything in one look, every look recorded, and what staff make of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flows.effects import DescribeResult, KeepPhoto, ReviewSeries
from flows.protocol import Outcome
from storage import audit, desk, lead_story, lead_work, protocol_versions
from storage.database import Database
from storage.lead_work import Change, Whose
from storage.protocol_versions import ProtocolText
from tests.builders import NOW, a_confirmation, a_conversation, a_slot
from tests.storage.desk_world import Desk, a_desk

LATER = NOW + timedelta(hours=1)


@pytest.fixture
async def here(database: Database) -> Desk:
    return await a_desk(database)


def of(here: Desk, lead: int) -> Whose:
    return Whose(here.clinic_id, here.ann, lead, LATER)


async def test_a_story_holds_answers_visits_photos_messages_and_the_protocol(here: Desk) -> None:
    source = ProtocolText("the protocol", "")
    key = a_conversation().protocol
    await here.database.write(protocol_versions.remember, key, "0123", source, NOW)
    lead = await here.lead()
    await here.says(7, a_confirmation(a_slot()), KeepPhoto("AgAC"))
    await here.writes(7, "Hello?")

    story = await here.database.read(lead_story.read, here.clinic_id, lead)

    assert story is not None
    assert story.record.decision is not None
    assert story.protocol == source
    assert [each.state for each in story.record.sessions] == ["booked"]
    assert ([p.file_id for p in story.photos], len(story.messages)) == (["AgAC"], 1)


async def test_the_history_has_no_word_that_a_patient_wrote(here: Desk) -> None:
    lead = await here.lead()
    await here.writes(7, "my private words")

    story = await here.database.read(lead_story.read, here.clinic_id, lead)
    assert story is not None
    assert [each.event for each in story.events] == ["Typed", "Typed"]
    assert "private" not in repr(story)


async def test_a_story_holds_how_the_patient_sees_the_result(here: Desk) -> None:
    lead = await here.lead()
    await here.says(7, a_confirmation(a_slot()), ReviewSeries("series", 4))
    await here.says(7, DescribeResult("series", "Softer."), now=LATER)
    await here.lead(8)
    await here.says(8, ReviewSeries("series", 1))

    story = await here.database.read(lead_story.read, here.clinic_id, lead)
    assert story is not None
    assert story.reviews == (lead_story.Review(LATER, 4, "Softer."),)
    assert "Softer" not in repr(story)


async def test_what_was_sent_is_listed_with_what_became_of_it(here: Desk) -> None:
    lead = await here.lead()
    await here.writes(7, "Hello?")
    (thread,) = await here.database.read(desk.threads, here.clinic_id)
    await here.database.write(desk.answer, here.clinic_id, here.ann, thread.id, "Hi", LATER)

    story = await here.database.read(lead_story.read, here.clinic_id, lead)
    assert story is not None
    assert [(sent.kind, sent.state) for sent in story.deliveries] == [("reply", "pending")]


async def test_every_look_is_recorded_and_another_clinic_sees_nothing(here: Desk) -> None:
    lead = await here.lead()
    look = lead_story.view
    seen = await here.database.write(look, here.clinic_id, here.bo, lead, LATER)
    foreign = await here.database.write(look, here.other_clinic_id, here.stranger, lead, LATER)

    lines = await here.database.read(audit.entries, here.clinic_id)
    assert [(line.staff, line.what, line.subject_id) for line in lines] == [
        ("Bo", "lead.viewed", str(lead))
    ]
    assert (seen is None, foreign) == (False, None)
    assert await here.database.read(audit.entries, here.other_clinic_id) == []


async def test_a_page_that_stays_open_is_one_look_in_ten_minutes(here: Desk) -> None:
    lead = await here.lead()
    for minutes in (0, 3, 9, 12):
        at = LATER + timedelta(minutes=minutes)
        await here.database.write(lead_story.view, here.clinic_id, here.bo, lead, at)

    lines = await here.database.read(audit.entries, here.clinic_id)
    assert [line.at - LATER for line in lines] == [timedelta(minutes=12), timedelta()]


async def test_a_status_changes_once_from_what_was_seen(here: Desk) -> None:
    lead = await here.lead()
    change = lead_work.set_status
    first = await here.database.write(change, of(here, lead), "new", "accepted")
    second = await here.database.write(change, of(here, lead), "new", "contacted")

    story = await here.database.read(lead_story.read, here.clinic_id, lead)
    assert story is not None
    assert (first, second) == (Change.DONE, Change.OVERTAKEN)
    assert (story.record.status, story.staff, story.record.status_at) == ("accepted", "Ann", LATER)


async def test_a_reason_is_of_the_list_and_for_declining_alone(here: Desk) -> None:
    lead = await here.lead()
    change = lead_work.set_status

    for wanted, why in (("declined", "ugly"), ("accepted", "other"), ("gone", None)):
        with pytest.raises(ValueError, match="cannot be made"):
            await here.database.write(change, of(here, lead), "new", wanted, why)
    done = await here.database.write(change, of(here, lead), "new", "declined", "no_room")
    assert done is Change.DONE


async def test_another_clinics_lead_cannot_be_changed(here: Desk) -> None:
    lead = await here.lead()
    foreign = Whose(here.other_clinic_id, here.stranger, lead, LATER)
    write = here.database.write

    assert await write(lead_work.set_status, foreign, "new", "accepted") is Change.UNKNOWN
    assert await write(lead_work.add_note, foreign, "hello") is Change.UNKNOWN
    finding = await write(lead_work.add_finding, foreign, "agree", "", None)
    assert finding is Change.UNKNOWN


async def test_notes_stand_newest_first_under_their_writers(here: Desk) -> None:
    lead = await here.lead()
    await here.database.write(lead_work.add_note, of(here, lead), " called, no answer ")
    by_bo = Whose(here.clinic_id, here.bo, lead, LATER)
    await here.database.write(lead_work.add_note, by_bo, "called again")

    story = await here.database.read(lead_story.read, here.clinic_id, lead)
    assert story is not None
    assert [(note.staff, note.body) for note in story.notes] == [
        ("Bo", "called again"),
        ("Ann", "called, no answer"),
    ]


async def test_a_finding_is_of_the_verdict_that_was_seen(here: Desk) -> None:
    lead = await here.lead(outcome=Outcome.REVIEW)
    judge = lead_work.add_finding
    done = await here.database.write(judge, of(here, lead), "too_cautious", "old scar", 1)
    await here.lead(outcome=Outcome.REVIEW)
    stale = await here.database.write(judge, of(here, lead), "agree", "", 1)

    story = await here.database.read(lead_story.read, here.clinic_id, lead)
    assert story is not None
    assert (done, stale) == (Change.DONE, Change.OVERTAKEN)
    assert [(each.finding, each.is_current) for each in story.findings] == [("too_cautious", False)]
    assert story.awaits_review


async def test_a_finding_that_disagrees_says_why(here: Desk) -> None:
    lead = await here.lead(outcome=Outcome.REVIEW)

    with pytest.raises(ValueError, match="a finding that disagrees"):
        await here.database.write(lead_work.add_finding, of(here, lead), "missed", " ", 1)
    with pytest.raises(ValueError, match="must be one of agree, too_cautious, missed"):
        await here.database.write(lead_work.add_finding, of(here, lead), "wrong", "x", 1)
