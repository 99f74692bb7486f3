"""The words of messages that come by themselves, made when they are sent. Pure."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import datetime

from bot import visit_screens
from bot.markup import TEXT_LIMIT, Button, Rows, Screen, cut, escaped, plain
from bot.page import Page
from flows.clinics import Clinic
from flows.conversation import Conversation, Overlay, Stage
from flows.events import Action, AskedForPerson, Chose, Repeated
from flows.slots import Slot
from flows.texts import Catalogue
from flows.turn import Scene
from storage.message_facts import ReplyFacts, VisitFacts

#: Messages of what the clinic booked: patients who chose nothing read all about it here.
_BOOKED = ("message.booked", "message.booked_all")

#: Screens from which a new time can be looked for.
_MAY_BOOK = (Stage.PLAN, Stage.CONSULT)


def visit(
    key: str, facts: VisitFacts, catalogues: Mapping[str, Catalogue], now: datetime
) -> Screen:
    """Return the message of a text key about an appointment; KeyError for an unknown key."""
    page = _page(facts.conversation, facts.clinic, catalogues, now)
    place = facts.conversation.booking.place
    visits = "\n".join(
        page.say("message.visit", number=place(each), when=page.when(each.slot))
        for each in facts.expected
    )
    html = page.catalogue.text(
        key,
        clinic=escaped(facts.clinic.name),
        phone=escaped(facts.clinic.phone),
        practitioner=escaped(facts.practitioner),
        number=place(facts.session),
        when=_when(page, facts.session.slot),
        place=escaped(page.place()),
        visits=visits,
    )
    buttons = [_onwards(page)]
    if key in _BOOKED:
        html = "\n\n".join((html, _about(page, facts), page.say("message.booked_end")))
    if key in _BOOKED and page.conversation.state == Stage.BOOKED:
        buttons.insert(0, page.button("calendar", Chose(Action.CALENDAR_FILE)))
    return Screen(html, _rows(page, *buttons), facts.conversation.revision)


def reply(facts: ReplyFacts, catalogues: Mapping[str, Catalogue], now: datetime) -> Screen:
    """Return what staff wrote, as a message from the clinic, with a hint how to answer."""
    page = _page(facts.conversation, facts.clinic, catalogues, now)
    is_writing = facts.conversation.overlay is Overlay.ASK  # what they write goes to the clinic
    head = page.say("message.reply")
    hint = page.say("message.reply_hint_here" if is_writing else "message.reply_hint")
    room = TEXT_LIMIT - len(plain(head)) - len(plain(hint)) - 4
    body = escaped(facts.body)
    if len(facts.body) > room:
        body = cut(body, room)
    return Screen(f"{head}\n\n{body}\n\n{hint}", _rows(page), facts.conversation.revision)


def _about(page: Page, facts: VisitFacts) -> str:
    """Return what a visit is, where, and its code, as the chat's own booking screen has them."""
    lines = [page.say("screen.booked.where"), page.say("screen.booked.code", code=facts.code)]
    with contextlib.suppress(KeyError):  # the clinic offers it no more
        lines.insert(0, visit_screens.what(page, facts.clinic.service(facts.service)))
    return "\n".join(lines)


def _onwards(page: Page) -> Button:
    """Return the button to new times for somebody without any visit, else to the visits."""
    if page.conversation.state in _MAY_BOOK:
        return page.button("new_times", Chose(Action.OTHER_TIMES))
    return page.button("my_visits", Repeated())


def _page(
    conversation: Conversation,
    clinic: Clinic,
    catalogues: Mapping[str, Catalogue],
    now: datetime,
) -> Page:
    scene = Scene(now, "", {}, {clinic.slug: clinic}, catalogues)
    return Page(conversation, scene)


def _when(page: Page, slot: Slot) -> str:
    return f"<b>{escaped(page.when(slot))}</b>"


def _rows(page: Page, *first: Button) -> Rows:
    return (*((button,) for button in first), (page.button("person", AskedForPerson()),))
