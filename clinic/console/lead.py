"""One lead: its story, and what staff do with it. Every look at it is recorded."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic import lead_export
from clinic.channels import headlines, reasons
from clinic.console import chat_history, course, nudge_words, views
from clinic.console.lead_words import Explained, Explainer
from clinic.standings import KINDS, STATUSES
from storage import (
    asked_visits,
    audit,
    clinics,
    desk,
    lead_bookings,
    lead_channels,
    lead_records,
    lead_story,
    lead_work,
    nudge_work,
)
from storage.lead_bookings import ToBook
from storage.lead_work import DECLINED_WHY, Change, Whose

FINDINGS: Mapping[str, str] = {
    "agree": "I agree",
    "too_cautious": "Too cautious",
    "missed": "Something was missed",
}

#: What became of a message, in words.
DELIVERIES: Mapping[str, str] = {
    "pending": "waiting to be sent",
    "claimed": "waiting to be sent",
    "sending": "being sent",
    "sent": "sent",
    "uncertain": "perhaps not arrived",
    "dead": "not delivered",
    "cancelled": "taken back",
    "blocked": "not delivered: out of reach in Telegram",
}

SENDINGS: Mapping[str, str] = {
    "confirmation": "Message about a visit",
    "reply": "Answer to the patient",
    "card": "Card to staff in Telegram",
    "calendar": "Written to a calendar",
}

ACTS: Mapping[str, str] = {
    "lead.viewed": "looked at this",
    "lead.exported": "exported this",
    "lead.exported_in_list": "exported this in a list",
    "lead.booked": "booked for the patient",
    "lead.accepted": "accepted this",
    "lead.contacted": "contacted the patient",
    "lead.declined": "declined this",
    "lead.new": "made this new again",
    "lead.noted": "wrote a note",
    "lead.judged": "judged the verdict",
    "nudges.paused": "paused the messages",
    "nudges.resumed": "let messages come again",
    "nudge.sent": "sent a message by hand",
    "patient.called": "called the patient",
    "photo.viewed": "looked at a photo",
    "photo.deleted": "deleted a photo",
}


class Lead:
    """The page of one lead."""

    def __init__(self) -> None:
        self._explainers: dict[str, Explainer] = {}

    def routes(self) -> list[Route]:
        """Return the page's addresses."""
        own = "/leads/{lead_id:int}"
        return [
            Route(own, self.page),
            Route(f"{own}/export.json", export),
            Route(f"{own}/status", set_status, methods=["POST"]),
            Route(f"{own}/note", add_note, methods=["POST"]),
            Route(f"{own}/finding", add_finding, methods=["POST"]),
            Route(f"{own}/messages", messages),
            Route(f"{own}/thread", begin_thread, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """Show the story."""
        site, me = views.site_of(request), views.signed_in(request)
        story = await site.database.write(
            lead_story.view, me.clinic_id, me.staff_id, _lead_id(request), site.now()
        )
        if story is None:
            return views.not_found(request)
        known = await site.database.read(clinics.load_all)
        told = await site.database.read(
            lead_channels.deliveries_of, me.clinic_id, _lead_id(request)
        )
        nudges = await site.database.read(
            nudge_work.sheet, me.clinic_id, _lead_id(request), site.now()
        )
        requests = await site.database.read(
            asked_visits.unanswered, me.clinic_id, site.now(), _lead_id(request)
        )
        to_book = await site.database.read(
            lead_bookings.look, me.clinic_id, _lead_id(request), site.now()
        )
        decision = story.record.decision
        explainer = self._explainer(request)
        explained: Explained | None = None
        if decision is not None:
            explained = explainer.explain(decision, story.protocol, known[me.clinic])
        plan = decision.plan if decision else None
        return views.render(
            request,
            "lead.html",
            story=story,
            lead=story.record,
            explained=explained,
            flag=explainer.flag(story.red_flag) if story.red_flag else None,
            plan=plan,
            stops=course.stops(plan, story.record.sessions, me.zone) if plan else (),
            step=course.STEP,
            events=chat_history.told(story, explainer),
            statuses=STATUSES,
            kinds=KINDS,
            why=DECLINED_WHY,
            findings=FINDINGS,
            deliveries=DELIVERIES,
            sendings=SENDINGS,
            told=told,
            requests=requests,
            to_book=to_book if isinstance(to_book, ToBook) else None,
            headline=headlines.in_words,
            reason=reasons.in_words,
            acts=ACTS,
            nudges=nudges,
            words=nudge_words,
        )

    def _explainer(self, request: Request) -> Explainer:
        """Return the one of the clinic's language; staff read English where there is none."""
        catalogues, locale = views.site_of(request).catalogues, views.signed_in(request).locale
        words = catalogues.get(locale, catalogues["en"])
        return self._explainers.setdefault(words.locale, Explainer(words))


async def export(request: Request) -> Response:
    """Give one lead as a file."""
    site, me, lead = views.site_of(request), views.signed_in(request), _lead_id(request)
    story = await site.database.read(lead_story.read, me.clinic_id, lead)
    if story is None:
        return views.not_found(request)
    await site.database.write(
        audit.record, me.clinic_id, me.staff_id, "lead.exported", "lead", lead, site.now()
    )
    name = f'attachment; filename="lead-{lead}.json"'
    return Response(
        lead_export.as_json(story, site.now()),
        media_type="application/json",
        headers={"Content-Disposition": name, "Cache-Control": "no-store"},
    )


async def set_status(request: Request) -> Response:
    """Accept, contact or decline a lead, or make it new again."""
    posted = await views.form(request)
    expected, wanted = posted.get("expected", ""), posted.get("wanted", "")
    why = posted.get("why") or None if wanted == "declined" else None
    if wanted == "declined" and why is None:
        return _back(request, "Please choose why.")
    try:
        change = await views.site_of(request).database.write(
            lead_work.set_status, _whose(request), expected, wanted, why
        )
    except ValueError:
        return _back(request, "Please choose why.")
    return _after(request, change, STATUSES.get(wanted, ""))


async def add_note(request: Request) -> Response:
    """Write a note under a lead."""
    body = (await views.form(request)).get("body", "")
    try:
        change = await views.site_of(request).database.write(
            lead_work.add_note, _whose(request), body
        )
    except ValueError:
        return _back(request, f"A note needs words, {lead_work.LONGEST} characters at most.")
    return _after(request, change, "Note added")


async def add_finding(request: Request) -> Response:
    """Keep what a clinician says of the verdict that they saw."""
    posted = await views.form(request)
    decision = posted.get("decision", "")
    seen = int(decision) if decision.isascii() and decision.isdigit() else None
    finding, reason = posted.get("finding", ""), posted.get("reason", "")
    try:
        change = await views.site_of(request).database.write(
            lead_work.add_finding, _whose(request), finding, reason, seen
        )
    except ValueError:
        return _back(request, "Please choose what you found, and say why if you disagree.")
    back = "/reviews" if posted.get("back") == "reviews" else ""
    return _after(request, change, "Thank you, your finding is kept", back)


async def messages(request: Request) -> Response:
    """Lead on to the conversation with this patient, or to the lead before there is one."""
    site, me, lead = views.site_of(request), views.signed_in(request), _lead_id(request)
    thread = await site.database.read(desk.thread_of_lead, me.clinic_id, lead)
    if thread is not None:
        return views.see_other(request, f"/messages/{thread}#last")
    if await site.database.read(lead_records.read, me.clinic_id, lead) is None:
        return views.not_found(request)
    return views.see_other(request, f"/leads/{lead}")


async def begin_thread(request: Request) -> Response:
    """Open the messages with this patient, for staff to write first."""
    site, me = views.site_of(request), views.signed_in(request)
    thread = await site.database.write(
        desk.begin, me.clinic_id, _lead_id(request), me.staff_id, site.now()
    )
    if thread is None:
        return views.not_found(request)
    return views.see_other(request, f"/messages/{thread}")


def _lead_id(request: Request) -> int:
    return int(request.path_params["lead_id"])


def _whose(request: Request) -> Whose:
    site, me = views.site_of(request), views.signed_in(request)
    return Whose(me.clinic_id, me.staff_id, _lead_id(request), site.now())


def _after(request: Request, change: Change, done: str, path: str = "") -> Response:
    match change:
        case Change.DONE:
            return _back(request, f"{done}.", path)
        case Change.OVERTAKEN:
            return _back(request, "Somebody was faster. Please look again.")
        case Change.UNKNOWN:
            return views.not_found(request)


def _back(request: Request, notice: str, path: str = "") -> Response:
    return views.see_other(request, path or f"/leads/{_lead_id(request)}", notice)
