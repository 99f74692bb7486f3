"""Names of our own in FHIR: systems of codes, identifiers and extensions.

Where FHIR itself defines a code, that one is used. Where no standard code is certain, the
protocol's own is given under a system of ours; none is passed off as SNOMED CT or LOINC.
"""

from __future__ import annotations

import html
import re
import uuid
from datetime import datetime
from typing import Any, TypeAlias

#: A part of a resource, as JSON has it.
Json: TypeAlias = dict[str, Any]

ROOT = "urn:resurface"

VERDICT = f"{ROOT}:verdict"
SEVERITY = f"{ROOT}:severity"
SCORE_PART = f"{ROOT}:score-part"
LEAD_KIND = f"{ROOT}:lead-kind"
LEAD_STATUS = f"{ROOT}:lead-status"
CONSENT = f"{ROOT}:consent"
TASK = f"{ROOT}:task"
SERVICE = f"{ROOT}:service"

LEAD_ID = f"{ROOT}:lead"
APPOINTMENT_ID = f"{ROOT}:appointment"
SERIES_ID = f"{ROOT}:series"
PRACTITIONER_ID = f"{ROOT}:practitioner"
CLINIC_ID = f"{ROOT}:clinic"

#: Says of a question: not asked once the verdict so far is this one.
UNLESS = f"{ROOT}:extension:not-asked-when-verdict"
#: Says of an answer or reason: the keys of the protocol's sources it rests on.
SOURCE = f"{ROOT}:extension:source"

EXCLUSIVE = "http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive"
CONSENT_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"

_SPACE = uuid.UUID("5b0c6d0e-7f0a-5a55-9d1e-0f4f5f6a7b01")
_TAG = re.compile(r"<[^>]*>")


def rules(protocol_id: str) -> str:
    """Return the system of a protocol's rules: codes such as `age.under_18`."""
    return f"{ROOT}:protocol:{protocol_id}"


def full_url(*names: object) -> str:
    """Return the same `urn:uuid:` for the same things, in every bundle."""
    return f"urn:uuid:{uuid.uuid5(_SPACE, '/'.join(map(str, names)))}"


def reference(url: str, display: str = "") -> Json:
    """Return a reference within the bundle."""
    return {"reference": url, "display": display} if display else {"reference": url}


def coding(system: str, code: str, display: str = "") -> Json:
    """Return a code of a system."""
    known = {"system": system, "code": code}
    return {**known, "display": display} if display else known


def concept(system: str, code: str, text: str = "") -> Json:
    """Return a code with words for people."""
    known: Json = {"coding": [coding(system, code)]}
    return {**known, "text": text} if text else known


def instant(at: datetime) -> str:
    """Return an aware datetime as FHIR writes it."""
    return at.isoformat(timespec="seconds")


def plain(marked: str) -> str:
    """Return a text of the catalogue without its markup, on one line."""
    return " ".join(html.unescape(_TAG.sub("", marked)).split())
