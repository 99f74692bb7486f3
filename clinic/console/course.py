"""A course of sessions as stops on a line: what is planned, and what is booked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from flows.plan import Plan
from storage.lead_records import SessionRecord

_STANDING = ("held", "pending", "booked", "arrived", "fulfilled")
_TREATMENT = "treatment"

STEP = 108  # units of the drawing between two stops


@dataclass(frozen=True, slots=True)
class Stop:
    """One day on the line."""

    kind: str  # session, event, review or refresher
    mark: str  # what stands in the stop: a session's number, or nothing
    name: str
    on: date
    state: str  # of the session's appointment; empty: only planned
    at: int  # place along the line
    gap: str  # how long after the stop before; empty for the first


def stops(plan: Plan, sessions: Sequence[SessionRecord], zone: str) -> tuple[Stop, ...]:
    """Return the course's stops in the order of their days; a booked day replaces a planned one."""
    here = ZoneInfo(zone)
    booked = {
        each.number: (each.starts_at.astimezone(here).date(), each.state)
        for each in sessions
        if each.state in _STANDING and each.service == _TREATMENT
    }
    found = []
    for number, planned_on in enumerate(plan.proposed_on, start=1):
        on, state = booked.get(number, (planned_on, ""))
        found.append(("session", str(number), f"Session {number}", on, state))
    if plan.event_on is not None:
        found.append(("event", "", "Their event", plan.event_on, ""))
    found.append(("review", "", "Result is judged", plan.review_on, ""))
    found.append(("refresher", "", "Yearly look", plan.refresher_on, ""))
    found.sort(key=lambda each: each[3])
    return tuple(
        Stop(*each, STEP // 2 + index * STEP, _gap(found[index - 1][3], each[3]) if index else "")
        for index, each in enumerate(found)
    )


def _gap(before: date, after: date) -> str:
    days = (after - before).days
    if days >= 60:
        return f"{round(days / 30.4)} months"
    weeks, odd = divmod(days, 7)
    return f"{days} days" if odd or not weeks else f"{weeks} week{'s' if weeks > 1 else ''}"
