"""The patient's own desk: what is booked as a timeline, and moving and cancelling it."""

from __future__ import annotations

from collections.abc import Sized

from bot.booking_screens import counted
from bot.markup import Button, Rows, Screen, label, stacked
from bot.page import Page
from bot.question_screens import back_and_help
from flows import cancelling, continuing
from flows.clinics import Service
from flows.conversation import BookedSession
from flows.events import Action, AskedForPerson, AskedHelp, Chose, WentBack


def booked(page: Page) -> Screen:
    """Say what is booked: what, who, where, when, the code, and what can be done with it."""
    booking = page.conversation.booking
    is_over = not page.position.ahead
    paragraphs = [page.say(_title(page)), "\n".join(_facts(page)), _timeline(page)]
    if not is_over:
        paragraphs.append(page.say("screen.booked.code", code=booking.code))
    paragraphs.append(page.say(f"screen.booked.{_closing(page)}"))
    return Screen("\n\n".join(paragraphs), _over_rows(page) if is_over else _booked_rows(page))


def what(page: Page, service: Service) -> str:
    """Say what is done at a visit, for how long and for how much."""
    key = "screen.booked.what_price" if service.price else "screen.booked.what"
    return page.say(key, service=service.name, minutes=service.minutes, price=service.price)


def change(page: Page) -> Screen:
    """Ask which session to move."""
    moves = [
        _which(page, "move", Chose(Action.MOVE, str(each.number)), each)
        for each in page.position.ahead
    ]
    html = f"{page.say('screen.change.title')}\n\n{_timeline(page)}"
    person = (page.button("person", AskedForPerson()),)
    return Screen(html, (*stacked(moves), person, back_and_help(page)))


def mend(page: Page) -> Screen:
    """Ask once whether the sessions after a moved or cancelled one may move too."""
    booking = page.conversation.booking
    now = {each.uid: each for each in booking.sessions}
    moved = [each for each in booking.mend if each.uid == booking.moving]
    lines = [
        page.say(
            "screen.mend.line",
            number=booking.place(each),
            before=page.when(now[each.uid].slot),
            after=page.when(each.slot),
        )
        for each in booking.mend
        if each not in moved and each.uid in now
    ]
    values = {"when": page.when(moved[0].slot)} if moved else {}
    paragraphs = (
        page.say("screen.mend.moved" if moved else "screen.mend.cancelled", **values),
        "\n".join((page.say(counted("screen.mend.these", lines)), *lines)),
        *((page.say("screen.mend.rest"),) if booking.before_rest else ()),
    )
    rows = (
        (page.button(_mend_label(page), Chose(Action.MEND)),),
        (page.button("another_day" if moved else "mend_leave", WentBack()),),
        (page.button("person", AskedForPerson()), page.button("help", AskedHelp())),
    )
    return Screen("\n\n".join(paragraphs), rows)


def cancel(page: Page) -> Screen:
    """Ask which visit to cancel, or for a yes before one or all of them are."""
    ahead, chosen = page.position.ahead, page.conversation.booking.cancelling
    wanted = [each for each in ahead if each.uid == chosen] or list(ahead)
    is_all = chosen == cancelling.ALL and len(wanted) > 1
    is_choosing = len(wanted) > 1 and not is_all
    line = "screen.visit.ahead_one" if _is_only(page) else "screen.visit.ahead"
    paragraphs = (
        page.say(_cancel_title(wanted, is_all=is_all), count=len(wanted)),
        "\n".join(page.say(line, **_named(page, each)) for each in wanted),
        page.say(counted("screen.cancel.next", wanted)),
    )
    ones = [
        _which(page, "cancel_one", Chose(Action.CANCEL_ONE, str(each.number)), each)
        for each in wanted
    ]
    name = counted("cancel_yes", wanted)
    if is_choosing:
        name = "cancel_both" if len(wanted) == 2 else "cancel_all"
    yes = page.button(name, Chose(Action.CANCEL_YES), count=len(wanted))
    rows = (
        *(stacked(ones) if is_choosing else ()),
        (yes, page.button(counted("keep_visits", wanted), Chose(Action.KEEP))),
        (page.button("person", AskedForPerson()),),
        back_and_help(page),
    )
    return Screen("\n\n".join(paragraphs), rows)


def _cancel_title(wanted: Sized, *, is_all: bool) -> str:
    if not is_all:
        return counted("screen.cancel.title", wanted)
    return "screen.cancel.title_both" if len(wanted) == 2 else "screen.cancel.title_all"


def _is_talk(page: Page) -> bool:
    """Say whether nothing is done to the skin, so there is nothing to prepare or to care for."""
    return page.conversation.booking.service == "consultation"


def _title(page: Page) -> str:
    booking = page.conversation.booking
    if booking.pending:  # a time that was asked for and never confirmed was no visit
        key = "screen.booked.pending" if page.position.ahead else "screen.booked.pending_over"
        return counted(key, booking.sessions)
    if not page.position.ahead:
        has_missed = any(each.is_missed for each in booking.sessions)
        return counted(f"screen.booked.{'visits' if has_missed else 'over'}", booking.sessions)
    if booking.just_booked:
        return "screen.booked.title"
    return counted("screen.booked.visits", booking.sessions)


def _closing(page: Page) -> str:
    is_left = continuing.is_left(page.position)
    if not page.position.ahead:
        return "over_left" if is_left else "over_next"
    if _is_talk(page):
        return "consult"
    return "one_first" if is_left else "prepare"


def _timeline(page: Page) -> str:
    """Show each visit as done, missed or ahead, and how many of the course have no time yet."""
    lines = [page.say("screen.booked.when", place=page.place())]
    lines += [_visit(page, each) for each in page.conversation.booking.sessions]
    left = continuing.how_many_left(page.position)
    if left:
        key = "screen.booked.left_one" if left == 1 else "screen.booked.left"
        lines.append(page.say(key, count=left))
    return "\n".join(lines)


def _is_only(page: Page) -> bool:
    """Say whether there is one visit in all, which needs no number."""
    is_one = len(page.conversation.booking.sessions) == 1
    return is_one and not continuing.is_left(page.position)


def _visit(page: Page, visit: BookedSession) -> str:
    ahead = page.position.ahead
    never_confirmed = page.conversation.booking.pending and not ahead
    kind = "missed" if visit.is_missed else "done"
    if visit in ahead or never_confirmed:
        kind = "ahead"
    if visit in ahead[:1]:
        kind = "next"
    key = f"screen.visit.{kind}_one" if _is_only(page) else f"screen.visit.{kind}"
    line = page.say(key, **_named(page, visit))
    if visit in ahead and visit.is_coming:
        line = f"{line} {page.say('screen.visit.coming')}"
    return line


def _named(page: Page, visit: BookedSession) -> dict[str, str | int]:
    return {"number": page.conversation.booking.place(visit), "when": page.when(visit.slot)}


def _which(page: Page, name: str, press: Chose, visit: BookedSession) -> Button:
    when = page.short_when(visit.slot)
    number = page.conversation.booking.place(visit)
    return page.button(name, press, number=number, when=when)


def _mend_label(page: Page) -> str:
    return {1: "mend_one", 2: "mend_two"}.get(len(page.conversation.booking.mend), "mend")


def _booked_rows(page: Page) -> Rows:
    booking = page.conversation.booking
    talk = _is_talk(page)
    calendar = page.button("calendar", Chose(Action.CALENDAR_FILE))
    prepare = page.button("prepare", Chose(Action.PREPARE))
    rest = page.button("book_rest", Chose(Action.BOOK_REST))
    photos = page.button("photos", Chose(Action.PHOTOS))
    copy = page.catalogue.text("button.copy_code", code=booking.code)
    return (
        (Button(label(copy), copy_text=booking.code),),
        *_map(page),
        (calendar,) if talk else (calendar, prepare),
        (
            page.button(counted("change", page.position.ahead), Chose(Action.CHANGE)),
            page.button("cancel", Chose(Action.CANCEL)),
        ),
        (_wait(page),),
        *(((rest,),) if continuing.is_left(page.position) else ()),
        (photos,) if talk else (page.button("aftercare", Chose(Action.AFTERCARE)), photos),
        _ask(page),
    )


def _wait(page: Page) -> Button:
    if page.conversation.booking.waiting:
        return page.button("wait_no_more", Chose(Action.WAIT_NO_MORE))
    return page.button("wait", Chose(Action.WAIT))


def _over_rows(page: Page) -> Rows:
    rest = page.button("new_times" if _is_talk(page) else "book_rest", Chose(Action.BOOK_REST))
    is_open = continuing.is_left(page.position) or continuing.is_talk_missed(page.position)
    aftercare = page.button("aftercare", Chose(Action.AFTERCARE))
    return (
        *(((rest,),) if is_open else ()),
        *(() if _is_talk(page) else ((aftercare,),)),
        _ask(page),
    )


def _ask(page: Page) -> tuple[Button, ...]:
    return page.button("person", AskedForPerson()), page.button("help", AskedHelp())


def _map(page: Page) -> Rows:
    if page.clinic is None or not page.clinic.map_url.startswith("https://"):
        return ((page.button("where", Chose(Action.WHERE)),),)
    return ((Button(label(page.catalogue.text("button.map")), url=page.clinic.map_url),),)


def _facts(page: Page) -> list[str]:
    booking = page.conversation.booking
    if page.clinic is None:
        return []
    names = dict.fromkeys(
        page.clinic.practitioner_name(each.slot.practitioner) for each in booking.sessions
    )
    return [
        what(page, page.clinic.service(booking.service)),
        page.say("screen.booked.who", practitioner=", ".join(names)),
        page.say("screen.booked.where"),
        page.say("screen.booked.phone"),
    ]
