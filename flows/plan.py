"""The session plan: how many, how far apart, when, and what to expect of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flows.protocol import Spacing


@dataclass(frozen=True, slots=True)
class Plan:
    """A proposed course of sessions, in the clinic's local days."""

    sessions: int
    at_least: int
    at_most: int
    spacing: Spacing
    downtime_days: tuple[int, int]  # redness, from-to
    minor_days: int
    starts_on: date  # earliest day of the first session
    proposed_on: tuple[date, ...]  # one preferred day a session
    review_on: date  # the result is judged on or after this day
    refresher_on: date  # a yearly look may be offered from this day
    event_on: date | None = None
    before_event: int | None = None  # sessions that can be done, and healed, before the event
    avoid: tuple[tuple[date, date], ...] = ()  # no session on these days, inclusive
    weekdays: frozenset[int] | None = None  # allowed weekdays (0 = Monday) for short downtime
    notes: tuple[str, ...] = ()  # keys `plan.note.<id>` of the catalogue, in reading order
