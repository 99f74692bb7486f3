from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows import slots
from flows.slots import CalendarView, DayOverride, OpeningHours, Slot, Timetable

LONDON = "Europe/London"
MONDAY = date(2026, 3, 2)
HALF_HOUR = timedelta(minutes=30)
NINE_TO_NOON = tuple(OpeningHours(weekday, time(9), time(12)) for weekday in range(5))


def at(on: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(on, time(hour, minute), UTC)


def busy(on: date, start: time, end: time) -> tuple[datetime, datetime]:
    return datetime.combine(on, start, UTC), datetime.combine(on, end, UTC)


def an_hour_a_day(**changes: object) -> CalendarView:
    """One practitioner, weekdays 9-12, one-hour service every half hour, no buffers."""
    view = CalendarView(
        zone=LONDON,
        timetables=(Timetable("amy", NINE_TO_NOON),),
        closed_on=frozenset(),
        duration=timedelta(hours=1),
        buffer_before=timedelta(0),
        buffer_after=timedelta(0),
        step=HALF_HOUR,
        opens_at=at(date(2026, 1, 1), 0),
        closes_at=at(date(2027, 1, 1), 0),
    )
    return replace(view, **changes)  # type: ignore[arg-type]


def clocks(view: CalendarView, on: date, until_on: date | None = None) -> list[str]:
    """Free times of the first practitioner on the clinic's clock."""
    found = slots.free_slots(view, view.timetables[0], on, until_on or on)
    return [f"{slots.local_start(slot, view.zone):%H:%M}" for slot in found]


def with_timetable(**changes: object) -> CalendarView:
    timetable = replace(Timetable("amy", NINE_TO_NOON), **changes)  # type: ignore[arg-type]
    return an_hour_a_day(timetables=(timetable,))


def test_an_empty_day_offers_every_grid_time_at_which_the_service_fits() -> None:
    assert clocks(an_hour_a_day(), MONDAY) == ["09:00", "09:30", "10:00", "10:30", "11:00"]


def test_a_slot_runs_for_the_length_of_the_service() -> None:
    view = an_hour_a_day()

    first = next(slots.free_slots(view, view.timetables[0], MONDAY, MONDAY))

    assert first == Slot(at(MONDAY, 9), at(MONDAY, 10), "amy")


def test_no_hours_on_a_weekday_means_closed() -> None:
    saturday = date(2026, 3, 7)

    assert clocks(an_hour_a_day(), saturday) == []


def test_the_grid_starts_at_the_opening_time() -> None:
    hours = (OpeningHours(0, time(9, 10), time(11)),)

    assert clocks(with_timetable(hours=hours), MONDAY) == ["09:10", "09:40"]


def test_a_break_splits_the_day() -> None:
    hours = (OpeningHours(0, time(13), time(14, 30)), OpeningHours(0, time(9), time(10)))

    assert clocks(with_timetable(hours=hours), MONDAY) == ["09:00", "13:00", "13:30"]


def test_a_service_may_run_over_the_seam_of_touching_hours() -> None:
    hours = (OpeningHours(0, time(9), time(10)), OpeningHours(0, time(10), time(11)))

    assert clocks(with_timetable(hours=hours), MONDAY) == ["09:00", "09:30", "10:00"]


def test_a_closure_removes_the_day() -> None:
    view = an_hour_a_day(closed_on=frozenset([MONDAY]))

    assert clocks(view, MONDAY) == []


def test_an_override_replaces_the_weekly_hours_of_its_date() -> None:
    override = DayOverride(MONDAY, ((time(14), time(15)),))

    assert clocks(with_timetable(overrides=(override,)), MONDAY) == ["14:00"]
    assert clocks(with_timetable(overrides=(DayOverride(MONDAY),)), MONDAY) == []


def test_a_closure_wins_over_an_override() -> None:
    override = DayOverride(MONDAY, ((time(14), time(15)),))
    view = replace(with_timetable(overrides=(override,)), closed_on=frozenset([MONDAY]))

    assert clocks(view, MONDAY) == []


def test_a_service_may_touch_a_busy_time_but_not_overlap_it() -> None:
    view = with_timetable(busy=(busy(MONDAY, time(10), time(10, 30)),))

    assert clocks(view, MONDAY) == ["09:00", "10:30", "11:00"]


def test_buffers_must_be_free_too() -> None:
    view = replace(
        with_timetable(busy=(busy(MONDAY, time(10), time(10, 30)),)),
        duration=HALF_HOUR,
        buffer_before=timedelta(minutes=10),
        buffer_after=timedelta(minutes=5),
    )

    # 09:30 needs until 10:05, 10:30 needs from 10:20
    assert clocks(view, MONDAY) == ["09:00", "11:00", "11:30"]


def test_buffers_may_spill_over_opening_and_closing_time() -> None:
    hour = timedelta(hours=1)
    view = an_hour_a_day(buffer_before=hour, buffer_after=hour)

    assert clocks(view, MONDAY) == ["09:00", "09:30", "10:00", "10:30", "11:00"]


def test_the_patients_own_appointments_block_the_service_but_not_its_buffers() -> None:
    view = an_hour_a_day(
        buffer_before=HALF_HOUR,
        buffer_after=HALF_HOUR,
        patient_busy=(busy(MONDAY, time(10), time(10, 30)),),
    )

    assert clocks(view, MONDAY) == ["09:00", "10:30", "11:00"]


def test_notice_and_horizon_bound_the_start_and_keep_the_grid() -> None:
    view = an_hour_a_day(opens_at=at(MONDAY, 9, 1), closes_at=at(MONDAY, 10, 30))

    assert clocks(view, MONDAY) == ["09:30", "10:00", "10:30"]


def test_an_appointment_that_ends_within_a_second_still_counts_as_busy() -> None:
    end = at(MONDAY, 10) + timedelta(microseconds=1)
    view = with_timetable(busy=((at(MONDAY, 9), end),))

    assert clocks(view, MONDAY) == ["10:30", "11:00"]


def test_days_are_listed_lazily() -> None:
    view = an_hour_a_day(closes_at=datetime(9999, 1, 1, tzinfo=UTC))

    found = slots.free_slots(view, view.timetables[0], MONDAY, date(9998, 1, 1))

    assert next(found).starts_at == at(MONDAY, 9)


def test_hours_keep_their_wall_clock_when_the_clocks_change() -> None:
    every_day = tuple(OpeningHours(weekday, time(9), time(10)) for weekday in range(7))
    view = with_timetable(hours=every_day)

    found = slots.free_slots(view, view.timetables[0], date(2026, 3, 28), date(2026, 3, 29))

    assert [slot.starts_at.hour for slot in found] == [9, 8]  # GMT, then summer time


@pytest.mark.parametrize(
    ("zone", "on", "opens", "closes", "expected"),
    [
        # London springs forward at 01:00: 01:00 and 01:30 do not exist.
        (LONDON, date(2026, 3, 29), time(0), time(4), "00:00 00:30 02:00 02:30 03:00"),
        # London falls back at 02:00: 01:00-02:00 happens twice, the first one counts.
        (LONDON, date(2026, 10, 25), time(0), time(3), "00:00 00:30 01:00 01:30 02:00"),
        # Cairo's clocks jump at midnight, so the day begins at 01:00.
        ("Africa/Cairo", date(2026, 4, 24), time(0), time(2, 30), "01:00 01:30"),
        # Lord Howe Island moves by half an hour.
        ("Australia/Lord_Howe", date(2026, 10, 4), time(1), time(4), "01:00 01:30 02:30 03:00"),
        # A closing time that does not exist counts as the earlier of its two readings.
        (LONDON, date(2026, 3, 29), time(0), time(1, 30), ""),
        # One that happens twice is the first: 00:30 + 1 h fits, 01:00 + 1 h does not.
        (LONDON, date(2026, 10, 25), time(0), time(1, 30), "00:00 00:30"),
    ],
)
def test_days_on_which_the_clocks_change(
    zone: str, on: date, opens: time, closes: time, expected: str
) -> None:
    hours = (OpeningHours(on.weekday(), opens, closes),)
    view = replace(with_timetable(hours=hours), zone=zone)

    assert " ".join(clocks(view, on)) == expected


def test_a_repeated_hour_means_its_first_occurrence() -> None:
    autumn = date(2026, 10, 25)
    view = with_timetable(hours=(OpeningHours(6, time(1), time(3)),))

    first = next(slots.free_slots(view, view.timetables[0], autumn, autumn))

    assert first.starts_at == at(autumn, 0)  # 01:00 summer time


def test_busy_times_count_on_a_day_of_change() -> None:
    autumn = date(2026, 10, 25)
    timetable = Timetable(
        "amy",
        (OpeningHours(6, time(0), time(4)),),
        busy=(busy(autumn, time(0), time(1)),),  # 01:00-02:00 summer time
    )

    assert clocks(an_hour_a_day(timetables=(timetable,)), autumn) == [
        "00:00",
        "02:00",
        "02:30",
        "03:00",
    ]


def two_practitioners(**changes: object) -> CalendarView:
    amy = Timetable("amy", NINE_TO_NOON, busy=(busy(MONDAY, time(9), time(10)),))
    bea = Timetable("bea", (OpeningHours(0, time(11), time(19)),))
    return an_hour_a_day(timetables=(amy, bea), **changes)


def test_a_time_at_which_two_are_free_counts_once() -> None:
    # amy 10:00 10:30 11:00, bea 11:00 ... 18:00
    assert slots.free_days(two_practitioners(), MONDAY, 1) == ((MONDAY, 17),)


def test_free_days_leaves_out_days_without_times() -> None:
    found = slots.free_days(two_practitioners(), date(2026, 2, 28), 4)

    assert found == ((MONDAY, 17), (date(2026, 3, 3), 5))


def test_a_day_lists_each_time_once_with_the_least_busy_practitioner() -> None:
    found = slots.free_on(two_practitioners(), MONDAY)

    names = [slot.practitioner for slot in found]
    assert names == ["amy", "amy", *["bea"] * 15]
    assert [slot.starts_at for slot in found] == sorted({slot.starts_at for slot in found})


def test_equally_busy_practitioners_are_taken_by_name() -> None:
    view = an_hour_a_day(
        timetables=(Timetable("bea", NINE_TO_NOON), Timetable("amy", NINE_TO_NOON))
    )

    assert {slot.practitioner for slot in slots.free_on(view, MONDAY)} == {"amy"}


def test_a_preferred_practitioner_is_taken_where_free() -> None:
    found = slots.free_on(two_practitioners(), MONDAY, preferred="amy")

    assert [slot.practitioner for slot in found][:4] == ["amy", "amy", "amy", "bea"]


def test_only_the_part_of_a_busy_time_that_falls_on_the_day_counts() -> None:
    sunday = date(2026, 3, 1)
    amy = Timetable("amy", NINE_TO_NOON, busy=((at(sunday, 0), at(MONDAY, 1)),))
    bea = Timetable("bea", NINE_TO_NOON, busy=((at(MONDAY, 13), at(MONDAY, 15)),))
    view = an_hour_a_day(timetables=(bea, amy))

    assert slots.free_on(view, MONDAY)[0].practitioner == "amy"


@pytest.mark.parametrize(
    ("part", "first", "last"),
    [("morning", 10, 11.5), ("afternoon", 12, 16.5), ("evening", 17, 18)],
)
def test_parts_of_the_day_split_at_noon_and_five(part: str, first: float, last: float) -> None:
    found = slots.free_on(two_practitioners(), MONDAY, part)

    hours = [slot.starts_at.hour + slot.starts_at.minute / 60 for slot in found]
    assert (hours[0], hours[-1]) == (first, last)


def test_a_part_is_read_on_the_clinics_clock() -> None:
    summer = date(2026, 6, 1)
    view = with_timetable(hours=(OpeningHours(0, time(12), time(13)),))

    assert slots.free_on(view, summer)[0].starts_at.hour == 11
    assert slots.free_on(view, summer, "afternoon") == slots.free_on(view, summer)


def naive_starts(view: CalendarView, timetable: Timetable, days: Sequence[date]) -> list[datetime]:
    """Every minute of these days against every rule, one by one."""
    zone = ZoneInfo(view.zone)
    found = set()
    for on in days:
        dated = {override.on: override.hours for override in timetable.overrides}
        weekly = [(h.opens, h.closes) for h in timetable.hours if h.weekday == on.weekday()]
        for opens, closes in () if on in view.closed_on else dated.get(on, weekly):
            clock = datetime.combine(on, opens, zone)
            while clock.date() == on and clock.time() < closes:
                start = clock.astimezone(UTC)
                end = start + view.duration
                ends_on_clock = end.astimezone(zone).replace(tzinfo=None)
                fits = ends_on_clock <= datetime.combine(on, closes)
                real = start.astimezone(zone).time() == clock.time()
                needs = (start - view.buffer_before, end + view.buffer_after)
                clear = not any(a < needs[1] and needs[0] < b for a, b in timetable.busy)
                clear &= not any(a < end and start < b for a, b in view.patient_busy)
                if fits and real and clear and view.opens_at <= start <= view.closes_at:
                    found.add(start)
                clock += view.step
    return sorted(found)


minutes = st.integers(0, 12).map(lambda quarters: timedelta(minutes=15 * quarters))


@st.composite
def calendars(draw: st.DrawFn) -> tuple[CalendarView, list[date]]:
    first = draw(st.sampled_from([date(2026, 3, 26), date(2026, 10, 22), date(2026, 6, 5)]))
    days = [first + timedelta(days=number) for number in range(7)]
    clock = st.integers(6 * 4, 20 * 4).map(lambda quarters: time(quarters // 4, quarters % 4 * 15))
    hours = st.tuples(clock, clock).filter(lambda pair: pair[0] < pair[1])
    moment = st.integers(0, 7 * 96).map(lambda n: at(first, 0) + timedelta(minutes=15 * n))
    taken = st.tuples(moment, minutes).map(lambda pair: (pair[0], pair[0] + pair[1]))
    taken = taken.filter(lambda pair: pair[0] < pair[1])
    weekly = tuple(OpeningHours(day, *draw(hours)) for day in draw(st.sets(st.integers(0, 6))))
    dated = {on: DayOverride(on, (draw(hours),)) for on in draw(st.sets(st.sampled_from(days)))}
    busy_times = tuple(draw(st.lists(taken, max_size=12)))
    view = CalendarView(
        zone=draw(st.sampled_from([LONDON, "Asia/Kathmandu", "America/New_York"])),
        timetables=(Timetable("amy", weekly, tuple(dated.values()), busy_times),),
        closed_on=frozenset(draw(st.sets(st.sampled_from(days), max_size=2))),
        duration=timedelta(minutes=draw(st.sampled_from([20, 45, 60, 90]))),
        buffer_before=draw(st.sampled_from([timedelta(0), timedelta(minutes=10)])),
        buffer_after=draw(st.sampled_from([timedelta(0), timedelta(minutes=25)])),
        step=timedelta(minutes=draw(st.sampled_from([10, 15, 30, 60]))),
        opens_at=draw(moment),
        closes_at=at(first, 0) + timedelta(days=draw(st.integers(2, 9))),
        patient_busy=tuple(draw(st.lists(taken, max_size=2))),
    )
    return view, days


@settings(max_examples=150, deadline=None)
@given(calendars())
def test_the_listing_equals_checking_every_time_against_every_rule(
    calendar: tuple[CalendarView, list[date]],
) -> None:
    view, days = calendar
    timetable = view.timetables[0]

    found = [s.starts_at for s in slots.free_slots(view, timetable, days[0], days[-1])]

    assert found == naive_starts(view, timetable, days)


@pytest.mark.parametrize(
    ("starts", "minutes", "is_open"),
    [(9, 60, True), (8, 60, False), (10, 180, True), (12, 61, False), (12, 13 * 60, False)],
)
def test_hours_cover_a_slot_also_over_the_seam_of_two_that_touch(
    starts: int, minutes: int, is_open: bool
) -> None:
    hours = (OpeningHours(0, time(9), time(11, 30)), OpeningHours(0, time(11, 30), time(13)))
    slot = Slot(at(MONDAY, starts), at(MONDAY, starts) + timedelta(minutes=minutes), "amy")

    assert slots.is_open(Timetable("amy", hours), slot, LONDON) is is_open


def test_a_dated_day_covers_by_its_own_hours_alone() -> None:
    slot = Slot(at(MONDAY, 9), at(MONDAY, 10), "amy")
    off, early = DayOverride(MONDAY), DayOverride(MONDAY, ((time(8), time(10)),))

    assert slots.is_open(Timetable("amy", NINE_TO_NOON, (early,)), slot, LONDON)
    assert not slots.is_open(Timetable("amy", NINE_TO_NOON, (off,)), slot, LONDON)
