"""The screens of booking: a day, a time, how to be reached, which day is better."""

from __future__ import annotations

from collections.abc import Sized
from datetime import date, timedelta

from bot.markup import Button, ContactRequest, Rows, Screen, label, paired
from bot.page import Page
from bot.question_screens import back_and_help
from flows.clinics import BookingMode
from flows.conversation import BookedSession
from flows.events import Action, AskedForPerson, Chose
from flows.looking import bookable_days

TIMES_SHOWN = 12
_PARTS = ("morning", "afternoon", "evening")
_WEEK = timedelta(days=7)


def pick_day(page: Page) -> Screen:
    """Show the free days of one week, and the way to others that may have some."""
    booking = page.conversation.booking
    week_on = booking.week_on or page.position.today
    paragraphs = [
        _which_day(page),
        page.say("screen.pick_day.week", day=week_on, place=page.place()),
    ]
    if not booking.days:
        paragraphs.append(page.say("screen.pick_day.none"))
    days = [
        page.button("day", Chose(Action.DAY, on.isoformat()), day=page.short_day(on), count=count)
        for on, count in booking.days
    ]
    rows = (
        *paired(days),
        *_other_weeks(page, week_on),
        (page.button("person", AskedForPerson()),),
        back_and_help(page),
    )
    return Screen("\n\n".join(paragraphs), rows)


def _other_weeks(page: Page, week_on: date) -> Rows:
    first, last = bookable_days(page.position)
    turning = []
    if first < week_on:
        turning.append(page.button("earlier", _week(week_on - _WEEK)))
    if week_on + _WEEK <= last:
        turning.append(page.button("later", _week(week_on + _WEEK)))
    return (tuple(turning),) if turning else ()


def _week(on: date) -> Chose:
    return Chose(Action.WEEK, on.isoformat())


def pick_time(page: Page) -> Screen:
    """Show the free times of one day, at most a dozen."""
    booking = page.conversation.booking
    day = booking.day_on or page.position.today
    paragraphs = [page.say("screen.pick_time.title", day=day)]
    if not booking.times:
        paragraphs.append(page.say("screen.pick_time.none"))
    else:
        paragraphs.append(page.say("screen.pick_time.some", place=page.place()))
    if len(booking.times) > TIMES_SHOWN:
        total = len(booking.times)
        paragraphs.append(page.say("screen.pick_time.more", count=TIMES_SHOWN, total=total))
    parts = tuple(_part(page, part, booking.part) for part in _PARTS)
    times = [
        Button(page.clock(slot.starts_at), Chose(Action.TIME, str(index)))
        for index, slot in enumerate(booking.times[:TIMES_SHOWN])
    ]
    shown = (parts,) if times else ()
    rows = (*paired(times), *shown, (page.button("person", AskedForPerson()),), back_and_help(page))
    return Screen("\n\n".join(paragraphs), rows)


def contact(page: Page) -> Screen:
    """Ask how the clinic may reach the patient while the times are held."""
    booking = page.conversation.booking
    if booking.hold_until is not None:
        clock = page.clock(booking.hold_until)
        key = counted("screen.contact.title", booking.sessions)
        title = page.say(key, clock=clock, place=page.place())
    else:
        title = page.say(counted("screen.contact.title_open", booking.sessions), place=page.place())
    html = "\n\n".join((title, sessions(page), page.say(_contact_question(page))))
    rows = (
        (page.button("reach_here", Chose(Action.REACH_HERE)),),
        (page.button("person", AskedForPerson()),),
        back_and_help(page),
    )
    request = ContactRequest(
        page.say("screen.contact.share"),
        label(page.catalogue.text("button.share_phone")),
        page.catalogue.text("screen.contact.placeholder"),
    )
    return Screen(html, rows, contact=request)


def _contact_question(page: Page) -> str:
    if page.clinic is not None and page.clinic.booking_mode is BookingMode.REQUEST:
        return "screen.contact.question_request"
    return counted("screen.contact.question", page.conversation.booking.sessions)


def counted(key: str, visits: Sized) -> str:
    """Return the key of the words for one visit where there is just one."""
    return f"{key}_one" if len(visits) == 1 else key


def _which_day(page: Page) -> str:
    moving = _moving(page)
    if moving is None:
        return page.say("screen.pick_day.title")
    key = counted("screen.pick_day.moving", page.conversation.booking.sessions)
    number = page.conversation.booking.place(moving)
    return page.say(key, number=number, when=page.when(moving.slot))


def _moving(page: Page) -> BookedSession | None:
    booking = page.conversation.booking
    return next((each for each in booking.sessions if each.uid == booking.moving), None)


def sessions(page: Page) -> str:
    """List the times of the booking, one a line."""
    booking = page.conversation.booking
    if len(booking.sessions) == 1:
        return f"<b>{page.when(booking.sessions[0].slot)}</b>"
    return "\n".join(
        page.say("screen.plan.session", number=booking.place(each), when=page.when(each.slot))
        for each in booking.sessions
    )


def _part(page: Page, part: str, chosen: str) -> Button:
    words = page.catalogue.text(f"button.{part}")
    if part == chosen:
        words = page.catalogue.text("button.chosen_part", part=words)
    return Button(label(words), Chose(Action.PART, part))
