"""Cancelling what is booked: one visit, or all that are to come."""

from __future__ import annotations

from dataclasses import replace

from flows import rebooking, starting
from flows.conversation import BookedSession, Booking, Stage
from flows.effects import CancelAppointment, CancelSeries, Effect, HandOffLead, LeadKind
from flows.looking import home, look_for_times
from flows.position import Position
from flows.turn import Turn

#: What `Booking.cancelling` says when a yes to all visits is asked for.
ALL = "all"


def ask_cancel(here: Position, number: int | None = None) -> Turn:
    """Ask what to cancel, or for a yes when one visit was named."""
    refusal = _refusal(here, here.ahead)
    if refusal:
        return Turn(here.conversation, notes=(here.note(refusal),))
    return choose(here.go("cancel", Stage.CANCEL).with_booking(cancelling=None), number)


def choose(here: Position, number: int | None) -> Turn:
    """Ask for a yes to cancelling one visit, where there are several."""
    named = [session for session in here.ahead if session.number == number]
    refusal = _refusal(here, named) if number is not None else ""
    if refusal:
        return Turn(here.conversation, notes=(here.note(refusal),))
    chosen = named[0].uid if named and len(here.ahead) > 1 else None
    return Turn(here.with_booking(cancelling=chosen).conversation)


def cancel(here: Position) -> Turn:
    """Cancel the visit that was chosen, or after one more yes all that have not begun.

    A chosen visit that has begun meanwhile is over: the others were not asked about.
    """
    chosen = here.booking.cancelling
    one = next((each for each in here.ahead if each.uid == chosen), None)
    wanted = here.ahead[:1] if chosen in (None, ALL) else (one,) if one else ()
    refusal = _refusal(here, wanted)
    if refusal:
        there = here.go("back", Stage.BOOKED).with_booking(cancelling=None)
        return Turn(there.conversation, notes=(here.note(refusal),))
    if chosen is None and len(here.ahead) > 1:
        return Turn(here.with_booking(cancelling=ALL).conversation)
    return _cancel_one(here, one) if one else _cancel_all(here)


def _cancel_one(here: Position, gone: BookedSession) -> Turn:
    """Cancel one of several; where that tears a gap, offer to bring the later ones nearer."""
    sessions = tuple(each for each in here.booking.sessions if each is not gone)
    effects = (CancelAppointment(gone.uid),)
    notes = (here.note("note.cancelled_this"),)
    waits_for = None if here.booking.waiting == gone.uid else here.booking.waiting
    here = here.with_booking(
        sessions=sessions, cancelling=None, waiting=waits_for, before_rest=False
    )
    if here.plan() is None or not rebooking.has_wide_gap(here):
        there = here.go("cancelled", Stage.BOOKED)
        return Turn(there.conversation, effects=effects, notes=notes, files=("cancelled",))
    turn = look_for_times(here.go("cancelled", Stage.MEND))
    return replace(turn, effects=effects, notes=notes, files=("cancelled",))


def _cancel_all(here: Position) -> Turn:
    """Cancel all that are to come and offer new times, after a red flag none."""
    booking = here.booking
    gone = CancelSeries(booking.series_id)
    if here.conversation.red_flag:
        there = here.go("jump", Stage.URGENT, booking=Booking())
        return Turn(there.conversation, effects=(gone,), files=("cancelled",))
    if not here.answers:  # given to a protocol that is gone: nothing can be offered on them
        turn = starting.start_over(here.with_(booking=Booking()))
        note = here.note("note.cancelled_asked_anew")
        return replace(turn, effects=(gone, *turn.effects), notes=(note,), files=("cancelled",))
    kind = LeadKind.REVIEW if home(here) is Stage.CONSULT else LeadKind.ELIGIBLE
    effects: tuple[Effect, ...] = (gone, HandOffLead(kind, here.readiness()))
    notes = (here.note("note.cancelled_one" if len(here.ahead) == 1 else "note.cancelled"),)
    done = tuple(each for each in booking.sessions if each not in here.ahead)
    there = here.go("cancelled", home(here)).with_(decided_on=here.today)
    kept = Booking(service=booking.service)
    if done and home(here) is Stage.PLAN:  # the course goes on from the visits that were
        kept = replace(kept, series_id=booking.series_id, code=booking.code, done=done)
    turn = look_for_times(there.with_(booking=kept))
    return replace(turn, effects=effects, notes=notes, files=("cancelled",))


def _refusal(here: Position, wanted: tuple[BookedSession, ...] | list[BookedSession]) -> str:
    """Return the note that says why none of these can be cancelled now, empty when one can."""
    if not wanted:
        return "note.visit_over"
    return "note.too_late" if all(rebooking.too_late(here, each) for each in wanted) else ""
