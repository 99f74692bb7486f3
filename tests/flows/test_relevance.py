from flows import relevance
from flows.conversation import Answer, Stage
from tests.flows.chat import CLEAR, protocol


def given(**answers: tuple[str, ...]) -> dict[str, Answer]:
    return {step: Answer(codes) for step, codes in answers.items()}


def clear(**changes: tuple[str, ...]) -> dict[str, Answer]:
    return given(**{**CLEAR, **changes})


def test_the_first_question_is_consent():
    assert relevance.next_place(protocol(), {}) == "consent"


def test_a_clear_patient_is_asked_eleven_questions():
    assert [step.id for step in relevance.relevant_steps(protocol(), clear())] == list(CLEAR)


def test_all_answered_leads_to_the_review():
    assert relevance.next_place(protocol(), clear()) == Stage.REVIEW


def test_a_tick_asks_for_its_detail_after_its_list():
    answers = clear(history=("diabetes",))

    assert relevance.next_place(protocol(), answers) == "diabetes"


def test_details_of_another_list_stay_unasked():
    answers = clear(today=("pregnancy",))
    steps = [step.id for step in relevance.relevant_steps(protocol(), answers)]

    assert "pregnancy" in steps
    assert "diabetes" not in steps


def test_an_answer_that_stopped_mattering_leaves_the_current_answers():
    answers = {**clear(), **given(diabetes=("controlled",))}

    assert "diabetes" not in relevance.current_answers(protocol(), answers)


def test_a_declining_answer_ends_the_questions():
    answers = given(consent=("agree",), age=("under_18",))

    assert relevance.next_place(protocol(), answers) == Stage.DECLINED
    assert relevance.next_step(protocol(), answers) is None


def test_an_urgent_answer_ends_the_questions():
    answers = given(consent=("agree",), age=("22_plus",), acne_now=("nodules",), acne_ill=("yes",))

    assert relevance.next_place(protocol(), answers) == Stage.URGENT


def test_a_deferred_patient_is_not_asked_about_money():
    answers = clear(today=("infection",), spreading=("no",))
    steps = [step.id for step in relevance.relevant_steps(protocol(), answers)]

    assert "practical" not in steps
    assert "goal" not in steps


def test_back_leads_to_the_last_relevant_answer():
    before = relevance.previous_step(protocol(), clear(), "area")

    assert before is not None
    assert before.id == "visibility"


def test_nothing_stands_before_the_first_question():
    assert relevance.previous_step(protocol(), {}, "consent") is None


def test_back_from_a_stage_leads_to_the_last_answer():
    before = relevance.previous_step(protocol(), clear(), Stage.REVIEW)

    assert before is not None
    assert before.id == "timing"


def test_progress_counts_the_relevant_questions_only():
    assert relevance.progress(protocol(), clear(), "area") == (6, 11)


def test_progress_grows_with_the_details_that_a_tick_asks_for():
    answers = clear(history=("diabetes", "keloid"))

    assert relevance.progress(protocol(), answers, "diabetes") == (10, 13)
