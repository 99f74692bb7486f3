"""The words of messages that come by themselves, made when they are sent. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.markup import TEXT_LIMIT, Button, Rows, Screen, cut, escaped, plain
from bot.page import Page
from flows.clinics import Clinic
from flows.conversation import Conversation
from flows.events import AskedForPerson, Repeated
from flows.slots import Slot
from flows.texts import Catalogue
from flows.turn import Scene
from storage.message_facts import ReplyFacts, VisitFacts

#: Every message has a way to a person; the first button shows where the patient stands.
_FIRST_BUTTON: Mapping[str, str] = {
    "message.cancelled": "new_times",
    "message.declined": "new_times",
}


def visit(
    key: str, facts: VisitFacts, catalogues: Mapping[str, Catalogue], now: datetime
) -> Screen:
    """Return the message of a text key about an appointment; KeyError for an unknown key."""
    page = _page(facts.conversation, facts.clinic, catalogues, now)
    visits = "\n".join(
        page.say("message.visit", number=each.number, when=page.when(each.slot))
        for each in facts.expected
    )
    html = page.catalogue.text(
        key,
        clinic=escaped(facts.clinic.name),
        phone=escaped(facts.clinic.phone),
        practitioner=escaped(facts.practitioner),
        number=facts.session.number,
        when=_when(page, facts.session.slot),
        place=escaped(page.place()),
        visits=visits,
    )
    first = page.button(_FIRST_BUTTON.get(key, "my_visits"), Repeated())
    return Screen(html, _rows(page, first), facts.conversation.revision)


def reply(facts: ReplyFacts, catalogues: Mapping[str, Catalogue], now: datetime) -> Screen:
    """Return what staff wrote, as a message from the clinic, with a hint how to answer."""
    page = _page(facts.conversation, facts.clinic, catalogues, now)
    head, hint = page.say("message.reply"), page.say("message.reply_hint")
    room = TEXT_LIMIT - len(plain(head)) - len(plain(hint)) - 4
    body = escaped(facts.body)
    if len(facts.body) > room:
        body = cut(body, room)
    return Screen(f"{head}\n\n{body}\n\n{hint}", _rows(page), facts.conversation.revision)


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
