"""What patients answer to nudges is kept, of their own visits only."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, select

from flows.effects import (
    CancelAppointment,
    ConfirmVisit,
    DescribeResult,
    Effect,
    PauseVisit,
    ReviewSeries,
    StopNudges,
)
from flows.follow_up import NudgeKind
from storage import histories, nudge_facts, turns, visit_answers
from storage.database import Database
from storage.models import SeriesReview
from tests.builders import (
    NOW,
    a_confirmation,
    a_conversation,
    a_decision,
    a_slot,
    a_turn,
    four_weekly,
)

ADA, EVE = 7, 8
UID = "series-1"


@pytest.fixture
async def ada(willow: Database) -> Database:
    """Return a database in which Ada has booked a session and Eve has written."""
    await willow.write(turns.commit, a_turn(a_decision(), a_confirmation(a_slot())))
    await willow.write(turns.commit, a_turn(conversation=a_conversation(EVE)))
    return willow


async def says(database: Database, effect: Effect, chat: int = ADA, before: int = 0) -> None:
    turn = a_turn(effect, before=before, conversation=a_conversation(chat))
    assert await database.write(turns.commit, turn) == turns.Committed()


async def visit(database: Database) -> Any:
    history = await database.read(histories.load, ADA, NOW)
    assert history is not None
    return history.visits[0]


async def reviews(database: Database) -> list[tuple[str, int, str | None]]:
    def read(connection: Connection) -> list[tuple[str, int, str | None]]:
        table = SeriesReview
        rows = connection.execute(select(table.series_id, table.rating, table.words))
        return [(row.series_id, row.rating, row.words) for row in rows]

    return await database.read(read)


async def test_a_visit_is_confirmed_and_a_later_worry_takes_that_back(ada: Database) -> None:
    await says(ada, ConfirmVisit(UID))
    assert (await visit(ada)).is_confirmed

    await says(ada, PauseVisit(UID), before=1)

    paused = await visit(ada)
    assert (paused.is_paused, paused.is_confirmed) == (True, False)


async def test_nobody_answers_for_somebody_elses_visit(ada: Database) -> None:
    await says(ada, PauseVisit(UID), chat=EVE)
    await says(ada, ReviewSeries("series", 1), chat=EVE, before=1)
    await says(ada, ReviewSeries("series", 4))
    await says(ada, DescribeResult("series", "Eve's"), chat=EVE, before=2)

    assert not (await visit(ada)).is_paused
    assert await reviews(ada) == [("series", 4, None)]


async def test_kinds_of_messages_are_stopped_one_by_one(ada: Database) -> None:
    await says(ada, StopNudges(NudgeKind.TODAY))
    await says(ada, StopNudges(NudgeKind.REFRESHER), before=1)

    history = await ada.read(histories.load, ADA, NOW)

    assert history is not None
    assert history.stopped_kinds == {NudgeKind.TODAY, NudgeKind.REFRESHER}


async def test_a_later_rating_replaces_an_earlier_one(ada: Database) -> None:
    await says(ada, ReviewSeries("series", 2))
    await says(ada, ReviewSeries("series", 5), before=1)

    assert await reviews(ada) == [("series", 5, None)]


async def test_words_stand_beside_the_rating_and_outlast_another_one(ada: Database) -> None:
    await says(ada, ReviewSeries("series", 2))
    await says(ada, DescribeResult("series", "A little softer."), before=1)
    await says(ada, ReviewSeries("series", 4), before=2)

    assert await reviews(ada) == [("series", 4, "A little softer.")]


async def test_words_without_a_rating_are_nobodys(ada: Database) -> None:
    await says(ada, DescribeResult("series", "A little softer."))

    assert await reviews(ada) == []


async def test_a_stop_is_kept_also_before_the_first_look(ada: Database) -> None:
    await ada.write(visit_answers.take, EVE, StopNudges(NudgeKind.RECHECK), NOW)

    history = await ada.read(histories.load, EVE, NOW)

    assert history is not None
    assert history.stopped_kinds == {NudgeKind.RECHECK}


async def test_a_nudge_about_a_visit_knows_the_visit(ada: Database) -> None:
    facts = await ada.read(nudge_facts.load, ADA, UID, f"{UID}:0")

    assert facts is not None
    assert facts.session is not None
    assert (facts.ref, facts.practitioner, facts.session.number) == (UID, "Amara Osei", 1)
    assert await ada.read(nudge_facts.load, EVE, UID, f"{UID}:0") is None


async def test_a_nudge_about_a_course_knows_how_far_it_is(ada: Database) -> None:
    facts = await ada.read(nudge_facts.load, ADA, "", "series:series:2")

    assert facts is not None
    assert (facts.ref, facts.number, facts.sessions) == ("series", 2, 1)


async def test_a_visit_that_was_cancelled_does_not_count(willow: Database) -> None:
    course = a_confirmation(*four_weekly(a_slot(), 3))
    await willow.write(turns.commit, a_turn(a_decision(), course))
    await says(willow, CancelAppointment(course.sessions[1].uid))

    facts = await willow.read(nudge_facts.load, ADA, "", "series:series:4")

    assert facts is not None
    assert (facts.number, facts.sessions) == (3, 2)


@pytest.mark.parametrize("chat", [ADA, 99])
async def test_without_a_clinic_there_is_nothing_to_say(ada: Database, chat: int) -> None:
    if chat == ADA:
        elsewhere = a_conversation(ADA, clinic="gone")
        await ada.write(turns.commit, a_turn(before=0, conversation=elsewhere))

    assert await ada.read(nudge_facts.load, chat, "", "run:1") is None
