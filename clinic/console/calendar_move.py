"""Moving an appointment: a free time, and the smallest repair of the series round it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import calendar, calendar_visit, free_times, pages, today, views
from clinic.console.calendar_visit import CHANGED, day_of, find, name_of, sentence, told
from flows import series
from flows.conversation import Offer
from flows.mending import keeps_gap, mend
from flows.protocol import Spacing
from flows.slots import CalendarView, Slot, local_start
from storage import day_sheet, staff_bookings
from storage.bookings import NoSuchAppointment, SlotsGone
from storage.clerks import ChangedMeanwhile, Clerk, NotAllowed
from storage.courses import Course, Session


@dataclass(frozen=True, slots=True)
class Move:
    """One session and where it goes."""

    session: Session
    slot: Slot


@dataclass(frozen=True, slots=True)
class Proposal:
    """What follows from moving one session."""

    moved: Move
    also: tuple[Move, ...] = ()  # the others that keep the gaps right by moving too
    faults: tuple[str, ...] = ()  # what is wrong with the gaps when it moves alone

    def moves(self, *, together: bool) -> tuple[Move, ...]:
        """Return what is to be moved."""
        return (self.moved, *self.also) if together else (self.moved,)

    def seen(self, *, together: bool) -> str:
        """Return what a form says of the moves as they were shown."""
        return " ".join(
            f"{move.session.uid}:{move.session.version}:"
            f"{move.slot.practitioner}:{move.slot.starts_at.isoformat()}"
            for move in self.moves(together=together)
        )


def routes() -> list[Route]:
    """Return the page's addresses."""
    path = f"{calendar_visit.OWN}/move"
    return [Route(path, page), Route(path, move, methods=["POST"])]


async def page(request: Request) -> Response:
    """Show free times, and what follows from the one that is chosen."""
    course = await find(request)
    if course is None:
        return views.not_found(request)
    return await _shown(request, course, request.query_params, "")


async def move(request: Request) -> Response:
    """Move an appointment as it was shown: alone, or with those that keep the gaps right."""
    site, me = views.site_of(request), views.signed_in(request)
    given, course = await views.form(request), await find(request)
    if course is None:
        return views.not_found(request)
    view = await _look(request, course, given)
    slot = free_times.chosen(view, given.get("slot", "")) if view else None
    if view is None or slot is None:
        return await _shown(request, course, given, free_times.TAKEN)
    together = given.get("how") == "together"
    proposal = propose(view, course, slot, site.now())
    if given.get("seen") != proposal.seen(together=together):
        return await _shown(request, course, given, CHANGED)
    wanted = proposal.moves(together=together)
    refusal = await _carry_out(request, course, given, wanted)
    if refusal is not None:
        return refusal
    at = local_start(slot, me.zone)
    words = f"{name_of(course)} is moved to {pages.spell(at, site.now())}"
    if len(wanted) > 1:
        words += f", and {len(wanted) - 1} later visit{'s' if len(wanted) > 2 else ''} too"
    back = calendar.address(at.date(), slot.practitioner)
    return views.see_other(request, back, told(f"{words}.", course))


async def _carry_out(
    request: Request, course: Course, given: Mapping[str, str], wanted: tuple[Move, ...]
) -> Response | None:
    """Move all or nothing; return the answer that says why nothing was moved."""
    site, me = views.site_of(request), views.signed_in(request)
    clerk = Clerk(me.clinic_id, me.staff_id, site.now())
    moves = tuple((each.session.seen, each.slot) for each in wanted)
    try:
        await site.database.write(staff_bookings.move_series, clerk, moves)
    except NoSuchAppointment:
        return views.not_found(request)
    except SlotsGone:
        return await _shown(request, course, given, free_times.TAKEN)
    except ChangedMeanwhile:
        return await _shown(request, course, given, CHANGED)
    except NotAllowed as fault:
        return views.see_other(request, f"/calendar/visits/{course.session.uid}", sentence(fault))
    return None


def propose(view: CalendarView, course: Course, slot: Slot, now: datetime) -> Proposal:
    """Return what follows from moving a session to a free time."""
    moved = Move(course.session, slot)
    spacing = course.plan.spacing if course.plan else None
    if spacing is None:
        return Proposal(moved)
    faults = _faults(course, slot, spacing, view.zone, now)
    if not faults:
        return Proposal(moved)
    later = course.later(now)
    wanted = Offer((slot, *(each.slot for each in later)))
    ahead = course.before.slot if course.before else None
    find_it = partial(mend, view, spacing, ahead, wanted)
    plan = course.plan
    mended = find_it(may=lambda on: plan is None or series.allowed(plan, on)) or find_it()
    changed = mended.changed if mended else ()
    also = tuple(Move(later[i - 1], mended.slots[i]) for i in changed if mended)
    return Proposal(moved, also, faults)


def _faults(
    course: Course, slot: Slot, spacing: Spacing, zone: str, now: datetime
) -> tuple[str, ...]:
    """Return in words which gaps would not fit if this session moved alone."""
    at, found = local_start(slot, zone), []
    this_day = now.astimezone(ZoneInfo(zone)).date()
    for other, where in ((course.before, "after"), (course.after, "before")):
        if other is None:
            continue
        there = local_start(other.slot, zone)
        first, second = (there, at) if where == "after" else (at, there)
        days = (second.date() - first.date()).days
        if not keeps_gap(spacing, first, second):
            away = f"{abs(days)} day{'' if abs(days) == 1 else 's'}"
            turned = where if days >= 0 else {"after": "before", "before": "after"}[where]
            found.append(
                f"It would be {away} {turned} session {other.number} "
                f"({pages.spell_day(there.date(), this_day)}). The course asks for "
                f"{spacing.min_days} to {spacing.max_days} days between them."
            )
    return tuple(found)


def _day(request: Request, course: Course, given: Mapping[str, str]) -> date:
    """Return the day that is looked at: the one asked for, else the session's, never a past one."""
    site, me = views.site_of(request), views.signed_in(request)
    this_day = site.now().astimezone(ZoneInfo(me.zone)).date()
    asked = today.day_of(given.get("on", ""), max(this_day, day_of(course.session, me.zone)))
    return max(asked, this_day)


async def _look(request: Request, course: Course, given: Mapping[str, str]) -> CalendarView | None:
    site, me = views.site_of(request), views.signed_in(request)
    return await free_times.look(site, me, course.service, _day(request, course, given), course)


async def _shown(
    request: Request, course: Course, given: Mapping[str, str], fault: str
) -> Response:
    site, me = views.site_of(request), views.signed_in(request)
    session, now = course.session, site.now()
    own = f"/calendar/visits/{session.uid}"
    if not session.can_change(now):
        return views.see_other(request, own, "This visit cannot be moved any more.")
    view = await _look(request, course, given)
    if view is None:
        return views.see_other(request, own, "The clinic does not offer this service any more.")
    people = dict(await site.database.read(day_sheet.practitioners, me.clinic_id))
    who = given.get("who", "")
    if who not in people:
        who = session.slot.practitioner if session.slot.practitioner in people else ""
    who = who or next(iter(people), "")
    on = _day(request, course, given)
    slot = free_times.chosen(view, given.get("slot", ""))
    if given.get("slot") and slot is None:
        fault = fault or free_times.TAKEN
    days = free_times.days(view, who, on)
    return views.render(
        request,
        "calendar_move.html",
        problems={"": fault} if fault else None,
        undone="Not moved",
        course=course,
        session=session,
        people=people,
        who=who,
        on=on,
        days=days,
        times=[(free_times.key_of(each), each) for each in free_times.of_day(view, who, on)],
        slot=free_times.key_of(slot) if slot else "",
        proposal=propose(view, course, slot, now) if slot else None,
        back=own,
    )
