"""The screens of booking: a day, a time, how to be reached, what is booked, moving, cancelling."""

from __future__ import annotations

from datetime import date, timedelta

from bot.markup import Button, ContactRequest, Rows, Screen, label, paired, stacked
from bot.page import Page
from bot.question_screens import back_and_help
from flows.conversation import BookedSession, Booking
from flows.events import Action, AskedForPerson, AskedHelp, Chose
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
    rows = (*paired(times), parts, (page.button("person", AskedForPerson()),), back_and_help(page))
    return Screen("\n\n".join(paragraphs), rows)


def contact(page: Page) -> Screen:
    """Ask how the clinic may reach the patient while the times are held."""
    booking = page.conversation.booking
    if booking.hold_until is not None:
        clock = page.clock(booking.hold_until)
        key = counted("screen.contact.title", booking)
        title = page.say(key, clock=clock, place=page.place())
    else:
        title = page.say(counted("screen.contact.title_open", booking), place=page.place())
    html = "\n\n".join((title, _sessions(page), page.say("screen.contact.question")))
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


def booked(page: Page) -> Screen:
    """Say what is booked: what, who, where, when, the code, and what can be done with it."""
    booking = page.conversation.booking
    title = "screen.booked.pending" if booking.pending else "screen.booked.title"
    when = "\n".join((page.say("screen.booked.when", place=page.place()), _sessions(page)))
    closing = "one_first" if booking.only_first else "prepare"
    if _is_talk(booking):
        closing = "consult"
    paragraphs = (
        page.say(title),
        "\n".join(_facts(page)),
        when,
        page.say("screen.booked.code", code=booking.code),
        page.say(f"screen.booked.{closing}"),
    )
    return Screen("\n\n".join(paragraphs), _booked_rows(page))


def change(page: Page) -> Screen:
    """Ask which session to move."""
    now = page.scene.now
    ahead = [each for each in page.conversation.booking.sessions if each.slot.starts_at > now]
    moves = [
        page.button(
            "move",
            Chose(Action.MOVE, str(each.number)),
            number=each.number,
            when=page.short_when(each.slot),
        )
        for each in ahead
    ]
    html = f"{page.say('screen.change.title')}\n\n{_sessions(page)}"
    person = (page.button("person", AskedForPerson()),)
    return Screen(html, (*stacked(moves), person, back_and_help(page)))


def cancel(page: Page) -> Screen:
    """Ask for a yes before everything is cancelled."""
    booking = page.conversation.booking
    paragraphs = (
        page.say(counted("screen.cancel.title", booking)),
        _sessions(page),
        page.say(counted("screen.cancel.next", booking)),
    )
    yes = page.button(counted("cancel_yes", booking), Chose(Action.CANCEL_YES))
    rows = (
        (yes, page.button("keep", Chose(Action.KEEP))),
        (page.button("person", AskedForPerson()),),
        back_and_help(page),
    )
    return Screen("\n\n".join(paragraphs), rows)


def counted(key: str, booking: Booking) -> str:
    """Return the key of the words for one visit where the booking has just one."""
    return f"{key}_one" if len(booking.sessions) == 1 else key


def _is_talk(booking: Booking) -> bool:
    """Say whether nothing is done to the skin, so there is nothing to prepare or to care for."""
    return booking.service == "consultation"


def _booked_rows(page: Page) -> Rows:
    booking = page.conversation.booking
    copy = page.catalogue.text("button.copy_code", code=booking.code)
    rows: list[tuple[Button, ...]] = [(Button(label(copy), copy_text=booking.code),)]
    if page.clinic is not None and page.clinic.map_url.startswith("https://"):
        words = page.catalogue.text("button.map")
        rows.append((Button(label(words), url=page.clinic.map_url),))
    calendar = page.button("calendar", Chose(Action.CALENDAR_FILE))
    prepare = page.button("prepare", Chose(Action.PREPARE))
    aftercare = page.button("aftercare", Chose(Action.AFTERCARE))
    person = page.button("person", AskedForPerson())
    photos = page.button("photos", Chose(Action.PHOTOS))
    talk = _is_talk(booking)
    return (
        *rows,
        (calendar,) if talk else (calendar, prepare),
        (
            page.button(counted("change", booking), Chose(Action.CHANGE)),
            page.button("cancel", Chose(Action.CANCEL)),
        ),
        (photos,) if talk else (aftercare, photos),
        (person, page.button("help", AskedHelp())),
    )


def _facts(page: Page) -> list[str]:
    booking = page.conversation.booking
    if page.clinic is None:
        return []
    service = page.clinic.service(booking.service)
    names = dict.fromkeys(
        page.clinic.practitioner_name(each.slot.practitioner) for each in booking.sessions
    )
    what = "what_price" if service.price else "what"
    minutes = int(service.duration.total_seconds() // 60)
    return [
        page.say(
            f"screen.booked.{what}", service=service.name, minutes=minutes, price=service.price
        ),
        page.say("screen.booked.who", practitioner=", ".join(names)),
        page.say("screen.booked.where"),
        page.say("screen.booked.phone"),
    ]


def _which_day(page: Page) -> str:
    moving = _moving(page)
    if moving is None:
        return page.say("screen.pick_day.title")
    key = counted("screen.pick_day.moving", page.conversation.booking)
    return page.say(key, number=moving.number, when=page.when(moving.slot))


def _moving(page: Page) -> BookedSession | None:
    booking = page.conversation.booking
    return next((each for each in booking.sessions if each.uid == booking.moving), None)


def _sessions(page: Page) -> str:
    sessions = page.conversation.booking.sessions
    if len(sessions) == 1:
        return f"<b>{page.when(sessions[0].slot)}</b>"
    return "\n".join(
        page.say("screen.plan.session", number=each.number, when=page.when(each.slot))
        for each in sessions
    )


def _part(page: Page, part: str, chosen: str) -> Button:
    words = page.catalogue.text(f"button.{part}")
    if part == chosen:
        words = page.catalogue.text("button.chosen_part", part=words)
    return Button(label(words), Chose(Action.PART, part))
