"""Moving what is booked: one visit, and the later ones that must follow it to keep the gaps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from flows import continuing, looking, mending, series, slots
from flows.conversation import BookedSession, Offer, Stage, treating
from flows.effects import MoveAppointment
from flows.looking import bookable_days, look_for_times, moving
from flows.position import Position
from flows.slots import CalendarView, Slot
from flows.turn import Turn
from flows.typed_times import When

_NARROW = timedelta(days=7)  # a shorter window deserves a word on why
#: What is forgotten of a move once it is made or given up.
_OVER = {
    "moving": None,
    "mend": (),
    "before_rest": False,
    "times": (),
    "days": (),
    "week_on": None,
    "day_on": None,
    "part": "",
    "wish_at": None,
}


def ask_move(here: Position, number: int | None = None, when: When | None = None) -> Turn:
    """Ask which visit to move, or go on when there is only one or it was named.

    `when` is the time that the patient wished for with it; it waits until the visit is known.
    """
    if number is None and len(here.ahead) > 1:
        return Turn(_waiting(here.go("change", Stage.CHANGE), when).conversation)
    named = [session for session in here.ahead if number in (None, session.number)]
    if not named:
        return Turn(here.conversation, notes=(here.note("note.nothing_to_move"),))
    if too_late(here, named[0]):
        return Turn(here.conversation, notes=(here.note("note.too_late"),))
    there = here.go("move", Stage.PICK_DAY).with_booking(**{**_OVER, "moving": named[0].uid})
    if when is not None:
        return _wished(there, named[0], when)
    first, last = bookable_days(there)
    turn = look_for_times(there)
    if last - first >= _NARROW:
        return turn
    weeks = here.protocol.spacing.min_days // 7
    return replace(turn, notes=(here.note("note.narrow_window", weeks=weeks),))


def waiting_wish(here: Position) -> When | None:
    """Return the time that was wished for before it was known which visit is to move."""
    booking = here.booking
    if booking.day_on is None and not booking.part:
        return None
    return When(booking.day_on, booking.part, booking.wish_at)


def _waiting(here: Position, when: When | None) -> Position:
    wish = {"day_on": when.on, "part": when.part, "wish_at": when.at} if when else {}
    return here.with_booking(**{**_OVER, **wish})


def _wished(here: Position, moved: BookedSession, when: When) -> Turn:
    """Open the wished day; a part of the day or a clock time alone means the visit's own day."""
    on = when.on or slots.local_start(moved.slot, here.clinic.zone).date()
    there = here.go("day", Stage.PICK_TIME)
    return look_for_times(there.with_booking(day_on=on, part=when.part, wish_at=when.at))


def times(here: Position, view: CalendarView, moved: BookedSession, on: date) -> tuple[Slot, ...]:
    """Return the times of a local day to which a visit may move.

    A session of a series stays with its practitioner. None when the later sessions cannot follow.
    """
    name = moved.slot.practitioner
    if len(here.booking.sessions) == 1:
        found = slots.free_on(view, on, preferred=name)
    else:
        tables = (each for each in view.timetables if each.practitioner == name)
        found = tuple(slot for table in tables for slot in slots.free_slots(view, table, on, on))
    found = tuple(slot for slot in found if slot.starts_at != moved.slot.starts_at)
    if not found or _with_followers(here, view, moved, found[0]) is None:
        return ()
    return found


def move(here: Position, slot: Slot) -> Turn:
    """Move the chosen visit, unless its time has come too close meanwhile.

    Where a later gap would break, ask first whether the later ones may move too.
    """
    moved = moving(here)
    if moved is None or too_late(here, moved):
        return _too_late(here)
    there = here.with_booking(mend=(_moved(moved, slot),))
    if _keeps_later_gap(here, moved, slot):
        return accept(there)
    return look_for_times(there.go("mend", Stage.MEND))


def calendar_seen(here: Position, view: CalendarView) -> Turn:
    """Show what would have to move; when nothing can, say so and keep what is booked."""
    moved = moving(here)
    if moved is None:
        return _close_gap(here, view)
    slot = here.booking.mend[0].slot
    on = slots.local_start(slot, view.zone).date()
    if slot not in times(here, view, moved, on):
        there = here.go("back", Stage.PICK_DAY).with_booking(mend=())
        return replace(look_for_times(there), notes=(here.note("note.slot_taken"),))
    mended = _with_followers(here, view, moved, slot) or ()
    return Turn(here.with_booking(mend=mended).conversation)


def accept(here: Position) -> Turn:
    """Move everything that was agreed on, in one transaction."""
    wanted = {each.uid: each for each in here.booking.mend}
    before = [each for each in here.booking.sessions if each.uid in wanted]
    if any(too_late(here, each) for each in before):
        return _too_late(here)
    sessions = tuple(wanted.get(each.uid, each) for each in here.booking.sessions)
    waits_for = None if here.booking.waiting in wanted else here.booking.waiting
    there = here.go("moved", Stage.BOOKED)
    there = there.with_booking(**_OVER, sessions=sessions, waiting=waits_for)
    key = "note.moved" if len(before) == 1 else "note.moved_all"
    return Turn(
        there.conversation,
        effects=tuple(_in_order(before, wanted)),
        notes=(here.note(key),),
        files=("calendar",),
    )


def leave(here: Position) -> Turn:
    """Choose another day instead, or leave the other visits as they are and go on."""
    if here.booking.moving:
        return look_for_times(here.go("back", Stage.PICK_DAY).with_booking(mend=()))
    there = here.go("back", Stage.BOOKED).with_booking(**_OVER)
    return continuing.see_times(there) if here.booking.before_rest else Turn(there.conversation)


def book_rest(here: Position) -> Turn:
    """Offer what is left of the course; a gap that a missed visit tore is to be closed first."""
    visits = continuing.at_visits(here)
    has_missed = any(each.is_missed for each in visits.booking.sessions)
    if not has_missed or not continuing.is_left(visits) or not has_wide_gap(visits):
        return continuing.see_times(here)
    turn = look_for_times(visits.go("jump", Stage.MEND).with_booking(before_rest=True))
    return replace(turn, effects=continuing.let_go(here))


def has_wide_gap(here: Position) -> bool:
    """Say whether two visits are too far apart and the later one is to come."""
    return _wide_gap(here) is not None


def too_late(here: Position, session: BookedSession) -> bool:
    """Say whether a visit is too soon for the patient to change it here."""
    return session.slot.starts_at - here.scene.now < here.clinic.cancel_cutoff


def _too_late(here: Position) -> Turn:
    there = here.go("jump", Stage.BOOKED).with_booking(**_OVER)
    return Turn(there.conversation, notes=(here.note("note.too_late"),))


def _moved(session: BookedSession, slot: Slot) -> BookedSession:
    return replace(session, slot=slot, sequence=session.sequence + 1, is_coming=False)


def _keeps_later_gap(here: Position, moved: BookedSession, slot: Slot) -> bool:
    later = looking.after(here, moved)
    return not later or _fits(here, slot, later[0].slot)


def _fits(here: Position, before: Slot, after: Slot) -> bool:
    starts = (slots.local_start(each, here.clinic.zone) for each in (before, after))
    return mending.keeps_gap(here.protocol.spacing, *starts)


def _with_followers(
    here: Position, view: CalendarView, moved: BookedSession, slot: Slot
) -> tuple[BookedSession, ...] | None:
    """Return the moved visit and whichever must follow it; None when they cannot."""
    if _keeps_later_gap(here, moved, slot):
        return (_moved(moved, slot),)
    before = looking.before(here, moved)
    chain = (moved, *looking.after(here, moved))
    wanted = Offer((slot, *(each.slot for each in chain[1:])))
    mended = _mend(here, view, before.slot if before else None, wanted)
    if mended is None:
        return None
    return tuple(_moved(chain[index], mended.slots[index]) for index in (0, *mended.changed))


def _close_gap(here: Position, view: CalendarView) -> Turn:
    """Offer to bring the visits after a gap nearer; where that cannot be, all stays."""
    first = _wide_gap(here)
    sessions = treating(here.booking.sessions)[first:] if first is not None else ()
    mended = _mend(here, view, None, Offer(tuple(each.slot for each in sessions)))
    changed = tuple(_moved(sessions[n], mended.slots[n]) for n in mended.changed) if mended else ()
    if not changed or any(too_late(here, sessions[n]) for n in (mended or Offer(())).changed):
        return leave(here)
    return Turn(here.with_booking(mend=changed).conversation)


def _mend(here: Position, view: CalendarView, before: Slot | None, wanted: Offer) -> Offer | None:
    plan = here.plan()
    if not wanted.slots:
        return None
    return mending.mend(
        view,
        here.protocol.spacing,
        before,
        wanted,
        may=lambda on: plan is None or series.allowed(plan, on),
    )


def _wide_gap(here: Position) -> int | None:
    """Return which of the treating visits stands before the first gap that is too wide."""
    for index, (before, after) in enumerate(pairwise(treating(here.booking.sessions))):
        if after in here.ahead and not _fits(here, before.slot, after.slot):
            return index
    return None


def _in_order(
    before: Iterable[BookedSession], wanted: dict[str, BookedSession]
) -> Iterable[MoveAppointment]:
    """Yield the moves so that each visit makes room before its neighbour comes."""
    pairs = [(each, wanted[each.uid]) for each in before]
    later = [new for old, new in pairs if new.slot > old.slot]
    sooner = [new for old, new in pairs if new.slot <= old.slot]
    for each in (*reversed(later), *sooner):
        yield MoveAppointment(each.uid, each.slot)
