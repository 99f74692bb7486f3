"""What the clinic changed about a patient's visits, carried into the conversation. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from flows.conversation import BookedSession, Booking, Conversation, Overlay, Stage
from flows.effects import ConfirmSeries

#: Screens of somebody who has visits; what was begun on them no longer fits after a change.
_ABOUT_VISITS = frozenset({Stage.BOOKED, Stage.CHANGE, Stage.MEND, Stage.CANCEL})
_WHILE_MOVING = frozenset({Stage.PICK_DAY, Stage.PICK_TIME})


def after_change(
    conversation: Conversation,
    series_id: str,
    sessions: tuple[BookedSession, ...],
    *,
    pending: bool,
    today: date,
) -> Conversation | None:
    """Return the conversation with the visits that stand now; None when it is about others.

    `sessions` are those of the series, in order; without any the patient may book anew. `today`
    is the clinic's local day. The revision grows, so that buttons shown before are old.
    """
    booking = conversation.booking
    if not series_id or booking.series_id != series_id or booking.hold_until is not None:
        return None
    changed = replace(conversation, revision=conversation.revision + 1)
    is_about_visits = conversation.state in _ABOUT_VISITS or (
        booking.moving is not None and conversation.state in _WHILE_MOVING
    )
    if sessions and booking.done:  # the patient is looking for times for what is left
        return replace(changed, booking=replace(booking, done=sessions))
    if sessions:
        kept = replace(
            booking,
            sessions=sessions,
            pending=pending,
            moving=None,
            mend=(),
            before_rest=False,
            cancelling=None,
            waiting=_still_waiting(booking, sessions),
            days=(),
            week_on=None,
            day_on=None,
            times=(),
        )
        state = Stage.BOOKED.value if is_about_visits else conversation.state
        return replace(changed, booking=kept, state=state)
    emptied = replace(changed, booking=Booking(service=booking.service))
    if not is_about_visits:
        return emptied
    if conversation.red_flag:
        return replace(emptied, state=Stage.URGENT.value)
    home = Stage.CONSULT if booking.service == "consultation" else Stage.PLAN
    return replace(emptied, state=home.value, decided_on=today)


def after_booking(conversation: Conversation, booked: ConfirmSeries) -> Conversation:
    """Return the conversation with visits that the clinic booked for the patient.

    Times that the patient was looking at go; who wants no messages keeps that screen. What is being
    written to the clinic goes on, but with visits there is nothing to start over.
    """
    booking = conversation.booking
    before = booking.booked if booking.series_id == booked.series_id else ()
    visits = (*before, *booked.sessions)
    kept = Booking(
        service=booked.service,
        series_id=booked.series_id,
        code=booked.code,
        sessions=visits,
        pending=booking.pending and bool(before),
        waiting=_still_waiting(booking, visits),
    )
    is_stopped = conversation.state == Stage.STOPPED
    is_leaving = conversation.overlay in (Overlay.START_OVER, Overlay.RESUME)
    return replace(
        conversation,
        state=conversation.state if is_stopped else Stage.BOOKED.value,
        overlay=None if is_leaving else conversation.overlay,
        booking=kept,
        revision=conversation.revision + 1,
    )


def _still_waiting(booking: Booking, sessions: tuple[BookedSession, ...]) -> str | None:
    """Return for which visit something earlier is wanted, unless the clinic changed that one."""
    now = {each.uid: each.slot for each in sessions}
    before = {each.uid: each.slot for each in booking.booked}
    uid = booking.waiting
    return uid if uid in now and now[uid] == before.get(uid) else None
