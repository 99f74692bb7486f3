"""Time off: an afternoon, some hours or whole days that are kept free of patients, and back."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import calendar, free_times, today, views
from clinic.console.calendar_visit import CHANGED, sentence
from clinic.console.free_times import NoSuchTime
from clinic.console.views import Undo
from storage import courses, day_sheet, time_off
from storage.bookings import NoSuchAppointment, SlotsGone
from storage.clerks import ChangedMeanwhile, Clerk, NotAllowed, Seen
from storage.time_off import Clash, Clashes, TimeOff

EVERYONE = "everyone"
LONGEST_NOTE = 200
MOST_DAYS = 62

#: From which clock time until which; whole days and hours of one's own have none.
PARTS: Mapping[str, tuple[str, str]] = {
    "morning": ("00:00", "12:00"),
    "afternoon": ("12:00", "24:00"),
}
SPANS = ("days", "morning", "afternoon", "hours")


class Unclear(ValueError):
    """A form that does not say when, in words for staff."""


@dataclass(frozen=True, slots=True)
class InTheWay:
    """An appointment that has to be moved first, with the patient's name."""

    clash: Clash
    patient: str


def routes() -> list[Route]:
    """Return the page's addresses."""
    return [
        Route("/calendar/off", page),
        Route("/calendar/off", block, methods=["POST"]),
        Route("/calendar/off/{off_uid}/remove", unblock, methods=["POST"]),
    ]


async def page(request: Request) -> Response:
    """Ask whose time it is, and when."""
    return await _shown(request, request.query_params, "")


async def block(request: Request) -> Response:
    """Keep a time free of patients."""
    site, me = views.site_of(request), views.signed_in(request)
    given = {name: value.strip() for name, value in (await views.form(request)).items()}
    people = dict(await site.database.read(day_sheet.practitioners, me.clinic_id))
    slugs = list(people) if given.get("who") == EVERYONE else [given.get("who", "")]
    if not slugs or not people.keys() >= set(slugs):
        return await _shown(request, given, "Choose whose time it is.")
    if len(given.get("note", "")) > LONGEST_NOTE:
        return await _shown(request, given, "The note is too long.")
    try:
        spans = list(_spans(given, me.zone))
    except (NoSuchTime, Unclear) as fault:
        return await _shown(request, given, str(fault))
    wanted = [
        TimeOff(secrets.token_hex(16), slug, starts_at, ends_at, given.get("note", ""))
        for slug in slugs
        for starts_at, ends_at in spans
    ]
    clerk = Clerk(me.clinic_id, me.staff_id, site.now())
    try:
        await site.database.write(time_off.block_all, clerk, wanted)
    except Clashes as found:
        return await _shown(request, given, "", found.clashing)
    except NotAllowed as refusal:
        return await _shown(request, given, sentence(refusal))
    except SlotsGone:
        return await _shown(request, given, "Somebody booked into that time a moment ago.")
    names = "Everybody" if len(slugs) > 1 else people[slugs[0]]
    back = calendar.address(spans[0][0].astimezone(ZoneInfo(me.zone)).date(), slugs[0])
    undo = None
    if len(wanted) == 1:
        undo = Undo(f"/calendar/off/{wanted[0].uid}/remove", {"version": "1"})
    return views.see_other(request, back, f"{names}: time off is noted.", undo)


async def unblock(request: Request) -> Response:
    """Give a time back to patients."""
    site, me = views.site_of(request), views.signed_in(request)
    uid, version = request.path_params["off_uid"], (await views.form(request)).get("version", "")
    if not version.isascii() or not version.isdecimal() or len(version) > 9:
        return views.not_found(request)
    off = await site.database.read(courses.find, me.clinic_id, uid, site.now())
    if off is None:
        return views.not_found(request)
    on = off.session.slot.starts_at.astimezone(ZoneInfo(me.zone)).date()
    back = calendar.address(on, off.session.slot.practitioner)
    clerk = Clerk(me.clinic_id, me.staff_id, site.now())
    try:
        await site.database.write(time_off.unblock, clerk, Seen(uid, int(version)))
    except NoSuchAppointment:
        return views.not_found(request)
    except ChangedMeanwhile:
        return views.see_other(request, back, CHANGED)
    return views.see_other(request, back, "The time is free again.")


def _spans(given: Mapping[str, str], zone: str) -> Iterator[tuple[datetime, datetime]]:
    """Yield the times that a form asks for. Raises NoSuchTime and Unclear."""
    first, last = _days(given)
    span = given.get("span", "")
    if span not in SPANS:
        raise Unclear("Choose how much of the day it is.")
    if span == "days":
        yield today.bounds(first, zone)[0], today.bounds(last, zone)[1]
        return
    starts, ends = PARTS.get(span) or (given.get("starts", ""), given.get("ends", ""))
    for number in range((last - first).days + 1):
        on = first + timedelta(days=number)
        from_at = free_times.instant(on.isoformat(), starts, zone)
        until_at = (
            today.bounds(on, zone)[1]
            if ends == "24:00"
            else free_times.instant(on.isoformat(), ends, zone)
        )
        if until_at <= from_at:
            raise Unclear("It must end after it starts.")
        yield from_at, until_at


def _days(given: Mapping[str, str]) -> tuple[date, date]:
    try:
        first = date.fromisoformat(given.get("on", ""))
        last = date.fromisoformat(given.get("until") or given.get("on", ""))
    except ValueError:
        raise Unclear("Choose the day.") from None
    if last < first:
        raise Unclear("The last day must not come before the first one.")
    if (last - first).days >= MOST_DAYS:
        raise Unclear(f"At most {MOST_DAYS} days can be taken off at once.")
    return first, last


async def _shown(
    request: Request, given: Mapping[str, str], fault: str, clashing: tuple[Clash, ...] = ()
) -> Response:
    site, me = views.site_of(request), views.signed_in(request)
    people = dict(await site.database.read(day_sheet.practitioners, me.clinic_id))
    in_the_way = [
        InTheWay(each, await site.database.read(day_sheet.patient_of, me.clinic_id, each.uid))
        for each in clashing[:20]
    ]
    problems = {"": fault} if fault else {}
    if clashing:
        problems = {"in-the-way": "Somebody is in the way."}
    return views.render(
        request,
        "calendar_off.html",
        problems=problems,
        undone="Not kept free",
        people=people,
        everyone=EVERYONE,
        given=given,
        today=site.now().astimezone(ZoneInfo(me.zone)).date(),
        in_the_way=in_the_way,
        more=len(clashing) - len(in_the_way),
    )
