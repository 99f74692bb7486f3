"""A patient's answers as a QuestionnaireResponse: every `linkId` and code of the Questionnaire."""

from __future__ import annotations

from collections.abc import Mapping

from clinic.channels.fhir import codes
from clinic.channels.fhir.codes import Json
from clinic.channels.fhir.questionnaire import (
    CHOICE,
    DAY,
    canonical,
    option_codes,
    wrapper_id,
    wrappers,
)
from flows.conversation import Answer
from flows.protocol import Kind, Protocol, Step
from flows.texts import Catalogue


def items(protocol: Protocol, answers: Mapping[str, Answer], words: Catalogue) -> list[Json]:
    """Return an item for each answered step, in the protocol's order."""
    return [
        _placed(step, _item(protocol, step, answers[step.id], words))
        for step in protocol.steps
        if step.id in answers
    ]


def questionnaire_response(
    protocol: Protocol, answers: Mapping[str, Answer], words: Catalogue, about: Json
) -> Json:
    """Return the response; `about` has its subject, author, time and identifier."""
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": canonical(protocol),
        "status": "completed",
        **about,
        "item": items(protocol, answers, words),
    }


def _placed(step: Step, item: Json) -> Json:
    for number in range(wrappers(step), 0, -1):
        item = {"linkId": wrapper_id(step, number), "item": [item]}
    return item


def _item(protocol: Protocol, step: Step, answer: Answer, words: Catalogue) -> Json:
    system = codes.rules(protocol.id)
    chosen: list[Json] = [
        {
            "valueCoding": codes.coding(
                system, f"{step.id}.{option.code}", _label(step.id, option.code, words)
            )
        }
        for option in option_codes(step)
        if option.code in answer.codes
    ]
    if step.kind is Kind.DATE:
        parts: list[Json] = []
        if answer.on is not None:
            day = {"valueDate": answer.on.isoformat()}
            parts.append({"linkId": f"{step.id}.{DAY}", "answer": [day]})
        if chosen:
            parts.append({"linkId": f"{step.id}.{CHOICE}", "answer": chosen})
        return {"linkId": step.id, "item": parts}
    if answer.text is not None:
        chosen.append({"valueString": answer.text})
    return {"linkId": step.id, "answer": chosen} if chosen else {"linkId": step.id}


def _label(step: str, code: str, words: Catalogue) -> str:
    key = f"step.{step}.{code}.label"
    return codes.plain(words.text(key)) if words.has(key) else code.replace("_", " ")
