from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.typed_times import When, parse_date, parse_when

TODAY = date(2026, 3, 4)  # a Wednesday
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)

DATES = [
    ("today", date(2026, 3, 4)),
    ("tomorrow", date(2026, 3, 5)),
    ("the day after tomorrow", date(2026, 3, 6)),
    ("friday", date(2026, 3, 6)),
    ("This Friday", date(2026, 3, 6)),
    ("this coming friday", date(2026, 3, 6)),
    ("fri", date(2026, 3, 6)),
    ("on Tues.", date(2026, 3, 10)),
    ("wednesday", date(2026, 3, 11)),  # said on a Wednesday: in a week
    ("next friday", date(2026, 3, 13)),  # the next week's
    ("next monday", date(2026, 3, 9)),
    ("friday next week", date(2026, 3, 13)),
    ("next week friday", date(2026, 3, 13)),
    ("tuesday week", date(2026, 3, 17)),  # a week after the coming one
    ("a week on Friday", date(2026, 3, 13)),
    ("in 3 weeks", date(2026, 3, 25)),
    ("in two weeks", date(2026, 3, 18)),
    ("in two weeks time", date(2026, 3, 18)),
    ("in a fortnight", date(2026, 3, 18)),
    ("in 10 days", date(2026, 3, 14)),
    ("in a month", date(2026, 4, 4)),
    ("the 14th", date(2026, 3, 14)),
    ("the 2nd", date(2026, 4, 2)),
    ("the 4th", date(2026, 4, 4)),
    ("12/06", date(2026, 6, 12)),
    ("12/6/26", date(2026, 6, 12)),
    ("12.06.2026", date(2026, 6, 12)),
    ("12-06-2026", date(2026, 6, 12)),
    ("2026-06-12", date(2026, 6, 12)),
    ("12 June", date(2026, 6, 12)),
    ("june 12th", date(2026, 6, 12)),
    ("the 12th of June!", date(2026, 6, 12)),
    ("12 June 2027", date(2027, 6, 12)),
    ("June 12, 2027", date(2027, 6, 12)),
    ("12 may", date(2026, 5, 12)),
    ("1 march", date(2027, 3, 1)),
    ("29 feb", date(2028, 2, 29)),
    ("12 June 2020", date(2020, 6, 12)),  # past, as written
    ("my wedding is on 12 June", date(2026, 6, 12)),
    ("Friday 12 June", date(2026, 6, 12)),
]

NO_DATES = [
    "",
    "10",
    "2026",
    "clear",
    "maybe",
    "yes",
    "no",
    "not yet",
    "my skin is bad",
    "it hurts since friday",
    "may",
    "march",
    "june 2027",
    "next week",
    "weekend",
    "3 weeks",
    "in a few weeks",
    "in umpteen weeks",
    "in a couple of weeks",
    "not friday",
    "friday or monday",
    "12 june or 13 june",
    "every friday",
    "last friday",
    "2 days ago",
    "friday 13 june",  # a Saturday
    "next friday next week",
    "31 june",
    "30 feb",
    "the 45th",
    "12/13",  # no 13th month
    "13/13",
    "6.30",
    "1-2",
    "10 june 10",
    "tomorrow at 5",  # a time as well: for parse_when
    "friday" * 20,
]

WISHES = [
    ("tomorrow at 5", When(date(2026, 3, 5), "evening", time(17))),
    ("next Friday afternoon", When(date(2026, 3, 13), "afternoon")),
    ("friday morning", When(date(2026, 3, 6), "morning")),
    ("Friday after 3", When(date(2026, 3, 6), "afternoon")),
    ("friday from 5", When(date(2026, 3, 6), "evening")),
    ("friday before noon", When(date(2026, 3, 6), "morning")),
    ("any evening", When(None, "evening")),
    ("mornings are best", When(None, "morning")),
    ("after work", When(None, "evening")),
    ("tomorrow after work", When(date(2026, 3, 5), "evening")),
    ("after lunch on monday", When(date(2026, 3, 9), "afternoon")),
    ("tonight", When(date(2026, 3, 4), "evening")),
    ("this afternoon", When(date(2026, 3, 4), "afternoon")),
    ("this evening at 8", When(date(2026, 3, 4), "evening", time(20))),
    ("Monday 10:30", When(date(2026, 3, 9), "morning", time(10, 30))),
    ("monday at 10.30", When(date(2026, 3, 9), "morning", time(10, 30))),
    ("monday at 9", When(date(2026, 3, 9), "morning", time(9))),
    ("10am", When(None, "morning", time(10))),
    ("5.30 p.m.", When(None, "evening", time(17, 30))),
    ("12 am", When(None, "morning", time(0))),
    ("12 pm", When(None, "afternoon", time(12))),
    ("17:30", When(None, "evening", time(17, 30))),
    ("at 5", When(None, "evening", time(17))),
    ("around 1", When(None, "afternoon", time(13))),
    ("5 o'clock tomorrow", When(date(2026, 3, 5), "evening", time(17))),
    ("half past 3 on monday", When(date(2026, 3, 9), "afternoon", time(15, 30))),
    ("quarter past 9 tomorrow", When(date(2026, 3, 5), "morning", time(9, 15))),
    ("noon tomorrow", When(date(2026, 3, 5), "afternoon", time(12))),
    ("8 in the morning", When(None, "morning", time(8))),
    ("at 7 in the morning", When(None, "morning", time(7))),
    ("12 June at 5", When(date(2026, 6, 12), "evening", time(17))),
    ("12 June 10:30", When(date(2026, 6, 12), "morning", time(10, 30))),
    ("the 14th", When(date(2026, 3, 14))),
    ("in 3 weeks", When(date(2026, 3, 25))),
    ("Can I come on Monday at 10?", When(date(2026, 3, 9), "morning", time(10))),
    ("I'd like a Friday afternoon, please", When(date(2026, 3, 6), "afternoon")),
]

NO_WISHES = [
    "",
    "10",
    "12",
    "clear",
    "maybe",
    "yes please",
    "my skin is bad",
    "it is bad in the morning",
    "does it hurt after 3 weeks",
    "not friday",
    "no mornings",
    "morning or afternoon",
    "friday or monday",
    "between 3 and 5",
    "3-5pm",
    "before 3",
    "at 25",
    "at 0",
    "12:75",
    "13pm",
    "next week",
    "monday 10.30",
    "after 12 june",
    "i want to cancel",
    "how much is it",
    "at 5 " * 30,
]


@pytest.mark.parametrize(("text", "expected"), DATES)
def test_a_day_is_understood(text: str, expected: date) -> None:
    assert parse_date(text, "en", TODAY) == expected


@pytest.mark.parametrize("text", NO_DATES)
def test_what_is_not_one_day_is_not_guessed_at(text: str) -> None:
    assert parse_date(text, "en", TODAY) is None


@pytest.mark.parametrize(("text", "expected"), WISHES)
def test_a_wish_for_a_time_is_understood(text: str, expected: When) -> None:
    assert parse_when(text, "en", NOW) == expected


@pytest.mark.parametrize("text", NO_WISHES)
def test_other_words_are_no_wish_for_a_time(text: str) -> None:
    assert parse_when(text, "en", NOW) is None


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 3, 6), date(2026, 3, 13)),  # on a Friday
        (date(2026, 3, 7), date(2026, 3, 13)),  # on a Saturday: the next week's is the coming one
        (date(2026, 3, 8), date(2026, 3, 13)),  # on a Sunday
        (date(2026, 3, 9), date(2026, 3, 20)),  # on a Monday
    ],
)
def test_next_friday_is_the_friday_of_the_next_week(today: date, expected: date) -> None:
    assert parse_date("next friday", "en", today) == expected


def test_a_day_of_the_month_is_looked_for_in_months_that_have_it() -> None:
    assert parse_date("the 31st", "en", date(2026, 3, 31)) == date(2026, 5, 31)


@pytest.mark.parametrize(
    ("locale", "text", "expected"),
    [
        ("en_US", "12/06", date(2026, 12, 6)),
        ("en-US", "6/30", date(2026, 6, 30)),
        ("en_US", "30/06", None),
        ("en_GB", "12/06", date(2026, 6, 12)),
        ("de", "12. Juni", date(2026, 6, 12)),
        ("de", "12.06.2026", date(2026, 6, 12)),
        ("de", "12", None),
        ("fr", "12 juin 2027", date(2027, 6, 12)),
        ("fr", "demain", date(2026, 3, 5)),
        ("fr", "friday", date(2026, 3, 6)),  # English is understood everywhere
        ("xx", "12 June", date(2026, 6, 12)),  # an unknown language is read as English
    ],
)
def test_dates_follow_the_locale(locale: str, text: str, expected: date | None) -> None:
    assert parse_date(text, locale, TODAY) == expected


def test_a_date_without_a_year_is_the_next_one_after_today() -> None:
    assert parse_date("12 June", "en", date(2026, 6, 11)) == date(2026, 6, 12)
    assert parse_date("12 June", "en", date(2026, 6, 12)) == date(2027, 6, 12)
    assert parse_date("12/06", "en", date(2026, 6, 13)) == date(2027, 6, 12)


def test_the_machines_time_zone_changes_nothing() -> None:
    read = (
        "from datetime import date\n"
        "from flows.typed_times import parse_date\n"
        "texts = ['12 June', 'in 3 weeks', '12/06', '4 March', '2026-06-12']\n"
        "print([str(parse_date(text, 'en', date(2026, 3, 4))) for text in texts])"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", read],
            env={"TZ": zone},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=True,
        ).stdout
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago")
    }

    assert len(answers) == 1


WORDS = """
    next this in at after before a the 5 12 31 0 99 999999999999 10:30 25:61 12/06 99/99/9999 pm am
    friday week weeks month months years june feb 29 30 14th 45th noon half past quarter tonight
    morning evening - . / : @ ٣ ² ½ 1e9 0000-00-00
"""


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=90), st.lists(st.sampled_from(WORDS.split()), max_size=7).map(" ".join)
    )
)
def test_no_text_is_too_strange(text: str) -> None:
    when = parse_when(text, "en", NOW)

    assert when is None or when.on or when.part or when.at
    parse_date(text, "en", TODAY)
