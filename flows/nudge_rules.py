"""What a history calls for: one function for each thing that can lie ahead of a patient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flows.follow_up import TREATING, Course, History, NudgeKind, Visit, VisitState
from flows.plan import months_after
from flows.quiet_hours import APART, NIGHT, local_instant

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)

#: A time of day at which a message is welcome, on the clinic's clock.
_MORNING, _LATE_AFTERNOON, _EVENING = time(10), time(17), time(19)


#: What reminds of a visit in the two days before it.
_REMINDS = frozenset({NudgeKind.REMINDER, NudgeKind.PREPARE_DAY})


@dataclass(frozen=True, slots=True)
class Nudge:
    """One message that could be sent. Times are aware UTC."""

    kind: NudgeKind
    ref: str  # what it is about, and which version of it: it is said once
    due_at: datetime
    not_after: datetime  # later it is worth nothing
    uid: str = ""  # the appointment it is about, if any


def candidates(history: History) -> Iterator[Nudge]:
    """Yield what the history calls for: said before or not, held back or not, whatever manners."""
    yield from _unfinished(history)
    yield from _hold(history)
    yield from _recheck(history)
    for visit in history.visits:
        yield from _before(history, visit)
        yield from _after(history, visit)
        yield from _missed(history, visit)
    if history.course is not None:
        yield from _course(history, history.course)


def _unfinished(history: History) -> Iterator[Nudge]:
    """Twice, then never. Not after a cancellation: whoever cancels has decided."""
    since = history.last_step_at
    if not history.is_open or since is None or history.cancelled_at is not None:
        return
    if history.hold_until is not None or any(visit.is_kept for visit in history.visits):
        return
    for kind, after_for, late_for in (
        (NudgeKind.UNFINISHED_SOON, 20 * _HOUR, _DAY),
        (NudgeKind.UNFINISHED_LATER, 3 * _DAY, 2 * _DAY),
    ):
        due_at = since + after_for
        yield Nudge(kind, f"run:{history.run}", due_at, due_at + late_for)


def _hold(history: History) -> Iterator[Nudge]:
    until = history.hold_until
    if until is not None:
        yield Nudge(
            NudgeKind.HOLD_ENDS,
            f"hold:{int(until.timestamp())}",
            until - timedelta(minutes=3),
            until - timedelta(seconds=45),
        )


def _recheck(history: History) -> Iterator[Nudge]:
    if history.recheck_on is not None and history.cancelled_at is None:
        # Whoever has to wait once more in the same run is asked once more, on the new day.
        ref = f"run:{history.run}:{history.recheck_on.isoformat()}"
        yield _on_day(history, NudgeKind.RECHECK, ref, history.recheck_on, 30 * _DAY)


def _before(history: History, visit: Visit) -> Iterator[Nudge]:
    """What should have been said before the time was fixed is not made up for.

    But the safety check is, unless the verdict was fresh then: nobody comes without having been
    asked. It may come until an hour before the visit, and nothing within an hour of the fixing.
    """
    if visit.state is not VisitState.BOOKED:
        return
    chosen_at = visit.chosen_at
    for nudge in _reminders(history, visit):
        if chosen_at is None:
            yield nudge
        elif nudge.due_at > chosen_at:
            yield replace(nudge, due_at=max(nudge.due_at, chosen_at + _HOUR))
        elif nudge.kind is NudgeKind.REMINDER and not visit.was_screened_lately:
            yield _about(visit, nudge.kind, chosen_at + _HOUR, visit.starts_at - _HOUR)


def _reminders(history: History, visit: Visit) -> Iterator[Nudge]:
    starts_at = visit.starts_at
    if visit.is_treatment:
        yield _about(visit, NudgeKind.PREPARE_WEEK, starts_at - 7 * _DAY, starts_at - 4 * _DAY)
        yield _about(visit, NudgeKind.PREPARE_DAY, starts_at - _DAY, starts_at - 8 * _HOUR)
    yield _about(visit, NudgeKind.REMINDER, starts_at - 2 * _DAY, starts_at - 26 * _HOUR)
    # Who has said that they will come needs no third reminder.
    if not visit.is_confirmed and not _would_delay_aftercare(history, visit):
        yield _about(visit, NudgeKind.TODAY, starts_at - 3 * _HOUR, starts_at - _HOUR)


def _would_delay_aftercare(history: History, visit: Visit) -> bool:
    """Say whether a reminder on the day, on top of another, would put the after-care off a day."""
    is_reminded = any(each.ref == visit.ref and each.kind in _REMINDS for each in history.sent)
    if not visit.is_treatment or not is_reminded:
        return False
    today_at = NIGHT.over(visit.starts_at - 3 * _HOUR, history.zone)
    alone_at = NIGHT.over(_evening(history, visit), history.zone)
    both_at = NIGHT.over(max(alone_at, today_at + APART), history.zone)
    return _local_day(both_at, history.zone) > _local_day(alone_at, history.zone)


def _evening(history: History, visit: Visit) -> datetime:
    on = _local_day(visit.ends_at, history.zone)
    return max(local_instant(on, _EVENING, history.zone), visit.ends_at + _HOUR)


def _after(history: History, visit: Visit) -> Iterator[Nudge]:
    if not visit.is_treatment or not visit.is_kept:
        return
    on, zone = _local_day(visit.ends_at, history.zone), history.zone
    # The next morning is better than not at all: who came late in the day sleeps first.
    noon = local_instant(on + _DAY, time(12), zone)
    yield _about(visit, NudgeKind.AFTERCARE, _evening(history, visit), noon)
    for kind, days in ((NudgeKind.CHECK_IN_FIRST, 1), (NudgeKind.CHECK_IN_SECOND, 3)):
        due_at = local_instant(on + days * _DAY, _LATE_AFTERNOON, zone)
        yield _about(visit, kind, due_at, due_at + 20 * _HOUR)


def _missed(history: History, visit: Visit) -> Iterator[Nudge]:
    if not visit.is_missed or _is_made_up_for(history, visit):
        return
    on = _local_day(visit.starts_at, history.zone) + _DAY
    due_at = local_instant(on, _MORNING, history.zone)
    yield _about(visit, NudgeKind.MISSED, due_at, due_at + 4 * _DAY)


def _is_made_up_for(history: History, missed: Visit) -> bool:
    """Say whether it has a new time, or its course has all its times."""
    stand = [each for each in history.visits if each.state in TREATING]
    if not missed.is_treatment:  # a new consultation is a series of its own
        return any(each.starts_at > missed.starts_at for each in stand)
    own = [each for each in stand if each.series_id == missed.series_id]
    if any(each.number == missed.number for each in own):
        return True
    course = history.course
    if course is None or course.series_id != missed.series_id:
        return False
    return len(own) >= course.sessions


def _course(history: History, course: Course) -> Iterator[Nudge]:
    done = list(history.treatments(course))
    if not done:
        return
    last = done[-1]
    on, ref = _local_day(last.ends_at, history.zone), f"series:{course.series_id}"
    if history.end_of(course) is None:
        yield from _next_session(history, course, last, on)
        return
    yield _on_day(
        history, NudgeKind.SERIES_REVIEW, ref, on + course.review_weeks * 7 * _DAY, 28 * _DAY
    )
    again_on = months_after(on, course.refresher_months)
    if history.declined == course.series_id:
        return
    if not any(visit.starts_at > last.ends_at and visit.is_kept for visit in history.visits):
        yield _on_day(history, NudgeKind.REFRESHER, ref, again_on, 60 * _DAY)


def _next_session(history: History, course: Course, last: Visit, on: date) -> Iterator[Nudge]:
    """The next session has no time yet: say so a week before it may take place.

    Not when it was missed: then the word about that says it.
    """
    if history.cancelled_at is not None and history.cancelled_at > last.ends_at:
        return
    of_course = (visit for visit in history.visits if visit.series_id == course.series_id)
    if any(each.is_missed and each.starts_at > last.ends_at for each in of_course):
        return
    if any(visit.starts_at > last.ends_at and visit.is_expected for visit in history.visits):
        return
    earliest_on = on + course.spacing.min_days * _DAY
    ref = f"series:{course.series_id}:{last.number + 1}"
    late_for = (course.spacing.max_days - course.spacing.min_days + 7) * _DAY
    yield _on_day(history, NudgeKind.NEXT_SESSION, ref, earliest_on - 7 * _DAY, late_for)


def _about(visit: Visit, kind: NudgeKind, due_at: datetime, not_after: datetime) -> Nudge:
    return Nudge(kind, visit.ref, due_at, not_after, visit.uid)


def _on_day(history: History, kind: NudgeKind, ref: str, on: date, late_for: timedelta) -> Nudge:
    due_at = local_instant(on, _MORNING, history.zone)
    return Nudge(kind, ref, due_at, due_at + late_for)


def _local_day(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()
