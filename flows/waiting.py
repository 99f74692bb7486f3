"""Waiting for something earlier: asking for it, and answering an offer that came. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flows import continuing, mending
from flows.conversation import BookedSession
from flows.effects import DeclineOffer, JoinWaitlist, LeaveWaitlist, MoveAppointment
from flows.follow_up import TREATING, History, Visit
from flows.position import Position
from flows.protocol import Spacing
from flows.slots import EPOCH, Slot, local_start
from flows.turn import Turn

_MINUTE = timedelta(minutes=1)
_REF = re.compile(r"w:(\d{1,2}):(\d{1,9}):(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Offered:
    """A freed time that one patient is asked about until an instant."""

    number: int  # of the session that would come earlier
    starts_at: datetime  # aware UTC, whole minutes
    until_at: datetime  # aware UTC, whole minutes

    @property
    def ref(self) -> str:
        """Name the offer in few letters, for a button that holds 64 bytes."""
        starts, until = ((at - EPOCH) // _MINUTE for at in (self.starts_at, self.until_at))
        return f"w:{self.number}:{starts}:{until}"


def read(ref: str) -> Offered | None:
    """Return the offer that a reference names; None when it names none."""
    found = _REF.fullmatch(ref)
    if found is None:
        return None
    starts, until = (EPOCH + int(minutes) * _MINUTE for minutes in found.groups()[1:])
    return Offered(int(found[1]), starts, until)


def join(here: Position) -> Turn:
    """Be told when something earlier than the next visit frees up."""
    if not here.ahead:
        return Turn(here.conversation, notes=(here.note("note.nothing_to_move"),))
    uid = here.ahead[0].uid
    there = here.with_booking(waiting=uid)
    notes = (here.note("note.waiting"),)
    return Turn(there.conversation, effects=(JoinWaitlist(uid),), notes=notes)


def leave(here: Position) -> Turn:
    """Be told no more."""
    uid = here.booking.waiting
    effects = (LeaveWaitlist(uid),) if uid else ()
    there = here.with_booking(waiting=None)
    return Turn(there.conversation, effects=effects, notes=(here.note("note.not_waiting"),))


def accept(here: Position, ref: str) -> Turn:
    """Take the earlier time; whether it is still offered and keeps the gaps, storage knows."""
    offered = read(ref)
    visit = _visit(here, offered)
    if offered is None or visit is None or not _may_take(here, offered, visit):
        return Turn(here.conversation, notes=(here.note("note.offer_over"),))
    there = continuing.at_visits(here)
    slot = _slot(visit, offered.starts_at)
    moved = replace(visit, slot=slot, sequence=visit.sequence + 1, is_coming=False)
    sessions = tuple(moved if each is visit else each for each in there.booking.sessions)
    there = there.with_booking(sessions=sessions, waiting=None)
    return Turn(
        there.conversation,
        effects=(*continuing.let_go(here), MoveAppointment(visit.uid, slot, is_offered=True)),
        notes=(here.note("note.moved"),),
        files=("calendar",),
    )


def decline(here: Position, ref: str) -> Turn:
    """Keep the visit; the time goes to the next who waits, and the waiting goes on."""
    visit = _visit(here, read(ref))
    effects = (DeclineOffer(visit.uid),) if visit else ()
    return Turn(here.conversation, effects=effects, notes=(here.note("note.offer_declined"),))


def fits(spacing: Spacing, zone: str, before: Slot | None, slot: Slot, after: Slot | None) -> bool:
    """Say whether a time keeps the gaps to the visits before and after it."""
    start = local_start(slot, zone)
    if before is not None and not mending.keeps_gap(spacing, local_start(before, zone), start):
        return False
    return after is None or mending.keeps_gap(spacing, start, local_start(after, zone))


def treating_sessions(history: History, series_id: str) -> tuple[Visit, ...]:
    """Return the sessions of a series from which gaps count, in order of time.

    Those that took place or are to, requests too; nobody was treated at a missed one.
    """
    found = (
        visit
        for visit in history.visits
        if visit.series_id == series_id and visit.is_treatment and visit.state in TREATING
    )
    return tuple(sorted(found, key=lambda visit: visit.starts_at))


def _visit(here: Position, offered: Offered | None) -> BookedSession | None:
    number = offered.number if offered else 0
    return next((each for each in here.ahead if each.number == number), None)


def _may_take(here: Position, offered: Offered, visit: BookedSession) -> bool:
    now = here.scene.now
    if here.conversation.red_flag or now > offered.until_at:
        return False
    return now < offered.starts_at < visit.slot.starts_at


def _slot(visit: BookedSession, starts_at: datetime) -> Slot:
    lasts = visit.slot.ends_at - visit.slot.starts_at
    return Slot(starts_at, starts_at + lasts, visit.slot.practitioner)
