"""A lead as one Bundle of FHIR R4B resources, and the protocol as a Questionnaire.

Both are checked by `fhir.resources` before they leave.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.questionnaire import Questionnaire

from clinic.channels.fhir import codes, judgement
from clinic.channels.fhir.codes import Json
from clinic.channels.fhir.people import links, people
from clinic.channels.fhir.questionnaire import questionnaire
from clinic.channels.fhir.response import questionnaire_response
from clinic.channels.fhir.visits import visits
from flows import wording
from flows.clinics import Clinic
from flows.protocol import Protocol
from flows.texts import Catalogue
from storage.lead_records import DecisionRecord, LeadRecord


def questionnaire_of(protocol: Protocol, words: Catalogue, clinic: Clinic | None = None) -> str:
    """Return a protocol's Questionnaire as JSON; without a clinic, in words for any."""
    values = wording.values_of(clinic)
    if clinic is None:
        values["clinic"] = "the clinic"
    made = questionnaire(protocol, words, values, clinic.name if clinic else "")
    return str(Questionnaire.model_validate(made).model_dump_json(indent=2))


def bundle_of(
    lead: LeadRecord, protocol: Protocol | None, words: Catalogue, clinic: Clinic, now: datetime
) -> str:
    """Return a lead's Bundle as JSON.

    `protocol` is the version that the lead's decision names; without it, answers, which only it
    explains, are left out, and the verdict stands by its codes.
    """
    return _checked(_entries(lead, protocol, words, clinic), now)


def lines_of(bundles: Iterable[str]) -> str:
    """Return several bundles as newline-delimited JSON, one a line."""
    return "".join(
        json.dumps(json.loads(each), ensure_ascii=False, separators=(",", ":")) + "\n"
        for each in bundles
    )


def _checked(entries: Iterable[tuple[str, Json]], now: datetime) -> str:
    made = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": codes.instant(now),
        "entry": [{"fullUrl": url, "resource": resource} for url, resource in entries],
    }
    return str(Bundle.model_validate(made).model_dump_json(indent=2))


def _entries(
    lead: LeadRecord, protocol: Protocol | None, words: Catalogue, clinic: Clinic
) -> Iterator[tuple[str, Json]]:
    yield from people(lead)
    if lead.decision is not None:
        yield from _decided(lead, lead.decision, protocol, words, wording.values_of(clinic))
    yield from judgement.consents(lead)
    yield from visits(lead)
    yield links(lead).of("Task"), judgement.hand_off(lead)


def _decided(
    lead: LeadRecord,
    made: DecisionRecord,
    protocol: Protocol | None,
    words: Catalogue,
    values: Mapping[str, str],
) -> Iterator[tuple[str, Json]]:
    to = links(lead)
    if protocol is not None:
        about = {
            "identifier": {"system": codes.LEAD_ID, "value": f"{lead.clinic}/{lead.id}/{made.id}"},
            "subject": codes.reference(to.patient),
            "author": codes.reference(to.patient),
            "authored": codes.instant(made.at),
        }
        response = questionnaire_response(protocol, made.answers, words, about)
        yield to.of("QuestionnaireResponse"), response
    assessment = judgement.risk(
        lead, made, made.protocol.partition("/")[0], lambda rule: _reason(words, rule, values)
    )
    if protocol is None:
        del assessment["basis"]
    yield to.of("RiskAssessment"), assessment
    score = judgement.readiness(lead, made)
    if score is not None:
        yield to.of("Observation"), score
    if made.plan is not None:
        yield to.of("CarePlan"), judgement.care_plan(lead, made, made.plan)


def _reason(words: Catalogue, rule: str, values: Mapping[str, str]) -> str:
    key = wording.reason_key(rule)
    return codes.plain(words.text(key, **values)) if words.has(key) else ""
