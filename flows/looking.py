"""Which days of the calendar a patient may book, and what to read of it."""

from __future__ import annotations

from datetime import date, timedelta

from flows import slots
from flows.conversation import BookedSession, Stage, treating
from flows.position import Position
from flows.turn import Look, Turn

_CONSULT_FOR = timedelta(days=60)  # how far ahead consultations are offered
_SERIES_FOR = timedelta(days=300)  # six sessions at the widest spacing, and some weeks to start


def home(here: Position) -> Stage:
    """Return the screen that booking starts from."""
    return Stage.CONSULT if here.booking.service == "consultation" else Stage.PLAN


def earliest(here: Position) -> date:
    """Return the first local day on which an appointment may be."""
    if here.booking.service == "consultation":
        return max(here.today, here.verdict().recheck_on or here.today)
    plan = here.plan()
    return max(here.today, plan.starts_on if plan else here.today)


def look_for_times(here: Position) -> Turn:
    """Ask for the calendar from the earliest day on."""
    return Turn(here.conversation, look=look(here))


def look(here: Position) -> Look:
    """Return what to read of the calendar; the patient's own times do not stand in their way."""
    first = earliest(here)
    reach = _CONSULT_FOR if here.booking.service == "consultation" else _SERIES_FOR
    return Look(
        here.clinic.slug,
        here.booking.service,
        first,
        first + reach,
        ignore_series=here.booking.series_id if _is_arranging(here) else "",
        ignore_uid=here.booking.moving or "",
    )


def bookable_days(here: Position) -> tuple[date, date]:
    """Return the first and last local day that the patient may pick from."""
    first = earliest(here)
    last = first + (_CONSULT_FOR if here.booking.service == "consultation" else _SERIES_FOR)
    moved = moving(here)
    if moved is None:
        return first, last
    earlier = before(here, moved)
    if earlier is None:
        return here.today, last
    on, spacing = slots.local_start(earlier.slot, here.clinic.zone).date(), here.protocol.spacing
    opens, closes = (on + timedelta(days=days) for days in (spacing.min_days, spacing.max_days))
    return max(opens, here.today), min(closes, last)


def _is_arranging(here: Position) -> bool:
    """Say whether the patient's own times are being chosen, so that they are not in the way."""
    is_open = here.booking.hold_until is not None or here.booking.moving is not None
    return is_open or here.conversation.state == Stage.MEND


def before(here: Position, session: BookedSession) -> BookedSession | None:
    """Return the visit before another one that counts for its gap; None for the first."""
    sessions = treating(here.booking.sessions)
    index = sessions.index(session)
    return sessions[index - 1] if index else None


def after(here: Position, session: BookedSession) -> tuple[BookedSession, ...]:
    """Return the visits after another one that count for its gap."""
    sessions = treating(here.booking.sessions)
    return sessions[sessions.index(session) + 1 :]


def moving(here: Position) -> BookedSession | None:
    """Return the appointment that is being moved."""
    for each in here.booking.sessions:
        if each.uid == here.booking.moving:
            return each
    return None
