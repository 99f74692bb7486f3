"""The dialogue: one pure function from a conversation and an event to a turn.

`advance` decides what an event means where the patient stands. It does no I/O: it asks for
the calendar with `Turn.look`, and what it wants done goes out as effects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from flows import (
    answering,
    appointing,
    choosing,
    continuing,
    looking,
    photos,
    relevance,
    repairs,
    results,
    screening,
    starting,
    talking,
    typed,
    understanding,
    wishes,
    wording,
)
from flows.conversation import Answer, Conversation, Overlay, Stage
from flows.effects import SavePhone
from flows.events import (
    Action,
    Answered,
    AnsweredNudge,
    AskedForPerson,
    AskedHelp,
    AskedPrivacy,
    AskedQuestion,
    AskedToStartOver,
    AskedWhy,
    CalendarSeen,
    Chose,
    Corrected,
    Edited,
    Event,
    Media,
    Repeated,
    SentMedia,
    SharedContact,
    Skipped,
    SlotWasTaken,
    Started,
    Stopped,
    Ticked,
    Typed,
    WentBack,
)
from flows.position import Position
from flows.protocol import Kind
from flows.turn import Look, Scene, Turn
from flows.understanding import DidYouMean, NotAllowed, Reading, Understood

#: Screens of booking that lead back to the one before.
_BOOKING = frozenset(
    {
        Stage.PICK_DAY,
        Stage.PICK_TIME,
        Stage.CONTACT,
        Stage.CHANGE,
        Stage.MEND,
        Stage.CANCEL,
    }
)
#: Where a patient with visits may be busy with them, or with times for more.
_BESIDE_VISITS = _BOOKING | {Stage.BOOKED, Stage.PLAN}
#: What leads away from writing to the clinic.
_WAYS_OUT = (AskedForPerson, AskedHelp, AskedPrivacy, AskedToStartOver, Repeated, Stopped, WentBack)
#: What a first message is read for before anything is asked.
_MAY_RAISE_A_FLAG = (Typed, Corrected, SentMedia)

_Attempt = Callable[[Position, Typed], Turn | None]


def advance(conversation: Conversation | None, event: Event, scene: Scene, *, chat_id: int) -> Turn:
    """Return the turn that `event` makes of `conversation`; None is a chat never seen.

    The conversation's revision grows with every turn that is not silent, so that buttons shown
    before it are known to be old.
    """
    if conversation is None and isinstance(event, Started):
        turn = starting.start(None, event, scene, chat_id)
    else:
        if conversation is None:  # whoever writes before /start is answered as if they had
            conversation = starting.start(None, Started(), scene, chat_id).conversation
            event = event if isinstance(event, _MAY_RAISE_A_FLAG) else Repeated()
        here = starting.on_current_protocol(Position(conversation, scene))
        turn = _dispatch(here, event)
    if turn.silent:
        return turn
    after = turn.conversation
    if conversation is not None and conversation.booking.just_booked:
        after = replace(after, booking=replace(after.booking, just_booked=False))
    if not isinstance(event, SentMedia):
        after = replace(after, last_media="")
    return replace(turn, conversation=replace(after, revision=after.revision + 1))


def look_again(conversation: Conversation, scene: Scene) -> Look:
    """Return what to read of the calendar after the database refused a time."""
    return looking.look(Position(conversation, scene))


def _typed(here: Position, event: Typed) -> Turn:
    """Try what the words may be, from the certain to the likely; nothing is guessed."""
    flag = repairs.raised_flag(here, event.text)
    if flag:
        return repairs.red_flag(here, flag)
    if here.scene.is_interrupted and typed.may_answer_another(here, event.text):
        return _which_message(here, event)
    for attempt in _attempts(here):
        turn = attempt(here, event)
        if turn is not None:
            return turn
    if here.scene.is_talking:
        return talking.send_unasked(here, event.text)
    if here.conversation.state == Stage.URGENT:  # no "I did not understand" for somebody in need
        return Turn(here.conversation)
    if typed.is_part_of_number(here, event.text):
        return Turn(here.conversation, notes=(here.note("note.phone_unclear"),))
    return repairs.missed(here)


def _which_message(here: Position, event: Typed) -> Turn:
    """Do nothing on words that may answer what came after the screen; show the screen again.

    A patient whom the clinic is talking with more likely answers the clinic.
    """
    if here.scene.is_talking:
        return talking.send_unasked(here, event.text)
    return Turn(here.conversation, notes=(here.note("note.which_message"),))


def _attempts(here: Position) -> tuple[_Attempt, ...]:
    if here.conversation.state == Stage.URGENT:
        return _as_button, _as_command
    if here.conversation.overlay is Overlay.ASK:
        return _as_button, _as_way_out, _as_message
    if here.conversation.overlay is Overlay.RESULT:
        return _as_button, _as_way_out, _as_result
    if here.step is None or here.conversation.overlay:
        return _as_wish, _as_button, _as_command, _as_question
    if here.step.kind is Kind.TEXT:  # own words are an answer only when they are nothing else
        return _as_command, _as_question, _as_answer, _as_near_answer
    return _as_answer, _as_command, _as_question, _as_near_answer


def _as_wish(here: Position, event: Typed) -> Turn | None:
    return None if here.conversation.overlay else wishes.wish(here, event.text)


def _as_button(here: Position, event: Typed) -> Turn | None:
    meant = typed.button_for(here, event.text)
    if isinstance(meant, typed.Wish):
        return _wish(here, meant)
    return None if meant is None else _dispatch(here, meant)


def _as_command(here: Position, event: Typed) -> Turn | None:
    meant = wording.command(event.text, here.scene.catalogues)
    if meant is None and wording.wants_person(event.text, here.scene.catalogues):
        meant = AskedForPerson()
    return None if meant is None else _dispatch(here, meant)


def _as_way_out(here: Position, event: Typed) -> Turn | None:
    """Take only what leads away from writing to the clinic: "why" and "next" may be said to it."""
    meant = wording.command(event.text, here.scene.catalogues)
    leads_away = isinstance(meant, _WAYS_OUT) or meant == Chose(Action.ERASE)
    return _dispatch(here, meant) if meant is not None and leads_away else None


def _as_message(here: Position, event: Typed) -> Turn:
    return talking.send(here, event.text)


def _as_result(here: Position, event: Typed) -> Turn:
    return results.describe(here, event.text)


def _as_question(here: Position, event: Typed) -> Turn | None:
    if not here.conversation.protocol:
        return None
    faq = wording.question(event.text, here.protocol, here.scene.catalogues)
    return None if faq is None else repairs.answer_question(here, faq)


def _as_answer(here: Position, event: Typed) -> Turn | None:
    reading = _read(here, event.text)
    if not isinstance(reading, Understood):
        return None
    step_id = here.conversation.state
    return screening.record(here, step_id, reading.answer, message_id=event.message_id)


def _as_near_answer(here: Position, event: Typed) -> Turn | None:
    reading = _read(here, event.text)
    if isinstance(reading, DidYouMean):
        return repairs.suggest(here, reading.code)
    if isinstance(reading, NotAllowed):
        return Turn(here.conversation, notes=(here.note(reading.note),))
    return None


def _read(here: Position, text: str) -> Reading:
    suggested = here.conversation.suggested
    if suggested and wording.means("yes", text, here.scene.catalogues):
        return Understood(Answer((suggested,)))
    return understanding.read(
        here.protocol.step(here.conversation.state),
        text,
        here.scene.catalogues,
        locale=here.conversation.locale,
        today=here.today,
    )


def _wish(here: Position, wish: typed.Wish) -> Turn:
    """Go to the day that the patient typed, or ask for one."""
    on = wish.when.on or here.booking.day_on
    if on is not None:
        return appointing.show_day(here, on, wish.when.part, wish.when.at)
    if here.conversation.state in (Stage.PLAN, Stage.CONSULT):
        turn = appointing.other_times(here)
        return replace(turn, notes=(here.note("note.which_day"), *turn.notes))
    return Turn(here.conversation, notes=(here.note("note.which_day"),))


def _repeat(here: Position) -> Turn:
    """Show the screen again; beside booked visits, while nothing is held, show those."""
    is_elsewhere = here.conversation.overlay is not None or here.conversation.state != Stage.BOOKED
    is_beside = here.conversation.state in _BESIDE_VISITS and here.booking.hold_until is None
    if is_elsewhere and is_beside and here.booking.booked:
        return Turn(continuing.at_visits(here).conversation)
    return Turn(here.conversation)


def _went_back(here: Position) -> Turn:
    state = here.conversation.state
    if here.conversation.overlay:
        return choosing.go_on(here)
    if here.step is not None or state == Stage.REVIEW:
        before = relevance.previous_step(here.protocol, here.answers, state)
        if before is None:
            return Turn(here.conversation, notes=(here.note("note.nothing_back"),))
        return Turn(screening.open_step(here, before.id).conversation)
    if here.booking.done and state == Stage.PLAN:
        return continuing.leave(here)
    if state in (Stage.PLAN, Stage.CONSULT, Stage.DEFERRED, Stage.DECLINED):
        return Turn(here.go("back", Stage.REVIEW, decided_on=None).conversation)
    if state == Stage.NO_CONSENT:
        return Turn(here.go("back", here.protocol.steps[0].id).conversation)
    if state in _BOOKING:
        return appointing.back(here)
    return Turn(here.conversation, notes=(here.note("note.nothing_back"),))


def _corrected(here: Position, event: Corrected) -> Turn:
    flag = repairs.raised_flag(here, event.text)
    if flag:
        return repairs.red_flag(here, flag)
    if not here.conversation.protocol:
        return Turn(here.conversation)
    if here.conversation.overlay is Overlay.ASK:
        return Turn(here.conversation, notes=(here.note("note.message_edited"),))
    return screening.correct(here, event.text, event.message_id)


def _sent_media(here: Position, event: SentMedia) -> Turn:
    flag = repairs.raised_flag(here, event.caption)
    if flag:
        return repairs.red_flag(here, flag)
    if event.media is Media.PHOTO:
        return photos.received(here, event.file_id)
    return repairs.received(here, event.media)


def _shared_contact(here: Position, event: SharedContact) -> Turn:
    kept = (SavePhone(event.phone),)
    if here.conversation.state != Stage.CONTACT:
        return Turn(here.conversation, effects=kept, notes=(here.note("note.phone_kept"),))
    turn = appointing.confirm(here)
    return replace(turn, effects=(*kept, *turn.effects))


def _dispatch(here: Position, event: Event) -> Turn:  # noqa: C901, PLR0912 - one line an event; mypy sees that none is missing
    match event:
        case Answered():
            return screening.answer(here, event)
        case Ticked():
            return screening.tick(here, event)
        case Typed():
            return _typed(here, event)
        case Corrected():
            return _corrected(here, event)
        case Edited():
            return screening.edit(here, event.step)
        case Chose():
            return choosing.choose(here, event)
        case SentMedia():
            return _sent_media(here, event)
        case SharedContact():
            return _shared_contact(here, event)
        case CalendarSeen():
            return appointing.calendar_seen(here, event.view)
        case SlotWasTaken():
            return appointing.taken(here, event)
        case AnsweredNudge():
            return answering.answer(here, event)
        case Started():
            return starting.start(here.conversation, event, here.scene, here.conversation.chat_id)
        case Repeated():
            return screening.stale(here) if event.stale else _repeat(here)
        case WentBack():
            return _went_back(here)
        case Skipped():
            return screening.skip(here)
        case Stopped():
            return starting.stop(here)
        case AskedToStartOver():
            return starting.ask_to_start_over(here)
        case AskedQuestion():
            return repairs.answer_question(here, event.faq)
        case AskedHelp():
            return repairs.help_(here)
        case AskedWhy():
            return repairs.why(here)
        case AskedForPerson():
            return talking.call_person(here)
        case AskedPrivacy():
            return Turn(here.conversation, notes=(here.note("note.privacy"),))
        case _:
            assert_never(event)
