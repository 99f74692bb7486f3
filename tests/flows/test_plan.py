from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows import plan as plans
from flows.conversation import Answer
from flows.eligibility import assess
from flows.plan import WEEKEND_SESSIONS, Plan, note_values, propose
from flows.protocol import Spacing
from flows.texts import Catalogue
from storage.protocol_files import load_catalogues
from tests.flows.builders import GRADED, WAIT, a_protocol, a_step
from tests.flows.case_files import MONDAY, Case, a_patient, all_cases, shipped

DAY = timedelta(days=1)
PLANNED = [case for case in all_cases() if "plan" in case.expect]


def note_ids(plan: Plan) -> tuple[str, ...]:
    return tuple(note.removeprefix("plan.note.") for note in plan.notes)


@cache
def english() -> Catalogue:
    return load_catalogues()["en"]


def propose_for(**answers: object) -> Plan:
    return propose_with(shipped().spacing, a_patient(**answers))


def propose_with(spacing: Spacing, answers: dict[str, Answer], minor_days: int = 7) -> Plan:
    """Plan for a clinic with its own numbers."""
    protocol = replace(shipped(), spacing=spacing, minor_days=minor_days)
    plan = propose(protocol, answers, assess(protocol, answers, MONDAY), MONDAY)
    assert plan is not None
    return plan


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_case_has_its_plan(case: Case) -> None:
    plan, expect = case.plan, case.expect["plan"]
    if plan is None:
        assert expect == "nothing"
        return

    found = {
        "sessions": str(plan.sessions),
        "starts_on": str(plan.starts_on),
        "days": [str(day) for day in plan.proposed_on],
        "before_event": str(plan.before_event),
        "weekdays": [str(day) for day in sorted(plan.weekdays)] if plan.weekdays else "any",
        "review_on": str(plan.review_on),
        "refresher_on": str(plan.refresher_on),
    }
    named = {key: value for key, value in expect.items() if "notes" not in key}
    assert {key: found[key] for key in named} == named


@pytest.mark.parametrize("case", [c for c in PLANNED if c.plan is not None], ids=str)
def test_case_has_its_notes(case: Case) -> None:
    assert case.plan is not None
    expect = case.expect["plan"]

    assert set(expect.get("notes", ())) <= set(note_ids(case.plan))
    assert not set(expect.get("no_notes", ())) & set(note_ids(case.plan))


def test_the_plan_carries_the_numbers_of_the_protocol() -> None:
    plan = propose_for()

    assert (plan.sessions, plan.at_least, plan.at_most) == (3, 3, 4)
    assert (plan.spacing, plan.downtime_days, plan.minor_days) == (Spacing(28, 28, 42), (1, 3), 7)
    assert (plan.event_on, plan.before_event, plan.avoid, plan.weekdays) == (None, None, (), None)


def test_an_event_keeps_its_week_free() -> None:
    plan = propose_for(timing="event", event_on={"on": "2026-06-12"})

    assert plan.avoid == ((date(2026, 6, 5), date(2026, 6, 12)),)


def test_notes_are_read_in_order_and_once() -> None:
    plan = propose_for(
        goal=["perfect", "lift"],
        practical=["downtime", "series"],
        downtime_ok="weekend",
        series_ok="maybe",
        timing="event",
        event_on={"on": "2026-06-12"},
        today="new_scars",
    )

    assert note_ids(plan) == (
        "sessions_by_depth", "spacing", "first_change", "judged", "no_promise", "downtime",
        "event_all", "downtime_weekend", "laser", "refresher", "one_at_a_time", "goal_perfect",
        "goal_lift", "new_scars",
    )  # fmt: skip


def test_a_plan_without_sessions_is_no_plan() -> None:
    protocol = a_protocol(GRADED, plan_rows={})
    answers = {"scars": Answer(codes=("waves",))}

    assert propose(protocol, answers, assess(protocol, answers, MONDAY), MONDAY) is None


def test_an_ungraded_patient_gets_no_plan() -> None:
    assert propose(shipped(), {}, assess(shipped(), {}, MONDAY), MONDAY) is None


def test_a_waiting_patient_gets_no_plan() -> None:
    protocol = a_protocol(GRADED, a_step("recent", WAIT))
    answers = {"scars": Answer(codes=("waves",)), "recent": Answer(codes=("wait",))}

    assert propose(protocol, answers, assess(protocol, answers, MONDAY), MONDAY) is None


def test_a_spacing_too_tight_to_step_over_the_event_begins_after_it() -> None:
    answers = a_patient(timing="event", event_on={"on": "2026-04-02"})

    plan = propose_with(Spacing(28, 28, 29), answers)

    assert (plan.starts_on, plan.before_event) == (date(2026, 4, 3), 0)
    assert plan.proposed_on == (date(2026, 4, 3), date(2026, 5, 1), date(2026, 5, 29))
    assert "event_after" in note_ids(plan)


def test_a_spacing_that_never_meets_the_weekend_gives_the_weekdays_up_and_says_so() -> None:
    answers = a_patient(practical="downtime", downtime_ok="weekend")

    plan = propose_with(Spacing(31, 31, 31), answers)

    assert plan.weekdays is None
    assert plan.proposed_on == (date(2026, 3, 3), date(2026, 4, 3), date(2026, 5, 4))
    assert "downtime_none" in note_ids(plan)
    assert "downtime_weekend" not in note_ids(plan)


def test_of_two_days_as_near_the_later_one_gives_the_skin_time() -> None:
    answers = a_patient(timing="event", event_on={"on": "2026-04-10"})

    plan = propose_with(Spacing(27, 35, 43), answers, minor_days=6)

    # 3 March + 35 days is 7 April, closed from 4 to 10 April: 3 and 11 April are as near.
    assert plan.proposed_on[:2] == (date(2026, 3, 3), date(2026, 4, 11))


def test_a_spacing_without_days_is_named_as_a_fault() -> None:
    with pytest.raises(ValueError, match=r"^spacing\.preferred_days must lie within"):
        propose_with(Spacing(28, 28, 27), a_patient())


def test_an_event_in_the_last_year_of_the_calendar_is_no_fault() -> None:
    plan = propose_for(timing="event", event_on={"on": "9999-12-31"})

    assert "event_settled" in note_ids(plan)


def test_every_note_has_words_whose_values_the_plan_knows() -> None:
    notes = {note for case in PLANNED if case.plan for note in case.plan.notes}
    written = {key for key in english().texts if key.startswith("plan.note.")}

    assert notes == written


@pytest.mark.parametrize("case", [c for c in PLANNED if c.plan is not None], ids=str)
def test_notes_can_be_filled_for_every_plan(case: Case) -> None:
    assert case.plan is not None
    values = note_values(case.plan)

    for note in case.plan.notes:
        assert not re.search("[{}]", english().text(note, **values))


def test_note_values_are_those_of_the_plan() -> None:
    plan = propose_for(timing="event", event_on={"on": "2026-04-08"})

    assert note_values(plan) == {
        "sessions": 3,
        "at_least": 3,
        "at_most": 4,
        "weeks": 4,
        "downtime_from": 1,
        "downtime_to": 3,
        "minor_days": 7,
        "review_weeks": 12,
        "review_on": date(2026, 7, 21),
        "refresher_on": date(2027, 4, 28),
        "event_on": date(2026, 4, 8),
        "before_event": 2,
    }


def test_what_to_expect_and_the_care_have_words() -> None:
    parts = ("expect", "before", "day", "after", "call")

    assert all(english().words(f"care.{part}") for part in parts)


def test_no_text_of_the_plan_promises_or_tells_to_stop_a_medicine() -> None:
    ours = [
        str(english().texts[key]) for key in english().texts if key.startswith(("plan.", "care."))
    ]
    forbidden = re.compile(
        r"we promise|guarantee|will definitely|stop (taking|your|using)|cure|FDA.approved", re.I
    )

    assert [text for text in ours if forbidden.search(text)] == []


def test_answers_that_add_notes_are_in_the_protocol() -> None:
    tables = (
        plans._TIMING_NOTES, plans._DOWNTIME_NOTES, plans._LASER_NOTES, plans._CLOSING_NOTES,
    )  # fmt: skip
    for step, option, _ in (row for table in tables for row in table):
        assert shipped().step(step).option(option)


SPACINGS = st.tuples(st.integers(21, 42), st.integers(0, 14), st.integers(0, 20)).map(
    lambda it: Spacing(it[0], it[0] + it[1], it[0] + it[1] + it[2])
)
TODAYS = st.dates(date(2024, 1, 1), date(2032, 12, 31))


@settings(deadline=None)
@given(
    SPACINGS,
    TODAYS,
    st.none() | st.integers(-5, 300),
    st.sampled_from(["weekend", "one_day", "none", ""]),
    st.sampled_from(["hidden", "flattens"]),
)
def test_proposed_days_obey_spacing_event_and_weekdays(
    spacing: Spacing, today: date, event_in: int | None, downtime: str, visibility: str
) -> None:
    answers = a_patient(visibility=visibility, timing="event", event_on="unsure")
    if event_in is not None:
        answers["event_on"] = Answer(on=today + event_in * DAY)
    if downtime:
        answers["downtime_ok"] = Answer(codes=(downtime,))
    protocol = replace(shipped(), spacing=spacing)

    plan = propose(protocol, answers, assess(protocol, answers, today), today)

    assert plan is not None
    assert len(plan.proposed_on) == plan.sessions
    assert today < plan.starts_on <= plan.proposed_on[0]
    for before, after in pairwise(plan.proposed_on):
        assert spacing.min_days <= (after - before).days <= spacing.max_days
    for day in plan.proposed_on:
        assert not any(first <= day <= last for first, last in plan.avoid)
        assert plan.weekdays is None or day.weekday() in plan.weekdays


@settings(deadline=None)
@given(TODAYS, st.integers(1, 400), st.sampled_from(["weekend", ""]))
def test_no_redness_touches_the_event(today: date, event_in: int, downtime: str) -> None:
    answers = a_patient(timing="event", event_on="unsure")
    answers["event_on"] = Answer(on=today + event_in * DAY)
    if downtime:
        answers["downtime_ok"] = Answer(codes=(downtime,))

    plan = propose(shipped(), answers, assess(shipped(), answers, today), today)

    assert plan is not None
    assert plan.event_on == today + event_in * DAY
    assert plan.weekdays == (WEEKEND_SESSIONS if downtime else None)
    for day in plan.proposed_on:
        healed_on = day + plan.minor_days * DAY
        assert day > plan.event_on or healed_on < plan.event_on
    before = sum(day < plan.event_on for day in plan.proposed_on)
    assert plan.before_event == before
    assert plan.starts_on == (plan.event_on + DAY if before == 0 else today + DAY)


@settings(deadline=None)
@given(TODAYS, st.integers(0, 60))
def test_a_later_look_falls_on_the_same_day_or_on_the_last_of_its_month(
    day: date, months: int
) -> None:
    later = plans.months_after(day, months)

    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == day.day or (later.day < day.day and (later + DAY).day == 1)
