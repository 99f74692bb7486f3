"""The protocol as a Questionnaire, and a patient's answers in its terms and back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

from fhir.resources.R4B.questionnaire import Questionnaire

from clinic.channels.fhir.bundle import questionnaire_of
from clinic.channels.fhir.response import questionnaire_response
from flows.conversation import Answer
from flows.protocol import Kind
from tests.clinic.channels.fhir.reader import answers_in
from tests.clinic.channels.fhir.strictness import unknown_codes
from tests.flows.chat import a_clinic, catalogues, protocol

WORDS = catalogues()["en"]


def made() -> Any:
    return json.loads(questionnaire_of(protocol(), WORDS, a_clinic()))


def items(nested: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in nested:
        found |= {item["linkId"]: item, **items(item.get("item", []))}
    return found


def test_every_step_is_an_item_under_its_own_id_in_order() -> None:
    form = made()

    assert [item["linkId"] for item in form["item"]] == [step.id for step in protocol().steps]
    assert form["version"].startswith(protocol().version)
    assert not list(unknown_codes(Questionnaire.model_validate(form)))


def test_every_option_is_an_answer_under_the_rules_id() -> None:
    form = items(made()["item"])

    for step in protocol().steps:
        link = f"{step.id}.option" if step.kind is Kind.DATE else step.id
        offered = [each["valueCoding"]["code"] for each in form[link].get("answerOption", [])]
        wanted = [f"{step.id}.{o.code}" for o in step.options if o.code != "given"]
        assert offered == wanted


def test_conditions_name_questions_and_answers_that_exist() -> None:
    form = items(made()["item"])

    for item in form.values():
        for condition in item.get("enableWhen", []):
            offered = form[condition["question"]]["answerOption"]
            assert condition["answerCoding"]["code"] in [o["valueCoding"]["code"] for o in offered]


def test_no_markup_and_no_placeholder_is_left_in_the_words() -> None:
    text = questionnaire_of(protocol(), WORDS)

    assert "<b>" not in text
    assert "{clinic}" not in text
    assert "I am the clinic’s" in text or "I am the clinic's" in text


def test_a_question_that_needs_two_answers_stands_in_a_group() -> None:
    steps = protocol().steps
    both = ({"age": frozenset({"22_plus"}), "acne_now": frozenset({"clear", "few"})},)
    changed = replace(protocol(), steps=(*steps[:5], replace(steps[5], ask_if=both)))
    form = json.loads(questionnaire_of(changed, WORDS))
    group = form["item"][5]

    assert (group["type"], group["linkId"]) == ("group", f"{steps[5].id}.when.1")
    assert group["item"][0]["linkId"] == steps[5].id
    response = questionnaire_response(changed, {steps[5].id: Answer(("no",))}, WORDS, {})
    assert answers_in(changed, response) == {steps[5].id: Answer(("no",))}


def test_any_answer_comes_back_as_it_was_given() -> None:
    given = {
        "consent": Answer(("agree",)),
        "acne_signs": Answer(()),  # skipped
        "scar_type": Answer(("rolling", "icepick")),
        "other_health": Answer((), text="a rare illness, <not> named"),
        "event_on": Answer((), on=date(2027, 6, 12)),
    }
    response = questionnaire_response(protocol(), given, WORDS, {})

    assert answers_in(protocol(), response) == given
    unsure = {"event_on": Answer(("unsure",)), "other_health": Answer(("private",))}
    response = questionnaire_response(protocol(), unsure, WORDS, {})
    assert answers_in(protocol(), response) == unsure
