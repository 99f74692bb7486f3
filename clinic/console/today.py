"""*Today*: who comes when, who is here, and what is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.channels.reasons import messages
from clinic.console import views
from clinic.console.views import Undo
from flows.slots import hours_on
from storage import (
    asked_visits,
    calendar_store,
    clinic_protocols,
    day_sheet,
    lead_list,
    staff_bookings,
    undelivered,
)
from storage.bookings import NoSuchAppointment, SlotsGone
from storage.clerks import ChangedMeanwhile, Clerk, NotAllowed, Seen
from storage.day_sheet import Column
from storage.undelivered import Trouble

#: What staff do to a visit, and how they are told. The name of the patient stands for {}.
ACTS = {
    "confirm": (staff_bookings.confirm, "{} is booked."),
    "arrived": (staff_bookings.mark_arrived, "{} is here."),
    "done": (staff_bookings.mark_fulfilled, "The visit of {} is done."),
    "missed": (staff_bookings.mark_noshow, "{} did not come."),
    "undo": (staff_bookings.undo, "Taken back: {}."),
}
CAN_BE_UNDONE = ("arrived", "done", "missed")
FURTHEST = 731  # days from today that a day may be looked at


def routes() -> list[Route]:
    """Return the page's addresses."""
    return [
        Route("/today", page),
        Route("/today/visits/{uid}/{act}", act, methods=["POST"]),
    ]


async def page(request: Request) -> Response:
    """Show one day, today's unless another one is asked for."""
    site, me = views.site_of(request), views.signed_in(request)
    now = site.now()
    today = now.astimezone(ZoneInfo(me.zone)).date()
    on = day_of(request.query_params.get("on", ""), today)
    from_at, until_at = bounds(on, me.zone)
    columns = await site.database.read(day_sheet.sheet, me.clinic_id, from_at, until_at, now)
    trouble = await site.database.read(undelivered.trouble, me.clinic_id) if me.is_owner else None
    requests = await site.database.read(asked_visits.unanswered, me.clinic_id, now)
    red_flags = await site.database.read(lead_list.red_flags, me.clinic_id, now)
    people, closed_on = await site.database.read(calendar_store.hours, me.clinic_id, on, on, now)
    declined = await site.database.read(lead_list.declined_but_booked, me.clinic_id, now)
    is_signed = not me.is_owner or await site.database.read(
        clinic_protocols.is_signed, me.clinic_id
    )
    return views.render(
        request,
        "today.html",
        columns=columns,
        working=set()
        if on in closed_on
        else {each.practitioner for each in people if hours_on(each, on)},
        is_signed=is_signed,
        channels_lack=_told(trouble) if trouble else "",
        requests=requests,
        red_flags=red_flags,
        declined=declined,
        counts=counted(columns),
        on=on,
        today=today,
        before=on - timedelta(days=1),
        after=on + timedelta(days=1),
    )


async def act(request: Request) -> Response:
    """Confirm a visit, or mark it as arrived, done or missed; or take the last mark back."""
    site, me = views.site_of(request), views.signed_in(request)
    given, name = await views.form(request), request.path_params["act"]
    uid, version = request.path_params["uid"], given.get("version", "")
    if name not in ACTS or not version.isdecimal() or len(version) > 9:
        return views.not_found(request)
    change, words = ACTS[name]
    back = f"/today?on={day_of(given.get('on', ''), site.now().date())}"
    try:
        clerk = Clerk(me.clinic_id, me.staff_id, site.now())
        await site.database.write(change, clerk, Seen(uid, int(version)))
    except NoSuchAppointment:
        return views.not_found(request)
    except ChangedMeanwhile:
        return views.see_other(request, back, "Somebody else changed this. Look at it again.")
    except SlotsGone:
        return views.see_other(request, back, "That time was given to somebody else meanwhile.")
    except NotAllowed as fault:
        return views.see_other(request, back, f"{str(fault).capitalize()}.")
    undo = None
    if name in CAN_BE_UNDONE:
        fields = {"version": str(int(version) + 1), "on": given.get("on", "")}
        undo = Undo(f"/today/visits/{uid}/undo", fields)
    patient = await site.database.read(day_sheet.patient_of, me.clinic_id, uid)
    return views.see_other(request, f"{back}#visit-{uid}", words.format(patient), undo)


def bounds(on: date, zone: str) -> tuple[datetime, datetime]:
    """Return when a local day begins and ends."""
    here = ZoneInfo(zone)
    tomorrow = on + timedelta(days=1)
    return datetime.combine(on, time(), here), datetime.combine(tomorrow, time(), here)


def day_of(text: str, today: date) -> date:
    """Return the day that a text names, when it is near enough; else today."""
    try:
        asked = date.fromisoformat(text)
    except ValueError:
        return today
    return asked if abs((asked - today).days) <= FURTHEST else today


def _told(trouble: Trouble) -> str:
    """Return what to say of channels that did not get everything; empty when nothing is wrong."""
    if trouble.gone:
        return "A channel is off: its receiver says that it is gone for good."
    if trouble.lost:
        return f"{messages(trouble.lost)} did not reach a channel."
    return ""


def counted(columns: Sequence[Column]) -> dict[str, int]:
    """Return how many visits are still expected, here, done and missed."""
    states = Counter(visit.state for column in columns for visit in column.visits)
    return {
        "to come": states["held"] + states["pending"] + states["booked"],
        "here": states["arrived"],
        "done": states["fulfilled"],
        "missed": states["noshow"],
    }
