"""The checks of bundles can fail."""

from __future__ import annotations

from fhir.resources.R4B.bundle import Bundle

from tests.clinic.channels.fhir.strictness import dangling, unknown_codes


def test_a_code_that_fhir_does_not_know_is_found() -> None:
    task = {"resourceType": "Task", "status": "forgotten", "intent": "order"}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": task}]}

    assert list(unknown_codes(Bundle.model_validate(bundle))) == [
        ".entry.resource.status is 'forgotten'"
    ]


def test_a_reference_to_nothing_is_found() -> None:
    resource = {"subject": {"reference": "urn:uuid:2"}}

    assert dangling({"entry": [{"fullUrl": "urn:uuid:1", "resource": resource}]}) == ["urn:uuid:2"]
