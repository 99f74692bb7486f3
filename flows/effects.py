"""What a turn wants done: imperative values that `storage.turns` applies in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from flows.conversation import BookedSession
from flows.eligibility import Score, Verdict
from flows.follow_up import NudgeKind
from flows.plan import Plan
from flows.slots import Slot


class LeadKind(StrEnum):
    """Why a patient is handed to the clinic.

    A later one of the same run replaces an earlier; PERSON is noted beside what there is.
    """

    BOOKED = "booked"
    DEFERRED = "deferred"
    REVIEW = "review"  # verdict `review`, no consultation booked yet
    DECLINED = "declined"
    URGENT = "urgent"
    PERSON = "person"  # asked to talk to a person
    ELIGIBLE = "eligible"  # verdict `eligible`, nothing booked yet


@dataclass(frozen=True, slots=True)
class RecordDecision:
    """Keep the verdict with the protocol it came from, so that it can be replayed."""

    verdict: Verdict
    score: Score
    plan: Plan | None


@dataclass(frozen=True, slots=True)
class HoldSeries:
    """Reserve every session at once, all or nothing, until `until`. Frees the run's older holds."""

    series_id: str
    service: str
    sessions: tuple[BookedSession, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class ConfirmSeries:
    """Turn a held series into appointments (`booked`, or `pending` when `pending`).

    A hold that expired is taken again in the same transaction; when a time is gone the whole
    turn is refused with `SlotTaken`.
    """

    series_id: str
    code: str
    service: str
    sessions: tuple[BookedSession, ...]
    pending: bool


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Give held times back; no error when the hold is already gone."""

    series_id: str


@dataclass(frozen=True, slots=True)
class MoveAppointment:
    """Move one appointment to a free slot: same UID, SEQUENCE + 1, one transaction."""

    uid: str
    slot: Slot
    is_offered: bool = False  # a freed time: only while it is offered to this patient


@dataclass(frozen=True, slots=True)
class CancelSeries:
    """Cancel every appointment of the series that has not begun. Idempotent."""

    series_id: str


@dataclass(frozen=True, slots=True)
class CancelAppointment:
    """Cancel one appointment that has not begun; the others of its series stay. Idempotent."""

    uid: str


@dataclass(frozen=True, slots=True)
class HandOffLead:
    """Create or update the lead row of this conversation's run."""

    kind: LeadKind
    score: int | None = None  # readiness 0-100; None when it must not be used
    recheck_on: date | None = None


@dataclass(frozen=True, slots=True)
class SavePhone:
    """Keep the phone number that the patient shared."""

    phone: str


@dataclass(frozen=True, slots=True)
class StopMessages:
    """The patient wants no further messages."""


@dataclass(frozen=True, slots=True)
class AllowMessages:
    """The patient came back after asking for no further messages."""


@dataclass(frozen=True, slots=True)
class MessageToClinic:
    """Words for the clinic's people: they open the patient's thread, or go on with it."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeepPhoto:
    """Keep Telegram's name of a photo; the picture itself stays there."""

    file_id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeletePhotos:
    """Forget every photo of this patient, of earlier runs too. Idempotent."""


@dataclass(frozen=True, slots=True)
class ErasePatient:
    """Delete everything that is kept of this patient at every clinic, the turn itself too.

    What is booked and to come is cancelled. No other effect goes with it.
    """


@dataclass(frozen=True, slots=True)
class ConfirmVisit:
    """The patient will come to this appointment. Idempotent; nothing when it is not theirs."""

    uid: str


@dataclass(frozen=True, slots=True)
class PauseVisit:
    """Something changed that the clinic must look at before this appointment."""

    uid: str


@dataclass(frozen=True, slots=True)
class StopNudges:
    """The patient wants no more messages of this kind."""

    kind: NudgeKind


@dataclass(frozen=True, slots=True)
class ReviewSeries:
    """What the patient says of a finished course; a later word replaces an earlier one."""

    series_id: str
    rating: int  # 1 to 5


@dataclass(frozen=True, slots=True)
class DescribeResult:
    """How the patient sees the result of a course that they rated."""

    series_id: str
    words: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class JoinWaitlist:
    """Tell the patient when something earlier than this appointment frees up. Idempotent."""

    uid: str


@dataclass(frozen=True, slots=True)
class LeaveWaitlist:
    """Tell them no more. Idempotent."""

    uid: str


@dataclass(frozen=True, slots=True)
class DeclineOffer:
    """The patient keeps this appointment; what was offered goes to the next who waits."""

    uid: str


Effect = (
    RecordDecision
    | HoldSeries
    | ConfirmSeries
    | ReleaseHold
    | MoveAppointment
    | CancelSeries
    | CancelAppointment
    | HandOffLead
    | SavePhone
    | StopMessages
    | AllowMessages
    | MessageToClinic
    | KeepPhoto
    | DeletePhotos
    | ErasePatient
    | ConfirmVisit
    | PauseVisit
    | StopNudges
    | ReviewSeries
    | DescribeResult
    | JoinWaitlist
    | LeaveWaitlist
    | DeclineOffer
)
