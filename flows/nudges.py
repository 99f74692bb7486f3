"""Which word the patient gets next, if any: pure decisions over a history.

Every nudge has a cause, a time, an end, and stops. What is possible comes from `flows.nudge_rules`;
here the manners are kept: quiet hours, one automatic message in twelve hours unless the patient
wrote, nothing twice, nothing after a stop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from flows.follow_up import History, NudgeKind
from flows.nudge_rules import Nudge, candidates
from flows.quiet_hours import APART, NIGHT, QuietHours

#: So long after the patient's last word nothing comes by itself.
_CALM = timedelta(hours=1)


class Standing(StrEnum):
    """What became of a nudge, or will."""

    WAITING = "waiting"
    SENT = "sent"
    SILENT = "silent"  # nothing at all may be said to this patient
    PAUSED = "paused"  # something changed before this visit, and the clinic has not looked yet
    UNWANTED = "unwanted"  # the patient stopped messages of this kind
    MISSED = "missed"  # its time passed before it could be sent


@dataclass(frozen=True, slots=True)
class Outlook:
    """One nudge of a history and how it stands; `why` is a `Silence` or empty."""

    nudge: Nudge
    standing: Standing
    why: str = ""


def next_nudge(history: History, now: datetime, quiet: QuietHours = NIGHT) -> Nudge | None:
    """Return the one message to send next, with `due_at` at or after `now`; None when nothing is.

    It is to be sent when `due_at` has come, and to be decided anew whenever something happened.
    """
    waiting = (
        each.nudge for each in outlook(history, now, quiet) if each.standing is Standing.WAITING
    )
    return min(waiting, key=_order, default=None)


def outlook(history: History, now: datetime, quiet: QuietHours = NIGHT) -> tuple[Outlook, ...]:
    """Return every nudge that the history calls for and how each stands, in order of time."""
    found = (_standing(history, nudge, now, quiet) for nudge in candidates(history))
    return tuple(sorted(found, key=lambda each: _order(each.nudge)))


def last_look(history: History, kind: str, ref: str, uid: str) -> Standing:
    """Return how a message stands that was made before and is about to be sent.

    WAITING: it is still called for and wanted; MISSED: what it was about is no longer so.
    """
    if history.silences:
        return Standing.SILENT
    if history.holds_back(uid):
        return Standing.PAUSED
    if kind in history.stopped_kinds:
        return Standing.UNWANTED
    # Who is offered an earlier time is chosen by who waits; no history calls for that.
    is_so = kind == NudgeKind.WAITLIST_OFFER or any(
        each.kind == kind and each.ref == ref for each in candidates(history)
    )
    return Standing.WAITING if is_so else Standing.MISSED


def _standing(history: History, nudge: Nudge, now: datetime, quiet: QuietHours) -> Outlook:
    if history.was_sent(nudge.kind, nudge.ref):
        return Outlook(nudge, Standing.SENT)
    if history.silences:
        return Outlook(nudge, Standing.SILENT, min(history.silences))
    if history.holds_back(nudge.uid):
        return Outlook(nudge, Standing.PAUSED)
    if nudge.kind in history.stopped_kinds:
        return Outlook(nudge, Standing.UNWANTED)
    due_at = _polite(history, nudge.kind, max(nudge.due_at, now), quiet)
    if due_at > nudge.not_after:
        return Outlook(nudge, Standing.MISSED)
    return Outlook(replace(nudge, due_at=due_at), Standing.WAITING)


def _polite(history: History, kind: NudgeKind, at: datetime, quiet: QuietHours) -> datetime:
    """Return the first moment from `at` on that is neither quiet nor too soon after another.

    Nor does anybody talk into a conversation; only the end of a hold cannot wait.
    """
    last, wrote = max((each.at for each in history.sent), default=None), history.last_wrote_at
    if last is not None and not (wrote and wrote > last):
        at = max(at, last + APART)
    if wrote is not None and kind is not NudgeKind.HOLD_ENDS:
        at = max(at, wrote + _CALM) if wrote <= at else at
    return quiet.over(at, history.zone)


def _order(nudge: Nudge) -> tuple[datetime, bool, datetime, str]:
    """Of two that are due together, the safety check, else the one whose time ends first."""
    return nudge.due_at, nudge.kind is not NudgeKind.REMINDER, nudge.not_after, nudge.ref
