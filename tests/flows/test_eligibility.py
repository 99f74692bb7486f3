from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.conversation import Answer
from flows.eligibility import assess, band, score
from flows.protocol import Option, Outcome, Severity, Step
from storage.protocol_files import load_catalogues
from tests.flows.builders import GRADED, a_protocol, a_step
from tests.flows.case_files import MONDAY, Case, a_patient, all_cases, shipped

RANK = list(Outcome)


def answers_to(step: Step) -> st.SearchStrategy[Answer]:
    codes = [option.code for option in step.options]
    return st.lists(st.sampled_from(codes), unique=True).map(lambda c: Answer(codes=tuple(c)))


ANY_ANSWERS = st.fixed_dictionaries(
    {}, optional={step.id: answers_to(step) for step in shipped().steps}
)
SAFETY = [step for step in shipped().steps if step.group in {"about", "safety"}]
SAFETY_OPTIONS = [(step.id, option) for step in SAFETY for option in step.options]


def with_option(answers: Mapping[str, Answer], step: str, code: str) -> dict[str, Answer]:
    codes = answers[step].codes if step in answers else ()
    return {**answers, step: Answer(codes=(*codes, code))}


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_case_has_its_verdict(case: Case) -> None:
    assert {"outcome", "rules"} <= case.expect.keys()
    assert case.differences(shipped()) == []


@pytest.mark.parametrize("case", [case for case in all_cases() if "score" in case.expect], ids=str)
def test_case_has_its_score(case: Case) -> None:
    found = score(shipped(), case.answers)

    assert (str(found.total) if found.usable else "unusable") == case.expect["score"]


def test_every_rule_of_the_protocol_speaks_in_a_case() -> None:
    rules = {
        f"{step.id}.{option.code}"
        for step in shipped().steps
        for option in step.options
        if option.severity >= Severity.COUNSEL
    }

    assert rules - {rule for case in all_cases() for rule in case.expect["rules"]} == set()


def test_every_answer_of_the_protocol_is_given_in_a_case() -> None:
    every = {(step.id, option.code) for step in shipped().steps for option in step.options}
    given_codes = {
        (step, code)
        for case in all_cases()
        for step, answer in case.answers.items()
        for code in (answer.codes or ("given",))
    }

    assert every - given_codes == set()


def test_case_names_are_sentences_of_their_own() -> None:
    names = [case.name for case in all_cases()]

    assert len(names) == len(set(names))
    assert all(len(name.split()) >= 4 for name in names)


@pytest.mark.parametrize(
    ("years", "code"),
    [
        (1, "under_18"),
        (17, "under_18"),
        (18, "18_21"),
        (21, "18_21"),
        (22, "22_plus"),
        (120, "22_plus"),
    ],
)
def test_a_typed_age_means_one_option(years: int, code: str) -> None:
    assert a_patient(age={"years": years})["age"] == Answer(codes=(code,))


def test_a_reason_names_its_sources_and_basis() -> None:
    (reason,) = assess(shipped(), a_patient(today="recent", recent="filler"), MONDAY).reasons

    assert (reason.sources, reason.basis) == (("S84",), "P+E")
    assert (reason.recheck_on, reason.open_ended) == (date(2026, 3, 30), False)


def test_every_reason_of_the_protocol_can_name_a_source() -> None:
    for case in all_cases():
        for reason in case.verdict.reasons:
            assert reason.sources, reason.rule
            assert set(reason.sources) <= set(shipped().sources)
            assert reason.basis


def test_flat_marks_name_the_sources_of_the_flat_answer() -> None:
    (reason,) = assess(shipped(), a_patient(scar_type="flat"), MONDAY).reasons

    assert reason.rule == "grade.1"
    assert reason.sources == ("S01b", "S01d", "S85")


def test_flat_marks_have_words_for_the_patient() -> None:
    assert load_catalogues()["en"].text("grade.1.reason")


def test_a_wait_that_ends_with_a_condition_is_open_ended() -> None:
    answers = a_patient(today="pregnancy", pregnancy="pregnant")

    (reason,) = assess(shipped(), answers, MONDAY).reasons

    assert (reason.open_ended, reason.recheck_on) == (True, date(2027, 3, 1))


def test_a_red_flag_is_urgent_and_stands_first() -> None:
    verdict = assess(shipped(), a_patient(history="heart"), MONDAY, red_flag="self_harm")

    assert [reason.rule for reason in verdict.reasons] == ["red_flag.self_harm", "history.heart"]
    assert (verdict.outcome, verdict.bookable) == (Outcome.URGENT, None)


def test_a_chat_without_an_answer_is_not_stopped() -> None:
    verdict = assess(shipped(), {}, MONDAY)

    assert (verdict.outcome, verdict.reasons, verdict.grade) == (Outcome.ELIGIBLE, (), None)


def test_a_graded_answer_without_a_plan_row_is_no_review() -> None:
    protocol = a_protocol(a_step("scars", Option("odd", grade=9)))

    verdict = assess(protocol, {"scars": Answer(codes=("odd",))}, MONDAY)

    assert (verdict.grade, verdict.outcome) == (9, Outcome.ELIGIBLE)


def test_a_date_counts_as_given_where_the_protocol_has_a_rule_for_it() -> None:
    protocol = a_protocol(GRADED, a_step("surgery_on", Option("given", Severity.REVIEW)))

    assert assess(protocol, {"surgery_on": Answer(on=MONDAY)}, MONDAY).outcome is Outcome.REVIEW
    assert assess(protocol, {"scars": Answer(on=MONDAY)}, MONDAY).outcome is Outcome.ELIGIBLE


@pytest.mark.parametrize(
    ("answers", "named"),
    [
        ({"acne_now": Answer(codes=("purple",))}, "acne_now.purple"),
        ({"shoe_size": Answer(text="my own words")}, "shoe_size"),
    ],
)
def test_an_answer_that_the_protocol_forgot_is_named_by_its_rule_alone(
    answers: dict[str, Answer], named: str
) -> None:
    with pytest.raises(ValueError, match=f"does not have: {named}$"):
        assess(shipped(), answers, MONDAY)


def test_a_red_flag_that_the_protocol_forgot_is_named() -> None:
    with pytest.raises(ValueError, match=r"does not have: red_flag\.storm$"):
        assess(shipped(), {}, MONDAY, red_flag="storm")


def test_the_parts_of_the_score_follow_the_protocol_and_say_where_points_come_from() -> None:
    found = score(shipped(), a_patient(practical="travel", travel="sometimes"))

    assert [(part.part, part.points, part.out_of, part.rule) for part in found.parts] == [
        ("fit", 30, 30, "scar_type.rolling"),
        ("timing", 20, 20, "timing.month"),
        ("series", 15, 15, "practical"),
        ("budget", 15, 15, "practical"),
        ("location", 5, 10, "travel.sometimes"),
        ("expectation", 10, 10, "goal.softer"),
    ]


def test_a_question_still_open_earns_nothing() -> None:
    answers = a_patient(practical=["series", "price"])

    parts = {part.part: (part.points, part.rule) for part in score(shipped(), answers).parts}

    assert (parts["series"], parts["budget"]) == ((0, ""), (0, ""))
    assert parts["location"] == (10, "practical")


def test_an_answer_never_earns_more_than_its_part_weighs() -> None:
    protocol = a_protocol(a_step("scars", Option("waves", points=99), score_part="fit"))

    assert score(protocol, {"scars": Answer(codes=("waves",))}).total == 30


def test_a_confidential_answer_forbids_the_score() -> None:
    found = score(shipped(), a_patient(history=["worry", "heart"]))

    assert (found.usable, found.total, found.parts) == (False, 0, ())


def test_no_health_answer_but_the_fit_of_the_scars_can_earn_points() -> None:
    scored = {step.group for step in shipped().steps if step.score_part}

    assert scored == {"scar", "goal", "practical"}
    assert [s.id for s in shipped().steps if s.score_part == "fit"] == ["scar_type"]


@settings(deadline=None)
@given(ANY_ANSWERS)
def test_health_answers_never_move_the_score(answers: dict[str, Answer]) -> None:
    spoken = {step: it for step, it in answers.items() if "worry" not in it.codes}
    health = {step.id for step in SAFETY}
    without = {step: it for step, it in spoken.items() if step not in health}

    assert score(shipped(), spoken) == score(shipped(), without)


@settings(deadline=None)
@given(ANY_ANSWERS, st.sampled_from(SAFETY_OPTIONS))
def test_one_more_safety_answer_never_lowers_the_verdict(
    answers: dict[str, Answer], added: tuple[str, Option]
) -> None:
    more = with_option(answers, added[0], added[1].code)

    before, after = assess(shipped(), answers, MONDAY), assess(shipped(), more, MONDAY)

    assert RANK.index(after.outcome) >= RANK.index(before.outcome)
    assert set(before.reasons) <= set(after.reasons)
    assert after.bookable != "treatment" or before.bookable == "treatment"


@settings(deadline=None)
@given(ANY_ANSWERS, st.data())
def test_the_order_of_answers_and_ticks_never_matters(
    answers: dict[str, Answer], data: st.DataObject
) -> None:
    steps = data.draw(st.permutations(list(answers)))
    turned = {step: Answer(codes=answers[step].codes[::-1]) for step in steps}

    assert assess(shipped(), turned, MONDAY) == assess(shipped(), answers, MONDAY)
    assert score(shipped(), turned) == score(shipped(), answers)


@settings(deadline=None)
@given(ANY_ANSWERS)
def test_the_strongest_reason_decides_and_stands_first(answers: dict[str, Answer]) -> None:
    verdict = assess(shipped(), answers, MONDAY)
    severities = [reason.severity for reason in verdict.reasons]

    assert severities == sorted(severities, reverse=True)
    assert (verdict.outcome is Outcome.ELIGIBLE) == (
        not severities or severities[0] is Severity.COUNSEL
    )


@settings(deadline=None)
@given(ANY_ANSWERS, st.dates(date(2024, 1, 1), date(2040, 1, 1)), st.integers(1, 400))
def test_dates_move_with_the_day_and_nothing_else_does(
    answers: dict[str, Answer], today: date, days: int
) -> None:
    now = assess(shipped(), answers, today)
    later = assess(shipped(), answers, today + timedelta(days))

    assert (later.outcome, later.bookable) == (now.outcome, now.bookable)
    if now.recheck_on is None:
        assert later.recheck_on is None
    else:
        assert later.recheck_on == now.recheck_on + timedelta(days)


@pytest.mark.parametrize(
    ("total", "word"), [(100, "high"), (70, "high"), (69, "medium"), (40, "medium"), (39, "low")]
)
def test_a_score_has_a_band(total: int, word: str) -> None:
    assert band(total) == word
