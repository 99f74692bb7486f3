"""What was decided of a lead: verdict with reasons, readiness, plan, consent, and the hand-off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime

from clinic.channels.fhir import codes
from clinic.channels.fhir.codes import Json
from clinic.channels.fhir.people import links
from flows.plan import Plan
from storage.lead_records import DecisionRecord, LeadRecord, SessionRecord

#: Returns the words for a rule such as `age.under_18`.
Words = Callable[[str], str]

_TASK: Mapping[str, str] = {
    "new": "requested",
    "accepted": "accepted",
    "contacted": "in-progress",
    "declined": "rejected",
}

_TO_COME = ("pending", "booked", "arrived")
_KEPT = (*_TO_COME, "fulfilled")


def risk(lead: LeadRecord, made: DecisionRecord, protocol_id: str, words: Words) -> Json:
    """Return the verdict as a RiskAssessment: first the verdict itself, then each reason."""
    to, verdict = links(lead), made.verdict
    system = codes.rules(protocol_id)
    reasons: list[Json] = [
        {
            "extension": [{"url": codes.SOURCE, "valueString": key} for key in reason.sources],
            "outcome": codes.concept(system, reason.rule, words(reason.rule)),
            "qualitativeRisk": codes.concept(codes.SEVERITY, reason.severity.name.lower()),
        }
        for reason in verdict.reasons
    ]
    assessment: Json = {
        "resourceType": "RiskAssessment",
        "status": "final",
        "method": {"text": f"Screening by the protocol {made.protocol}"},
        "subject": codes.reference(to.patient),
        "occurrenceDateTime": codes.instant(made.at),
        "basis": [codes.reference(to.of("QuestionnaireResponse"))],
        "prediction": [
            {"outcome": codes.concept(codes.VERDICT, verdict.outcome.value)},
            *(_without_empty(reason) for reason in reasons),
        ],
        "note": [{"text": "Not a diagnosis. A clinician always decides."}],
    }
    if verdict.recheck_on is not None:
        assessment["mitigation"] = f"Ask again on or after {verdict.recheck_on.isoformat()}"
    return assessment


def readiness(lead: LeadRecord, made: DecisionRecord) -> Json | None:
    """Return the score with its parts as an Observation; None when it must not be used."""
    if not made.score.usable:
        return None
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "Readiness to begin, 0 to 100; it says nothing of safety"},
        "subject": codes.reference(links(lead).patient),
        "effectiveDateTime": codes.instant(made.at),
        "valueInteger": made.score.total,
        "component": [
            {
                "code": codes.concept(codes.SCORE_PART, part.part, f"out of {part.out_of}"),
                "valueInteger": part.points,
            }
            for part in made.score.parts
        ],
    }


def care_plan(lead: LeadRecord, made: DecisionRecord, plan: Plan) -> Json:
    """Return the plan: booked sessions as their appointments, the others with their wished day."""
    to = links(lead)
    kept = {s.number: s for s in lead.sessions if s.state in _KEPT and s.service == "treatment"}
    spacing = plan.spacing
    return {
        "resourceType": "CarePlan",
        "status": _plan_status(plan, kept),
        "intent": "plan" if kept else "proposal",
        "title": f"{plan.sessions} sessions of micro-needling",
        "subject": codes.reference(to.patient),
        "period": {"start": plan.starts_on.isoformat(), "end": plan.refresher_on.isoformat()},
        "created": codes.instant(made.at),
        "supportingInfo": [codes.reference(to.of("RiskAssessment"))],
        "activity": [
            _activity(lead, number, wished_on, kept)
            for number, wished_on in enumerate(plan.proposed_on, start=1)
        ],
        "note": [
            {
                "text": f"{spacing.min_days} to {spacing.max_days} days between two sessions, "
                f"best {spacing.preferred_days}. The result is judged from "
                f"{plan.review_on.isoformat()}."
            }
        ],
    }


def consents(lead: LeadRecord) -> Iterator[tuple[str, Json]]:
    """Yield the consents to health questions and to photos, and a withdrawn one to messages."""
    to = links(lead)
    if _has_agreed(lead.decision):
        what = "health-answers", "Health questions in chat, for this clinic alone"
        yield to.of("Consent", what[0]), _consent(lead, "active", what, lead.agreed_at)
    if lead.photos_agreed_at is not None:
        what = "photos", "Photos sent in chat, for this clinic alone"
        yield to.of("Consent", what[0]), _consent(lead, "active", what, lead.photos_agreed_at)
    if lead.stopped_at is not None:
        what = "messages", "Messages by chat"
        yield to.of("Consent", what[0]), _consent(lead, "inactive", what, lead.stopped_at)


def hand_off(lead: LeadRecord) -> Json:
    """Return the hand-off to the clinic as a Task, with how far the clinic is."""
    to = links(lead)
    task: Json = {
        "resourceType": "Task",
        "identifier": [{"system": codes.LEAD_ID, "value": f"{lead.clinic}/{lead.id}"}],
        "status": _TASK[lead.status],
        "businessStatus": codes.concept(codes.LEAD_STATUS, lead.status),
        "intent": "proposal",
        "priority": "urgent" if lead.kind == "urgent" else "routine",
        "code": codes.concept(codes.TASK, "look-after-lead", "Look after a lead"),
        "reasonCode": codes.concept(codes.LEAD_KIND, lead.kind),
        "for": codes.reference(to.patient),
        "owner": codes.reference(to.clinic, lead.clinic_name),
        "authoredOn": codes.instant(lead.created_at),
        "lastModified": codes.instant(max(lead.updated_at, lead.status_at or lead.updated_at)),
    }
    if lead.decision is not None:
        task["focus"] = codes.reference(to.of("RiskAssessment"))
    if lead.declined_why:
        task["statusReason"] = {"text": lead.declined_why}
    return task


def _without_empty(part: Json) -> Json:
    return {name: value for name, value in part.items() if value}


def _plan_status(plan: Plan, kept: Mapping[int, SessionRecord]) -> str:
    """Return how far the course is: not begun, begun, or done."""
    if not kept:
        return "draft"
    is_done = all(
        number in kept and kept[number].state == "fulfilled"
        for number in range(1, plan.sessions + 1)
    )
    return "completed" if is_done else "active"


def _activity(
    lead: LeadRecord, number: int, wished_on: date, kept: Mapping[int, SessionRecord]
) -> Json:
    if number in kept:
        return {"reference": codes.reference(links(lead).of("Appointment", kept[number].uid))}
    return {
        "detail": {
            "kind": "Appointment",
            "status": "not-started",
            "scheduledPeriod": {"start": wished_on.isoformat()},
            "description": f"Session {number}",
        }
    }


def _has_agreed(made: DecisionRecord | None) -> bool:
    return (
        made is not None and "consent" in made.answers and "agree" in made.answers["consent"].codes
    )


def _consent(lead: LeadRecord, status: str, what: tuple[str, str], at: datetime | None) -> Json:
    to = links(lead)
    consent: Json = {
        "resourceType": "Consent",
        "status": status,
        "scope": {"coding": [codes.coding(codes.CONSENT_SCOPE, "patient-privacy")]},
        "category": [codes.concept(codes.CONSENT, *what)],
        "patient": codes.reference(to.patient),
        "organization": [codes.reference(to.clinic, lead.clinic_name)],
        "policyRule": codes.concept(codes.CONSENT, "asked-in-chat", "Asked for in chat"),
    }
    return consent if at is None else {**consent, "dateTime": codes.instant(at)}
