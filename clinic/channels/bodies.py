"""What a channel is told of an event: ids, states and times, and answers only where asked for.

Everything comes from what the outbox kept of the event and from rows that never change, so that
every try of one event says the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.eligibility import band
from storage import lead_channels, lead_records
from storage.database import Database
from storage.deliveries import GiveUp, Unwanted
from storage.lead_channels import Channel
from storage.lead_events import EventType
from storage.lead_records import DecisionRecord
from storage.outbox import OutboxRow, Value

#: The type of an event that a clinic sends itself, to see whether a channel works.
TEST = "channel.test"

_SESSION = ("uid", "number", "status", "starts_at", "ends_at", "practitioner")
_BOOKING = ("uid", "series", "service", *_SESSION[1:], "version")

#: What else is told: its name in the body, and how the names of its facts begin.
_BESIDE = {"previous": "previous_", "offer": "offer_", "recall": "recall_"}


@dataclass(frozen=True, slots=True)
class Told:
    """One event for one channel."""

    channel: Channel
    event_id: str
    event_type: str
    happened_at: str  # RFC 3339, UTC
    data: Mapping[str, Any]

    def body(self) -> str:
        """Return the JSON of a webhook, the same for every try."""
        event = {"type": self.event_type, "timestamp": self.happened_at, "data": self.data}
        return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


async def told(database: Database, row: OutboxRow, console: str) -> Told:
    """Read what a message of the outbox tells; `console` is where links begin.

    Raises Unwanted when the channel or the lead is gone, GiveUp when the channel is off.
    """
    facts = row.payload
    channel = await database.read(lead_channels.load, int(facts["channel"]))
    if channel is None or channel.disabled_why == lead_channels.REMOVED:
        raise Unwanted("channel_removed")
    if not channel.is_on:
        raise GiveUp("channel_off")
    if await _is_gone(database, facts):
        raise Unwanted("lead_gone")
    data = data_of(facts, channel.clinic, console)
    if _may_hold_answers(row, channel):
        made = await database.read(lead_records.decision, int(facts["decision"]))
        if made is None:
            raise Unwanted("lead_gone")
        data["decision"] = decision_of(made)
    return Told(channel, str(facts["event"]), str(facts["type"]), str(facts["at"]), data)


async def _is_gone(database: Database, facts: Mapping[str, Value]) -> bool:
    """Say whether an event's lead was erased meanwhile; of the erasing itself it is no matter."""
    if "lead" not in facts or facts["type"] == EventType.LEAD_ERASED:
        return False
    return not await database.read(lead_records.is_there, int(facts["lead"]))


def _may_hold_answers(row: OutboxRow, channel: Channel) -> bool:
    """Say whether the clinic asked for answers, over https, and the event is about a verdict."""
    is_verdict = "decision" in row.payload and str(row.payload["type"]).startswith("lead.")
    return is_verdict and channel.includes_answers and channel.address.startswith("https://")


def data_of(facts: Mapping[str, Value], clinic: str, console: str) -> dict[str, Any]:
    """Return an event's data without a single health answer."""
    data: dict[str, Any] = {"clinic": clinic}
    if "lead" in facts:
        data["lead"] = _lead(facts, console)
    if "sessions" in facts:
        data["series"] = {
            "id": facts["series"],
            "service": facts["service"],
            "sessions": [
                {name: facts[f"{number}.{name}"] for name in _SESSION}
                for number in range(1, int(facts["sessions"]) + 1)
            ],
        }
    elif "uid" in facts:
        data["booking"] = {name: facts[name] for name in _BOOKING}
    beside = {name: _begun(facts, prefix) for name, prefix in _BESIDE.items()}
    return {**data, **{name: told for name, told in beside.items() if told}}


def _begun(facts: Mapping[str, Value], prefix: str) -> dict[str, Value]:
    """Return the facts whose names begin like that, without the beginning."""
    return {
        name.removeprefix(prefix): value
        for name, value in sorted(facts.items())
        if name.startswith(prefix)
    }


def decision_of(made: DecisionRecord) -> dict[str, Any]:
    """Return a verdict with its reasons, score and answers, by the protocol's own codes."""
    verdict, score = made.verdict, made.score
    return {
        "protocol": made.protocol,
        "outcome": verdict.outcome.value,
        "decided_on": made.decided_on.isoformat() if made.decided_on else None,
        "recheck_on": verdict.recheck_on.isoformat() if verdict.recheck_on else None,
        "grade": verdict.grade,
        "reasons": [
            {
                "rule": reason.rule,
                "severity": reason.severity.name.lower(),
                "sources": list(reason.sources),
                "basis": reason.basis,
                "recheck_on": reason.recheck_on.isoformat() if reason.recheck_on else None,
            }
            for reason in verdict.reasons
        ],
        "score": score.total if score.usable else None,
        "answers": {
            step: {
                "codes": list(answer.codes),
                "text": answer.text,
                "on": answer.on.isoformat() if answer.on else None,
            }
            for step, answer in made.answers.items()
        },
    }


def _lead(facts: Mapping[str, Value], console: str) -> dict[str, Any]:
    if facts.get("type") == EventType.LEAD_ERASED:  # there is no page of it any more
        return {"id": facts["lead"]}
    lead: dict[str, Any] = {"id": facts["lead"], "link": f"{console}/leads/{facts['lead']}"}
    if "status" in facts and "kind" in facts:
        lead["status"] = facts["status"]
        lead["score_band"] = band(int(facts["score"])) if "score" in facts else None
        lead["recheck_on"] = facts.get("recheck_on")
    return lead
