"""Opening times as people type them."""

from __future__ import annotations

import pytest

from clinic import opening_words


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("9-13, 14-17:30", ["09:00-13:00", "14:00-17:30"]),
        ("09:00–13:00 and 14.30 to 18", ["09:00-13:00", "14:30-18:00"]),
        ("9am-5pm", ["09:00-17:00"]),
        ("9-5pm", ["09:00-17:00"]),
        ("1-5pm", ["13:00-17:00"]),
        ("8-11 am", ["08:00-11:00"]),
        ("9h30-12", ["09:30-12:00"]),
        ("9-5", ["09:00-17:00"]),
        ("9-9", ["09:00-21:00"]),
        ("9am-1pm, 2-6", ["09:00-13:00", "14:00-18:00"]),
        ("10-2, 3-7:30", ["10:00-14:00", "15:00-19:30"]),
        ("8-12 and 1pm-5", ["08:00-12:00", "13:00-17:00"]),
        ("2-6", ["14:00-18:00"]),
        ("02:00-06:00", ["02:00-06:00"]),
        ("2am-6am", ["02:00-06:00"]),
        ("6-10", ["06:00-10:00"]),
        ("1-12", ["01:00-12:00"]),
        ("14-18, 9-13", ["14:00-18:00", "09:00-13:00"]),
        ("9-11, 10-11", ["09:00-11:00", "10:00-11:00"]),
        ("22-6", ["22:00-06:00"]),
        ("17-9", ["17:00-09:00"]),
        ("9am-13pm", ["09:00-13:00"]),
        ("9am-25pm", ["9am-25pm"]),
        ("13am-14", ["13am-14"]),
        ("closed", []),
        ("  ", []),
        ("25-26", ["25:00-26:00"]),
        ("after lunch", ["after lunch"]),
    ],
)
def test_the_times_of_a_day(typed: str, read: list[str]) -> None:
    assert opening_words.spans(typed) == read


@pytest.mark.parametrize(
    ("typed", "days"),
    [
        ("Mon-Fri 9-17", "mon tue wed thu fri"),
        ("Monday, Wednesday and Friday 9-17", "mon wed fri"),
        ("sat–mon 9-17", "mon sat sun"),
        ("Tue 9-17; wed closed; Sat 9-17\n", "tue sat"),
        ("Mon-Sun 9-17; Wed closed", "mon tue thu fri sat sun"),
        ("weekdays 9am-5pm", "mon tue wed thu fri"),
        ("Weekends: 9 am to 5 pm", "sat sun"),
        ("weekdays and Saturday 9-5pm", "mon tue wed thu fri sat"),
        ("daily 9-17; every day 9-17", "mon tue wed thu fri sat sun"),
    ],
)
def test_the_days_of_a_week(typed: str, days: str) -> None:
    assert opening_words.week(typed) == {day: ["09:00-17:00"] for day in days.split()}


def test_a_day_may_have_a_break() -> None:
    assert opening_words.week("Thu 9-13 14-18") == {"thu": ["09:00-13:00", "14:00-18:00"]}


@pytest.mark.parametrize(
    ("typed", "week"),
    [
        ("tue-fri 10am-6pm, sat 9:30-1pm", "Tue-Fri 10:00-18:00; Sat 09:30-13:00"),
        ("Mon, Tue 9-13, 14-18, Wed 9-12", "Mon-Tue 09:00-13:00, 14:00-18:00; Wed 09:00-12:00"),
        ("weekdays 9-5 and Saturday 10-2", "Mon-Fri 09:00-17:00; Sat 10:00-14:00"),
        ("Mon-Fri 9-17, weekends 10-14,", "Mon-Fri 09:00-17:00; Sat-Sun 10:00-14:00"),
        (
            "daily 9-17, Wed closed, Sun 10-12",
            "Mon-Tue 09:00-17:00; Thu-Sat 09:00-17:00; Sun 10:00-12:00",
        ),
    ],
)
def test_other_days_may_follow_after_a_comma(typed: str, week: str) -> None:
    assert opening_words.say_week(opening_words.week(typed)) == week


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("9-17", "must begin with its days"),
        ("Mon", "must look like 9-13, 14-17:30"),
        ("Mon-Fri 9-17, Sat", "times of Sat must look like 9-13, 14-17:30, got ''"),
        ("Mon-Fri 9-17, Sat late", "must look like 9-13, 14-17:30, got 'late'"),
        ("Mon-Fri 9-17; 10-14, Sat", "must begin with its days, such as Mon-Fri 9-17, got '10-14,"),
        ("Mon 9 till late", "must look like 9-13, 14-17:30, got '9 till late'"),
    ],
)
def test_what_is_not_understood_is_told(typed: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        opening_words.week(typed)


@pytest.mark.parametrize(
    "typed", ["Mon-Fri 09:00-13:00, 14:00-17:30; Sat 10:00-14:00", "Tue 09:00-17:00", ""]
)
def test_what_is_said_is_read_the_same(typed: str) -> None:
    assert opening_words.say_week(opening_words.week(typed)) == typed
