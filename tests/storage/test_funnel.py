"""How far people come, counted by hand: every patient here walks the real questions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import Connection, insert, select, update

from flows import dialogue
from flows.conversation import Stage
from flows.events import (
    Action,
    Answered,
    AskedToStartOver,
    CalendarSeen,
    Chose,
    Edited,
    Event,
    Started,
    Stopped,
    Typed,
    WentBack,
)
from flows.passage import passage
from storage import conversations, documents, funnel, turns
from storage.database import Database
from storage.funnel import Choices, Scope, StepCount
from storage.models import Appointment, Clinic, Decision
from storage.turns import TurnWrites
from tests.flows.chat import CLEAR, a_clinic, a_scene, a_view, protocol

NOW = datetime.fromisoformat("2026-11-23T09:00:00+00:00")
LATER = NOW + timedelta(days=2)
SORE = {"acne_now": "inflamed", "acne_ill": "no", "acne_signs": "none", "acne_medicine": "no"}


class Walk:
    """One patient and their chat with the bot, kept turn by turn in the database."""

    def __init__(self, database: Database, chat_id: int, link: str = "willow") -> None:
        self.database, self.chat_id, self.link, self.at = database, chat_id, link, NOW
        self.state = ""

    async def does(self, *events: Event) -> Walk:
        for event in events:
            await self._turn(event)
        return self

    async def _turn(self, event: Event) -> None:
        scene = replace(
            a_scene(a_clinic("willow"), a_clinic("harbour"), now=self.at),
            token=f"0f3a9c5be1d24786aa{self.chat_id:02d}",
        )
        known = await self.database.read(conversations.load, self.chat_id)
        before = known.conversation if known else None
        turn = dialogue.advance(before, event, scene, chat_id=self.chat_id)
        if turn.look is not None:
            view = replace(a_view(self.at), timetables=())
            seen = dialogue.advance(
                turn.conversation, CalendarSeen(view), scene, chat_id=self.chat_id
            )
            turn = replace(seen, effects=(*turn.effects, *seen.effects))
        after = turn.conversation
        writes = TurnWrites(
            update_id=self.chat_id * 1000 + after.revision,
            chat_id=self.chat_id,
            before_revision=before.revision if before else None,
            conversation=after,
            event_log=("{}",),
            effects=turn.effects,
            now=self.at,
            passage=passage(before, event, after, scene.protocols.get(after.protocol)),
        )
        assert await self.database.write(turns.commit, writes) == turns.Committed()
        self.state = after.state

    async def comes_to(self, place: str, **given: str) -> Walk:
        """Answer from the first question until `place`."""
        if not self.state:
            await self.does(Started(self.link))
        while self.state != place:
            answer = given.get(self.state) or CLEAR[self.state][0]
            asked = self.state
            await self.does(Answered(asked, (answer,)))
            assert self.state != asked
        return self

    async def is_judged(self, **given: str) -> Walk:
        """Answer everything and confirm the list."""
        return await (await self.comes_to(Stage.REVIEW, **given)).does(Chose(Action.CONFIRM))


@pytest.fixture
async def clinic_id(willow: Database) -> int:
    """Return the willow clinic, in a database with two."""
    return await _clinic(willow, "willow")


async def _clinic(database: Database, slug: str) -> int:
    query = Clinic.__table__.select().where(Clinic.slug == slug)
    return await database.read(lambda c: c.execute(query).one().id)


async def counted(
    database: Database, clinic_id: int, now: datetime = LATER, **scope: str
) -> dict[str, StepCount]:
    """Return the questions' counts by question."""
    found = await database.read(funnel.steps, Scope(clinic_id, **scope), now)
    return {each.step: each for each in found}


async def test_a_hand_counted_population(willow: Database, clinic_id: int) -> None:
    await Walk(willow, 1).is_judged()
    await Walk(willow, 2).comes_to("age")
    await (await Walk(willow, 3).comes_to("age")).does(Stopped())
    await (await Walk(willow, 4).comes_to("consent")).does(Answered("consent", ("decline",)))
    await (await Walk(willow, 5).comes_to("scar_type")).does(WentBack(), WentBack())

    steps = await counted(willow, clinic_id)
    stages = await willow.read(funnel.stages, Scope(clinic_id))

    assert steps["consent"] == StepCount("consent", 5, 5, 0, 0, 0)
    assert steps["age"] == StepCount("age", 4, 2, 2, 0, 0)
    assert steps["acne_now"] == StepCount("acne_now", 2, 2, 0, 1, 0)
    assert steps["scar_type"] == StepCount("scar_type", 2, 1, 1, 1, 0)
    assert steps["review"] == StepCount("review", 1, 1, 0, 0, 0)
    assert (stages.started, stages.agreed, stages.verdicts) == (5, 4, {"eligible": 1})


async def test_who_wrote_today_has_not_left(willow: Database, clinic_id: int) -> None:
    await Walk(willow, 1).comes_to("age")

    assert (await counted(willow, clinic_id, NOW + timedelta(hours=23)))["age"].left == 0
    assert (await counted(willow, clinic_id, NOW + timedelta(hours=25)))["age"].left == 1


async def test_a_changed_answer_is_counted_once_as_changed(
    willow: Database, clinic_id: int
) -> None:
    walk = await Walk(willow, 1).comes_to(Stage.REVIEW)
    await walk.does(Edited("timing"), Answered("timing", ("later",)))
    await walk.does(Edited("timing"), Answered("timing", ("month",)))

    assert (await counted(willow, clinic_id))["timing"] == StepCount("timing", 1, 1, 0, 0, 1)


async def test_a_question_that_became_irrelevant_is_not_counted(
    willow: Database, clinic_id: int
) -> None:
    walk = await Walk(willow, 1).comes_to("history")
    await walk.does(Answered("history", ("keloid",)))
    detail = walk.state
    assert (await counted(willow, clinic_id))[detail].left == 1

    await walk.does(Edited("history"), Answered("history", ("none",)))
    assert detail not in await counted(willow, clinic_id)

    await walk.does(Edited("history"), Answered("history", ("keloid",)))
    assert (await counted(willow, clinic_id))[detail].left == 1


async def test_whoever_starts_over_counts_once(willow: Database, clinic_id: int) -> None:
    walk = await Walk(willow, 1).comes_to("area")
    await walk.does(AskedToStartOver(), Chose(Action.START_OVER))
    await walk.comes_to("age")

    steps = await counted(willow, clinic_id)
    assert (steps["consent"].reached, steps["age"].left, "area" in steps) == (1, 1, False)
    assert (await willow.read(funnel.stages, Scope(clinic_id))).started == 1


async def test_a_try_that_had_a_verdict_still_counts_beside_a_new_one(
    willow: Database, clinic_id: int
) -> None:
    walk = await Walk(willow, 1).is_judged(age="18_21")
    await walk.does(AskedToStartOver(), Chose(Action.START_OVER))

    stages = await willow.read(funnel.stages, Scope(clinic_id))
    assert (stages.started, stages.verdicts) == (2, {"review": 1})


async def test_asking_again_later_adds_nobody_and_loses_nobody(
    willow: Database, clinic_id: int
) -> None:
    walk = await Walk(willow, 1).is_judged(**SORE)
    walk.at = NOW + timedelta(days=60)
    await walk.does(Started("willow"))
    assert walk.state == "acne_now"

    steps = await counted(willow, clinic_id, walk.at + timedelta(days=9))
    assert steps["acne_now"] == StepCount("acne_now", 1, 1, 0, 0, 0)
    assert (await willow.read(funnel.stages, Scope(clinic_id))).started == 1


async def test_words_of_an_emergency_are_a_verdict(willow: Database, clinic_id: int) -> None:
    await (await Walk(willow, 1).comes_to("goal")).does(Typed("I want to kill myself"))

    stages = await willow.read(funnel.stages, Scope(clinic_id))
    assert stages.verdicts == {"urgent": 1}


async def test_campaigns_times_and_clinics_are_kept_apart(willow: Database, clinic_id: int) -> None:
    await Walk(willow, 1, "willow-poster").comes_to("age")
    await Walk(willow, 2).comes_to("age")
    await Walk(willow, 3, "harbour").comes_to("age")
    poster = Scope(clinic_id, campaign="poster")
    nobody = Scope(clinic_id, since=NOW + timedelta(seconds=1))
    direct = Scope(clinic_id, campaign=funnel.NO_CAMPAIGN)

    started = [
        (await willow.read(funnel.stages, scope)).started
        for scope in (Scope(clinic_id), poster, direct, nobody)
    ]
    assert started == [2, 1, 1, 0]
    assert await willow.read(funnel.choices, clinic_id, None) == Choices(
        ("poster",), (protocol().key,)
    )
    assert await counted(willow, clinic_id, protocol="other/1/2") == {}


async def test_visits_are_counted_to_the_end_of_the_course(
    willow: Database, clinic_id: int
) -> None:
    await Walk(willow, 1).is_judged()
    sessions = await willow.write(visits, clinic_id)
    found = []
    for done in (0, sessions - 1, sessions):
        number = Appointment.number <= done
        await willow.write(
            lambda c, n=number: (
                c.execute(update(Appointment).where(n).values(state="fulfilled")).rowcount
            )
        )
        stages = await willow.read(funnel.stages, Scope(clinic_id))
        found.append((stages.booked, stages.came, stages.finished))

    assert found == [(1, 0, 0), (1, 1, 0), (1, 1, 1)]


def visits(connection: Connection, clinic_id: int) -> int:
    """Book as many sessions for the first patient as their plan has; return how many."""
    plan = documents.read_plan(connection.execute(select(Decision.plan)).scalar_one() or "")
    for number, on in enumerate(plan.proposed_on, 1):
        at = datetime.combine(on, time(10), UTC)
        until = at + timedelta(hours=1)
        times = {"starts_at": at, "blocks_from": at, "ends_at": until, "blocks_until": until}
        connection.execute(
            insert(Appointment).values(
                uid=f"s-{number}",
                clinic_id=clinic_id,
                practitioner_id=1,
                service="treatment",
                chat_id=1,
                run=1,
                series_id="s",
                number=number,
                state="booked",
                code="AB12",
                sequence=0,
                version=1,
                created_at=NOW,
                updated_at=NOW,
                **times,
            )
        )
    return plan.sessions
