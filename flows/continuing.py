"""Going on with a course: the visits that have no time yet, and the look a year later."""

from __future__ import annotations

from dataclasses import replace

from flows import relevance
from flows.conversation import Booking, Stage
from flows.effects import Effect, ReleaseHold
from flows.looking import look_for_times
from flows.position import Position
from flows.turn import Turn

#: Questions about how things are now; the others are about what does not change.
_MAY_HAVE_CHANGED = frozenset({"safety"})


def see_times(here: Position) -> Turn:
    """Offer times for what is left of the course, or for a consultation that was missed."""
    if is_talk_missed(here):
        again = here.go("jump", Stage.CONSULT, booking=Booking(service=here.booking.service))
        return look_for_times(again)
    if here.conversation.state == Stage.PLAN and here.booking.done:
        return look_for_times(here)
    there = _left(here)
    if there is None:
        return Turn(here.conversation, notes=(here.note("note.nudge_over"),))
    return look_for_times(there.go("jump", Stage.PLAN))


def leave(here: Position) -> Turn:
    """Go back from the offered times to the visits there are."""
    return Turn(at_visits(here).conversation)


def at_visits(here: Position) -> Position:
    """Go to the booked visits; times that were looked at or held beside them are let go."""
    return here.with_visits().go("jump", Stage.BOOKED)


def let_go(here: Position) -> tuple[Effect, ...]:
    """Give held times back."""
    return (ReleaseHold(here.booking.series_id),) if here.booking.hold_until else ()


def is_talk_missed(here: Position) -> bool:
    """Say whether a consultation was booked, and nobody came."""
    booking = here.booking
    is_over = bool(booking.sessions) and all(each.is_missed for each in booking.sessions)
    return is_over and booking.service == "consultation" and not here.conversation.red_flag


def is_left(here: Position) -> bool:
    """Say whether some visits of the course have no time yet."""
    return how_many_left(here) > 0


def how_many_left(here: Position) -> int:
    """Return how many visits of the course have no time yet."""
    there = _left(here)
    plan = there.plan() if there else None
    return plan.sessions if plan else 0


def _left(here: Position) -> Position | None:
    """Return the position with what is left to book; None when there is nothing."""
    booking = here.booking
    is_booked = bool(booking.sessions) and booking.hold_until is None
    if not is_booked or booking.service != "treatment" or here.conversation.red_flag:
        return None
    rest = Booking(
        service=booking.service,
        series_id=booking.series_id,
        code=booking.code,
        done=booking.sessions,
        pending=booking.pending,
        waiting=booking.waiting,
    )
    there = here.with_(booking=rest)
    return None if there.plan() is None else there


def refresh(here: Position) -> Turn:
    """Begin the yearly look: a new run that asks again only what may have changed."""
    old = here.conversation
    if here.ahead or old.red_flag or not here.answers:
        return Turn(old, notes=(here.note("note.nudge_over"),))
    lasting = {
        step.id: here.answers[step.id]
        for step in here.protocol.steps
        if step.id in here.answers and step.group not in _MAY_HAVE_CHANGED
    }
    answers = relevance.current_answers(here.protocol, lasting)
    fresh = replace(
        old.fresh_run(old.state),
        clinic=old.clinic,
        protocol=old.protocol,
        answers=answers,
        is_refresher=True,
    )
    there = Position(fresh, here.scene)
    dest = relevance.next_place(here.protocol, answers)
    return Turn(there.go("jump", dest).conversation, notes=(here.note("note.nudge_refresh"),))
