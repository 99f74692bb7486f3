"""The session plan: how many, how far apart, when, and what to expect of it."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import chain

from flows.conversation import Answer
from flows.eligibility import Verdict
from flows.protocol import Outcome, PlanRow, Protocol, Spacing

#: Thursday to Saturday: the redness of the days after a session falls on the weekend.
WEEKEND_SESSIONS = frozenset({3, 4, 5})

_DAY = timedelta(days=1)
_WEEK = timedelta(weeks=1)

_OPENING_NOTES = (
    "sessions_by_depth",
    "spacing",
    "first_change",
    "judged",
    "no_promise",
    "downtime",
)

#: What one answer adds, in reading order: (step, option, note).
_TIMING_NOTES = (
    ("timing", "later", "no_rush"),
    ("event_on", "unsure", "event_unsure"),
)
_DOWNTIME_NOTES = (
    ("downtime_ok", "weekend", "downtime_weekend"),
    ("downtime_ok", "one_day", "downtime_one_day"),
    ("downtime_ok", "none", "downtime_none"),
)
_LASER_NOTES = (
    ("goal", "perfect", "laser"),
    *((step, option, "laser") for step, option, _ in _DOWNTIME_NOTES),
)
_CLOSING_NOTES = (
    ("series_ok", "maybe", "one_at_a_time"),
    ("series_ok", "no", "one_at_a_time"),
    ("goal", "perfect", "goal_perfect"),
    ("goal", "pores", "goal_pores"),
    ("goal", "texture", "goal_texture"),
    ("goal", "lift", "goal_lift"),
    ("goal", "wrinkles", "goal_wrinkles"),
    ("goal", "stretch_marks", "goal_stretch_marks"),
    ("today", "new_scars", "new_scars"),
)

#: The question that is answered with a day; the plan keeps clear of it.
EVENT = "event_on"

#: Step -> options that a plan is made from, by their names: each protocol must have them.
READS: Mapping[str, frozenset[str]] = {
    step: frozenset(
        option
        for name, option, _ in (*_TIMING_NOTES, *_DOWNTIME_NOTES, *_LASER_NOTES, *_CLOSING_NOTES)
        if name == step
    )
    for step in ("timing", EVENT, "downtime_ok", "goal", "series_ok", "today")
}


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


@dataclass(frozen=True, slots=True)
class _Limits:
    """Days on which a session may fall."""

    weekdays: frozenset[int] | None
    avoid: tuple[tuple[date, date], ...]

    def allow(self, day: date) -> bool:
        if self.weekdays is not None and day.weekday() not in self.weekdays:
            return False
        return not any(first <= day <= last for first, last in self.avoid)

    def first_from(self, day: date) -> date:
        while not self.allow(day):
            day += _DAY
        return day


def propose(
    protocol: Protocol, answers: Mapping[str, Answer], verdict: Verdict, today: date
) -> Plan | None:
    """Return a plan for relevant answers as of one local day; None unless eligible and graded.

    The days are a wish: `flows.series` finds real times near them, within the same limits.
    """
    row = protocol.plan_rows.get(verdict.grade or 0)
    if verdict.outcome is not Outcome.ELIGIBLE or row is None:
        return None
    event_on = _event(answers, today)
    wanted = _Limits(_weekdays(answers), _avoid(protocol, event_on))
    days, limits = _days(protocol.spacing, row, wanted, today + _DAY)
    review_on = days[-1] + protocol.review_weeks * _WEEK
    before_event = _before(event_on, days, protocol.spacing, limits)
    return Plan(
        sessions=row.sessions,
        at_least=row.at_least,
        at_most=row.at_most,
        spacing=protocol.spacing,
        downtime_days=protocol.downtime_days,
        minor_days=protocol.minor_days,
        starts_on=event_on + _DAY if event_on and not before_event else today + _DAY,
        proposed_on=days,
        review_on=review_on,
        refresher_on=months_after(days[-1], protocol.refresher_months),
        event_on=event_on,
        before_event=before_event,
        avoid=limits.avoid,
        weekdays=limits.weekdays,
        notes=tuple(
            f"plan.note.{note}"
            for note in (
                *_OPENING_NOTES,
                *_event_notes(event_on, before_event, row, review_on),
                *_answer_notes(answers, _TIMING_NOTES),
                *_downtime_notes(answers, limits),
                *_answer_notes(answers, _LASER_NOTES),
                "refresher",
                *_answer_notes(answers, _CLOSING_NOTES),
            )
        ),
    )


def rest(plan: Plan, done: int, last_on: date, today: date) -> Plan | None:
    """Return what is left of a course after `done` sessions, the last on `last_on`; None: nothing.

    The next session is never sooner than the spacing allows.
    """
    left = plan.sessions - done
    if left <= 0:
        return None
    starts_on = max(today, last_on + plan.spacing.min_days * _DAY)
    return _of(plan, left, starts_on, ("plan.note.spacing",))


def refresher(plan: Plan) -> Plan:
    """Return the plan of a yearly look: one session, when the patient likes."""
    return _of(plan, 1, plan.starts_on, ("plan.note.refresher",))


def _of(plan: Plan, sessions: int, starts_on: date, notes: tuple[str, ...]) -> Plan:
    step = plan.spacing.preferred_days * _DAY
    days = tuple(starts_on + number * step for number in range(sessions))
    moved_for = days[-1] - plan.proposed_on[-1]
    return replace(
        plan,
        sessions=sessions,
        at_least=min(plan.at_least, sessions),
        at_most=sessions,
        starts_on=starts_on,
        proposed_on=days,
        review_on=plan.review_on + moved_for,
        refresher_on=plan.refresher_on + moved_for,
        notes=notes,
    )


def note_values(plan: Plan) -> dict[str, int | date]:
    """Return the values that the placeholders of `plan.*` texts may name.

    Dates stay dates, for the reader's locale. `event_on` and `before_event` are there only when
    the plan knows of an event, and only `event_*` notes name them.
    """
    values: dict[str, int | date] = {
        "sessions": plan.sessions,
        "at_least": plan.at_least,
        "at_most": plan.at_most,
        "weeks": plan.spacing.min_days // 7,
        "downtime_from": plan.downtime_days[0],
        "downtime_to": plan.downtime_days[1],
        "minor_days": plan.minor_days,
        "review_weeks": (plan.review_on - plan.proposed_on[-1]).days // 7,
        "review_on": plan.review_on,
        "refresher_on": plan.refresher_on,
    }
    if plan.event_on is not None and plan.before_event is not None:
        values |= {"event_on": plan.event_on, "before_event": plan.before_event}
    return values


def _event(answers: Mapping[str, Answer], today: date) -> date | None:
    answer = answers.get(EVENT)
    return answer.on if answer and answer.on and answer.on > today else None


def _avoid(protocol: Protocol, event_on: date | None) -> tuple[tuple[date, date], ...]:
    if event_on is None:
        return ()
    healing = max(protocol.minor_days, protocol.downtime_days[1])
    return ((event_on - healing * _DAY, event_on),)


def _weekdays(answers: Mapping[str, Answer]) -> frozenset[int] | None:
    short = _has(answers, "downtime_ok", "weekend") or _has(answers, "downtime_ok", "one_day")
    return WEEKEND_SESSIONS if short else None


def _days(
    spacing: Spacing, row: PlanRow, wanted: _Limits, earliest: date
) -> tuple[tuple[date, ...], _Limits]:
    """Return a day for every session, and the limits that could be kept.

    A clinic may set a spacing so tight that no gap clears the event or meets a weekday: then the
    course waits for the event to pass, and at last gives up the weekdays.
    """
    for limits in (wanted, _Limits(None, wanted.avoid)):
        for start in chain([earliest], (last + _DAY for _, last in wanted.avoid)):
            days = _series(limits.first_from(start), row.sessions, spacing, limits)
            if len(days) == row.sessions:
                return days, limits
    raise ValueError(f"spacing.preferred_days must lie within min_days and max_days, got {spacing}")


def _series(first: date, sessions: int, spacing: Spacing, limits: _Limits) -> tuple[date, ...]:
    """Return days for as many sessions as the limits let follow each other."""
    days = [first]
    while len(days) < sessions:
        gaps = [
            gap
            for gap in range(spacing.min_days, spacing.max_days + 1)
            if limits.allow(days[-1] + gap * _DAY)
        ]
        if not gaps:
            break
        # Of two gaps as near to the preferred one, the longer gives the skin more time.
        gap = min(gaps, key=lambda gap: (abs(gap - spacing.preferred_days), -gap))
        days.append(days[-1] + gap * _DAY)
    return tuple(days)


def _before(
    event_on: date | None, days: tuple[date, ...], spacing: Spacing, limits: _Limits
) -> int | None:
    """Count the sessions that fit before the event when they follow as closely as they may."""
    if event_on is None:
        return None
    fitting = 0
    day = days[0]
    while day < event_on and fitting < len(days):
        fitting += 1
        day = limits.first_from(day + spacing.min_days * _DAY)
    return fitting


def _event_notes(
    event_on: date | None, before_event: int | None, row: PlanRow, review_on: date
) -> Iterator[str]:
    if event_on is None:
        return
    if before_event == 0:
        yield "event_after"
    elif before_event != row.sessions:
        yield "event_one" if before_event == 1 else "event_some"
    else:
        yield "event_settled" if review_on <= event_on else "event_all"


def _downtime_notes(answers: Mapping[str, Answer], limits: _Limits) -> tuple[str, ...]:
    if limits.weekdays != _weekdays(answers):
        return ("downtime_none",)
    return _answer_notes(answers, _DOWNTIME_NOTES)


def _answer_notes(
    answers: Mapping[str, Answer], table: tuple[tuple[str, str, str], ...]
) -> tuple[str, ...]:
    return tuple(dict.fromkeys(note for step, option, note in table if _has(answers, step, option)))


def _has(answers: Mapping[str, Answer], step: str, option: str) -> bool:
    return step in answers and option in answers[step].codes


def months_after(day: date, months: int) -> date:
    """Return the same day so many months later: the last of the month where it has no such day."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))
