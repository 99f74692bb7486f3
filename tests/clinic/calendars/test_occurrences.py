"""Calendar entries read as the times they take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from clinic.calendars.faults import Unreadable
from clinic.calendars.occurrences import Window, contents, merged
from storage.calendar_readings import Span
from tests.clinic.calendars.entries import entry

LONDON = ZoneInfo("Europe/London")
HOUR = timedelta(hours=1)
MARCH = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))
DAILY = ("DTSTART;TZID=Europe/London:20260327T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4")


def busy(*lines: str, overrides: tuple[tuple[str, ...], ...] = ()) -> list[str]:
    """Return the times that an entry takes, in UTC."""
    found = contents(entry("x", *lines, overrides=overrides), LONDON, MARCH).busy
    return [f"{span.starts_at:%m%d %H%M}-{span.ends_at:%m%d %H%M}" for span in found]


def test_a_recurrence_keeps_its_wall_clock_when_the_clocks_change() -> None:
    assert busy(*DAILY) == [
        "0327 0900-0327 1000",
        "0328 0900-0328 1000",
        "0329 0800-0329 0900",
        "0330 0800-0330 0900",
    ]


def test_an_exception_takes_no_time() -> None:
    assert len(busy(*DAILY, "EXDATE;TZID=Europe/London:20260328T090000")) == 3


def test_an_added_date_takes_time() -> None:
    assert len(busy(*DAILY, "RDATE;TZID=Europe/London:20260410T090000")) == 5


def test_a_moved_instance_is_where_it_was_moved_to() -> None:
    moved = (
        "RECURRENCE-ID;TZID=Europe/London:20260328T090000",
        "DTSTART;TZID=Europe/London:20260328T150000",
        "DURATION:PT2H",
    )

    assert busy(*DAILY, overrides=(moved,))[1] == "0328 1500-0328 1700"


@pytest.mark.parametrize("line", ["STATUS:CANCELLED", "TRANSP:TRANSPARENT"])
def test_an_instance_that_is_off_or_free_takes_no_time(line: str) -> None:
    when = "TZID=Europe/London:20260328T090000"
    off = (f"RECURRENCE-ID;{when}", f"DTSTART;{when}", "DURATION:PT1H", line)

    assert len(busy(*DAILY, overrides=(off,))) == 3


@pytest.mark.parametrize("line", ["STATUS:CANCELLED", "TRANSP:TRANSPARENT"])
def test_an_event_that_is_off_or_free_takes_no_time(line: str) -> None:
    assert busy(*DAILY, line) == []


@pytest.mark.parametrize("line", ["STATUS:TENTATIVE", "STATUS:CONFIRMED", "TRANSP:OPAQUE"])
def test_an_event_that_may_happen_takes_time(line: str) -> None:
    assert len(busy(*DAILY, line)) == 4


def test_a_whole_day_is_a_day_of_the_calendars_zone() -> None:
    assert busy("DTSTART;VALUE=DATE:20260328", "DTEND;VALUE=DATE:20260330") == [
        "0328 0000-0329 2300"  # the day on which summer time begins has 23 hours
    ]


def test_a_whole_day_without_an_end_is_one_day() -> None:
    assert busy("DTSTART;VALUE=DATE:20260402") == ["0401 2300-0402 2300"]


def test_a_time_without_a_zone_is_the_calendars() -> None:
    assert busy("DTSTART:20260402T090000", "DTEND:20260402T100000") == ["0402 0800-0402 0900"]


def test_an_event_that_takes_no_time_is_not_busy() -> None:
    assert busy("DTSTART:20260402T090000Z") == []


def test_what_began_before_the_window_counts_while_it_lasts() -> None:
    assert busy("DTSTART:20260201T090000Z", "DTEND:20260302T100000Z") == ["0201 0900-0302 1000"]
    assert busy("DTSTART:20260201T090000Z", "DTEND:20260202T100000Z") == []


def test_an_end_that_is_cut_off_by_until_is_kept() -> None:
    lines = ("DTSTART:20260302T090000Z", "DTEND:20260302T100000Z")
    assert len(busy(*lines, "RRULE:FREQ=WEEKLY;UNTIL=20260316T090000Z")) == 3


def test_overlapping_instances_are_one_time() -> None:
    a, b = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
    overlapping = [Span(a, a + 3 * HOUR), Span(a + HOUR, a + 2 * HOUR), Span(b, b + HOUR)]

    assert merged(overlapping) == (Span(a, a + 3 * HOUR), Span(b, b + HOUR))


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;COUNT=9",
        "FREQ=HOURLY",
        "FREQ=HOURLY;COUNT=9;BYMINUTE=" + ",".join(map(str, range(60))),
        "FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=" + ",".join(map(str, range(60))),
        "FREQ=NEVERLY",
    ],
)
def test_a_rule_that_nobody_makes_is_not_laid_out(rule: str) -> None:
    with pytest.raises(Unreadable):
        busy("DTSTART:20260302T090000Z", "DTEND:20260302T090100Z", f"RRULE:{rule}")


@pytest.mark.parametrize(
    ("start", "rule"),
    [
        ("17000101", "FREQ=HOURLY;UNTIL=20300101T000000Z"),
        ("20000101", "FREQ=HOURLY;UNTIL=20300101T000000Z"),
        ("17000101", "FREQ=DAILY;BYHOUR=9,12"),
        ("00010101", "FREQ=DAILY"),
    ],
)
def test_a_rule_that_began_too_long_ago_is_not_laid_out(start: str, rule: str) -> None:
    with pytest.raises(Unreadable):
        busy(f"DTSTART:{start}T090000Z", "DURATION:PT30M", f"RRULE:{rule}")


def test_the_rules_of_an_entry_are_counted_together() -> None:
    daily = ("DURATION:PT30M", "RRULE:FREQ=DAILY")
    again = ("RECURRENCE-ID:17000102T090000Z", "DTSTART:17000102T090000Z", *daily)

    with pytest.raises(Unreadable):
        busy("DTSTART:17000101T090000Z", *daily, overrides=(again,))


@pytest.mark.parametrize(
    ("rule", "times"),
    [("FREQ=DAILY", 61), ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=5", 1), ("FREQ=WEEKLY;BYDAY=TU", 9)],
)
def test_what_has_been_for_centuries_still_takes_time(rule: str, times: int) -> None:
    """Some programs keep a birthday whose year nobody knows in 1604."""
    assert len(busy("DTSTART:16040101T090000Z", "DURATION:PT30M", f"RRULE:{rule}")) == times


@pytest.mark.parametrize("text", ["", "rubbish", "BEGIN:VCALENDAR\r\n", "x" * 1_000_001])
def test_what_is_no_calendar_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        contents(text, LONDON, MARCH)


def test_a_task_takes_no_time() -> None:
    whole = entry("x", "DTSTART:20260302T090000Z").replace("VEVENT", "VTODO")

    assert contents(whole, LONDON, MARCH).busy == ()
