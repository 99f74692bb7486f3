"""*Calendar*: weeks and days by the clinic's clock, one visit, time off, and what disagrees."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from flows.effects import PauseVisit
from storage import calendar_accounts, courses, time_off, turns, visit_answers
from storage.clerks import Clerk
from storage.models import Appointment, Outbox
from storage.time_off import TimeOff
from tests.builders import a_conversation, a_decision, a_hold, a_slot, a_turn, four_weekly
from tests.clinic.console import routes
from tests.clinic.console.world import Browser, ConsoleWorld


def entry(page: str, name: str) -> str:
    """Return the entry of the calendar that a name stands in."""
    found = [one for one in re.findall(r'<li class="entry.*?</li>', page, re.S) if name in one]
    assert len(found) == 1, f"{len(found)} entries with {name}"
    return found[0]


async def messages(world: ConsoleWorld) -> list[str]:
    query = select(Outbox.payload).where(Outbox.kind == "confirmation").order_by(Outbox.id)
    return list(await world.database.read(lambda c: c.execute(query).scalars().all()))


async def state(world: ConsoleWorld, uid: str) -> str:
    query = select(Appointment.state).where(Appointment.uid == uid)
    return await world.database.read(lambda c: str(c.execute(query).scalar_one()))


async def test_a_week_shows_one_practitioner_s_visits_at_their_hours(
    world: ConsoleWorld, member: Browser
) -> None:
    at = world.clock().replace(hour=14, minute=0)
    await world.books(*four_weekly(a_slot(at), 3), name="Maya")
    await world.books(a_slot(at, practitioner="rowan"), name="Kofi")

    page = (await member.get("/calendar")).text

    assert "h14 m0 u15 v0" in entry(page, "Maya")
    assert "1 of 3" in entry(page, "Maya")
    assert "Kofi" not in page
    assert "Kofi" in (await member.get("/calendar?who=rowan")).text


async def test_a_day_shows_everybody(world: ConsoleWorld, member: Browser) -> None:
    at = world.clock().replace(hour=14, minute=0)
    await world.books(a_slot(at), name="Maya")
    await world.books(a_slot(at, practitioner="rowan"), name="Kofi")

    page = (await member.get("/calendar?view=day")).text

    assert page.index("Amara Osei</a>") < page.index("Maya") < page.index("Rowan Pell</a>")
    assert page.index("Rowan Pell</a>") < page.index("Kofi")


@pytest.mark.parametrize("on", ["2027-03-28", "2027-10-31"])
async def test_hours_are_the_wall_clock_s_when_the_clocks_change(
    world: ConsoleWorld, on: str
) -> None:
    world.clock.at = datetime.fromisoformat("2027-03-01T10:00:00+00:00")
    member = await world.signed_in_client("staff")
    noon = datetime.fromisoformat(f"{on}T12:00:00+00:00")
    owner = world.people["willow", "owner"]
    clerk = Clerk(owner.clinic_id, owner.id, world.clock())
    summer = on == "2027-03-28"  # London is an hour ahead from that morning on
    off = TimeOff("off", "amara", noon, noon + timedelta(hours=1))
    await world.database.write(time_off.block, clerk, off)

    page = (await member.get(f"/calendar?view=day&on={on}")).text

    assert ("h13 m0 u14 v0" if summer else "h12 m0 u13 v0") in entry(page, "Time off")


async def test_a_hold_shows_its_end_and_a_request_its_badge(
    world: ConsoleWorld, member: Browser
) -> None:
    at = world.clock().replace(hour=15, minute=0)
    until = world.clock() + timedelta(minutes=8)
    chat = a_conversation(999, first_name="Lea")
    held = a_turn(a_decision(), a_hold(a_slot(at), series="h", until=until), conversation=chat)
    await world.database.write(turns.commit, held)
    await world.books(a_slot(at + timedelta(days=3)), name="Priya", pending=True)

    page = (await member.get("/calendar")).text

    assert "Held until 10:28" in entry(page, "Lea")
    assert "To confirm" in entry(page, "Priya")


async def something_changed(world: ConsoleWorld, at: datetime) -> str:
    """Let Maya book this time and say later that something has changed; return the visit's UID."""
    uid = await world.books(a_slot(at), name="Maya")
    chat_id = await world.database.read(
        lambda c: c.execute(select(Appointment.chat_id).where(Appointment.uid == uid)).scalar_one()
    )
    await world.database.write(visit_answers.take, chat_id, PauseVisit(uid), world.clock())
    return uid


@pytest.mark.parametrize("role", ["owner", "staff"])
async def test_a_visit_before_which_something_changed_is_seen_until_somebody_has_looked(
    world: ConsoleWorld, role: str
) -> None:
    somebody = await world.signed_in_client(role)
    uid = await something_changed(world, world.clock().replace(hour=15, minute=0))
    own, badge = f"/calendar/visits/{uid}", "Something has changed</span>"
    places = ("/today", "/calendar", own, "/leads/1")
    assert [path for path in places if badge not in (await somebody.get(path)).text] == []
    assert "paused: something has changed" in (await somebody.get("/leads/1")).text

    looked = await somebody.post(f"{own}/go-ahead", {"seen": f"{uid}:2"})
    page = (await somebody.follows(looked)).text

    assert "Maya is looked at" in page
    assert "They are told in Telegram" not in page
    assert [path for path in places if badge in (await somebody.get(path)).text] == []
    assert await messages(world) == []


async def test_nobody_lets_a_visit_go_ahead_that_they_have_not_seen_as_it_is(
    world: ConsoleWorld, member: Browser
) -> None:
    uid = await something_changed(world, world.clock().replace(hour=15, minute=0))
    own = f"/calendar/visits/{uid}"

    late = await member.follows(await member.post(f"{own}/go-ahead", {"seen": f"{uid}:1"}))
    await member.post(f"{own}/go-ahead", {"seen": f"{uid}:2"})
    twice = await member.follows(await member.post(f"{own}/go-ahead", {"seen": f"{uid}:3"}))

    assert "Somebody else changed this" in late.text
    assert "Nothing has changed that waits for a look." in twice.text


async def test_opening_hours_buffers_and_the_minute_are_drawn(
    world: ConsoleWorld, member: Browser
) -> None:
    await world.books(a_slot(world.clock().replace(hour=15, minute=0)), name="Maya")

    page = (await member.get("/calendar")).text

    assert '<i class="open h9 m0 u13 v0"' in page
    assert '<i class="buffer h16 m0 u16 v15"' in page
    assert '<i class="minute h10 m20' in page
    assert "09:00–13:00, 14:00–17:30" in page


async def test_neighbouring_weeks_and_days_are_links_away(member: Browser) -> None:
    week = (await member.get("/calendar?on=2026-11-26")).text
    day = (await member.get("/calendar?view=day&on=2026-11-26")).text

    assert "23 Nov – 29 Nov 2026" in week
    assert "on=2026-11-16" in week
    assert "on=2026-11-30" in week
    assert "on=2026-11-25" in day
    assert "on=2026-11-27" in day


@pytest.mark.parametrize("query", ["on=x", "on=9999-12-31", "view=year", "who=nobody", "on=&who="])
async def test_what_makes_no_sense_is_this_week(member: Browser, query: str) -> None:
    assert "23 Nov – 29 Nov 2026" in (await member.get(f"/calendar?{query}")).text


async def test_a_visit_shows_the_others_of_its_series(world: ConsoleWorld, member: Browser) -> None:
    uid = await world.books(*four_weekly(a_slot(world.clock() + timedelta(days=1)), 3))

    page = (await member.get(f"/calendar/visits/{uid}")).text

    assert page.count("28 days") == 2
    assert "Cancel this and the 2 after it" in page


async def test_the_rest_of_a_series_is_cancelled_with_one_message(
    world: ConsoleWorld, member: Browser
) -> None:
    uid = await world.books(*four_weekly(a_slot(world.clock() + timedelta(days=1)), 3), name="Maya")
    second = uid.replace("-1", "-2")
    seen = f"{second}:1 {uid.replace('-1', '-3')}:1"

    answer = await member.post(f"/calendar/visits/{second}/cancel-rest", {"seen": seen})

    assert "The visits of Maya are cancelled. They are told" in (await member.follows(answer)).text
    assert [await state(world, uid.replace("-1", f"-{n}")) for n in (1, 2, 3)] == [
        "booked",
        "cancelled",
        "cancelled",
    ]
    assert await messages(world) == ['{"text": "message.cancelled_all"}']


@pytest.mark.parametrize(
    ("step", "after"), [("confirm", "booked"), ("decline", "cancelled"), ("cancel", "cancelled")]
)
async def test_a_request_is_answered(
    world: ConsoleWorld, member: Browser, step: str, after: str
) -> None:
    uid = await world.books(a_slot(world.clock() + timedelta(days=1)), pending=True)

    await member.post(f"/calendar/visits/{uid}/{step}", {"seen": f"{uid}:1"})

    assert await state(world, uid) == after
    assert len(await messages(world)) == 1


async def test_requests_of_a_series_are_confirmed_together(
    world: ConsoleWorld, member: Browser
) -> None:
    uid = await world.books(
        *four_weekly(a_slot(world.clock() + timedelta(days=1)), 2), pending=True
    )
    page = (await member.get(f"/calendar/visits/{uid}")).text
    (seen,) = re.findall(r'confirm-all.*?name="seen" value="([^"]+)"', page, re.S)

    await member.post(f"/calendar/visits/{uid}/confirm-all", {"seen": seen})

    assert await messages(world) == ['{"text": "message.confirmed_all"}']


@pytest.mark.parametrize("seen", ["{uid}:7", "other-1:1", "{uid}:x", "{uid}:²", ""])
async def test_who_acts_on_something_else_than_what_stands_is_told(
    world: ConsoleWorld, member: Browser, seen: str
) -> None:
    uid = await world.books(a_slot(world.clock() + timedelta(days=1)))

    answer = await member.post(f"/calendar/visits/{uid}/cancel", {"seen": seen.format(uid=uid)})

    assert "Somebody else changed this" in (await member.follows(answer)).text
    assert await state(world, uid) == "booked"


async def test_what_has_begun_is_not_cancelled(world: ConsoleWorld, member: Browser) -> None:
    uid = await world.books(a_slot(world.clock() - timedelta(minutes=30)))

    answer = await member.post(f"/calendar/visits/{uid}/cancel", {"seen": f"{uid}:1"})

    assert "A visit that has begun cannot be cancelled" in (await member.follows(answer)).text


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"span": "afternoon"}, "h12 m0 u21 v0"),
        ({"span": "morning"}, "h8 m0 u12 v0"),
        ({"span": "hours", "starts": "15:00", "ends": "16:30"}, "h15 m0 u16 v30"),
        ({"span": "days"}, "h8 m0 u21 v0"),
    ],
)
async def test_time_is_kept_free_and_given_back(
    world: ConsoleWorld, member: Browser, fields: dict[str, str], place: str
) -> None:
    asked = {"who": "amara", "on": "2026-11-27", **fields}

    page = (await member.follows(await member.post("/calendar/off", asked))).text
    assert "Amara Osei: time off is noted." in page
    assert place in entry(page, "Time off")
    (uid,) = re.findall(r"data-notice.*?/calendar/off/(\w+)/remove", page, re.S)

    back = await member.follows(await member.post(f"/calendar/off/{uid}/remove", {"version": "1"}))
    assert "The time is free again." in back.text
    assert "<strong>Time off</strong>" not in back.text


async def test_everybody_is_off_on_several_days(world: ConsoleWorld, member: Browser) -> None:
    asked = {"who": "everyone", "on": "2026-12-22", "until": "2026-12-23", "span": "afternoon"}

    await member.post("/calendar/off", asked)

    for day in ("22", "23"):
        page = (await member.get(f"/calendar?view=day&on=2026-12-{day}")).text
        assert page.count("<strong>Time off</strong>") == 2


async def test_visits_in_the_way_are_named_and_nothing_typed_is_lost(
    world: ConsoleWorld, member: Browser
) -> None:
    await world.books(a_slot(world.clock().replace(hour=15) + timedelta(days=3)), name="Maya")
    asked = {"who": "amara", "on": "2026-11-27", "span": "afternoon", "note": "School play"}

    answer = await member.post("/calendar/off", asked)

    assert answer.status_code == 422
    assert "A visit is in the way" in answer.text
    assert "Maya" in answer.text
    assert 'value="School play"' in answer.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"who": "nobody"}, "Choose whose time it is."),
        ({"on": "x"}, "Choose the day."),
        ({"until": "2026-11-01"}, "The last day must not come before the first one."),
        ({"until": "2027-11-01"}, "At most 62 days"),
        ({"span": "x"}, "Choose how much of the day it is."),
        ({"span": "hours"}, "Choose a day and a time"),
        ({"span": "hours", "starts": "15:00", "ends": "14:00"}, "It must end after it starts."),
        ({"on": "2026-11-01"}, "Time off must end after it starts, and after now."),
        ({"note": "x" * 300}, "The note is too long."),
        (
            {"on": "2027-03-28", "span": "hours", "starts": "01:30", "ends": "03:00"},
            "there is no 01:30",
        ),
    ],
)
async def test_time_off_that_is_none_is_refused_with_a_sentence(
    member: Browser, fields: dict[str, str], words: str
) -> None:
    asked = {"who": "amara", "on": "2026-11-27", "span": "afternoon", **fields}

    answer = await member.post("/calendar/off", asked)

    assert (answer.status_code, words in answer.text) == (422, True)


async def test_a_clash_says_what_to_do_and_goes_away_when_seen_to(
    world: ConsoleWorld, member: Browser
) -> None:
    clash = await routes.clash_of(world, "willow")
    page = (await member.get("/calendar")).text
    assert "Something else is in their own calendar" in page
    assert "own calendar has not been read yet" in page

    back = await member.post(f"/calendar/clashes/{clash}/settle")

    assert "Something else" not in (await member.follows(back)).text


async def test_a_calendar_that_fails_shows_its_age_and_why(
    world: ConsoleWorld, member: Browser
) -> None:
    terms = calendar_accounts.Terms("https://calendar.example/x/", "x", "sealed")
    now = world.clock()
    account = await world.database.write(calendar_accounts.connect, "willow", "amara", terms, now)
    why = "the server refuses the password: enter it again"
    await world.database.write(calendar_accounts.failed, account, why, now, now)

    page = (await member.get("/calendar")).text

    assert "The server refuses the password: enter it again." in page
    assert "Until it can be read, no times with Amara Osei are offered." in page


async def test_a_course_belongs_to_its_clinic(world: ConsoleWorld) -> None:
    uid = await world.books(a_slot(world.clock() + timedelta(days=1)))
    harbour = world.people["harbour", "owner"].clinic_id

    assert await world.database.read(courses.find, harbour, uid, world.clock()) is None
