"""Who and where: patient, clinic, practitioners and their schedules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from clinic.channels.fhir import codes
from clinic.channels.fhir.codes import Json
from storage.lead_records import LeadRecord, SessionRecord


@dataclass(frozen=True, slots=True)
class Links:
    """The names under which the parts of one lead's bundle refer to each other."""

    clinic_slug: str
    lead_id: int

    @property
    def patient(self) -> str:
        """The patient."""
        return self.of("Patient")

    @property
    def clinic(self) -> str:
        """The clinic."""
        return codes.full_url(self.clinic_slug, "Organization")

    def practitioner(self, slug: str) -> str:
        """Somebody who treats."""
        return codes.full_url(self.clinic_slug, "Practitioner", slug)

    def schedule(self, slug: str) -> str:
        """Somebody's times."""
        return codes.full_url(self.clinic_slug, "Schedule", slug)

    def of(self, kind: str, *names: object) -> str:
        """A part of the lead."""
        return codes.full_url(self.clinic_slug, "lead", self.lead_id, kind, *names)


def links(lead: LeadRecord) -> Links:
    """Return the names of a lead's parts."""
    return Links(lead.clinic, lead.id)


def people(lead: LeadRecord) -> Iterator[tuple[str, Json]]:
    """Yield the patient, the clinic, and who treats, each with its full URL."""
    to = links(lead)
    yield to.patient, _patient(lead)
    yield (
        to.clinic,
        {
            "resourceType": "Organization",
            "identifier": [{"system": codes.CLINIC_ID, "value": lead.clinic}],
            "name": lead.clinic_name,
        },
    )
    for slug, name in sorted({(s.practitioner, s.practitioner_name) for s in lead.sessions}):
        known = {"system": codes.PRACTITIONER_ID, "value": f"{lead.clinic}/{slug}"}
        yield (
            to.practitioner(slug),
            {"resourceType": "Practitioner", "identifier": [known], "name": [{"text": name}]},
        )
        yield (
            to.schedule(slug),
            {"resourceType": "Schedule", "actor": [codes.reference(to.practitioner(slug), name)]},
        )


def whose(session: SessionRecord, lead: LeadRecord) -> Json:
    """Return a reference to who treats in a session."""
    return codes.reference(
        links(lead).practitioner(session.practitioner), session.practitioner_name
    )


def _patient(lead: LeadRecord) -> Json:
    patient: Json = {
        "resourceType": "Patient",
        "identifier": [{"system": codes.LEAD_ID, "value": f"{lead.clinic}/{lead.id}"}],
        "communication": [{"language": {"coding": [codes.coding("urn:ietf:bcp:47", lead.locale)]}}],
    }
    if lead.first_name.strip():
        patient["name"] = [{"use": "usual", "given": [lead.first_name.strip()]}]
    if lead.phone:
        patient["telecom"] = [{"system": "phone", "value": lead.phone}]
    return patient
