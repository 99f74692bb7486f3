"""Writing somebody into the calendar: at a free time, or at any other that the database allows."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import calendar, free_times, pages, today, views, walk_in
from clinic.console.free_times import NoSuchTime
from flows import appointing, slots
from flows.slots import CalendarView, Slot, local_start
from storage import calendar_store, day_sheet, staff_bookings
from storage.bookings import SlotsGone
from storage.clerks import Clerk
from storage.staff_bookings import WalkIn


@dataclass(frozen=True, slots=True)
class Wanted:
    """A time that was asked for, and what speaks against it; staff may take it all the same."""

    slot: Slot | None
    fault: str = ""  # why it is none
    doubts: tuple[str, ...] = ()


def routes() -> list[Route]:
    """Return the page's addresses."""
    return [Route("/calendar/new", page), Route("/calendar/new", write_in, methods=["POST"])]


async def page(request: Request) -> Response:
    """Show free times of a service with one practitioner, and ask who comes."""
    return await _shown(request, request.query_params)


async def write_in(request: Request) -> Response:
    """Book a time for somebody who is known by name only."""
    site, me = views.site_of(request), views.signed_in(request)
    given = {name: value.strip() for name, value in (await views.form(request)).items()}
    if looked_for := given.get("day") or (given.get("act") == "times" and given.get("from", "")):
        return await _shown(request, {**given, "on": looked_for})
    faults = walk_in.faults_of(given)
    if faults:
        return await _shown(request, given, faults)
    wanted = await _wanted(request, given)
    if wanted.slot is None:
        return await _shown(request, given, {"times": wanted.fault})
    if wanted.doubts and given.get("anyway") != "yes":
        return await _shown(request, given, doubts=wanted.doubts)
    token = secrets.token_hex(16)
    guest = WalkIn(
        uid=token,
        service=given.get("service", ""),
        slot=wanted.slot,
        code=appointing.booking_code(token),
        name=given["name"],
        phone=given.get("phone", ""),
        note=given.get("note", ""),
    )
    try:
        clerk = Clerk(me.clinic_id, me.staff_id, site.now())
        await site.database.write(staff_bookings.walk_in, clerk, guest)
    except SlotsGone:
        gone = {"times": "Somebody else has that time. Choose another one."}
        return await _shown(request, given, gone)
    at = local_start(wanted.slot, me.zone)
    back = calendar.address(at.date(), wanted.slot.practitioner)
    words = f"{guest.name} is booked for {pages.spell(at, site.now())}."
    return views.see_other(request, f"{back}#visit-{token}", words)


async def _wanted(request: Request, given: Mapping[str, str]) -> Wanted:
    """Return the time that a form asks for: a free one that was chosen, or one typed in."""
    site, me = views.site_of(request), views.signed_in(request)
    now = site.now()
    key = given.get("slot", "")
    view = await free_times.look(site, me, given.get("service", ""), _day(request, given))
    if view is None:
        return Wanted(None, "Choose what they come for.")
    if key and key != "other":
        return _chosen(view, key, given.get("who", ""))
    if not given.get("at"):
        return Wanted(None, "Choose a time.")
    try:
        starts_at = free_times.instant(given.get("on", ""), given["at"], me.zone)
    except NoSuchTime as fault:
        return Wanted(None, str(fault))
    slot = Slot(starts_at, starts_at + view.duration, given.get("who", ""))
    if slot.ends_at <= now:
        return Wanted(None, "That time has passed.")
    if slot.practitioner not in {timetable.practitioner for timetable in view.timetables}:
        return Wanted(None, "Choose who sees them.")
    if slot.starts_at > now + timedelta(days=today.FURTHEST):
        return Wanted(None, "That is too far ahead.")
    return Wanted(slot, doubts=await _doubts(request, view, slot))


def _chosen(view: CalendarView, key: str, who: str) -> Wanted:
    """Return a free time that was chosen; whoever was chosen after it may be somebody else."""
    found = free_times.chosen(view, key)
    if found is None:
        return Wanted(None, "That time is not free any more. Choose another one.")
    if who not in ("", found.practitioner):
        return Wanted(None, "That time is with somebody else. Choose one of these.")
    return Wanted(found)


async def _doubts(request: Request, view: CalendarView, slot: Slot) -> tuple[str, ...]:
    """Return what speaks against a time that was typed in, besides other appointments."""
    site, me = views.site_of(request), views.signed_in(request)
    on = local_start(slot, me.zone).date()
    people, closed_on = await site.database.read(
        calendar_store.hours, me.clinic_id, on, on, site.now()
    )
    own = next(each for each in people if each.practitioner == slot.practitioner)
    found = []
    from_at, until_at = slot.starts_at - view.buffer_before, slot.ends_at + view.buffer_after
    if any(start < until_at and end > from_at for start, end in own.busy):
        found.append("Their own calendar has something else then.")
    if on in closed_on:
        found.append("The clinic is closed that day.")
    elif not slots.is_open(own, slot, me.zone):
        found.append("It is outside their opening hours.")
    return tuple(found)


def _day(request: Request, given: Mapping[str, str]) -> date:
    site, me = views.site_of(request), views.signed_in(request)
    this_day = site.now().astimezone(ZoneInfo(me.zone)).date()
    return max(today.day_of(given.get("on", ""), this_day), this_day)


async def _shown(
    request: Request,
    given: Mapping[str, str],
    faults: Mapping[str, str] | None = None,
    doubts: tuple[str, ...] = (),
) -> Response:
    site, me = views.site_of(request), views.signed_in(request)
    offered = await site.database.read(day_sheet.services, me.clinic_id)
    codes = [code for code, _, _ in offered]
    people = dict(await site.database.read(day_sheet.practitioners, me.clinic_id))
    service, who = given.get("service", ""), given.get("who", "")
    service = service if service in codes else next(iter(codes), "")
    who = who if who in people else next(iter(people), "")
    on = _day(request, given)
    view = await free_times.look(site, me, service, on)
    days = free_times.days(view, who, on) if view else ()
    if "on" not in given and days:
        on = days[0][0]
    return views.render(
        request,
        "calendar_new.html",
        problems=faults or ({"doubts": " ".join(doubts)} if doubts else None),
        undone="Not booked yet" if doubts else "Not booked",
        services=offered,
        service=service,
        people=people,
        who=who,
        on=on,
        days=days,
        times=[(free_times.key_of(s), s) for s in free_times.of_day(view, who, on)] if view else [],
        given=given,
        doubts=doubts,
    )
