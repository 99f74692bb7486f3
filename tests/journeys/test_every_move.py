"""Every question and every move of the diagram, made through the real bot at least once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

import pytest

from flows.clinics import BookingMode
from flows.conversation import Stage
from flows.graph import Walk, witnesses
from flows.machine import edges, states
from flows.wording import values_of
from tests.flows.chat import catalogues, protocol
from tests.journeys.guide import Guide, Tour
from tests.journeys.world import World

AT_ONCE = 12  # patients who chat side by side
FILLED = dict.fromkeys(values_of(None), "")


def fewest(walks: Mapping[object, Walk]) -> list[Walk]:
    """Return walks that make every move between them: longest first, without repetition."""
    chosen: list[Walk] = []
    made: set[tuple[str, tuple[str, ...]]] = set()
    for walk in sorted(walks.values(), key=len, reverse=True):
        steps = {(walk[n][0], walk[: n + 1]) for n in range(len(walk))}
        if not steps <= made:
            chosen.append(walk)
            made |= steps
    return chosen


async def side_by_side(tasks: Iterable[Callable[[], Awaitable[None]]]) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(task: Callable[[], Awaitable[None]]) -> None:
        async with gate:
            await task()

    await asyncio.gather(*(one(task) for task in tasks))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_move_between_questions_is_made_with_buttons(here: World):
    async def walk_it(walk: Walk) -> None:
        guide = await here.meets("Walker")
        await guide.walks(walk)

    await side_by_side([lambda walk=walk: walk_it(walk) for walk in fewest(witnesses(protocol()))])

    missing = [edge for edge in witnesses(protocol()) if not here.tour.covers(edge)]
    assert missing == []


async def to(guide: Guide, stage: Stage, **given: str) -> Guide:
    await guide.answers(**given)
    if stage is not Stage.REVIEW:
        assert await guide.taps("All correct") == stage
    return guide


async def test_every_move_between_the_booking_screens_is_made(here: World):
    async def series() -> None:
        guide = await to(await here.meets("Series"), Stage.PLAN)
        await guide.follows("Other times", "‹ Back", "Other times", "free)", "‹ Back", "free)", ":")
        await guide.follows("Book all", "‹ Back", "Only the first", "‹ Back", "Book all", "Here in")
        await guide.follows("Move a visit", "‹ Back", "Move a visit", "4.", "‹ Back")
        await guide.follows("Move a visit", "4.", "free)", ":")
        await guide.follows("Move a visit", "2.", "Later ›", "free)", ":")
        await guide.follows("Choose another day", "free)", ":", "Move ")
        await guide.follows("Cancel", "2.", "Yes, cancel it", "Leave them")
        await guide.follows("Cancel", "‹ Back", "Cancel", "Cancel all", "Yes, cancel all", "‹ Back")

    async def consultation() -> None:
        guide = await to(await here.meets("Consult"), Stage.CONSULT, age="18_21")
        await guide.follows("‹ Back", "All correct", "Other times", "‹ Back", "Book:", "‹ Back")
        await guide.follows("Other times", "free)", ":", "Here in", "Move the time", "free)", ":")
        await guide.follows("Cancel", "Yes, cancel it")

    async def not_now() -> None:
        deferred = await to(await here.meets("Later"), Stage.DEFERRED, today="sun", sun="burn")
        await deferred.follows("Change an answer")
        declined = await here.meets("No")
        await declined.answers(age="under_18")
        await declined.follows("Change an answer")
        refused = await here.meets("Refuses")
        await refused.follows("No, thank you", "Go back")
        stopper = await here.meets("Stopper")
        assert await stopper.says("/stop") == Stage.STOPPED
        chooser = await here.meets("Chooser", payload="")
        await chooser.follows("Harbour")

    for part in (
        series,
        consultation,
        not_now,
    ):  # in turn: side by side they take each other's times
        await part()


async def test_an_instant_clinic_books_without_a_hold(here: World):
    await here.books(BookingMode.INSTANT)
    series = await to(await here.meets("Instant"), Stage.PLAN)
    assert await series.taps("Book all") == Stage.BOOKED

    visit = await to(await here.meets("Instant"), Stage.CONSULT, age="18_21")
    assert await visit.taps("Book:") == Stage.BOOKED

    picked = await to(await here.meets("Instant"), Stage.CONSULT, age="18_21")
    await picked.follows("Other times", "free)", ":")
    assert (await picked.conversation()).state == Stage.BOOKED


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_question_says_why_and_every_known_question_is_answered(here: World):
    words = catalogues()["en"]

    async def asks_why(walk: Walk) -> None:
        guide = await here.meets("Why")
        for step_id, codes in walk:
            await guide.taps("Why?")
            await guide.patient.sees(words.text(f"step.{step_id}.why")[:25])
            await guide.gives(protocol().step(step_id), codes)

    async def asks(faq: str) -> None:
        guide = await here.meets("Curious")
        assert await guide.says(words.text(f"faq.{faq}.title")) == "consent"
        await guide.patient.sees(words.text(f"faq.{faq}.answer", **FILLED)[:12])

    by_step = {walk[-1][0]: walk for walk in witnesses(protocol()).values()}
    assert set(by_step) == {step.id for step in protocol().steps}
    await side_by_side(
        [
            *(lambda walk=walk: asks_why(walk) for walk in fewest(by_step)),
            *(lambda faq=faq: asks(faq) for faq in protocol().faqs),
        ]
    )


async def test_a_hold_that_ran_out_and_was_taken_leads_back(here: World):
    for stage, given, book in (
        (Stage.PLAN, {}, "Book all"),
        (Stage.CONSULT, {"age": "18_21"}, "Book:"),
    ):
        slow = await to(await here.meets("Slow"), stage, **given)
        await slow.taps(book)
        here.moves_clock(minutes=11)
        fast = await to(await here.meets("Fast"), stage, **given)
        await fast.follows(book, "Here in")

        assert await slow.taps("Here in") == stage


def test_the_journeys_visit_every_state_and_make_every_move(tour: Tour):
    """Stands last in this file: it judges what the journeys above have done."""
    seen = tour.states | {Stage.CHOOSE_CLINIC.value}

    assert sorted(set(states(protocol())) - seen) == []
    assert [edge for edge in edges(protocol()) if not tour.covers(edge)] == []
