"""A missed visit: the later ones come nearer where they must, and the course still ends."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from flows.conversation import Stage
from storage import time_off
from storage.clerks import Clerk
from storage.time_off import TimeOff
from tests.journeys.year import Year, booked, ends_the_course


async def gaps(year: Year, chat: int) -> list[int]:
    """Return how many days are between the visits that treat."""
    gone = ("noshow", "cancelled")
    days = [at.date() for _, at, state, _ in await year.visits(chat) if state not in gone]
    return [(after - before).days for before, after in pairwise(days)]


async def test_a_missed_visit_brings_the_later_ones_nearer_and_is_made_up_for(year: Year) -> None:
    maya = await booked(year.here)
    chat = maya.patient.chat_id
    await year.keeps(chat, 1)
    first_at, third_at = await year.at(chat, 1), await year.at(chat, 3)
    before = {seen.uid: at for seen, at, _, _ in await year.visits(chat)}

    # On the one day that would close the gap by one move the practitioner is away.
    widest_at = first_at + timedelta(days=42)
    for name in ("amara", "rowan"):
        hours = widest_at.replace(hour=0), widest_at.replace(hour=23)
        clerk, off = Clerk(1, year.clerk_id, year.here.clock.now()), TimeOff(name, name, *hours)
        await year.here.database.write(time_off.block, clerk, off)
    await year.misses(chat, 2)
    assert await gaps(year, chat) == [56, 28]

    assert await maya.taps("Find a new time") == Stage.MEND
    await maya.patient.sees("Your visits are now further apart than is best")
    revision = (await maya.conversation()).revision
    assert await maya.taps("Move both") == Stage.BOOKED
    after = {seen.uid: at for seen, at, _, _ in await year.visits(chat)}
    assert (await maya.conversation()).revision == revision + 1
    assert [uid for uid, at in after.items() if at != before[uid]] == list(before)[2:]
    assert await year.at(chat, 3) < third_at

    screen = await maya.patient.sees("One more visit has no time yet")
    assert ": missed" in screen.text
    await maya.follows("Book the rest", "Book: ", "Here in Telegram")
    assert all(28 <= gap <= 42 for gap in await gaps(year, chat))
    assert len(await gaps(year, chat)) == 3

    said = await ends_the_course(year, chat)
    assert (said.count("series_review"), said.count("refresher")) == (1, 1)
    assert (await year.kinds()).count("missed") == 1
    assert "next_session" not in await year.kinds()


async def test_when_the_last_visit_is_missed_it_is_made_up_for_and_the_course_ends(
    year: Year,
) -> None:
    maya = await booked(year.here)
    chat = maya.patient.chat_id
    for number in (1, 2, 3):
        await year.keeps(chat, number)

    await year.misses(chat, 4)

    assert (await year.kinds())[-1] == "missed"
    assert "next_session" not in await year.kinds()
    await maya.says("/my")
    shown = await maya.patient.sees("One more visit has no time yet")
    assert ("Your visits are done" in shown.text, "✓ 4." in shown.text) == (False, False)
    assert "Book the rest" in shown.labels
    await maya.taps("Find a new time")
    await maya.follows("Book: ", "Here in Telegram")

    said = await ends_the_course(year, chat)
    assert (said.count("series_review"), said.count("refresher")) == (1, 1)
    assert {"missed", "next_session"}.isdisjoint(said)


async def test_a_missed_visit_that_nobody_spoke_of_again_is_the_next_one(year: Year) -> None:
    maya = await booked(year.here)
    chat = maya.patient.chat_id
    await year.keeps(chat, 1)
    await year.misses(chat, 2)
    for number in (3, 4):
        await year.keeps(chat, number)

    await year.passes(year.here.clock.now() + timedelta(days=22))
    await maya.patient.sees("Visit 5 has no date yet")
    assert await maya.taps("Show me times") == Stage.PLAN
    await maya.follows("Book: ", "Here in Telegram")

    said = await ends_the_course(year, chat)
    assert (said.count("series_review"), said.count("refresher")) == (1, 1)
