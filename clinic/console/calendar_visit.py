"""One appointment of the calendar, or time off: what it is, and what staff do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import calendar, views
from storage import courses, staff_bookings
from storage.bookings import NoSuchAppointment
from storage.clerks import ChangedMeanwhile, Clerk, NotAllowed, Seen
from storage.courses import Course, Session

OWN = "/calendar/visits/{uid}"


@dataclass(frozen=True, slots=True)
class Act:
    """Something that is done to one appointment, or to it and those after it."""

    change: Callable[..., Any]
    words: str  # what staff read then; the patient stands for {}
    all_of_them: bool = False
    is_news: bool = True  # the patient is to hear of it


@dataclass(frozen=True, slots=True)
class Gap:
    """The days between two sessions that follow each other."""

    days: int
    nearest_on: date  # the nearest day on which the later one would keep the gap right
    fits: bool


LOOKED_AT = "{} is looked at: the visit takes place, and messages come again."

ACTS: Mapping[str, Act] = {
    "confirm": Act(staff_bookings.confirm, "{} is booked."),
    "confirm-all": Act(staff_bookings.confirm_series, "{} is booked.", True),
    "decline": Act(staff_bookings.decline, "The request of {} is declined."),
    "go-ahead": Act(staff_bookings.go_ahead, LOOKED_AT, is_news=False),
    "cancel": Act(staff_bookings.cancel, "The visit of {} is cancelled."),
    "cancel-rest": Act(staff_bookings.cancel_series, "The visits of {} are cancelled.", True),
}


def routes() -> list[Route]:
    """Return the page's addresses."""
    return [
        Route(OWN, page),
        Route(f"{OWN}/{{step}}", act, methods=["POST"]),
    ]


async def page(request: Request) -> Response:
    """Show an appointment with the others of its series."""
    site, me = views.site_of(request), views.signed_in(request)
    course = await find(request)
    if course is None:
        return views.not_found(request)
    session, now = course.session, site.now()
    asked = tuple(each for each in course.sessions if each.state == "pending")
    return views.render(
        request,
        "calendar_visit.html",
        course=course,
        on=day_of(session, me.zone),
        session=session,
        gaps=gaps(course, me.zone),
        can_change=session.can_change(now),
        later=course.later(now),
        rest=seen_of((session, *course.later(now))),
        asked=asked,
        all_asked=seen_of(asked),
        back=calendar.address(day_of(session, me.zone), session.slot.practitioner),
    )


async def act(request: Request) -> Response:
    """Confirm, decline or cancel an appointment, or several of its series."""
    site, me = views.site_of(request), views.signed_in(request)
    given, uid = await views.form(request), request.path_params["uid"]
    wanted = ACTS.get(request.path_params["step"])
    course = await find(request)
    if wanted is None or course is None:
        return views.not_found(request)
    seen = _seen(given.get("seen", ""), course)
    if seen is None:
        return views.see_other(request, f"/calendar/visits/{uid}", CHANGED)
    clerk = Clerk(me.clinic_id, me.staff_id, site.now())
    try:
        await site.database.write(wanted.change, clerk, seen if wanted.all_of_them else seen[0])
    except NoSuchAppointment:
        return views.not_found(request)
    except ChangedMeanwhile:
        return views.see_other(request, f"/calendar/visits/{uid}", CHANGED)
    except NotAllowed as fault:
        return views.see_other(request, f"/calendar/visits/{uid}", sentence(fault))
    words = wanted.words.format(name_of(course))
    if not wanted.is_news:
        return views.see_other(request, f"/calendar/visits/{uid}", words)
    back = _back(given.get("back", ""), course, me.zone)
    return views.see_other(request, back, told(words, course))


CHANGED = "Somebody else changed this a moment ago. Look at it again."


async def find(request: Request) -> Course | None:
    """Return the clinic's appointment that the path names."""
    site, me = views.site_of(request), views.signed_in(request)
    return await site.database.read(
        courses.find, me.clinic_id, request.path_params["uid"], site.now()
    )


def name_of(course: Course) -> str:
    """Return what the patient is called."""
    return course.patient or "somebody"


def told(words: str, course: Course) -> str:
    """Add who hears of a change."""
    return f"{words} They are told in Telegram." if course.chat_id else f"{words} Please tell them."


def sentence(fault: Exception) -> str:
    """Return a storage's refusal as a sentence."""
    text = str(fault)
    return f"{text[:1].upper()}{text[1:]}."


def day_of(session: Session, zone: str) -> date:
    """Return the local day of an appointment."""
    return session.slot.starts_at.astimezone(ZoneInfo(zone)).date()


def _back(asked: str, course: Course, zone: str) -> str:
    """Return where somebody goes who has answered: where they were, or the calendar's day."""
    if asked in ("/today", f"/leads/{course.lead_id}"):
        return asked
    session = course.session
    return calendar.address(day_of(session, zone), session.slot.practitioner)


def seen_of(sessions: tuple[Session, ...]) -> str:
    """Return what a form says of appointments as they were shown."""
    return " ".join(f"{each.uid}:{each.version}" for each in sessions)


def gaps(course: Course, zone: str) -> dict[str, Gap]:
    """Return for each session that counts the gap to the one ahead, by UID."""
    spacing = course.plan.spacing if course.plan else None
    found = {}
    for before, after in pairwise(course.treating):
        on = day_of(before, zone)
        days = (day_of(after, zone) - on).days
        right = min(max(days, spacing.min_days), spacing.max_days) if spacing else days
        found[after.uid] = Gap(days, on + timedelta(days=right), fits=days == right)
    return found


def _seen(text: str, course: Course) -> tuple[Seen, ...] | None:
    """Read what a form says was seen; None unless it names this series alone."""
    own = {each.uid for each in (course.session, *course.sessions)}
    found = []
    for part in text.split()[:50]:
        uid, _, version = part.rpartition(":")
        if uid not in own or not version.isascii() or not version.isdecimal() or len(version) > 9:
            return None
        found.append(Seen(uid, int(version)))
    return tuple(found) or None
