"""Answering questions: ticks, answers, corrections, and the verdict at the end of them."""

from __future__ import annotations

from dataclasses import replace

from flows import eligibility, relevance, understanding
from flows.conversation import Answer, Booking, Stage
from flows.effects import Effect, HandOffLead, LeadKind, RecordDecision
from flows.eligibility import Verdict
from flows.events import Answered, Ticked
from flows.graph import refuses
from flows.looking import look_for_times
from flows.position import Position
from flows.protocol import Kind, Outcome
from flows.turn import Note, Turn
from flows.understanding import settle

_HEARD = 20  # typed answers that a later edit of the message can still correct


def tick(here: Position, event: Ticked) -> Turn:
    """Set or clear one tick; an empty code opens a quick question for more than one."""
    step = here.step
    if step is None or step.id != event.step or step.kind is not Kind.MULTI:
        return stale(here)
    if not event.code:
        return Turn(here.with_(ticking=True).conversation)
    if event.code not in {option.code for option in step.options}:
        return stale(here)
    ticks = here.conversation.ticks
    if event.code in ticks:
        left = tuple(code for code in ticks if code != event.code)
    elif step.option(event.code).exclusive:
        left = (event.code,)
    else:
        kept = [code for code in ticks if not step.option(code).exclusive]
        left = settle(step, (*kept, event.code))
    return Turn(here.with_(ticks=left, ticking=True).conversation)


def answer(here: Position, event: Answered) -> Turn:
    """Take a button's answer to the question on the screen."""
    step = here.step
    if step is None or step.id != event.step:
        return stale(here)
    try:
        codes = settle(step, event.codes)
    except KeyError:
        return stale(here)
    if not codes:
        return Turn(here.conversation, notes=(here.note("note.tick_something"),))
    return record(here, step.id, Answer(codes))


def record(here: Position, step_id: str, given: Answer, *, message_id: int = 0) -> Turn:
    """Keep one answer and go where the answers now lead.

    Answers that it makes irrelevant are dropped, and the patient is told which.
    """
    step = here.protocol.step(step_id)
    if refuses(step, given.codes):
        refused = here.go("answer", Stage.NO_CONSENT, answers={})
        return Turn(refused.conversation, receipt=step_id)
    before = here.answers
    kept = relevance.current_answers(here.protocol, {**here.conversation.answers, step_id: given})
    here = here.with_(answers=kept)
    if message_id:
        heard = (*here.conversation.heard, (message_id, step_id))
        here = here.with_(heard=heard[-_HEARD:])
    notes = _dropped(here, [name for name in before if name not in kept])
    turn = advance_from(here, step_id)
    return replace(turn, receipt=step_id, notes=(*notes, *turn.notes))


def advance_from(here: Position, step_id: str) -> Turn:
    """Go from an answered step to the next place: a question, the review, or an early end."""
    dest = relevance.next_place(here.protocol, here.answers)
    trigger = "answer" if _first_pass(here, step_id, dest) else "jump"
    there = here.go(trigger, dest)
    if dest in (Stage.URGENT, Stage.DECLINED):
        return _ended_early(there)
    return Turn(there.conversation)


def skip(here: Position) -> Turn:
    """Leave a question that allows it without an answer."""
    step = here.step
    if step is None or not step.skippable:
        return Turn(here.conversation, notes=(here.note("note.cannot_skip"),))
    return record(here, step.id, Answer())


def edit(here: Position, step_id: str) -> Turn:
    """Ask one answered question again; the other answers stay."""
    before_booking = here.step is not None or here.conversation.state in (
        Stage.REVIEW,
        Stage.PLAN,
        Stage.CONSULT,
        Stage.DEFERRED,
        Stage.DECLINED,
    )
    if not before_booking or step_id not in here.answers or here.booking.done:
        return stale(here)
    return Turn(open_step(here, step_id).conversation)


def open_step(here: Position, step_id: str) -> Position:
    """Go to a question with its earlier answer ticked."""
    step = here.protocol.step(step_id)
    codes = here.answers[step_id].codes if step_id in here.answers else ()
    ticks = codes if step.kind is Kind.MULTI else ()
    return here.go("jump", step_id, ticks=ticks, ticking=len(ticks) > 1, decided_on=None)


def correct(here: Position, text: str, message_id: int) -> Turn:
    """Take an edited message as a correction of the step it answered, or say how to correct."""
    step_id = dict(here.conversation.heard).get(message_id)
    editable = here.step is not None or here.conversation.state == Stage.REVIEW
    if step_id is None or step_id not in here.answers or not editable:
        return Turn(here.conversation, notes=(here.note("note.how_to_correct"),))
    reading = understanding.read(
        here.protocol.step(step_id),
        text,
        here.scene.catalogues,
        locale=here.conversation.locale,
        today=here.today,
    )
    if not isinstance(reading, understanding.Understood):
        return Turn(here.conversation, notes=(here.note("note.how_to_correct"),))
    turn = record(here, step_id, reading.answer)
    return replace(turn, notes=(*turn.notes, here.note("note.corrected")), receipt=None)


def confirm(here: Position) -> Turn:
    """All answers are right: judge them, and show what follows."""
    here = here.with_(decided_on=here.today)
    verdict = here.verdict()
    dest = {
        Outcome.ELIGIBLE: Stage.PLAN,
        Outcome.REVIEW: Stage.CONSULT,
        Outcome.DEFERRED: Stage.DEFERRED,
        Outcome.DECLINED: Stage.DECLINED,
        Outcome.URGENT: Stage.URGENT,
    }[verdict.outcome]
    trigger = "jump" if dest in (Stage.DECLINED, Stage.URGENT) else "confirm"
    # Offers of an earlier verdict go: they may be for what this one does not allow.
    there = here.go(trigger, dest, booking=Booking(service=verdict.bookable or ""))
    turn = Turn(there.conversation, effects=decision(there, verdict))
    if dest not in (Stage.PLAN, Stage.CONSULT) or verdict.bookable is None:
        return turn
    looking = look_for_times(there)
    files = ("timeline",) if dest == Stage.PLAN else ()
    return replace(turn, conversation=looking.conversation, look=looking.look, files=files)


def decision(here: Position, verdict: Verdict) -> tuple[Effect, ...]:
    """Return the effects that keep a verdict, and hand the patient over where that is due."""
    score = eligibility.score(here.protocol, here.answers)
    kept = RecordDecision(verdict, score, here.plan())
    total = score.total if score.usable else None
    kind = {
        Outcome.ELIGIBLE: LeadKind.ELIGIBLE,
        Outcome.REVIEW: LeadKind.REVIEW,
        Outcome.DEFERRED: LeadKind.DEFERRED,
        Outcome.URGENT: LeadKind.URGENT,
    }.get(verdict.outcome)
    if kind is None:  # declined: nothing to hand over unless the patient asks for a person
        return (kept,)
    return (kept, HandOffLead(kind, total, verdict.recheck_on))


def stale(here: Position) -> Turn:
    """An old button: show the current screen again and say so."""
    return Turn(here.conversation, notes=(here.note("note.stale"),))


def _ended_early(here: Position) -> Turn:
    here = here.with_(decided_on=here.today)
    return Turn(here.conversation, effects=decision(here, here.verdict()))


def _first_pass(here: Position, step_id: str, dest: str) -> bool:
    """Say whether this is the move that a first answer makes, not a leap after an edit."""
    if here.conversation.state != step_id:
        return False
    steps = [step.id for step in relevance.relevant_steps(here.protocol, here.answers)]
    if dest in (Stage.URGENT, Stage.DECLINED):
        return steps[-1] == step_id
    at = steps.index(step_id)
    return at + 1 == (steps.index(dest) if dest in steps else len(steps))


def _dropped(here: Position, names: list[str]) -> tuple[Note, ...]:
    if not names:
        return ()
    catalogue = here.scene.catalogues[here.conversation.locale]
    shorts = ", ".join(catalogue.text(f"step.{name}.short") for name in names)
    return (here.note("note.dropped", names=shorts),)
