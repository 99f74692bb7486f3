"""A patient takes one visit back: the later ones come nearer, and it is made up for."""

from __future__ import annotations

from flows.conversation import Stage
from tests.journeys.test_missed_visits import gaps
from tests.journeys.year import Year, booked, ends_the_course


async def test_cancelling_a_visit_in_the_middle_offers_the_repair_that_it_needs(year: Year) -> None:
    maya = await booked(year.here)
    chat = maya.patient.chat_id
    await year.keeps(chat, 1)
    await maya.says("/my")
    await maya.taps("Cancel")
    ones = (await maya.patient.sees("Which visit would you like to cancel?")).labels
    await maya.taps(ones[0])

    assert await maya.taps("Yes, cancel it") == Stage.MEND

    assert await gaps(year, chat) == [56, 28]
    await maya.patient.sees("Your visits are now further apart than is best")
    assert await maya.taps("Yes, move it") == Stage.BOOKED
    assert all(28 <= gap <= 42 for gap in await gaps(year, chat))
    await maya.follows("Book the rest", "Book: ", "Here in Telegram")
    assert [state for *_, state, _ in await year.visits(chat)].count("cancelled") == 1
    assert all(28 <= gap <= 42 for gap in await gaps(year, chat))
    said = await ends_the_course(year, chat)
    assert (said.count("series_review"), said.count("refresher")) == (1, 1)
