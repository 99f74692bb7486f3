"""*Settings*: owners change the clinic part by part; nothing is lost, nothing is written over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

import pytest

from storage import audit, clinic_document
from storage.clinic_file import ClinicEntry
from tests.builders import a_slot, four_weekly
from tests.clinic.console.world import Browser, ConsoleWorld

PAGES = (
    "/settings",
    "/settings/services",
    "/settings/people",
    "/settings/people/amara",
    "/settings/closed",
    "/settings/booking",
)


async def stored(world: ConsoleWorld) -> ClinicEntry:
    return await world.database.read(clinic_document.entry_of, "willow")


def fields(page: str, part: str, act: str = "") -> dict[str, str]:
    """Return the fields of a part's form, as a browser would send them."""
    forms = re.findall(r'<form method="post" action="/settings/change".*?</form>', page, re.S)
    own = [form for form in forms if f'name="part" value="{part}"' in form]
    wanted = f'name="act" value="{act}"'
    form = next(form for form in own if (wanted in form if act else 'name="act"' not in form))
    found = dict(re.findall(r'name="([\w-]+)" type="\w+" value="([^"]*)"', form))
    found |= dict(re.findall(r'type="hidden" name="([\w-]+)" value="([^"]*)"', form))
    found |= dict(re.findall(r'type="radio" name="(\w+)" value="(\w+)" checked', form))
    return found | {
        name: chosen.group(1) if (chosen := re.search(r'value="(\w*)" selected', inside)) else ""
        for name, inside in re.findall(r'<select id="\w+" name="(\w+)">(.*?)</select>', form, re.S)
    }


async def send(
    browser: Browser, path: str, part: str, given: Mapping[str, str], act: str = ""
) -> tuple[int, str]:
    """Fill in a form of a page and send it; return status and the page that comes next."""
    form = fields((await browser.get(path)).text, part, act)
    answer = await browser.post("/settings/change", {**form, **given})
    if answer.status_code == 303:
        return 303, (await browser.follows(answer)).text
    return answer.status_code, answer.text


@pytest.mark.parametrize("path", PAGES)
async def test_staff_read_what_only_owners_change(
    owner: Browser, member: Browser, path: str
) -> None:
    theirs, own = (await member.get(path)).text, (await owner.get(path)).text

    assert "An owner of the clinic can change it." in theirs
    assert ('type="submit">Save' in theirs, ">Add</button>" in theirs) == (False, False)
    assert re.search(r'type="submit">(Save|Add)<', own)


async def test_the_profile_is_changed_and_patients_text_with_it(
    world: ConsoleWorld, owner: Browser
) -> None:
    status, page = await send(owner, "/settings", "profile", {"name": "Willow <Park>"})

    assert (status, (await stored(world)).name) == (303, "Willow <Park>")
    assert "Hello! I am Willow &lt;Park&gt;" in page
    entries = await world.database.read(audit.entries, 1)
    assert (entries[0].staff, entries[0].what) == ("Amara Osei", "settings.profile")


async def test_what_is_wrong_is_told_at_its_field_and_nothing_is_lost(
    world: ConsoleWorld, owner: Browser
) -> None:
    typed = {"name": "New name", "phone": "call us", "zone": "Europe/Londres", "emergency": ""}
    status, page = await send(owner, "/settings", "profile", typed)

    assert (status, (await stored(world)).name) == (422, "Willow Skin Clinic")
    assert 'value="New name"' in page
    for name, words in (
        ("phone", "Must be a telephone number such as"),
        ("zone", "Must be a time zone such as Europe/London"),
        ("emergency", "Please fill this in."),
    ):
        assert re.search(f'<p class="wrong" id="wrong-profile-{name}">{words}', page)
        assert f'aria-describedby="wrong-profile-{name}"' in page


async def test_what_somebody_else_changed_is_not_written_over(
    world: ConsoleWorld, owner: Browser
) -> None:
    form = fields((await owner.get("/settings")).text, "profile")
    await send(owner, "/settings", "profile", {"phone": "+44 20 7946 0001"})

    second = await owner.post("/settings/change", {**form, "name": "Mine"})
    again = await owner.post("/settings/change", fields(second.text, "profile"))

    assert second.status_code == 422
    assert "Somebody else changed this meanwhile" in second.text
    assert again.status_code == 303
    assert (await stored(world)).name == "Mine"


@pytest.mark.parametrize(
    ("path", "part", "given", "words"),
    [
        ("/settings/services", "service:treatment", {"minutes": "300"}, "hours long enough for"),
        ("/settings/services", "service:treatment", {"minutes": "an hour"}, "a whole number"),
        ("/settings/services", "service:consultation", {"name": " "}, "Please fill this in."),
        ("/settings/people/amara", "hours:amara", {"mon": "9-15, 14-18"}, "Must not overlap: one"),
        ("/settings/people/amara", "hours:amara", {"tue": "late"}, "Must look like"),
        ("/settings/people/amara", "days:amara", {"on": "soon"}, "Must be a date such as"),
        (
            "/settings/people/amara",
            "days:amara",
            {"on": "2026-12-24", "hours": "14-12"},
            "Must open",
        ),
        ("/settings/people/amara", "hours:amara", {"tue": "17-9"}, "Must open before it closes"),
        ("/settings/people/amara", "days:amara", {"on": "2026-11-23"}, "This day is over."),
        ("/settings/closed", "closures", {"from": "2026-11-01"}, "These days are over."),
        ("/settings/services", "service:treatment", {"step_minutes": "7"}, "start at odd minutes"),
        ("/settings/closed", "closures", {"from": "2026-12-24", "until": "2026-12-01"}, "Must end"),
        ("/settings/booking", "booking", {"hold_minutes": "1"}, "Must be at least 2"),
        (
            "/settings/booking",
            "booking",
            {"horizon_days": "7", "notice_hours": "168"},
            "The notice",
        ),
        ("/settings/people", "people", {"name": "", "act": "add"}, "Please fill this in."),
        ("/settings/people", "people", {"name": "Bo", "act": "add", "hours": "9-5"}, "must begin"),
    ],
)
async def test_a_part_is_checked_as_a_clinic_file_is(
    world: ConsoleWorld, owner: Browser, path: str, part: str, given: dict[str, str], words: str
) -> None:
    before = await stored(world)

    status, page = await send(owner, path, part, given, given.get("act", ""))

    assert (status, words in page) == (422, True)
    assert await stored(world) == before


def tomorrow(page: str) -> str:
    """Return the times of the treatment that the preview has for the next day."""
    return page.partition("<span>Wed 25 Nov</span>")[2].partition("</li>")[0]


async def test_changed_hours_change_the_next_free_times(owner: Browser) -> None:
    mornings = {"mon": "", "tue": "8-10", "wed": "7.30-12", "thu": "", "fri": "", "sat": ""}
    status, page = await send(owner, "/settings/people/amara", "hours:amara", mornings)

    assert (status, 'value="07:30-12:00"' in page) == (303, True)
    assert ">07:30</time>" not in tomorrow(page)  # sooner than the notice of a day
    assert ">08:00</time>" not in tomorrow((await owner.get("/settings/booking")).text)
    _, page = await send(owner, "/settings/booking", "booking", {"notice_hours": "1"})
    assert ">08:00</time>" in tomorrow(page)


async def test_the_preview_has_the_next_seven_days_with_free_times(owner: Browser) -> None:
    week = {"mon": "9-12", "tue": "9-12", "wed": "9-12", "thu": "9-12", "fri": "9-12"}
    _, page = await send(
        owner, "/settings/people/amara", "hours:amara", {**week, "sat": "10-12", "sun": "10-12"}
    )

    days = re.findall(r"<li><span>(\w+ \d+ \w+)</span>", page)
    assert days[:7] == [
        *("Wed 25 Nov", "Thu 26 Nov", "Fri 27 Nov", "Sat 28 Nov"),
        *("Sun 29 Nov", "Mon 30 Nov", "Tue 1 Dec"),
    ]


async def test_visits_left_outside_new_hours_are_told_with_the_way_to_them(
    world: ConsoleWorld, owner: Browser
) -> None:
    at = world.clock().replace(hour=14, minute=0)
    uid = await world.books(*four_weekly(a_slot(at + timedelta(days=7)), 2), name="Maya")
    mornings = {"tue": "9-13", "thu": "12-16"}
    _, page = await send(owner, "/settings/people/amara", "hours:amara", mornings)

    assert page.count("2 booked visits are outside the opening hours.") == 2  # notice and page
    assert 'href="/calendar?view=week&amp;on=2026-12-01&amp;who=amara"' in page
    assert f'<a href="/calendar/visits/{uid}">Tue 1 Dec, 14:00</a>' in page
    assert "outside the opening" in (await owner.get("/settings/people")).text
    assert "outside the opening" not in (await owner.get("/settings/people/rowan")).text
    _, page = await send(owner, "/settings/people/amara", "hours:amara", {"tue": "9-15"})
    assert "outside the opening" not in page


async def test_a_closed_day_tells_of_the_visit_on_it(world: ConsoleWorld, owner: Browser) -> None:
    at = world.clock().replace(hour=14, minute=0) + timedelta(days=7)
    await world.books(a_slot(at), name="Maya")
    _, page = await send(owner, "/settings/closed", "closures", {"from": "2026-12-01"})

    assert "Added. 1 booked visit is outside the opening hours." in page
    stranger = await world.signed_in_client("owner", "harbour")
    assert "outside the opening" not in (await stranger.get("/settings/closed")).text


async def test_no_free_time_is_said_aloud(owner: Browser) -> None:
    far = {"from": "2026-11-20", "until": "2027-06-01"}
    _, page = await send(owner, "/settings/closed", "closures", far, "")

    assert page.count("No free time in the next 6 weeks. Patients cannot book.") == 2


async def test_single_days_and_closures_come_and_go(world: ConsoleWorld, owner: Browser) -> None:
    path = "/settings/people/amara"
    await send(owner, path, "days:amara", {"on": "2026-12-24", "hours": "9-12"})
    await send(owner, path, "days:amara", {"on": "2026-12-31"})
    twice, page = await send(owner, path, "days:amara", {"on": "2026-12-31"})
    await send(owner, path, "days:amara", {}, "remove")
    await send(owner, "/settings/closed", "closures", {"from": "2026-12-27", "note": "Rest"})

    clinic = await stored(world)
    assert (twice, "in the list already" in page) == (422, True)
    assert [str(day.on) for day in clinic.practitioners[0].days] == ["2026-12-31"]
    assert [(str(each.until_on), each.note) for each in clinic.closures] == [("2026-12-27", "Rest")]
    await send(owner, "/settings/closed", "closures", {}, "remove")
    assert (await stored(world)).closures == ()


async def test_people_come_move_and_go(world: ConsoleWorld, owner: Browser) -> None:
    new = {"name": "Dr Bo Lindström", "hours": "Mon-Wed 9-17"}
    await send(owner, "/settings/people", "people", new, "add")
    assert [one.slug for one in (await stored(world)).practitioners] == ["amara", "rowan", "bo"]

    await send(owner, "/settings/people", "people", {"slug": "bo"}, "up")
    await send(owner, "/settings/people/amara", "people", {}, "remove")
    assert [one.slug for one in (await stored(world)).practitioners] == ["bo", "rowan"]


async def test_the_last_one_who_treats_stays(world: ConsoleWorld, owner: Browser) -> None:
    form = fields((await owner.get("/settings/people/rowan")).text, "people", "remove")
    await send(owner, "/settings/people/amara", "people", {}, "remove")
    seen = fields((await owner.get("/settings/people")).text, "people", "add")["seen"]

    answer = await owner.post("/settings/change", {**form, "seen": seen})

    assert (answer.status_code, "needs somebody who treats" in answer.text) == (422, True)


async def test_another_country_forgets_the_region(world: ConsoleWorld, owner: Browser) -> None:
    _, page = await send(owner, "/settings/closed", "holidays", {"country": "PT"})

    holidays = (await stored(world)).holidays
    assert (holidays.country, holidays.subdivision) == ("PT", "")
    assert "Immaculate Conception" in page


async def test_the_way_of_booking_is_chosen(world: ConsoleWorld, owner: Browser) -> None:
    await send(owner, "/settings/booking", "booking", {"mode": "request", "hold_minutes": "15"})

    booking = (await stored(world)).booking
    assert (booking.mode, booking.hold_minutes) == ("request", 15)


async def test_a_part_that_does_not_exist_is_not_found(owner: Browser) -> None:
    for part in ("", "hours:ines", "service:facial", "slug", "people:x"):
        answer = await owner.post("/settings/change", {"part": part, "seen": "x"})
        assert answer.status_code in {404, 422}
    assert (await owner.get("/settings/people/ines")).status_code == 404


async def test_the_preview_of_a_practitioner_is_of_nobody_else(owner: Browser) -> None:
    shut = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "")
    status, told = await send(owner, "/settings/people/rowan", "hours:rowan", shut)
    assert (status, "patients are offered no times" in told) == (303, True)

    amara = (await owner.get("/settings/people/amara")).text
    rowan = (await owner.get("/settings/people/rowan")).text

    assert "Next free times of Amara Osei" in amara
    assert "Patients cannot book with Amara" not in amara
    assert "Patients cannot book with Rowan Pell." in rowan
