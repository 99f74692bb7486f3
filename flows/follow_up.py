"""What is known of one patient after the chat, as a value: the ground every nudge stands on.

`storage.histories` loads it; `flows.nudges` decides from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from flows.protocol import Spacing


class NudgeKind(StrEnum):
    """A friendly word that nobody asked for. Its text is `nudge.<kind>` of the catalogue."""

    UNFINISHED_SOON = "unfinished_soon"
    UNFINISHED_LATER = "unfinished_later"
    HOLD_ENDS = "hold_ends"
    PREPARE_WEEK = "prepare_week"
    REMINDER = "reminder"  # two days before, with confirm, move and a short safety check
    PREPARE_DAY = "prepare_day"
    TODAY = "today"  # three hours before
    AFTERCARE = "aftercare"
    CHECK_IN_FIRST = "check_in_first"
    CHECK_IN_SECOND = "check_in_second"
    MISSED = "missed"
    NEXT_SESSION = "next_session"
    SERIES_REVIEW = "series_review"
    RECHECK = "recheck"
    REFRESHER = "refresher"
    WAITLIST_OFFER = "waitlist_offer"  # a freed time that is earlier than the visit


class VisitState(StrEnum):
    """The states of an appointment that say something about the patient's course."""

    HELD = "held"
    PENDING = "pending"
    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NOSHOW = "noshow"


#: Whoever rates the result so, or lower, may need somebody to talk to.
LOW_RATING = 2

#: So long a verdict needs no second look at what is new.
_FRESH_FOR = timedelta(days=2)

_KEPT = frozenset({VisitState.BOOKED, VisitState.ARRIVED, VisitState.FULFILLED})

#: Sessions that count for gaps and for a course: what was missed or cancelled treated nobody.
TREATING = _KEPT | {VisitState.PENDING}


@dataclass(frozen=True, slots=True)
class Visit:
    """One appointment of the patient."""

    uid: str
    series_id: str
    number: int  # 1-based within the series
    starts_at: datetime  # aware UTC
    ends_at: datetime  # aware UTC
    state: VisitState
    version: int = 0  # grows with every move: what was said of an older time counts no more
    is_treatment: bool = True  # False: a consultation
    is_confirmed: bool = False  # the patient said that they will come
    is_paused: bool = False  # a safety answer stopped this one until the clinic has looked
    chosen_at: datetime | None = None  # when this time was fixed
    screened_at: datetime | None = None  # the verdict that it was booked with

    @property
    def is_kept(self) -> bool:
        """Say whether the visit takes place, or took place. Not every clinic marks who came."""
        return self.state in _KEPT

    @property
    def is_expected(self) -> bool:
        """Say whether the time stands, or waits for an answer of the patient's or the clinic's."""
        return self.is_kept or self.state in (VisitState.HELD, VisitState.PENDING)

    @property
    def is_missed(self) -> bool:
        """Say whether the patient did not come."""
        return self.state is VisitState.NOSHOW

    @property
    def waits_for_a_look(self) -> bool:
        """Say whether something changed that nobody has looked at: who came has been seen."""
        return self.is_paused and self.state in (VisitState.PENDING, VisitState.BOOKED)

    @property
    def was_screened_lately(self) -> bool:
        """Say whether the time was fixed soon after the patient answered the safety questions."""
        if self.chosen_at is None or self.screened_at is None:
            return False
        return self.chosen_at - self.screened_at <= _FRESH_FOR

    @property
    def ref(self) -> str:
        """Name this time of this visit; a moved visit is spoken of anew."""
        return f"{self.uid}:{self.version}"


@dataclass(frozen=True, slots=True)
class Course:
    """What the patient's last plan says about the time after it was made."""

    series_id: str
    sessions: int
    spacing: Spacing
    review_weeks: int
    refresher_months: int


@dataclass(frozen=True, slots=True)
class Sent:
    """An automatic message that went out."""

    kind: str  # a NudgeKind, or another automatic message's name
    ref: str
    at: datetime


class Silence(StrEnum):
    """Why nothing at all may be said of one's own accord."""

    STOPPED = "stopped"  # the patient wants no messages
    UNREACHABLE = "unreachable"  # blocked, or the chat is gone
    PAUSED = "paused"  # staff wait with this patient
    RED_FLAG = "red_flag"
    WITHDRAWN = "withdrawn"  # consent was taken back, or never given


@dataclass(frozen=True, slots=True)
class History:
    """One patient's story as far as messages are concerned. Times are aware UTC."""

    zone: str  # IANA name of the clinic's zone
    run: int = 1
    silences: frozenset[Silence] = frozenset()
    stopped_kinds: frozenset[NudgeKind] = frozenset()
    is_open: bool = False  # a question, or offered times, wait for the patient
    last_step_at: datetime | None = None  # when the patient last did something in the chat
    cancelled_at: datetime | None = None  # the patient took a booking back in this run
    recheck_on: date | None = None  # the verdict is `deferred` until this local day
    hold_until: datetime | None = None
    visits: tuple[Visit, ...] = ()
    course: Course | None = None
    sent: tuple[Sent, ...] = ()
    last_wrote_at: datetime | None = None  # any message or tap of the patient
    unhappy_at: datetime | None = None  # rated the result low, and nobody has called since
    declined: str = ""  # the series after which the patient said no to a yearly look

    def treatments(self, course: Course) -> Iterator[Visit]:
        """Yield the visits of a course that take or took place, in order of time."""
        of_course = (
            visit
            for visit in self.visits
            if visit.series_id == course.series_id and visit.is_treatment and visit.is_kept
        )
        yield from sorted(of_course, key=lambda visit: visit.starts_at)

    def end_of(self, course: Course) -> Visit | None:
        """Return the last session of a course; None while one that its plan asks for is missing."""
        sessions = tuple(self.treatments(course))
        return sessions[-1] if sessions and len(sessions) >= course.sessions else None

    def holds_back(self, uid: str) -> bool:
        """Say whether nothing may be said about this appointment until the clinic has looked."""
        return any(visit.uid == uid and visit.waits_for_a_look for visit in self.visits)

    def was_sent(self, kind: NudgeKind, ref: str) -> bool:
        """Say whether this very message went out before."""
        return any(each.kind == kind and each.ref == ref for each in self.sent)
