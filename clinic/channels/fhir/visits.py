"""A lead's appointments, with the slots they take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from clinic.channels.fhir import codes
from clinic.channels.fhir.codes import Json
from clinic.channels.fhir.people import links, whose
from storage.lead_records import LeadRecord, SessionRecord

#: A held time is proposed to the patient, a requested one waits for the clinic.
_STATUS: Mapping[str, str] = {
    "held": "proposed",
    "pending": "pending",
    "booked": "booked",
    "arrived": "arrived",
    "fulfilled": "fulfilled",
    "cancelled": "cancelled",
    "noshow": "noshow",
}

#: A cancelled time is no longer this patient's, so it has no slot.
_SLOT: Mapping[str, str] = {
    "held": "busy-tentative",
    "pending": "busy-tentative",
    "booked": "busy",
    "arrived": "busy",
    "fulfilled": "busy",
    "noshow": "busy",
}

_UNCONFIRMED = ("held", "pending")


def visits(lead: LeadRecord) -> Iterator[tuple[str, Json]]:
    """Yield a slot and an appointment for each session, each with its full URL."""
    to = links(lead)
    for session in lead.sessions:
        if session.state in _SLOT:
            yield to.of("Slot", session.uid), _slot(session, lead)
        yield to.of("Appointment", session.uid), _appointment(session, lead)


def _slot(session: SessionRecord, lead: LeadRecord) -> Json:
    return {
        "resourceType": "Slot",
        "schedule": codes.reference(links(lead).schedule(session.practitioner)),
        "status": _SLOT[session.state],
        "start": codes.instant(session.starts_at),
        "end": codes.instant(session.ends_at),
    }


def _appointment(session: SessionRecord, lead: LeadRecord) -> Json:
    to = links(lead)
    accepted = "needs-action" if session.state in _UNCONFIRMED else "accepted"
    appointment: Json = {
        "resourceType": "Appointment",
        "identifier": [
            {"system": codes.APPOINTMENT_ID, "value": session.uid},
            {"system": codes.SERIES_ID, "value": session.series_id},
        ],
        "status": _STATUS[session.state],
        "serviceType": [codes.concept(codes.SERVICE, session.service, session.service_name)],
        "start": codes.instant(session.starts_at),
        "end": codes.instant(session.ends_at),
        "minutesDuration": int((session.ends_at - session.starts_at).total_seconds()) // 60,
        "created": codes.instant(session.created_at),
        "participant": [
            {"actor": codes.reference(to.patient), "status": "accepted"},
            {"actor": whose(session, lead), "status": accepted},
        ],
    }
    if session.state in _SLOT:
        appointment["slot"] = [codes.reference(to.of("Slot", session.uid))]
    return appointment
