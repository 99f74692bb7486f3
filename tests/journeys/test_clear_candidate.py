"""The main job: from /start to every session of the plan in the clinic's calendar."""

from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import icalendar

from flows.conversation import Stage
from storage import calendar_store, leads
from tests.journeys.world import World

LONDON = ZoneInfo("Europe/London")


async def test_a_clear_candidate_books_a_series_in_at_most_fourteen_taps(here: World, record):
    guide = await here.meets("Maya")
    start = guide.patient.tap_count

    assert await guide.answers() == Stage.REVIEW
    assert await guide.taps("All correct") == Stage.PLAN
    assert await guide.taps("Book all 4") == Stage.CONTACT
    assert await guide.taps("Here in Telegram") == Stage.BOOKED

    taps = guide.patient.tap_count - start
    record(f"clear candidate: {taps} taps from /start to booked, nothing typed")
    assert taps <= 14
    assert guide.patient.typed_count == 0


async def test_the_clinics_calendar_holds_every_session_at_the_right_spacing(here: World):
    guide = await here.meets("Maya")
    await guide.answers()
    for label in ("All correct", "Book all 4", "Here in Telegram"):
        await guide.taps(label)

    now = here.clock.now()
    rows = await here.database.read(calendar_store.agenda, "willow", now, now + timedelta(days=300))
    days = [row.starts_at.astimezone(LONDON).date() for row in rows]
    gaps = {(later - earlier).days for earlier, later in pairwise(days)}

    assert [row.state for row in rows] == ["booked"] * 4
    assert len({row.practitioner for row in rows}) == 1
    assert all(28 <= gap <= 42 for gap in gaps)


async def test_the_confirmation_tells_all_and_brings_a_calendar_file(here: World):
    guide = await here.meets("Maya")
    await guide.answers()
    for label in ("All correct", "Book all 4", "Here in Telegram"):
        await guide.taps(label)
    booking = (await guide.conversation()).booking

    said = await guide.patient.sees("You are booked")
    for words in ("Willow Skin Clinic", "What:", "Who:", "Where:", "When", booking.code):
        assert words in said.text
    copied = [b.raw["copy_text"]["text"] for b in said.buttons if "copy_text" in b.raw]
    assert copied == [booking.code]

    file = await guide.patient.downloads(await guide.patient.sees_document())
    events = icalendar.Calendar.from_ical(file).walk("VEVENT")
    assert [str(event["UID"]) for event in events] == [s.uid for s in booking.sessions]
    assert "acne" not in file.decode().lower()


async def test_a_booked_patient_is_a_lead_with_score_and_times_but_no_answers(here: World):
    guide = await here.meets("Maya")
    await guide.answers()
    for label in ("All correct", "Book all 4", "Here in Telegram"):
        await guide.taps(label)

    (lead,) = await here.database.read(leads.all_leads)

    assert (lead.kind, lead.verdict, lead.score) == ("booked", "eligible", 100)
    assert len(lead.booked) == 4
    assert lead.code == (await guide.conversation()).booking.code


async def test_the_plan_comes_with_a_picture(here: World):
    guide = await here.meets("Maya")
    await guide.answers()
    await guide.taps("All correct")

    picture = await guide.patient.downloads(await guide.patient.sees_photo())

    assert picture.startswith(b"\x89PNG")


async def test_answered_questions_become_one_line(here: World):
    guide = await here.meets("Maya")
    await guide.answers()

    await guide.patient.still_sees("Acne now: No spots now")
    with_buttons = [said for said in guide.patient.said if said.from_bot and said.buttons]

    assert len(with_buttons) == 1
