"""Histories of patients to decide nudges from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from flows.follow_up import Course, History, NudgeKind, Sent, Silence, Visit, VisitState
from flows.nudges import Nudge, next_nudge
from flows.protocol import Spacing

LONDON = "Europe/London"
SPACING = Spacing(28, 28, 42)
COURSE = Course("s1", 4, SPACING, review_weeks=12, refresher_months=12)

#: A Thursday in winter, one in the afternoon in London.
VISIT_AT = datetime(2026, 1, 15, 13, 0, tzinfo=UTC)


def a_visit(at: datetime = VISIT_AT, number: int = 1, **changes: Any) -> Visit:
    """Return an hour's treatment, booked."""
    visit = Visit(f"s1-{number}", "s1", number, at, at + timedelta(hours=1), VisitState.BOOKED)
    return replace(visit, **changes)


def a_series(count: int = 4, **changes: Any) -> tuple[Visit, ...]:
    """Return treatments four weeks apart."""
    return tuple(a_visit(VISIT_AT + timedelta(weeks=4 * n), n + 1, **changes) for n in range(count))


def a_history(*visits: Visit, **changes: Any) -> History:
    """Return the history of a patient of a London clinic with these visits."""
    course = COURSE if visits else None
    return replace(History(LONDON, visits=visits, course=course), **changes)


def played(history: History, now: datetime, until: datetime) -> list[Nudge]:
    """Send every nudge at its time to a patient who never writes; return them in order."""
    sent: list[Nudge] = []
    while True:
        nudge = next_nudge(history, now)
        if nudge is None or nudge.due_at > until:
            return sent
        sent.append(nudge)
        now = nudge.due_at
        note = Sent(nudge.kind, nudge.ref, now)
        history = replace(history, sent=(*history.sent, note))


_START = datetime(2026, 1, 1, tzinfo=UTC)
_MOMENTS = st.integers(0, 600 * 24 * 4).map(lambda n: _START + timedelta(minutes=15 * n))
_MAYBE = st.none() | _MOMENTS
_KINDS = st.sampled_from(NudgeKind)


@st.composite
def _visits(draw: st.DrawFn) -> tuple[Visit, ...]:
    starts = draw(st.lists(_MOMENTS, max_size=5, unique=True).map(sorted))
    return tuple(
        Visit(
            uid=f"v{index}",
            series_id=draw(st.sampled_from(["s1", "s1", "s2"])),
            number=draw(st.integers(1, 6)),
            starts_at=at,
            ends_at=at + timedelta(hours=1),
            state=draw(st.sampled_from(VisitState)),
            version=draw(st.integers(0, 2)),
            is_treatment=draw(st.booleans()),
            is_confirmed=draw(st.booleans()),
            is_paused=draw(st.booleans()),
            chosen_at=draw(_MAYBE),
            screened_at=draw(_MAYBE),
        )
        for index, at in enumerate(starts)
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw any history, also ones that no patient could have."""
    return History(
        zone=draw(st.sampled_from([LONDON, "America/New_York", "Australia/Lord_Howe", "UTC"])),
        silences=frozenset(draw(st.lists(st.sampled_from(Silence), max_size=1))),
        stopped_kinds=frozenset(draw(st.lists(_KINDS, max_size=2))),
        is_open=draw(st.booleans()),
        last_step_at=draw(_MAYBE),
        cancelled_at=draw(_MAYBE),
        recheck_on=draw(st.none() | _MOMENTS.map(lambda at: at.date())),
        hold_until=draw(_MAYBE),
        visits=draw(_visits()),
        course=draw(st.none() | st.just(COURSE)),
        sent=tuple(draw(st.lists(st.builds(Sent, _KINDS, st.just("run:1"), _MOMENTS), max_size=2))),
        last_wrote_at=draw(_MAYBE),
    )


moments = _MOMENTS
