"""A visit that staff write in: somebody at the desk or on the phone."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import views
from clinic.console.views import SignedIn, Site
from flows import appointing, slots
from flows.slots import Slot
from storage import calendar_store, clerks, day_sheet, staff_bookings
from storage.bookings import SlotsGone
from storage.clerks import Clerk
from storage.staff_bookings import WalkIn

DAYS = 14  # looked at for free times
TIMES = 12  # offered for each practitioner
LONGEST = {"name": 80, "phone": 40, "note": 500}


def routes() -> list[Route]:
    """Return the page's addresses."""
    return [
        Route("/today/walk-in", page),
        Route("/today/walk-in", write_in, methods=["POST"]),
    ]


async def page(request: Request) -> Response:
    """Show the next free times of a service, and ask who comes."""
    return await _shown(request, request.query_params.get("service", ""), {})


async def write_in(request: Request) -> Response:
    """Book a free time for somebody who is known by name only."""
    site, me = views.site_of(request), views.signed_in(request)
    given = {name: value.strip() for name, value in (await views.form(request)).items()}
    service = given.get("service", "")
    if given.get("act") == "times":  # what was typed so far stays, and out of the address
        return await _shown(request, service, given)
    faults = faults_of(given)
    if faults:
        return await _shown(request, service, given, faults)
    chosen = next(
        (slot for slot in await _free(site, me, service) if key_of(slot) == given.get("slot")), None
    )
    if chosen is None:
        return await _shown(request, service, given, {"": "That time is not free any more."})
    token = secrets.token_hex(16)
    guest = WalkIn(
        uid=token,
        service=service,
        slot=chosen,
        code=appointing.booking_code(token),
        name=given["name"],
        phone=given.get("phone", ""),
        note=given.get("note", ""),
    )
    try:
        clerk = Clerk(me.clinic_id, me.staff_id, site.now())
        await site.database.write(staff_bookings.walk_in, clerk, guest)
    except SlotsGone:
        return await _shown(request, service, given, {"": "That time was taken just now."})
    on = chosen.starts_at.astimezone(ZoneInfo(me.zone)).date()
    return views.see_other(request, f"/today?on={on}#visit-{token}", f"{guest.name} is booked.")


def key_of(slot: Slot) -> str:
    """Return what a form says for a slot."""
    return f"{slot.practitioner} {slot.starts_at.isoformat()}"


def faults_of(given: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with the words that staff wrote of somebody, by field."""
    if not given.get("name"):
        return {"name": "Write down a name, so that you know who comes."}
    return {
        name: f"The {name} is too long."
        for name, most in LONGEST.items()
        if len(given.get(name, "")) > most
    }


async def _shown(
    request: Request,
    service: str,
    given: dict[str, str],
    faults: dict[str, str] | None = None,
) -> Response:
    site, me = views.site_of(request), views.signed_in(request)
    offered = await site.database.read(day_sheet.services, me.clinic_id)
    codes = [code for code, _, _ in offered]
    if service not in codes:
        service = codes[0] if codes else ""
    free = await _free(site, me, service) if service else []
    people = dict(await site.database.read(day_sheet.practitioners, me.clinic_id))
    by_person: dict[str, dict[date, list[tuple[str, datetime]]]] = defaultdict(dict)
    for slot in free:
        on = slot.starts_at.astimezone(ZoneInfo(me.zone)).date()
        times = by_person[people.get(slot.practitioner, slot.practitioner)]
        times.setdefault(on, []).append((key_of(slot), slot.starts_at))
    return views.render(
        request,
        "walk_in.html",
        problems=faults,
        undone="Not booked",
        services=offered,
        service=service,
        free=by_person,
        given=given,
    )


async def _free(site: Site, me: SignedIn, service: str) -> list[Slot]:
    """Return the next free times of each practitioner; the patients' notice does not count here."""
    now = site.now()
    today = now.astimezone(ZoneInfo(me.zone)).date()
    until = today + timedelta(days=DAYS)
    codes = [code for code, _, _ in await site.database.read(day_sheet.services, me.clinic_id)]
    if service not in codes:
        return []
    view = replace(
        await site.database.read(
            calendar_store.view, me.clinic, service, today, until, now, clerks.NO_CHAT
        ),
        opens_at=now,
    )
    return [
        slot
        for timetable in view.timetables
        for slot in islice(slots.free_slots(view, timetable, today, until), TIMES)
    ]
