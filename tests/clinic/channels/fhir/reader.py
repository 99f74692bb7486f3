"""Reads a QuestionnaireResponse back into answers, as a receiver would: by `linkId` and code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from clinic.channels.fhir.codes import Json
from clinic.channels.fhir.questionnaire import CHOICE, DAY
from flows.conversation import Answer
from flows.protocol import Protocol, Step


def answers_in(protocol: Protocol, response: Json) -> dict[str, Answer]:
    """Read the answers of a response back, by step."""
    by_link = _flat(response.get("item", []))
    return {step.id: _answer(step, by_link) for step in protocol.steps if step.id in by_link}


def _flat(nested: list[Json]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for item in nested:
        found[item["linkId"]] = item
        found |= _flat(item.get("item", []))
    return found


def _answer(step: Step, by_link: Mapping[str, Json]) -> Answer:
    given = [
        answer
        for link in (step.id, f"{step.id}.{DAY}", f"{step.id}.{CHOICE}")
        for answer in by_link.get(link, {}).get("answer", [])
    ]
    chosen = [each["valueCoding"]["code"] for each in given if "valueCoding" in each]
    texts = [each["valueString"] for each in given if "valueString" in each]
    days = [each["valueDate"] for each in given if "valueDate" in each]
    return Answer(
        codes=tuple(code.removeprefix(f"{step.id}.") for code in chosen),
        text=texts[0] if texts else None,
        on=date.fromisoformat(days[0]) if days else None,
    )
