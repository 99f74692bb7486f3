"""What lies ahead of a patient, message by message, and why one will not come."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from flows.follow_up import History, NudgeKind, Silence
from flows.nudges import Outlook, Standing, outlook
from storage import histories
from storage.database import Database
from storage.outbox_policy import Kind

Json = dict[str, object]

#: What a patient gets, as a visitor of the playground would say it.
NUDGES: Mapping[NudgeKind, str] = {
    NudgeKind.UNFINISHED_SOON: "a word about the unfinished chat",
    NudgeKind.UNFINISHED_LATER: "a second word about the unfinished chat",
    NudgeKind.HOLD_ENDS: "a word that the held times end soon",
    NudgeKind.PREPARE_WEEK: "first tips to prepare",
    NudgeKind.REMINDER: "a reminder of the visit",
    NudgeKind.PREPARE_DAY: "last tips to prepare",
    NudgeKind.TODAY: "a reminder on the day",
    NudgeKind.AFTERCARE: "after-care",
    NudgeKind.CHECK_IN_FIRST: "a first check-in",
    NudgeKind.CHECK_IN_SECOND: "a second check-in",
    NudgeKind.MISSED: "a word about the missed visit",
    NudgeKind.NEXT_SESSION: "a word to book the next session",
    NudgeKind.SERIES_REVIEW: "a look back at the whole course",
    NudgeKind.RECHECK: "the re-check on its date",
    NudgeKind.REFRESHER: "the yearly refresher",
    NudgeKind.WAITLIST_OFFER: "something earlier that became free",
}

#: The same of every other message.
MESSAGES: Mapping[Kind, str] = {
    Kind.CONFIRMATION: "news of an appointment",
    Kind.REPLY: "an answer from the clinic",
    Kind.NUDGE: "a friendly word",
    Kind.CARD: "a card for staff",
    Kind.LEAD: "news of a lead",
    Kind.MAIL: "a mail about a lead",
    Kind.CALENDAR: "an entry in a practitioner's own calendar",
}

_SILENCES: Mapping[Silence, str] = {
    Silence.STOPPED: "the patient wants no messages",
    Silence.UNREACHABLE: "the patient cannot be reached",
    Silence.PAUSED: "staff asked to wait",
    Silence.RED_FLAG: "something urgent was said",
    Silence.WITHDRAWN: "the patient has not agreed",
}


async def ahead(database: Database, chat_id: int, now: datetime) -> list[Json]:
    """Return every message that the patient's history calls for, in order of time.

    Each has `what`, `about`, `at` (when it went or will go out), `standing` and `why`.
    """
    history = await database.read(histories.load, chat_id, now)
    if history is None:
        return []
    rows = [_row(history, each) for each in outlook(history, now)]
    return sorted(rows, key=lambda row: str(row["at"]))


def named(kind: Kind, payload: Mapping[str, str | int]) -> str:
    """Return what a message of the outbox is, in a few words."""
    known = {nudge.value: words for nudge, words in NUDGES.items()}
    nudge = payload.get("nudge", "") if kind is Kind.NUDGE else ""
    return known.get(str(nudge), MESSAGES[kind])


def _row(history: History, one: Outlook) -> Json:
    nudge = one.nudge
    went = (each.at for each in history.sent if (each.kind, each.ref) == (nudge.kind, nudge.ref))
    about = (visit.number for visit in history.visits if visit.uid == nudge.uid)
    number = next(about, None)
    return {
        "what": NUDGES[nudge.kind],
        "about": f"session {number}" if number else "",
        "at": next(went, nudge.due_at).astimezone(UTC).isoformat(),
        "standing": one.standing.value,
        "why": _why(one),
    }


def _why(one: Outlook) -> str:
    match one.standing:
        case Standing.SILENT:
            return _SILENCES[Silence(one.why)]
        case Standing.PAUSED:
            return "something has changed, and the clinic has not looked yet"
        case Standing.UNWANTED:
            return "the patient wants none of these"
        case Standing.MISSED:
            return "its time has passed"
        case _:
            return ""
