"""Free times as staff may give them: the patients' notice does not count at the desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from clinic.console.views import SignedIn, Site
from flows import slots
from flows.slots import CalendarView, Slot
from storage import calendar_store, clerks, day_sheet
from storage.courses import Course

TAKEN = "That time was taken a moment ago. Choose another one."

AHEAD = timedelta(days=300)  # six sessions at the widest spacing, as patients are offered
DAYS = 14  # days with free times that are listed


class NoSuchTime(ValueError):
    """A day and clock time that do not exist, in words for staff."""


def key_of(slot: Slot) -> str:
    """Return what a form says for a slot."""
    return f"{slot.practitioner} {slot.starts_at.astimezone(UTC).isoformat()}"


async def look(
    site: Site, me: SignedIn, service: str, on: date, course: Course | None = None
) -> CalendarView | None:
    """Return the calendar round a local day; None for a service that the clinic does not have.

    What is moved does not stand in its own way.
    """
    now = site.now()
    codes = {code for code, _, _ in await site.database.read(day_sheet.services, me.clinic_id)}
    if service not in codes:
        return None
    first = min(now.astimezone(ZoneInfo(me.zone)).date(), on)
    view = await site.database.read(
        calendar_store.view,
        me.clinic,
        service,
        first,
        on + AHEAD,
        now,
        course.chat_id or clerks.NO_CHAT if course else clerks.NO_CHAT,
        ignore_series=course.series_id if course and course.chat_id else "",
        ignore_uid=course.session.uid if course else "",
    )
    return replace(view, opens_at=now)


def of_day(view: CalendarView, who: str, on: date) -> list[Slot]:
    """Return a practitioner's free times of a local day."""
    return [
        slot
        for timetable in view.timetables
        if timetable.practitioner == who
        for slot in slots.free_slots(view, timetable, on, on)
    ]


def days(
    view: CalendarView, who: str, on: date, may: Callable[[date], bool] = lambda _: True
) -> tuple[tuple[date, int], ...]:
    """Return the next days from `on` on which a practitioner has free times, and how many.

    Of those days only that `may` be used.
    """
    own = tuple(each for each in view.timetables if each.practitioner == who)
    found = slots.free_days(replace(view, timetables=own), on, AHEAD.days)
    return tuple(each for each in found if may(each[0]))[:DAYS]


def chosen(view: CalendarView, key: str) -> Slot | None:
    """Return the free time that a form names; None when it is not free, or none at all."""
    who, _, text = key.partition(" ")
    try:
        at = datetime.fromisoformat(text)
        on = at.astimezone(ZoneInfo(view.zone)).date()
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:
        return None
    return next((slot for slot in of_day(view, who, on) if slot.starts_at == at), None)


def instant(on: str, at: str, zone: str) -> datetime:
    """Return a day and a clock time of a form as an instant. Raises NoSuchTime.

    A time that happens twice, when the clocks go back, means its first occurrence.
    """
    try:
        clock = datetime.combine(date.fromisoformat(on), time.fromisoformat(at[:5]))
        found = clock.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NoSuchTime("Choose a day and a time, such as 14:30.") from None
    if found.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != clock:
        raise NoSuchTime(f"The clocks go forward that night: there is no {clock:%H:%M} that day.")
    return found
