from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from flows import series
from flows.conversation import Offer
from flows.protocol import Spacing
from flows.slots import DayOverride, OpeningHours, Slot, Timetable
from tests.flows.calendars import (
    MONDAY,
    WEEKDAYS,
    a_plan,
    a_view,
    at,
    clocks,
    days_after,
    gaps,
    local_days,
    open_on,
    slot_on,
)


def test_an_open_calendar_gives_the_same_weekday_and_hour_every_four_weeks() -> None:
    soonest, *_ = series.offers(a_view(), a_plan())

    assert clocks(soonest) == ["Mon 09:00"] * 4
    assert gaps(soonest) == [28, 28, 28]


def test_offers_differ_in_weekday_and_part_of_the_day() -> None:
    found = series.offers(a_view(), a_plan())

    assert [clocks(offer)[0] for offer in found] == ["Mon 09:00", "Tue 12:00", "Wed 17:00"]


def test_there_are_no_more_offers_than_asked_for() -> None:
    assert len(series.offers(a_view(), a_plan(), limit=1)) == 1


def test_offers_of_one_day_are_at_least_an_hour_apart() -> None:
    timetable = open_on(*days_after(MONDAY, 0, 28), hours=(9, 12))
    view = a_view(timetable, step=timedelta(minutes=15))

    found = series.offers(view, a_plan(2))

    assert [clocks(offer)[0] for offer in found] == ["Mon 09:00", "Mon 10:00", "Mon 11:00"]


def test_a_session_leaves_the_weekday_only_where_it_must() -> None:
    view = a_view(closed_on=frozenset([date(2026, 3, 30)]))

    soonest, *_ = series.offers(view, a_plan(3))

    # 30 March is closed: one day later and back costs less than five weeks twice
    assert local_days(soonest) == [MONDAY, date(2026, 3, 31), date(2026, 4, 27)]


def test_two_weeks_of_holidays_are_bridged_within_the_window() -> None:
    closed = frozenset(days_after(date(2026, 3, 23), *range(14)))  # 23 March - 5 April

    soonest, *_ = series.offers(a_view(closed_on=closed), a_plan())

    assert clocks(soonest) == ["Mon 09:00"] * 4
    assert gaps(soonest) == [35, 28, 28]


def test_a_series_stays_with_one_practitioner() -> None:
    amy = open_on(*days_after(MONDAY, 0, 56))
    bea = open_on(*days_after(MONDAY, 28), name="bea")

    assert series.offers(a_view(amy, bea), a_plan(3)) == ()


def test_the_better_practitioner_for_the_whole_series_is_chosen() -> None:
    amy = open_on(*days_after(MONDAY, 0, 30))
    bea = open_on(*days_after(MONDAY, 0, 28), name="bea")

    soonest, *_ = series.offers(a_view(amy, bea), a_plan(2))

    assert {slot.practitioner for slot in soonest.slots} == {"bea"}


def test_the_hour_that_suits_the_whole_series_is_chosen_on_the_soonest_day() -> None:
    later = DayOverride(MONDAY + timedelta(days=28), ((time(12), time(13)),))
    first = DayOverride(MONDAY, ((time(9), time(13)),))

    (offer,) = series.offers(a_view(Timetable("amy", (), (first, later))), a_plan(2), limit=1)

    assert clocks(offer) == ["Mon 12:00", "Mon 12:00"]


def test_a_later_first_day_is_taken_when_the_series_cannot_begin_sooner() -> None:
    days = days_after(MONDAY, 0, 7, 35)  # 35 is too far from 0 with at most 30 days

    (offer,) = series.offers(a_view(open_on(*days)), a_plan(2, Spacing(21, 28, 30)))

    assert local_days(offer) == days[1:]


def test_no_series_fits_before_the_horizon() -> None:
    assert series.offers(a_view(days=100), a_plan(6)) == ()
    assert series.offers(a_view(open_on()), a_plan()) == ()


def test_the_plans_start_forbidden_days_and_weekdays_are_respected() -> None:
    holiday = (date(2026, 4, 6), date(2026, 4, 10))
    plan = a_plan(avoid=(holiday,), weekdays=frozenset([4]), starts_on=date(2026, 3, 10))

    soonest, *_ = series.offers(a_view(), plan)

    # 10 April, four weeks after 13 March, is avoided: a week sooner costs as much as a week later
    assert local_days(soonest)[:2] == [date(2026, 3, 13), date(2026, 4, 3)]
    assert {day.weekday() for day in local_days(soonest)} == {4}


def test_gaps_are_local_days_when_the_clocks_change() -> None:
    evening = Timetable("amy", (OpeningHours(6, time(23), time(23, 59)),))
    view = a_view(evening, duration=timedelta(minutes=30))

    soonest, *_ = series.offers(view, a_plan(2, Spacing(28, 28, 28)))

    assert clocks(soonest) == ["Sun 23:00"] * 2
    assert [slot.starts_at.hour for slot in soonest.slots] == [23, 22]  # GMT, summer time


def test_a_series_is_built_on_a_chosen_first_time() -> None:
    offer = series.from_first(a_view(), a_plan(), slot_on(date(2026, 3, 5), 14))

    assert offer is not None
    assert clocks(offer) == ["Thu 14:00"] * 4


@pytest.mark.parametrize(
    "first",
    [
        slot_on(date(2026, 3, 7)),  # closed on Saturdays
        slot_on(date(2026, 3, 5), 20),  # after hours
        slot_on(date(2026, 3, 5), name="zoe"),  # nobody of that name
        slot_on(date(2026, 12, 7)),  # the second session would be past the horizon
        slot_on(date(2026, 3, 6)),  # the plan forbids Fridays
    ],
)
def test_a_first_time_that_cannot_begin_the_series_gives_none(first: Slot) -> None:
    plan = a_plan(weekdays=frozenset(range(4)))

    assert series.from_first(a_view(), plan, first) is None


def test_only_the_first_session_can_be_offered() -> None:
    view = a_view(days=30)  # too short for a series
    found = series.first_only(view, a_plan(weekdays=frozenset([1, 2])), limit=2)

    assert [clocks(offer) for offer in found] == [["Tue 09:00"], ["Wed 12:00"]]


def test_consultations_begin_with_the_soonest_and_spread_over_days_and_parts() -> None:
    found = series.single_offers(a_view(), date(2026, 3, 4))

    assert [clocks(offer) for offer in found] == [["Wed 09:00"], ["Thu 12:00"], ["Fri 17:00"]]


def test_consultations_go_to_the_least_busy_practitioner() -> None:
    lunch = (at(MONDAY, 12), at(MONDAY, 13))
    view = a_view(Timetable("amy", WEEKDAYS, busy=(lunch,)), Timetable("bea", WEEKDAYS))

    soonest, *_ = series.single_offers(view, MONDAY)

    assert soonest.slots == (slot_on(MONDAY, name="bea"),)


def test_a_practitioner_who_is_off_that_day_is_not_offered() -> None:
    view = a_view(open_on(MONDAY), open_on(date(2026, 3, 3), name="bea"))

    found = series.single_offers(view, MONDAY)

    assert [offer.slots[0].practitioner for offer in found] == ["amy", "bea"]


def test_a_full_calendar_has_no_consultations() -> None:
    assert series.single_offers(a_view(open_on()), MONDAY) == ()


def test_a_series_that_is_still_free_is_kept() -> None:
    wanted = series.offers(a_view(), a_plan())[0]

    assert series.repair(a_view(), a_plan(), wanted) == wanted


def test_one_taken_time_moves_to_the_nearest_time_of_its_day() -> None:
    wanted = series.offers(a_view(), a_plan())[0]
    taken = (wanted.slots[1].starts_at, wanted.slots[1].ends_at)
    view = a_view(Timetable("amy", WEEKDAYS, busy=(taken,)))

    repaired = series.repair(view, a_plan(), wanted)

    assert repaired is not None
    assert repaired.changed == (1,)
    assert clocks(repaired) == ["Mon 09:00", "Mon 10:00", "Mon 09:00", "Mon 09:00"]


def test_a_free_session_moves_only_where_its_gap_would_break() -> None:
    wanted = Offer(tuple(map(slot_on, days_after(MONDAY, 0, 21))))
    view = a_view(open_on(*days_after(MONDAY, 1, 21, 22, 29)))
    plan = a_plan(2, Spacing(21, 28, 28))

    repaired = series.repair(view, plan, wanted)

    # day 21 is still free, but only 20 days after day 1
    assert repaired is not None
    assert local_days(repaired) == days_after(MONDAY, 1, 22)
    assert repaired.changed == (0, 1)


def test_a_session_is_kept_even_if_another_must_move_far() -> None:
    november = date(2026, 11, 2)
    wanted = Offer(tuple(map(slot_on, days_after(november, 7, 35))))
    view = a_view(open_on(*days_after(november, 6, 7, 34, 49)))

    repaired = series.repair(view, a_plan(2), wanted)

    assert repaired is not None
    assert local_days(repaired) == days_after(november, 7, 34)
    assert repaired.changed == (1,)


def test_one_long_move_is_better_than_two_short_ones() -> None:
    november = date(2026, 11, 2)
    wanted = Offer(tuple(map(slot_on, days_after(november, 7, 35))))
    view = a_view(open_on(*days_after(november, 0, 8, 35, 36)))

    repaired = series.repair(view, a_plan(2, Spacing(28, 28, 35)), wanted)

    # 8 and 36 are each a day away, 8 and 35 too close together
    assert repaired is not None
    assert local_days(repaired) == days_after(november, 0, 35)
    assert repaired.changed == (0,)


def test_another_practitioner_takes_over_only_a_whole_series() -> None:
    wanted = Offer(tuple(map(slot_on, days_after(MONDAY, 0, 28))))
    amy = open_on(*days_after(MONDAY, 0))
    bea = open_on(*days_after(MONDAY, 0, 28), name="bea")
    zoe = open_on(*days_after(MONDAY, 1, 29), name="zoe")

    repaired = series.repair(a_view(zoe, bea, amy), a_plan(2), wanted)

    assert repaired is not None
    assert [slot.practitioner for slot in repaired.slots] == ["bea", "bea"]
    assert repaired.changed == (0, 1)


def test_what_cannot_be_repaired_gives_none() -> None:
    wanted = Offer(tuple(map(slot_on, days_after(MONDAY, 0, 28))))

    assert series.repair(a_view(open_on(MONDAY)), a_plan(2), wanted) is None
    assert series.repair(a_view(open_on()), a_plan(2), wanted) is None
