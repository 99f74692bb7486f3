"""Time off as staff write it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot import staff_time_off
from bot.staff_time_off import Person

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday
PEOPLE = (Person(1, "amara", "Amara Osei"), Person(1, "rowan", "Rowan Pell"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tomorrow 14:00-18:00", "24 14:00 - 24 18:00"),
        ("tomorrow from 14:00 to 18:00", "24 14:00 - 24 18:00"),
        ("9-13", "23 09:00 - 23 13:00"),
        ("Friday 2-5pm", "27 14:00 - 27 17:00"),
        ("Friday 9-5", "27 09:00 - 27 17:00"),
        ("28 November 9.30–12", "28 09:30 - 28 12:00"),
        ("today 18:00-24:00", "23 18:00 - 24 00:00"),
        ("2026-11-24", "24 00:00 - 25 00:00"),
        ("tomorrow", "24 00:00 - 25 00:00"),
        ("tomorrow morning", "24 00:00 - 24 12:00"),
        ("this afternoon", "23 12:00 - 24 00:00"),
        ("tomorrow at 14:00", "24 14:00 - 25 00:00"),
        ("from 3pm", "23 15:00 - 24 00:00"),
        ("after 3pm", "23 15:00 - 24 00:00"),
        ("from 14:30", "23 14:30 - 24 00:00"),
        ("Friday from 3", "27 15:00 - 28 00:00"),
        ("from noon tomorrow", "24 12:00 - 25 00:00"),
        ("until 11", "23 00:00 - 23 11:00"),
        ("tomorrow before 9:30", "24 00:00 - 24 09:30"),
        ("after lunch", "23 12:00 - 24 00:00"),
        ("24-28 December", "24 00:00 - 29 00:00"),
        ("12th to 14th January", "12 00:00 - 15 00:00"),
        ("from 24 December to 2 January", "24 00:00 - 03 00:00"),
        ("24 Dec until 28 Dec", "24 00:00 - 29 00:00"),
        ("2026-12-24 - 2026-12-28", "24 00:00 - 29 00:00"),
        ("Thursday to Tuesday", "26 00:00 - 02 00:00"),
        ("tomorrow – Friday", "24 00:00 - 28 00:00"),
        ("next week", "30 00:00 - 07 00:00"),
        ("this week", "23 00:00 - 30 00:00"),
    ],
)
def test_words_become_a_time(text: str, expected: str) -> None:
    found = staff_time_off.read(text, "en", NOW, "Europe/London")

    assert found is not None
    assert " - ".join(f"{each:%d %H:%M}" for each in found) == expected


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "whenever",
            "tomorrow 18:00-14:00",
            "tomorrow 25-26",
            "10:75-12:00",
            "28-24 December",
        ),
        *("from 24:00", "from 25", "until 10:75", "after 12 June", "from Friday", "soon to Friday"),
        *("Friday to soon", "tomorrow to today", "last week"),
    ],
)
def test_what_is_no_time_is_not_guessed(text: str) -> None:
    assert staff_time_off.read(text, "en", NOW, "Europe/London") is None


def test_a_day_with_a_change_of_clocks_has_its_own_length() -> None:
    autumn = datetime(2026, 10, 24, 9, 0, tzinfo=UTC)

    found = staff_time_off.read("tomorrow", "en", autumn, "Europe/London")

    assert found is not None
    assert (found[1] - found[0]).total_seconds() == 25 * 3600


@pytest.mark.parametrize(
    ("text", "rest", "who"),
    [
        ("amara tomorrow", "tomorrow", ["amara"]),
        ("Amara Osei tomorrow", "tomorrow", ["amara"]),
        ("everyone tomorrow", "tomorrow", ["amara", "rowan"]),
        ("tomorrow", "tomorrow", []),
    ],
)
def test_people_are_named_by_any_of_their_names(text: str, rest: str, who: list[str]) -> None:
    left, found = staff_time_off.named(text, PEOPLE)

    assert (left.strip(), [each.slug for each in found]) == (rest, who)
