"""The screens after the questions: what the answers mean, why, and what happens next.

The readiness score is for the clinic alone and never shown here.
"""

from __future__ import annotations

from datetime import date

from bot.markup import Button, Rows, Screen, joined
from bot.page import Page
from bot.question_screens import back_and_help
from flows import plan as plans
from flows.conversation import Offer
from flows.eligibility import Reason
from flows.events import Action, AskedForPerson, AskedHelp, AskedToStartOver, Chose, WentBack
from flows.protocol import Severity
from flows.wording import reason_key

_BEGINS_WARMLY = "self_harm"  # no instruction comes before the words to who wants to die
_IN_PICTURE = frozenset({"plan.note.spacing", "plan.note.first_change", "plan.note.refresher"})
_ROOMY = 2500  # characters of reasons that leave room for the rest of a message


def urgent(page: Page) -> Screen:
    """Say where help is. Nothing is offered afterwards."""
    flag = page.conversation.red_flag
    paragraphs = _reasons(page, Severity.URGENT)
    if flag != _BEGINS_WARMLY:
        paragraphs = [page.say("outcome.urgent.title"), *paragraphs]
    if flag is None:  # the words of a red flag name the numbers themselves
        paragraphs += [page.say("screen.urgent.numbers"), page.say("screen.urgent.told")]
    rows = (
        (page.button("person", AskedForPerson()),),
        (page.button("help", AskedHelp()),),
    )
    return Screen(joined(paragraphs, ending=page.say("screen.plan.cut")), rows)


def declined(page: Page) -> Screen:
    """Say that this treatment is not offered, and every reason."""
    paragraphs = [
        page.say(_declined_title(page)),
        *_under(page.say("screen.declined.why"), _reasons(page, Severity.DEFERRED)),
        page.say("screen.declined.next"),
    ]
    return Screen(joined(paragraphs, ending=page.say("screen.plan.cut")), _after_a_no(page))


def _declined_title(page: Page) -> str:
    """Return the key of the title: the strongest reason may have one of its own."""
    own = f"screen.declined.{page.verdict.reasons[0].rule}" if page.verdict.reasons else ""
    return own if page.has(own) else "outcome.declined.title"


def deferred(page: Page) -> Screen:
    """Say why not yet, and from which day on."""
    verdict = page.verdict
    paragraphs = [
        page.say("outcome.deferred.title"),
        *_under(
            page.say("screen.deferred.why"), _reasons(page, Severity.DEFERRED, verdict.recheck_on)
        ),
        *_good_to_know(page),
    ]
    if verdict.recheck_on is not None:
        paragraphs.append(page.say("screen.deferred.recheck", day=verdict.recheck_on))
    paragraphs.append(page.say("screen.deferred.next"))
    return Screen(joined(paragraphs, ending=page.say("screen.plan.cut")), _after_a_no(page))


def consult(page: Page) -> Screen:
    """Offer a first visit, and say what the clinician should look at."""
    offers = page.conversation.booking.offers
    looks_again_on = None if page.verdict.bookable else page.verdict.recheck_on
    paragraphs = [
        page.say("outcome.review.title"),
        *_under(page.say("screen.consult.why"), _reasons(page, Severity.DEFERRED, looks_again_on)),
        *_good_to_know(page),
    ]
    if page.verdict.bookable is None:
        if looks_again_on is not None:
            paragraphs.append(page.say("screen.consult.not_yet", day=looks_again_on))
        return Screen(joined(paragraphs, ending=page.say("screen.plan.cut")), _after_a_no(page))
    paragraphs.append(page.say("screen.consult.next"))
    if not offers:
        paragraphs.append(page.say("screen.consult.no_times"))
    else:
        lines = [page.say("screen.consult.times", place=page.place())]
        lines += [f"• {page.when(offer.slots[0])}" for _, offer in _told_apart(page, offers)]
        paragraphs.append("\n".join(lines))
    rows = (
        *((_book(page, index, offer),) for index, offer in _told_apart(page, offers)),
        (page.button("other_times", Chose(Action.OTHER_TIMES)),),
        person_and_photos(page),
        back_and_help(page),
    )
    return Screen(joined(paragraphs, ending=page.say("screen.plan.cut")), rows)


def plan(page: Page) -> Screen:
    """Show the plan, what to expect of it, and the first times that fit.

    Beneath a time that the patient picked the plan is not told again.
    """
    offers = page.conversation.booking.offers
    if page.conversation.booking.first is not None and offers:
        return Screen(_picked(page, offers[0]), _plan_rows(page, offers[:1]))
    proposed = page.position.plan()
    paragraphs = [page.say(_title(page))]
    if proposed is not None:
        values = plans.note_values(proposed)
        notes = [page.say(key, **values) for key in _notes(page, proposed)]
        paragraphs.append("\n".join(f"• {note}" for note in notes))
    paragraphs += _good_to_know(page)
    if not offers:
        paragraphs.append(page.say("screen.plan.no_times"))
    else:
        parts = [page.say("screen.plan.times", place=page.place())]
        different = [offer for _, offer in _told_apart(page, offers)]
        parts += [_choice(page, number, offer) for number, offer in enumerate(different, start=1)]
        paragraphs.append("\n\n".join(parts))
    return Screen(joined(paragraphs, ending=page.say("screen.plan.cut")), _plan_rows(page, offers))


def _notes(page: Page, proposed: plans.Plan) -> list[str]:
    """Return the notes worth a line: the picture of a whole plan shows the others."""
    if page.conversation.booking.done:
        return list(proposed.notes)
    return [note for note in proposed.notes if note not in _IN_PICTURE]


def _title(page: Page) -> str:
    if page.conversation.booking.done:
        return "screen.plan.rest"
    return "screen.plan.again" if page.conversation.is_refresher else "outcome.eligible.title"


def _plan_rows(page: Page, offers: tuple[Offer, ...]) -> Rows:
    rows: list[tuple[Button, ...]] = [
        (_book(page, index, offer),) for index, offer in _told_apart(page, offers)
    ]
    if offers and len(offers[0].slots) > 1:
        rows.append((page.button("book_first", Chose(Action.BOOK_FIRST, "0")),))
    rows += [
        (
            page.button("other_times", Chose(Action.OTHER_TIMES)),
            page.button("laser", Chose(Action.LASER)),
        ),
        person_and_photos(page),
        back_and_help(page),
    ]
    return tuple(rows)


def person_and_photos(page: Page) -> tuple[Button, ...]:
    """Return the row that offers to ask a person, and to show them the skin."""
    return page.button("person", AskedForPerson()), page.button("photos", Chose(Action.PHOTOS))


def _told_apart(page: Page, offers: tuple[Offer, ...]) -> list[tuple[int, Offer]]:
    """Return the offers with their indexes, without those whose button would read the same."""
    first: dict[str, tuple[int, Offer]] = {}
    for index, offer in enumerate(offers):
        first.setdefault(_book(page, index, offer).label, (index, offer))
    return list(first.values())


def _book(page: Page, index: int, offer: Offer) -> Button:
    press = Chose(Action.BOOK, str(index))
    when = page.short_when(offer.slots[0])
    if len(offer.slots) == 2:
        return page.button("book_both", press, when=when)
    if len(offer.slots) > 2:
        return page.button("book_all", press, count=len(offer.slots), when=when)
    return page.button("book_one", press, when=when)


def _picked(page: Page, offer: Offer) -> str:
    key = "screen.plan.picked" if len(offer.slots) > 1 else "screen.plan.picked_one"
    told = page.say("screen.plan.with", practitioner=_practitioner(page, offer))
    return "\n\n".join((page.say(key, place=page.place()), "\n".join((told, *_dates(page, offer)))))


def _choice(page: Page, number: int, offer: Offer) -> str:
    practitioner = _practitioner(page, offer)
    title = page.say("screen.plan.option", number=number, practitioner=practitioner)
    return "\n".join((title, *_dates(page, offer)))


def _practitioner(page: Page, offer: Offer) -> str:
    name = offer.slots[0].practitioner
    return page.clinic.practitioner_name(name) if page.clinic else name


def _dates(page: Page, offer: Offer) -> list[str]:
    lines = []
    if page.conversation.is_refresher:  # a single visit needs no number
        return [page.say("screen.visit.ahead_one", when=page.when(slot)) for slot in offer.slots]
    before = len(page.conversation.booking.done)
    for at, slot in enumerate(offer.slots):
        key = "screen.plan.changed" if at in offer.changed else "screen.plan.session"
        lines.append(page.say(key, number=before + at + 1, when=page.when(slot)))
    return lines


def _reasons(page: Page, at_least: Severity, told_on: date | None = None) -> list[str]:
    """Return the words of the reasons, without the day `told_on` that the screen names itself."""
    reasons = (reason for reason in page.verdict.reasons if reason.severity >= at_least)
    return [words for reason in reasons if (words := _reason(page, reason, told_on))]


def _under(title: str, points: list[str]) -> list[str]:
    """Return points under their title; apart from each other when some may have to be left out."""
    whole = "\n".join((title, *points))
    return [whole] if len(whole) < _ROOMY else [title, *points]


def _reason(page: Page, reason: Reason, told_on: date | None = None) -> str:
    key = reason_key(reason.rule)
    if not page.has(key):
        return ""
    words = page.say(key)
    if reason.severity is Severity.URGENT:
        return words
    if reason.severity is not Severity.DEFERRED or reason.recheck_on in (None, told_on):
        return f"• {words}"
    ready = "screen.deferred.ask_on" if reason.open_ended else "screen.deferred.ready_on"
    return f"• {words} {page.say(ready, day=reason.recheck_on)}"


def _good_to_know(page: Page) -> list[str]:
    counsel = [r for r in page.verdict.reasons if r.severity is Severity.COUNSEL]
    words = [words for reason in counsel if (words := _reason(page, reason))]
    return ["\n".join((page.say("screen.plan.good_to_know"), *words))] if words else []


def _after_a_no(page: Page) -> Rows:
    return (
        (page.button("person", AskedForPerson()),),
        (
            page.button("change_answers", WentBack()),
            page.button("start_over", AskedToStartOver()),
        ),
        (page.button("help", AskedHelp()),),
    )
