"""What lies behind one chat, as JSON for the page: state, answers, verdict, plan, calendar."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from bot.clock import Clock
from bot.playground.ahead import ahead
from flows import eligibility, wording
from flows.clinics import Clinic
from flows.conversation import Answer, BookedSession, Booking, Conversation
from flows.eligibility import Reason, Score, Verdict
from flows.plan import Plan
from flows.position import Position
from flows.protocol import Protocol, Step
from flows.texts import Catalogue
from flows.turn import Scene
from flows.wording import reason_key
from storage import calendar_store, clinics, conversations, leads
from storage.calendar_store import AgendaRow
from storage.database import Database
from storage.leads import LeadRow

Json = dict[str, object]

AGENDA_FOR = timedelta(weeks=26)  # long enough for every session of a series
LEADS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Peeker:
    """Reads the clinic's side of a chat. It only ever reads."""

    database: Database
    clock: Clock
    protocols: Mapping[str, Protocol]
    catalogues: Mapping[str, Catalogue]

    async def __call__(self, chat_id: int) -> Json:
        """Return everything the panel shows; an empty chat has a zone and the calendar only."""
        loaded = await self.database.read(conversations.load, chat_id)
        known = await self.database.read(clinics.load_all)
        conversation = loaded.conversation if loaded else None
        clinic = known.get(conversation.clinic or "") if conversation else None
        body = await self._calendar(clinic or next(iter(known.values()), None), conversation)
        if conversation is None:
            return body
        body["conversation"] = _conversation(conversation)
        body["ahead"] = await ahead(self.database, chat_id, self.clock.now())
        body["booking"] = _booking(conversation.booking)
        if clinic is not None and conversation.protocol in self.protocols:
            scene = Scene(self.clock.now(), "", self.protocols, known, self.catalogues)
            body.update(self._judged(Position(conversation, scene)))
        return body

    async def _calendar(self, clinic: Clinic | None, conversation: Conversation | None) -> Json:
        if clinic is None:
            return {"zone": "UTC"}
        now = self.clock.now()
        rows = await self.database.read(
            calendar_store.agenda, clinic.slug, now - timedelta(hours=12), now + AGENDA_FOR
        )
        listed = await self.database.read(leads.all_leads, clinic.slug)
        mine = {session.uid for session in conversation.booking.sessions} if conversation else set()
        shown = [_agenda_row(row, clinic, mine) for row in rows if not _expired(row, now)]
        return {
            "zone": clinic.zone,
            "clinic": clinic.name,
            "agenda": shown,
            "leads": [_lead(lead) for lead in listed[:LEADS_SHOWN]],
        }

    def _judged(self, position: Position) -> Json:
        locale = position.conversation.locale
        words = self.catalogues.get(locale, self.catalogues["en"])
        answers = position.answers
        if not answers and position.conversation.red_flag is None:
            return {"answers": []}
        verdict = position.verdict()
        decided = position.conversation.decided_on is not None
        return {
            "answers": [
                _answer(position.protocol.step(step), answer, words)
                for step, answer in answers.items()
            ],
            "verdict": _verdict(verdict, words, position.clinic, decided=decided),
            "score": _score(eligibility.score(position.protocol, answers)),
            "plan": _plan(position.plan()) if decided else None,
        }


def peeker(
    database: Database,
    clock: Clock,
    protocols: Mapping[str, Protocol],
    catalogues: Mapping[str, Catalogue],
) -> Callable[[int], Awaitable[Json]]:
    """Return the `peek(chat_id)` that the playground's page asks."""
    return Peeker(database, clock, protocols, catalogues)


def _conversation(conversation: Conversation) -> Json:
    return {
        "state": conversation.state,
        "revision": conversation.revision,
        "run": conversation.run,
        "clinic": conversation.clinic,
        "campaign": conversation.campaign,
        "protocol": conversation.protocol,
        "overlay": conversation.overlay,
        "ticks": list(conversation.ticks),
        "misses": conversation.misses,
    }


def _answer(step: Step, answer: Answer, words: Catalogue) -> Json:
    said = [_first(words, f"step.{step.id}.{code}.label", code) for code in answer.codes]
    said += [answer.text] if answer.text else []
    said += [_day(answer.on)] if answer.on else []
    question = _first(words, f"step.{step.id}.short", step.id)
    return {"step": step.id, "question": question, "answer": ", ".join(said)}


def _verdict(verdict: Verdict, words: Catalogue, clinic: Clinic, *, decided: bool) -> Json:
    return {
        "outcome": verdict.outcome,
        "decided": decided,
        "grade": verdict.grade,
        "recheck_on": _day_or_none(verdict.recheck_on),
        "reasons": [_reason(reason, words, clinic) for reason in verdict.reasons],
    }


def _reason(reason: Reason, words: Catalogue, clinic: Clinic) -> Json:
    key = reason_key(reason.rule)
    return {
        "rule": reason.rule,
        "severity": reason.severity.name.lower(),
        "text": words.text(key, **wording.values_of(clinic)) if words.has(key) else "",
        "sources": list(reason.sources),
        "basis": reason.basis,
        "recheck_on": _day_or_none(reason.recheck_on),
    }


def _score(score: Score) -> Json:
    parts: list[Json] = [
        {"part": part.part, "points": part.points, "out_of": part.out_of} for part in score.parts
    ]
    return {"total": score.total, "usable": score.usable, "parts": parts}


def _plan(plan: Plan | None) -> Json | None:
    if plan is None:
        return None
    spacing = plan.spacing
    return {
        "sessions": plan.sessions,
        "at_least": plan.at_least,
        "at_most": plan.at_most,
        "spacing": {
            "min_days": spacing.min_days,
            "preferred_days": spacing.preferred_days,
            "max_days": spacing.max_days,
        },
        "downtime_days": list(plan.downtime_days),
        "proposed_on": [_day(on) for on in plan.proposed_on],
        "review_on": _day(plan.review_on),
        "refresher_on": _day(plan.refresher_on),
        "event_on": _day_or_none(plan.event_on),
    }


def _booking(booking: Booking) -> Json | None:
    if not booking.sessions:
        return None
    return {
        "code": booking.code,
        "hold_until": _instant(booking.hold_until) if booking.hold_until else None,
        "pending": booking.pending,
        "sessions": [_session(session) for session in booking.sessions],
    }


def _session(session: BookedSession) -> str:
    return _instant(session.slot.starts_at)


def _agenda_row(row: AgendaRow, clinic: Clinic, mine: set[str]) -> Json:
    return {
        "starts_at": _instant(row.starts_at),
        "ends_at": _instant(row.ends_at),
        "practitioner": clinic.practitioner_name(row.practitioner),
        "state": row.state,
        "mine": row.uid in mine,
        "note": f"{row.patient}, {row.service} {row.number}",
    }


def _expired(row: AgendaRow, now: datetime) -> bool:
    return row.state == "held" and row.hold_until is not None and row.hold_until <= now


def _lead(lead: LeadRow) -> Json:
    return {
        "kind": lead.kind,
        "verdict": lead.verdict,
        "score": lead.score,
        "booked": len(lead.booked),
        "code": lead.code,
        "recheck_on": _day_or_none(lead.recheck_on),
    }


def _first(words: Catalogue, key: str, otherwise: str) -> str:
    return words.text(key) if words.has(key) else otherwise


def _day(on: date) -> str:
    return on.isoformat()


def _day_or_none(on: date | None) -> str | None:
    return on.isoformat() if on else None


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
