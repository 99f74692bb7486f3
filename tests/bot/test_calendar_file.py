from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import vobject
from icalendar import Calendar, Event

from bot import calendar_file as module
from flows.clinics import Clinic
from flows.conversation import BookedSession, Booking
from flows.slots import Slot
from flows.texts import Catalogue, parse_catalogue

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
WORDS = Path(module.__file__).parents[1] / "flows" / "locales" / "en" / "calendar.toml"
CLINIC = Clinic(
    slug="willow",
    name="Willow Skin Clinic",
    zone="Europe/London",
    locale="en",
    address="1 Café Row; London, N1",
    phone="+44 20 7946 0000",
    protocol="",
)


def session(number: int, day: int) -> BookedSession:
    start = datetime(2026, 3, day, 9, tzinfo=UTC)
    return BookedSession(
        f"abc-{number}@resurface", Slot(start, start + timedelta(hours=1), "amy"), number
    )


def catalogue() -> Catalogue:
    return parse_catalogue("en", {"calendar.toml": WORDS.read_text(encoding="utf-8")})


def a_file(*sessions: BookedSession, **how: Any) -> bytes:
    booked = sessions or (session(1, 3), session(2, 31))
    booking = Booking(service="treatment", sessions=booked, **how)
    return module.calendar_file(CLINIC, booking, catalogue(), NOW)


def events(content: bytes) -> list[Event]:
    return list(Calendar.from_ical(content).walk("VEVENT"))


def test_every_session_is_an_event_with_its_own_uid_and_utc_times() -> None:
    first, second = events(a_file())

    assert [str(first["uid"]), str(second["uid"])] == ["abc-1@resurface", "abc-2@resurface"]
    assert first.decoded("dtstart") == datetime(2026, 3, 3, 9, tzinfo=UTC)
    assert second.decoded("dtend") == datetime(2026, 3, 31, 10, tzinfo=UTC)
    assert first.decoded("dtstamp") == NOW


def test_times_are_written_in_utc_so_that_no_time_zone_table_is_needed() -> None:
    assert b"DTSTART:20260303T090000Z\r\n" in a_file()


def test_a_booking_is_published_as_confirmed() -> None:
    calendar = Calendar.from_ical(a_file())
    first = events(a_file())[0]

    assert calendar["method"] == "PUBLISH"
    assert (first["status"], first["sequence"], first["class"]) == ("CONFIRMED", 0, "PRIVATE")


def test_a_moved_session_keeps_its_uid_with_a_higher_sequence() -> None:
    first, second = events(a_file(session(1, 3), replace(session(2, 31), sequence=2)))

    assert (str(second["uid"]), second["sequence"]) == ("abc-2@resurface", 2)
    assert first["sequence"] == 0


def test_visits_are_counted_without_the_one_that_was_cancelled() -> None:
    last = events(a_file(session(1, 3), session(3, 31)))[1]

    assert str(last["description"]).splitlines()[0] == "Visit 2 of 2."


def test_what_the_clinic_has_yet_to_confirm_is_tentative() -> None:
    assert events(a_file(pending=True))[0]["status"] == "TENTATIVE"


def test_a_reminder_goes_off_a_day_before() -> None:
    (alarm,) = events(a_file())[0].walk("VALARM")

    assert alarm.decoded("trigger") == timedelta(hours=-24)
    assert alarm["description"] == "Tomorrow: visit to Willow Skin Clinic"


def test_the_event_says_where_and_how_to_change_it() -> None:
    second = events(a_file(code="K7M2QP"))[1]

    assert second["location"] == CLINIC.address
    assert str(second["description"]).splitlines() == [
        "Visit 2 of 2.",
        "Your booking code: K7M2QP.",
        "To change or cancel, write to us in Telegram or call +44 20 7946 0000.",
    ]


def test_a_single_visit_is_not_counted() -> None:
    (only,) = events(a_file(session(1, 3)))

    assert "Visit" not in only["description"]
    assert "code" not in only["description"]


@pytest.mark.parametrize("word", [b"needling", b"treatment", b"scar", b"acne", b"amy", b"series"])
def test_the_file_does_not_tell_what_the_visit_is_for(word: bytes) -> None:
    assert word not in a_file(code="K7M2QP").lower()


def test_lines_end_with_crlf_and_are_folded_at_75_octets() -> None:
    content = a_file(code="K7M2QP")
    lines = content.split(b"\r\n")

    assert content.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in b"".join(lines)
    assert max(map(len, lines)) <= 75


def test_the_same_booking_gives_the_same_bytes() -> None:
    assert a_file() == a_file()


def a_cancellation() -> bytes:
    booked = (session(1, 3), replace(session(2, 31), sequence=2))
    return module.cancellation_file(CLINIC, booked, catalogue(), NOW)


def test_a_cancellation_replaces_what_was_published() -> None:
    calendar = Calendar.from_ical(a_cancellation())
    first, second = events(a_cancellation())

    assert calendar["method"] == "CANCEL"
    assert [str(first["uid"]), str(second["uid"])] == ["abc-1@resurface", "abc-2@resurface"]
    assert [first["sequence"], second["sequence"]] == [1, 3]
    assert {str(first["status"]), str(second["status"])} == {"CANCELLED"}


def test_a_cancellation_reminds_nobody_and_tells_nothing() -> None:
    content = a_cancellation().lower()

    assert b"valarm" not in content
    assert not [word for word in (b"needling", b"treatment", b"amy") if word in content]


@pytest.mark.parametrize("content", [a_file(), a_cancellation()])
def test_another_library_reads_the_same(content: bytes) -> None:
    theirs = vobject.readOne(content.decode()).contents["vevent"]

    assert [(each.uid.value, each.dtstart.value) for each in theirs] == [
        (str(each["uid"]), each.start) for each in events(content)
    ]
