"""Moving and cancelling what is booked, as long as the clinic allows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from flows.conversation import BookedSession, Booking, Stage
from flows.effects import CancelSeries, Effect, HandOffLead, LeadKind, MoveAppointment
from flows.looking import bookable_days, home, look_for_times, moving
from flows.position import Position
from flows.slots import Slot
from flows.turn import Turn

_NARROW = timedelta(days=7)  # a shorter window deserves a word on why


def ask_move(here: Position, number: int | None = None) -> Turn:
    """Ask which appointment to move, or go on when there is only one or it was named."""
    if number is None and len(here.ahead) > 1:
        return Turn(here.go("change", Stage.CHANGE).conversation)
    named = [session for session in here.ahead if number in (None, session.number)]
    if not named:
        return Turn(here.conversation, notes=(here.note("note.nothing_to_move"),))
    if _too_late(here, named[0]):
        return Turn(here.conversation, notes=(here.note("note.too_late"),))
    there = here.go("move", Stage.PICK_DAY).with_booking(moving=named[0].uid, week_on=None)
    first, last = bookable_days(there)
    turn = look_for_times(there)
    if last - first >= _NARROW:
        return turn
    weeks = here.protocol.spacing.min_days // 7
    return replace(turn, notes=(here.note("note.narrow_window", weeks=weeks),))


def move(here: Position, slot: Slot) -> Turn:
    """Move the chosen appointment, unless its time has come too close meanwhile."""
    moved = moving(here)
    done = {"moving": None, "times": (), "days": (), "day_on": None}
    if moved is None or _too_late(here, moved):
        there = here.go("jump", Stage.BOOKED).with_booking(**done)
        return Turn(there.conversation, notes=(here.note("note.too_late"),))
    sessions = tuple(
        replace(each, slot=slot, sequence=each.sequence + 1) if each is moved else each
        for each in here.booking.sessions
    )
    there = here.go("moved", Stage.BOOKED).with_booking(sessions=sessions, **done)
    return Turn(
        there.conversation,
        effects=(MoveAppointment(moved.uid, slot),),
        notes=(here.note("note.moved"),),
        files=("calendar",),
    )


def ask_cancel(here: Position) -> Turn:
    """Ask for a yes before anything is cancelled."""
    refusal = _refusal(here)
    if refusal:
        return Turn(here.conversation, notes=(here.note(refusal),))
    return Turn(here.go("cancel", Stage.CANCEL).conversation)


def cancel(here: Position) -> Turn:
    """Cancel every appointment that has not begun and offer new times, after a red flag none."""
    refusal = _refusal(here)
    if refusal:
        there = here.go("back", Stage.BOOKED)
        return Turn(there.conversation, notes=(here.note(refusal),))
    gone = CancelSeries(here.booking.series_id)
    if here.conversation.red_flag:
        there = here.go("jump", Stage.URGENT, booking=Booking())
        return Turn(there.conversation, effects=(gone,), files=("cancelled",))
    kind = LeadKind.REVIEW if home(here) is Stage.CONSULT else LeadKind.ELIGIBLE
    effects: tuple[Effect, ...] = (gone, HandOffLead(kind, here.readiness()))
    there = here.go("cancelled", home(here)).with_(
        booking=Booking(service=here.booking.service), decided_on=here.today
    )
    key = "note.cancelled_one" if len(here.booking.sessions) == 1 else "note.cancelled"
    notes = (here.note(key),)
    return replace(look_for_times(there), effects=effects, notes=notes, files=("cancelled",))


def _refusal(here: Position) -> str:
    """Return the note that says why nothing can be cancelled now, empty when it can."""
    if not here.ahead:
        return "note.visit_over"
    return "note.too_late" if _too_late(here, here.ahead[0]) else ""


def _too_late(here: Position, session: BookedSession) -> bool:
    return session.slot.starts_at - here.scene.now < here.clinic.cancel_cutoff
