"""Booking for a lead on the phone: the course that the chat would offer, or its next visit."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import free_times, pages, today, views
from clinic.console.calendar_visit import CHANGED
from flows import series
from flows.conversation import Offer
from flows.slots import CalendarView, Slot, local_start
from storage import calendar_store, clinics, day_sheet, lead_bookings, lead_records
from storage.bookings import SlotsGone
from storage.clerks import ChangedMeanwhile, Clerk
from storage.lead_bookings import ToBook, WhyNot

OWN = "/leads/{lead_id:int}/book"

WHY_NOT: Mapping[WhyNot, str] = {
    WhyNot.ANEW: "Nothing can be booked here: their chat has gone on since this.",
    WhyNot.RED_FLAG: "Nothing can be booked after a red flag. Please call them.",
    WhyNot.DECLINED: "Your team has declined this lead. Make it new again first.",
    WhyNot.NO_CONSENT: "They took their agreement back: nothing can be booked.",
    WhyNot.UNDECIDED: "Nothing can be booked before there is a verdict: they are at the questions.",
    WhyNot.UNSUITABLE: "The verdict allows no visit.",
    WhyNot.ALL_BOOKED: "All their visits are booked already.",
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """Times that fit together, the first one chosen or the soonest."""

    offer: Offer
    is_whole: bool  # everything that is left of the course

    def wanted(self, how: str) -> Offer:
        """Return what a form asks for: all of it, or the first visit alone."""
        return Offer(self.offer.slots[:1]) if how == "first" else self.offer

    @property
    def seen(self) -> str:
        """Return what a form says of the times as they were shown."""
        return ", ".join(free_times.key_of(slot) for slot in self.offer.slots)


def routes() -> list[Route]:
    """Return the page's addresses."""
    return [Route(OWN, page), Route(OWN, book, methods=["POST"])]


async def page(request: Request) -> Response:
    """Show what may be booked: the soonest times, or those after a chosen first one."""
    found = await _look(request)
    if not isinstance(found, ToBook):
        return _refused(request, found)
    return await _shown(request, found, request.query_params, "")


async def book(request: Request) -> Response:
    """Book times as they were shown, in the patient's own chat."""
    site, me = views.site_of(request), views.signed_in(request)
    given, found = await views.form(request), await _look(request)
    if not isinstance(found, ToBook):
        return _refused(request, found)
    view = await _calendar(request, found)
    slot = _chosen(view, found, given.get("slot", ""))
    proposal = propose(view, found, slot) if slot else None
    if proposal is None:
        return await _shown(request, found, given, free_times.TAKEN)
    if given.get("seen") != proposal.seen:
        return await _shown(request, found, given, CHANGED)
    wanted = proposal.wanted(given.get("how", ""))
    clerk = Clerk(me.clinic_id, me.staff_id, site.now())
    try:
        await site.database.write(lead_bookings.book, clerk, found, wanted, secrets.token_hex(16))
    except SlotsGone:
        return await _shown(request, found, given, free_times.TAKEN)
    except ChangedMeanwhile:
        return views.see_other(request, request.url.path, CHANGED)
    return views.see_other(request, _lead(request), _done(request, found, wanted))


def propose(view: CalendarView, found: ToBook, first: Slot | None) -> Proposal | None:
    """Return the times that the chat would offer, the soonest or from a free one on.

    Where the whole course does not fit, its first visit alone; None when there is no time at all.
    """
    plan = found.plan
    if plan is None:
        singles = (Offer((first,)),) if first else series.single_offers(view, found.from_on, 1)
        return Proposal(singles[0], is_whole=True) if singles else None
    if first is None:
        offers = series.offers(view, plan, limit=1) or series.first_only(view, plan, 1)
    else:
        offers = (series.from_first(view, plan, first) or Offer((first,)),)
    is_whole = bool(offers) and len(offers[0].slots) == plan.sessions
    return Proposal(offers[0], is_whole) if offers else None


async def _look(request: Request) -> ToBook | WhyNot | None:
    site, me = views.site_of(request), views.signed_in(request)
    lead_id = int(request.path_params["lead_id"])
    return await site.database.read(lead_bookings.look, me.clinic_id, lead_id, site.now())


def _refused(request: Request, why: WhyNot | None) -> Response:
    if why is None:
        return views.not_found(request)
    return views.see_other(request, _lead(request), WHY_NOT[why])


def _lead(request: Request) -> str:
    return f"/leads/{request.path_params['lead_id']}"


def _done(request: Request, found: ToBook, booked: Offer) -> str:
    """Say what is booked, and who tells the patient."""
    at = local_start(booked.slots[0], views.signed_in(request).zone)
    count = len(booked.slots)
    what = "1 visit is" if count == 1 else f"{count} visits are"
    words = f"{what} booked, from {pages.spell(at, views.local_now(request))} on."
    if found.hears:
        return f"{words} They are told in Telegram."
    return f"{words} No message reaches them: please tell them by phone."


def _day(found: ToBook, given: Mapping[str, str]) -> date:
    """Return the day that is looked at: no sooner than a visit may be, and within what is read."""
    asked = today.day_of(given.get("on", ""), found.from_on)
    return min(max(asked, found.from_on), found.from_on + free_times.AHEAD)


async def _calendar(request: Request, found: ToBook) -> CalendarView:
    """Return the calendar as the patient may book it; times that they hold are not in the way."""
    site, me = views.site_of(request), views.signed_in(request)
    return await site.database.read(
        calendar_store.view,
        me.clinic,
        found.service,
        found.from_on,
        found.from_on + free_times.AHEAD,
        site.now(),
        found.chat_id,
        ignore_series=found.held,
    )


def _allowed(found: ToBook, on: date) -> bool:
    if found.plan is None:
        return on >= found.from_on
    return series.allowed(found.plan, on)


def _chosen(view: CalendarView, found: ToBook, key: str) -> Slot | None:
    slot = free_times.chosen(view, key)
    return slot if slot and _allowed(found, local_start(slot, view.zone).date()) else None


async def _what(request: Request, found: ToBook) -> str:
    """Return what one visit is, in words: its name, how long it takes and its price if shown."""
    me = views.signed_in(request)
    known = await views.site_of(request).database.read(clinics.load_all)
    service = known[me.clinic].service(found.service)
    parts = (service.name, f"{service.minutes} min", service.price)
    return ", ".join(part for part in parts if part)


async def _shown(request: Request, found: ToBook, given: Mapping[str, str], fault: str) -> Response:
    site, me = views.site_of(request), views.signed_in(request)
    view = await _calendar(request, found)
    people = dict(await site.database.read(day_sheet.practitioners, me.clinic_id))
    slot = _chosen(view, found, given.get("slot", ""))
    if given.get("slot") and slot is None:
        fault = fault or free_times.TAKEN
    who = given.get("who", "") if given.get("who", "") in people else ""
    asked_for = slot.practitioner if slot else who
    own = tuple(each for each in view.timetables if asked_for in ("", each.practitioner))
    soonest = propose(replace(view, timetables=own), found, slot)
    # Whoever has chosen a day or a person must not be offered the time of another day to book.
    is_to_choose = slot is None and bool("on" in given or who)
    proposal = None if is_to_choose else soonest
    first = soonest.offer.slots[0] if soonest else None
    who = who or (first.practitioner if first else next(iter(people), ""))
    on = _day(found, given)
    if "on" not in given and first is not None:
        on = local_start(first, view.zone).date()
    times = free_times.of_day(view, who, on) if _allowed(found, on) else []
    lead = await site.database.read(
        lead_records.read, me.clinic_id, int(request.path_params["lead_id"])
    )
    return views.render(
        request,
        "lead_booking.html",
        problems={"": fault} if fault else None,
        undone="Not booked",
        name=lead.first_name if lead else "",
        found=found,
        people=people,
        who=who,
        on=on,
        days=free_times.days(view, who, on, lambda day: _allowed(found, day)),
        times=[(free_times.key_of(each), each) for each in times],
        slot=free_times.key_of(first) if first and proposal else "",
        is_to_choose=is_to_choose,
        what=await _what(request, found),
        proposal=proposal,
        back=_lead(request),
    )
