"""Leads as files: one as JSON with all that is kept, a list as CSV without who they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from clinic.channels import export
from clinic.channels.bodies import decision_of
from storage.lead_list import LeadLine
from storage.lead_story import LeadStory

#: Heading -> cell of a list: nothing that names the patient, and no answer.
_COLUMNS: Mapping[str, Callable[[LeadLine], object]] = {
    "lead": lambda line: line.id,
    "came": lambda line: line.created_at,
    "status": lambda line: line.status,
    "stands at": lambda line: line.kind,
    "verdict": lambda line: line.verdict,
    "score": lambda line: line.score,
    "source": lambda line: line.campaign,
    "wants a person since": lambda line: line.wants_person_at,
    "visits booked": lambda line: line.visits,
    "next visit": lambda line: line.next_at,
    "changed": lambda line: line.updated_at,
}


def as_csv(lines: Iterable[LeadLine], zone: str) -> str:
    """Return a list of leads as CSV, with times on the clinic's clock."""

    def told(cell: object) -> object:
        if not isinstance(cell, datetime):
            return cell
        return f"{cell.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"

    rows = ([told(cell(line)) for cell in _COLUMNS.values()] for line in lines)
    return export.table(_COLUMNS, rows)


def as_json(story: LeadStory, now: datetime) -> str:
    """Return everything of a lead that the clinic keeps; photos are counted, not contained."""
    lead = story.record
    made = lead.decision
    body: dict[str, Any] = {
        "exported_at": now,
        "lead": {
            "id": lead.id,
            "clinic": lead.clinic,
            "kind": lead.kind,
            "verdict": lead.verdict,
            "score": lead.score,
            "recheck_on": lead.recheck_on,
            "campaign": lead.campaign,
            "status": lead.status,
            "status_at": lead.status_at,
            "declined_why": lead.declined_why,
            "wants_person_at": lead.wants_person_at,
            "created_at": lead.created_at,
        },
        "patient": {"first_name": lead.first_name, "phone": lead.phone, "locale": lead.locale},
        "decision": decision_of(made) if made else None,
        "plan": _plan(story),
        "visits": [
            {
                "uid": each.uid,
                "number": each.number,
                "service": each.service,
                "practitioner": each.practitioner,
                "starts_at": each.starts_at,
                "ends_at": each.ends_at,
                "state": each.state,
                "code": each.code,
            }
            for each in lead.sessions
        ],
        "findings": [
            {"by": each.staff, "at": each.at, "finding": each.finding, "reason": each.reason}
            for each in story.findings
        ],
        "notes": [{"by": each.staff, "at": each.at, "note": each.body} for each in story.notes],
        "messages": [
            {"from": each.author, "by": each.staff, "at": each.at, "text": each.body}
            for each in story.messages
        ],
        "results": [
            {"rating": each.rating, "at": each.at, "words": each.words} for each in story.reviews
        ],
        "photos": len(story.photos),
    }
    return json.dumps(body, ensure_ascii=False, indent=2, default=lambda value: value.isoformat())


def _plan(story: LeadStory) -> dict[str, Any] | None:
    made = story.record.decision
    if made is None or made.plan is None:
        return None
    plan = made.plan
    return {
        "sessions": plan.sessions,
        "proposed_on": list(plan.proposed_on),
        "review_on": plan.review_on,
        "refresher_on": plan.refresher_on,
        "event_on": plan.event_on,
    }
