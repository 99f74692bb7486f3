"""One conversation as one message: words, buttons, picture. Pure; the only writer of screens.

Every value is escaped on its way into a message, and every screen has a way out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot import booking_screens, question_screens, verdict_screens, visit_screens
from bot.callback_data import Press
from bot.markup import TEXT_LIMIT, Button, Rows, Screen, cut, label, plain, stacked
from bot.page import Page
from flows import photos
from flows.conversation import Conversation, Overlay, Stage
from flows.effects import ConfirmSeries, HoldSeries, MoveAppointment, ReleaseHold
from flows.events import (
    Action,
    AskedForPerson,
    AskedHelp,
    AskedPrivacy,
    AskedToStartOver,
    Chose,
    Stopped,
    WentBack,
)
from flows.turn import Note, Scene, Turn

#: Screens that mean nothing once they are left.
_SHORTENED = frozenset({Stage.CONTACT, Stage.PICK_DAY, Stage.PICK_TIME})

#: Screens that tell and ask nothing new, so that they are not told twice in a row. Where help is
#: in an emergency is told every time.
_TOLD = frozenset(
    {
        Stage.NO_CONSENT,
        Stage.REVIEW,
        Stage.DECLINED,
        Stage.DEFERRED,
        Stage.CONSULT,
        Stage.PLAN,
        Stage.BOOKED,
        Stage.STOPPED,
    }
)

#: What makes a time the patient's own.
_TAKES_A_TIME = {HoldSeries, ConfirmSeries, MoveAppointment}

#: Screens on which it matters that held times are free again.
_CALM = frozenset({Stage.PLAN, Stage.CONSULT, Stage.BOOKED})

#: Notes that mean nothing without the screen that follows them.
_LEADING = frozenset({"note.stale"})


def render(
    conversation: Conversation, notes: Sequence[Note], scene: Scene, *, shown: bool = False
) -> Screen:
    """Return the screen of a conversation, with what is said once above it.

    `shown`: the same screen stands right above already. Then one that asks nothing is not
    repeated; what is said once comes with the screen's buttons alone. A long question is asked
    again in a few words.
    """
    page = Page(conversation, scene)
    said = "\n\n".join(page.note(note) for note in notes)
    again = shown and bool(said) and question_screens.is_long(page)
    screen = _screen(page, again=again)
    rows = screen.rows
    if any(note.key.startswith("note.help") for note in notes):
        rows = _with_ways_out(page, rows)
    elif any(note.key == "note.miss_3" for note in notes):
        rows = _above(rows, ((_person(page),),))
    told = shown and bool(said) and _is_told(page, notes)
    html = said if told else _together(said, screen.html)
    aside = told or again
    return replace(screen, html=html, rows=rows, revision=conversation.revision, aside=aside)


def is_same(before: Conversation | None, after: Conversation) -> bool:
    """Say whether both conversations show the same screen, apart from what is said once."""
    return before is not None and _shown_parts(before) == _shown_parts(after)


def _shown_parts(conversation: Conversation) -> Conversation:
    return replace(
        conversation,
        revision=0,
        misses=0,
        suggested="",
        last_media="",
        wanted_clinic=None,
        photos=0,
        booking=replace(conversation.booking, just_booked=False),
    )


def _is_told(page: Page, notes: Sequence[Note]) -> bool:
    """Say whether the screen above is enough; a question is always asked again."""
    overlay = page.conversation.overlay
    if overlay is not Overlay.ASK and (overlay is not None or page.conversation.state not in _TOLD):
        return False
    return not any(note.key in _LEADING for note in notes)


def _together(said: str, asked: str) -> str:
    if not said:
        return asked
    room = TEXT_LIMIT - len(plain(asked)) - 2
    if room <= 0:
        return asked
    if len(plain(said)) > room:  # what is asked of the patient matters more than the notes
        said = cut(said, room)
    return f"{said}\n\n{asked}"


def receipt(conversation: Conversation, step_id: str, scene: Scene) -> str:
    """Return the one line that the answered question's message becomes."""
    return question_screens.receipt(Page(conversation, scene), step_id)


def closing(before: Conversation | None, turn: Turn, scene: Scene) -> str:
    """Return the line that the old message becomes; empty when it stays, without its buttons."""
    if turn.receipt is not None:
        return receipt(turn.conversation, turn.receipt, scene)
    if before is None or before.state not in _SHORTENED:
        return ""
    page = Page(turn.conversation, scene)
    held, done = before.booking.sessions, {type(effect) for effect in turn.effects}
    if before.state == Stage.CONTACT and ConfirmSeries in done:
        return page.say(booking_screens.counted("screen.contact.chosen", held))
    if before.state == Stage.CONTACT and ReleaseHold in done and turn.conversation.state in _CALM:
        return page.say(booking_screens.counted("screen.contact.given_back", held))
    # A screen may also be left for another reason: back, a time that is gone, /my.
    return page.say("screen.pick_time.chosen") if done & _TAKES_A_TIME else ""


def _screen(page: Page, *, again: bool) -> Screen:
    if page.conversation.overlay is not None:
        return _OVERLAYS[page.conversation.overlay](page)
    step = page.step
    if step is not None:
        return question_screens.question(page, step, again=again)
    return _STAGES[Stage(page.conversation.state)](page)


def _choose_clinic(page: Page) -> Screen:
    clinics = page.scene.clinics
    if not clinics:
        return Screen(page.say("screen.choose_clinic.none"), ((_help(page),),))
    buttons = [
        Button(label(clinic.name), Chose(Action.CLINIC, slug)) for slug, clinic in clinics.items()
    ]
    return Screen(page.say("screen.choose_clinic.title"), (*stacked(buttons), (_help(page),)))


def _no_consent(page: Page) -> Screen:
    html = "\n\n".join((page.say("screen.no_consent.title"), page.say("screen.no_consent.next")))
    rows = ((page.button("change_mind", WentBack()),), (_person(page), _help(page)))
    return Screen(html, rows)


def _stopped(page: Page) -> Screen:
    paragraphs = [page.say("screen.stopped.title")]
    if page.conversation.booking.sessions and not page.conversation.booking.hold_until:
        paragraphs.append(page.say("screen.stopped.booked"))
    paragraphs.append(page.say("screen.stopped.next"))
    rows = ((page.button("come_back", Chose(Action.CONTINUE)),), (_person(page), _help(page)))
    return Screen("\n\n".join(paragraphs), rows)


def _resume(page: Page) -> Screen:
    paragraphs = [page.say("screen.resume.title")]
    if page.step is not None:
        short = page.catalogue.text(f"step.{page.step.id}.short")
        paragraphs.append(page.say("screen.resume.place", short=short))
    paragraphs.append(page.say("screen.resume.next"))
    rows = (
        (
            page.button("continue", Chose(Action.CONTINUE)),
            page.button("start_over", Chose(Action.START_OVER)),
        ),
        (_person(page), _help(page)),
    )
    return Screen("\n\n".join(paragraphs), rows)


def _start_over(page: Page) -> Screen:
    rows = (
        (
            page.button("start_over_yes", Chose(Action.START_OVER)),
            page.button("keep", Chose(Action.CONTINUE)),
        ),
        (_person(page), _help(page)),
    )
    return Screen(page.say("screen.start_over.title"), rows)


def _ask(page: Page) -> Screen:
    """Ask what to tell the clinic; what is underneath keeps its place."""
    html = "\n\n".join((page.say("screen.ask.title"), page.say("screen.ask.next")))
    rows = ((page.button("back_to_place", Chose(Action.CONTINUE)),), (_help(page),))
    return Screen(html, rows)


def _photos(page: Page) -> Screen:
    """Ask for a yes to photos; after it, ask for the photos."""
    number, most = page.conversation.photos, photos.most(page.position)
    leave, others = "photos_no", [page.button("photos_yes", Chose(Action.PHOTOS_YES))]
    paragraphs = [
        page.say("screen.photos.title"),
        page.say("screen.photos.about", most=most),
        page.say("screen.photos.never"),
    ]
    if page.conversation.photo_consent:
        leave, others = "photos_done", []
        paragraphs = [page.say("screen.photos.send", most=most)]
    if number:
        paragraphs.append(page.say("screen.photos.kept", number=number, most=most))
        others.append(page.button("photos_delete", Chose(Action.PHOTOS_DELETE)))
    way_on = page.button(leave, Chose(Action.CONTINUE))
    return Screen("\n\n".join(paragraphs), ((*others, way_on), (_person(page), _help(page))))


def _result(page: Page) -> Screen:
    """Ask how the patient sees the result; what is underneath keeps its place."""
    rows: Rows = ((page.button("result_no", Chose(Action.CONTINUE)),), (_person(page), _help(page)))
    paragraphs = [page.say("screen.result.title"), page.say("screen.result.next")]
    last = page.say("screen.result.never")
    if photos.has_room(page.position):
        rows = ((page.button("photos", Chose(Action.PHOTOS)),), *rows)
        last = f"{page.say('screen.result.photo')} {last}"
    return Screen("\n\n".join((*paragraphs, last)), rows)


def _erase(page: Page) -> Screen:
    """Ask whether everything is to be deleted; what is underneath keeps its place."""
    paragraphs = [page.say("screen.erase.title"), page.say("screen.erase.what")]
    count = len(page.position.ahead)
    if count:
        paragraphs[-1] += " " + page.say(
            "screen.erase.visits_one" if count == 1 else "screen.erase.visits", count=count
        )
    rows = (
        (page.button("erase_yes", Chose(Action.ERASE_YES)),),
        (page.button("erase_no", Chose(Action.CONTINUE)),),
        (_person(page), _help(page)),
    )
    return Screen("\n\n".join(paragraphs), rows)


def _erased(page: Page) -> Screen:
    """Say that it is done; whatever is pressed or written next begins from nothing."""
    says = [page.say(f"screen.erased.{name}") for name in ("title", "chat", "next")]
    return Screen("\n\n".join(says), ((page.button("start_again", Chose(Action.CONTINUE)),),))


def _with_ways_out(page: Page, rows: Rows) -> Rows:
    """Put what the help screen offers above the buttons of the screen that it stands on."""
    ways: Rows = (
        (_person(page),),
        (page.button("start_over", AskedToStartOver()), page.button("stop", Stopped())),
        (page.button("privacy", AskedPrivacy()),),
    )
    return _above(rows, ways, AskedHelp())


def _above(rows: Rows, ways: Rows, *dropped: Press) -> Rows:
    """Put more buttons above those of a screen, each once, and leave out what is `dropped`."""
    offered = {*dropped, *(button.press for row in ways for button in row)}
    others = (tuple(button for button in row if button.press not in offered) for row in rows)
    return (*ways, *(row for row in others if row))


def _person(page: Page) -> Button:
    return page.button("person", AskedForPerson())


def _help(page: Page) -> Button:
    return page.button("help", AskedHelp())


_OVERLAYS: Mapping[Overlay, Callable[[Page], Screen]] = {
    Overlay.RESUME: _resume,
    Overlay.START_OVER: _start_over,
    Overlay.ASK: _ask,
    Overlay.PHOTOS: _photos,
    Overlay.RESULT: _result,
    Overlay.ERASE: _erase,
    Overlay.ERASED: _erased,
}

_STAGES: Mapping[Stage, Callable[[Page], Screen]] = {
    Stage.CHOOSE_CLINIC: _choose_clinic,
    Stage.NO_CONSENT: _no_consent,
    Stage.REVIEW: question_screens.review,
    Stage.URGENT: verdict_screens.urgent,
    Stage.DECLINED: verdict_screens.declined,
    Stage.DEFERRED: verdict_screens.deferred,
    Stage.CONSULT: verdict_screens.consult,
    Stage.PLAN: verdict_screens.plan,
    Stage.PICK_DAY: booking_screens.pick_day,
    Stage.PICK_TIME: booking_screens.pick_time,
    Stage.CONTACT: booking_screens.contact,
    Stage.BOOKED: visit_screens.booked,
    Stage.CHANGE: visit_screens.change,
    Stage.MEND: visit_screens.mend,
    Stage.CANCEL: visit_screens.cancel,
    Stage.STOPPED: _stopped,
}
