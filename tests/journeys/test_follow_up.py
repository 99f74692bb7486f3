"""A year with a patient: reminders, after-care, what was missed, and the look a year later."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from bot.listening import bind, listening
from clinic.console import sessions
from clinic.console.app import create_console
from clinic.settings import ConsoleSettings
from flows.conversation import Overlay, Stage
from flows.events import Media
from storage import console_sessions
from tests.clinic.console.world import Browser, QuietTelegram
from tests.flows.chat import CLEAR
from tests.journeys.guide import Guide
from tests.journeys.year import Year, booked, ends_the_course


async def moves_the_second_when_reminded(year: Year, maya: Guide) -> None:
    chat = maya.patient.chat_id
    second_at = await year.at(chat, 2)
    await year.passes(second_at - timedelta(days=2) + timedelta(minutes=1))
    await maya.patient.sees("Is anything new since we last spoke?")
    await maya.taps("I need another time")
    days = (await maya.patient.sees("Which day suits you better?")).labels
    await maya.taps(days[0])
    times = (await maya.patient.sees("Which time suits you?")).labels
    await maya.taps(times[0])
    assert await year.at(chat, 2) != second_at
    await year.keeps(chat, 2)


async def test_a_course_of_four_with_a_move_a_miss_and_a_cancellation(year: Year) -> None:
    maya = await booked(year.here)
    chat = maya.patient.chat_id
    await year.keeps(chat, 1)

    await moves_the_second_when_reminded(year, maya)

    # The third is missed, and the clinic cancels the fourth.
    third_at = await year.at(chat, 3)
    await year.passes(third_at + timedelta(hours=2))
    await year.marks(chat, 3, "mark_noshow")
    await year.marks(chat, 4, "cancel")
    await year.passes(third_at + timedelta(days=1, hours=3))
    await maya.patient.sees("We missed you")
    assert await maya.taps("Find a new time") == Stage.PLAN
    await maya.follows("Book both", "Here in Telegram")

    # What was left is done, and a year later there is one offer.
    now = year.here.clock.now()
    expected = [v for v in await year.visits(chat) if v[1] > now and v[2] == "booked"]
    fourth, fifth = expected
    assert (fourth[3], fifth[3]) == (3, 4)
    for visit in (fourth, fifth):
        await year.keeps_at(visit)
    await year.passes(fifth[1] + timedelta(days=372))

    said = await year.said()
    kinds = [line.split()[0] for line in said]
    assert {kind: kinds.count(kind) for kind in ("missed", "series_review", "refresher")} == {
        "missed": 1,
        "series_review": 1,
        "refresher": 1,
    }
    assert all("08:00" <= line[-5:] < "21:00" for line in said)


async def test_no_to_the_yearly_look_closes_it_for_staff_too(year: Year, tmp_path: Path) -> None:
    maya = await booked(year.here)
    await ends_the_course(year, maya.patient.chat_id)

    async with at_the_console(year, tmp_path) as robin:
        before = (await robin.get("/recall")).text
        await maya.taps("No, thank you")
        await year.passes(year.here.clock.now() + timedelta(minutes=1))
        after = (await robin.get("/recall")).text

    assert ("Maya" in before, "Maya" in after) == (True, False)


async def test_a_year_after_the_last_visit_there_is_one_offer_booked_in_two_taps(
    year: Year,
) -> None:
    maya = await booked(year.here)
    chat = maya.patient.chat_id
    for visit in await year.visits(chat):
        await year.keeps_at(visit)
    last_at = max(at for _, at, _, _ in await year.visits(chat))

    await year.passes(last_at + timedelta(days=372))

    said = [line.split()[0] for line in await year.said()]
    assert (said.count("series_review"), said.count("refresher")) == (1, 1)
    await maya.taps("Yes, let's see")
    asked = []
    while (state := (await maya.conversation()).state) in CLEAR:
        asked.append(state)
        await maya.gives(year.here.protocol.step(state), CLEAR[state])
    await maya.taps("All correct")
    assert asked == ["acne_now", "today", "history"]
    await maya.follows("Book: ", "Here in Telegram")
    assert (await maya.conversation()).state == Stage.BOOKED
    assert len(await year.visits(chat)) == 5


@asynccontextmanager
async def at_the_console(year: Year, folder: Path) -> AsyncIterator[Browser]:
    """Run the console on the journey's database, with Robin signed in."""
    database, now, token = year.here.database, year.here.clock.now, "t" * 43
    settings = ConsoleSettings(_env_file=None, data_dir=folder)
    app = create_console(database, now, QuietTelegram(), settings)
    await database.write(console_sessions.start, year.clerk_id, token, now(), is_verified=True)
    async with listening(app, bind("127.0.0.1", 0)) as address, Browser(address) as browser:
        browser.cookies[sessions.COOKIE] = token
        yield browser


async def test_twelve_weeks_later_staff_read_how_the_result_is_seen(
    year: Year, tmp_path: Path
) -> None:
    maya = await booked(year.here)
    for visit in await year.visits(maya.patient.chat_id):
        await year.keeps_at(visit)
    await year.passes(year.here.clock.now() + timedelta(days=85))

    await maya.taps("2")
    await maya.patient.sees("How do you see the result")
    await maya.follows("Send a photo", "Yes, I agree")
    await maya.sends(Media.PHOTO)
    await maya.taps("I am done")
    assert (await maya.conversation()).overlay is Overlay.RESULT
    assert await maya.says("Softer, but <b>less</b> than I had hoped.") == Stage.BOOKED
    await maya.patient.sees("Thank you for telling us")
    await year.passes(year.here.clock.now())

    async with at_the_console(year, tmp_path) as robin:
        recall, lead = (await robin.get("/recall")).text, (await robin.get("/leads/1")).text
    assert ("Maya" in recall, "Rated the result 1 or 2 of 5" in recall) == (True, True)
    assert '#result">Maya</a>' in recall
    assert "<strong>2 of 5</strong>" in lead
    assert "Softer, but &lt;b&gt;less&lt;/b&gt; than I had hoped." in lead
    assert 'alt="Photo 1, sent' in lead


async def test_a_yes_to_the_reminder_cancels_nothing_that_was_left_open(year: Year) -> None:
    maya = await booked(year.here)
    chat = maya.patient.chat_id
    await year.keeps(chat, 1)
    await maya.says("cancel")
    await maya.taps((await maya.patient.sees("Which visit would you like to cancel?")).labels[0])
    await year.passes(await year.at(chat, 2) - timedelta(days=1))
    await maya.patient.sees("Is anything new since we last spoke?")

    assert await maya.says("Yes") == Stage.CANCEL

    await maya.patient.sees("I am not sure which message you mean")
    assert [state for _, _, state, _ in await year.visits(chat)] == ["fulfilled", *["booked"] * 3]

    await maya.says("Yes")
    assert sorted(state for _, _, state, _ in await year.visits(chat)) == [
        *["booked"] * 2,
        "cancelled",
        "fulfilled",
    ]


async def test_who_had_to_wait_is_asked_on_the_day_and_books(year: Year) -> None:
    zoe = await year.here.meets("Zoe")
    given = {"acne_ill": "no", "acne_signs": "none", "acne_medicine": "no"}
    await zoe.answers(acne_now="inflamed", **given)
    await zoe.taps("All correct")
    assert (await zoe.conversation()).state == Stage.DEFERRED

    await year.passes(year.here.clock.now() + timedelta(days=60))

    assert [line.split()[0] for line in await year.said()] == ["recheck"]
    assert await zoe.taps("Start") == "acne_now"
    await zoe.answers(acne_now="clear")
    assert await zoe.taps("All correct") == Stage.PLAN
    await zoe.follows("Book all 4", "Here in Telegram")

    assert (await zoe.conversation()).state == Stage.BOOKED
    states = [state for *_, state, _ in await year.visits(zoe.patient.chat_id)]
    assert states == ["booked"] * 4


async def test_something_that_changed_rings_again_and_waits_until_somebody_has_looked(
    year: Year,
) -> None:
    noor = await year.invites("Noor")
    maya = await booked(year.here)
    chat = maya.patient.chat_id
    await maya.says("person")
    await year.sends()
    await noor.sees("Somebody would like to talk to a person")
    await year.keeps(chat, 1)
    second_at = await year.at(chat, 2)
    await year.passes(second_at - timedelta(days=2) + timedelta(minutes=1))
    await maya.patient.sees("Is anything new since we last spoke?")

    await maya.taps("Something has changed")
    await maya.says("I am pregnant")
    await year.sends()

    card = await noor.sees("Something has changed before a visit")
    assert "pregnant" not in card.text
    assert "would like to talk to a person" in card.text
    assert sum("Something has changed" in said.text for said in noor.said) == 1
    await year.passes(second_at - timedelta(hours=20))
    assert (await year.said())[-1].startswith("reminder")
    await year.marks(chat, 2, "go_ahead")
    await year.passes(second_at - timedelta(hours=19))
    assert (await year.said())[-1].startswith("prepare_day")
