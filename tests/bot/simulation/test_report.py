"""What came of several towns is added up, and a broken promise names its town."""

from datetime import timedelta

from bot.simulation import report
from bot.simulation.opening import Hours
from tests.bot.simulation.a_year import FIRST_AT, Year

HOUR = timedelta(hours=1)


def test_towns_are_added_up() -> None:
    good = report.outcome(Year().evidence(), Hours(used=HOUR, open=4 * HOUR))
    bad = report.outcome(Year().hears("reminder", "x", FIRST_AT).evidence(), Hours(HOUR, 4 * HOUR))

    both = report.together([good, bad])

    assert both.patients == good.patients + bad.patients == 2
    assert dict(both.funnel)["finished a course"] == 2
    assert [name for name, _ in both.funnel] == [name for name, _ in good.funnel]
    assert dict(both.messages)["reminder"] == 1
    assert both.hours.share == 0.25
    assert bad.broken
    assert {each.where[:8] for each in both.broken} >= {"town 2: "}
    assert len(both.broken) == len(good.broken) + len(bad.broken)


def test_nobody_came_uses_no_share_of_the_hours() -> None:
    assert Hours(timedelta(0), timedelta(0)).share is None
