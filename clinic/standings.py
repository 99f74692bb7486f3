"""How a lead stands, in the words of the console and of `resurface leads`."""

from __future__ import annotations

from collections.abc import Mapping

from flows.effects import LeadKind
from flows.protocol import Outcome

VERDICTS: Mapping[str, str] = {
    Outcome.URGENT.value: "Urgent",
    Outcome.REVIEW.value: "To review",
    Outcome.ELIGIBLE.value: "Suitable",
    Outcome.DEFERRED.value: "Later",
    Outcome.DECLINED.value: "Declined",
}

KINDS: Mapping[str, str] = {
    LeadKind.BOOKED.value: "Booked",
    LeadKind.ELIGIBLE.value: "Not booked yet",
    LeadKind.REVIEW.value: "For a first visit",
    LeadKind.DEFERRED.value: "Not now",
    LeadKind.DECLINED.value: "Declined",
    LeadKind.URGENT.value: "Red flag",
    LeadKind.PERSON.value: "Asked for a person",
}

STATUSES: Mapping[str, str] = {
    "new": "New",
    "accepted": "Accepted",
    "contacted": "Contacted",
    "declined": "Declined",
}
