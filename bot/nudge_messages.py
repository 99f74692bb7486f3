"""The words and buttons of nudges, made when they are sent. Pure.

The first line shows on locked screens, so it never speaks of skin or treatment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from bot.markup import TEXT_LIMIT, Button, Rows, Screen, cut
from bot.page import Page
from flows.events import AnsweredNudge, AskedForPerson, NudgeAnswer, Repeated
from flows.follow_up import NudgeKind
from flows.texts import Catalogue
from flows.turn import Scene
from storage.nudge_facts import NudgeFacts

#: The lists that are told with a nudge.
_CARE: Mapping[NudgeKind, tuple[str, ...]] = {
    NudgeKind.PREPARE_WEEK: ("care.before",),
    NudgeKind.PREPARE_DAY: ("care.day",),
    NudgeKind.AFTERCARE: ("care.after", "care.call"),
}

_CHECK_IN = (NudgeAnswer.FINE, NudgeAnswer.WORRY)
_LOOK = (NudgeAnswer.GO, NudgeAnswer.LATER)

#: The answers that stand under each kind, one button a row.
_ANSWERS: Mapping[NudgeKind, tuple[NudgeAnswer, ...]] = {
    NudgeKind.UNFINISHED_SOON: _LOOK,
    NudgeKind.UNFINISHED_LATER: (NudgeAnswer.GO,),
    NudgeKind.HOLD_ENDS: (NudgeAnswer.GO,),
    NudgeKind.REMINDER: (NudgeAnswer.COMING, NudgeAnswer.NEWS, NudgeAnswer.MOVE),
    NudgeKind.TODAY: (NudgeAnswer.COMING, NudgeAnswer.NEWS),
    NudgeKind.CHECK_IN_FIRST: _CHECK_IN,
    NudgeKind.CHECK_IN_SECOND: _CHECK_IN,
    NudgeKind.MISSED: (NudgeAnswer.GO,),
    NudgeKind.NEXT_SESSION: _LOOK,
    NudgeKind.RECHECK: _LOOK,
    NudgeKind.REFRESHER: _LOOK,
    NudgeKind.WAITLIST_OFFER: _LOOK,
}
_RATINGS = (
    NudgeAnswer.ONE,
    NudgeAnswer.TWO,
    NudgeAnswer.THREE,
    NudgeAnswer.FOUR,
    NudgeAnswer.FIVE,
)


def nudge(
    kind: NudgeKind, facts: NudgeFacts, catalogues: Mapping[str, Catalogue], now: datetime
) -> Screen:
    """Return a nudge as a message of its own; its buttons never grow old."""
    clinic = facts.clinic
    page = Page(facts.conversation, Scene(now, "", {}, {clinic.slug: clinic}, catalogues))
    words = page.say(f"nudge.{kind}", **_values(page, facts, now))
    lists = ["\n".join((page.say(f"title.{key}"), page.points(key))) for key in _CARE.get(kind, ())]
    html = "\n\n".join((words, *lists))
    if len(html) > TEXT_LIMIT:
        html = cut(html, TEXT_LIMIT)
    return Screen(html, _rows(page, kind, facts), facts.conversation.revision)


def _values(page: Page, facts: NudgeFacts, now: datetime) -> dict[str, str | int | date]:
    values: dict[str, str | int | date] = {
        "name": facts.conversation.first_name,
        "address": facts.clinic.address,
        "place": page.place(),
        "count": facts.number,
        "sessions": facts.sessions,
    }
    if facts.session is not None:
        slot = facts.session.slot
        values |= {
            "when": page.when(slot),
            "clock": page.clock(slot.starts_at),
            "practitioner": facts.practitioner,
            "number": facts.conversation.booking.place(facts.session),
        }
        if facts.offered is not None:
            values["offer"] = page.when(replace(slot, starts_at=facts.offered.starts_at))
            values["until"] = page.clock(facts.offered.until_at)
    if facts.hold_until is not None:
        values["minutes"] = max(1, round((facts.hold_until - now).total_seconds() / 60))
    return values


def _rows(page: Page, kind: NudgeKind, facts: NudgeFacts) -> Rows:
    rows: list[tuple[Button, ...]] = [
        (page.button(_label(page, kind, answer), _press(kind, answer, facts)),)
        for answer in _ANSWERS.get(kind, ())
    ]
    if kind is NudgeKind.SERIES_REVIEW:
        rows.append(tuple(Button(answer.value, _press(kind, answer, facts)) for answer in _RATINGS))
    if kind in (NudgeKind.PREPARE_DAY, NudgeKind.TODAY) and facts.clinic.map_url:
        rows.append((Button(page.catalogue.text("button.directions"), url=facts.clinic.map_url),))
    if facts.session is not None:
        rows.append((page.button("my_visits", Repeated()),))
    rows.append(
        (
            page.button("person", AskedForPerson()),
            page.button("nudge.stop", _press(kind, NudgeAnswer.STOP, facts)),
        )
    )
    return tuple(rows)


def _label(page: Page, kind: NudgeKind, answer: NudgeAnswer) -> str:
    """Return the button's name: the kind's own words where it has any."""
    own = f"nudge.{kind}_{answer}"
    return own if page.has(f"button.{own}") else f"nudge.{answer}"


def _press(kind: NudgeKind, answer: NudgeAnswer, facts: NudgeFacts) -> AnsweredNudge:
    return AnsweredNudge(kind, answer, facts.ref)
