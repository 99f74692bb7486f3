"""The state of one patient's chat, as a frozen value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum

from flows.slots import Slot


class Stage(StrEnum):
    """The states of a conversation that are not questions of the protocol."""

    CHOOSE_CLINIC = "choose_clinic"
    NO_CONSENT = "no_consent"
    REVIEW = "review"  # all answers in a list, each can be changed
    URGENT = "urgent"
    DECLINED = "declined"
    DEFERRED = "deferred"
    CONSULT = "consult"  # verdict `review`: a consultation may be booked
    PLAN = "plan"  # verdict `eligible`: the plan and the first offers
    PICK_DAY = "pick_day"
    PICK_TIME = "pick_time"
    CONTACT = "contact"  # times are held; how may the clinic reach the patient?
    BOOKED = "booked"
    CHANGE = "change"  # which appointment to move
    MEND = "mend"  # these would have to move too
    CANCEL = "cancel"  # are you sure?
    STOPPED = "stopped"


class Overlay(StrEnum):
    """A small question laid over the current one; answering it gives the place back."""

    RESUME = "resume"  # /start in the middle: continue or start over?
    START_OVER = "start_over"  # are you sure?
    ASK = "ask"  # what is written now goes to the clinic's people
    PHOTOS = "photos"  # may photos be kept? then: send them
    RESULT = "result"  # what is written now is how the patient sees the result
    ERASE = "erase"  # shall everything that is kept be deleted?
    ERASED = "erased"  # it is: the last screen, which is kept nowhere


@dataclass(frozen=True, slots=True)
class Answer:
    """What the patient answered at one step: option codes, own words, or a date."""

    codes: tuple[str, ...] = ()
    text: str | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """Times offered together: one consultation, or every session of a series, in order."""

    slots: tuple[Slot, ...]
    changed: tuple[int, ...] = ()  # indexes that differ from what the patient had chosen


@dataclass(frozen=True, slots=True)
class BookedSession:
    """One appointment of this patient, as the dialogue knows it."""

    uid: str  # the appointment's stable UID in the calendar store
    slot: Slot
    number: int  # 1-based within the series
    sequence: int = 0  # grows with every move, as RFC 5545 asks
    is_coming: bool = False  # the patient said that they will come
    is_missed: bool = False  # the patient did not come


def treating(sessions: Iterable[BookedSession]) -> tuple[BookedSession, ...]:
    """Return the visits that treat, or treated, the patient.

    Only these count for gaps and for a course: what was missed treated nobody.
    """
    return tuple(each for each in sessions if not each.is_missed)


@dataclass(frozen=True, slots=True)
class Booking:
    """Where the patient stands with times: offers shown, what is held, what is booked."""

    service: str = ""  # code of the clinic's service: treatment or consultation
    offers: tuple[Offer, ...] = ()  # buttons name them by index
    days: tuple[tuple[date, int], ...] = ()  # PICK_DAY: free days of the week shown, times on each
    week_on: date | None = None  # PICK_DAY: the first day of the week shown
    day_on: date | None = None  # PICK_TIME: the day shown
    part: str = ""  # PICK_TIME: "", morning, afternoon or evening
    wish_at: time | None = None  # PICK_TIME: the clock time the patient typed
    first: Slot | None = None  # PLAN: the time picked for the first session
    times: tuple[Slot, ...] = ()  # PICK_TIME: free times of that day; buttons name them by index
    only_first: bool = False  # the patient wants just the first session for now
    series_id: str = ""
    code: str = ""  # booking code that patient and clinic can say on the phone
    hold_until: datetime | None = None
    sessions: tuple[BookedSession, ...] = ()  # held (CONTACT) or booked
    done: tuple[BookedSession, ...] = ()  # of a course that goes on: what was booked before
    pending: bool = False  # the clinic confirms each request itself
    moving: str | None = None  # uid of the appointment being moved
    mend: tuple[BookedSession, ...] = ()  # MEND: appointments as they would be, in order
    before_rest: bool = False  # MEND: what is left of the course is offered next
    cancelling: str | None = None  # CANCEL: uid of the one chosen, or `cancelling.ALL`
    waiting: str | None = None  # uid of the one for which something earlier is wanted
    just_booked: bool = False  # nothing else has happened since

    @property
    def booked(self) -> tuple[BookedSession, ...]:
        """What is booked, past visits too; held times are not."""
        return self.done if self.hold_until else (*self.done, *self.sessions)

    def place(self, visit: BookedSession) -> int:
        """Return which of the visits it is as the patient counts them, from one.

        A visit that was cancelled leaves a hole in the numbers, but none in what patients read.
        """
        uids = [each.uid for each in (*self.done, *self.sessions)]
        return uids.index(visit.uid) + 1 if visit.uid in uids else visit.number


@dataclass(frozen=True, slots=True)
class Conversation:
    """One patient's chat. `state` is a step id of the protocol or a `Stage` value."""

    chat_id: int
    state: str
    revision: int = 0  # grows by one with every turn; buttons of older revisions are stale
    run: int = 1  # grows when the patient starts over
    locale: str = "en"
    clinic: str | None = None  # slug
    campaign: str | None = None
    protocol: str = ""  # `Protocol.key` the run is held with
    first_name: str = ""
    answers: Mapping[str, Answer] = field(default_factory=dict)  # never mutated
    ticks: tuple[str, ...] = ()  # ticked, not yet confirmed, at the current MULTI step
    ticking: bool = False  # a `quick` step was opened for more than one
    overlay: Overlay | None = None
    beneath: Overlay | None = None  # PHOTOS: what it was opened from, and gives back
    misses: int = 0  # answers in a row that were not understood
    suggested: str = ""  # option code behind "did you mean ...?"; a typed yes takes it
    heard: tuple[tuple[int, str], ...] = ()  # last typed answers: (message id, step)
    last_media: str = ""  # kind of the last thing sent that is not words; bursts get one reply
    wanted_clinic: str | None = None  # named by a deep link opened in the middle of a run
    decided_on: date | None = None  # local day of the verdict; plan and deferral count from it
    red_flag: str | None = None  # id of the red flag that stopped the run
    is_refresher: bool = False  # a year later: one visit, after a new look at the safety answers
    booking: Booking = Booking()
    photo_consent: bool = False  # photos of this run may be kept
    photos: int = 0  # kept in this run
    rated: str = ""  # the series that was rated last
    described: str = ""  # the series whose result was last put into words
    declined: str = ""  # the series after which the patient last said no to a yearly look

    def fresh_run(self, state: str) -> Conversation:
        """Return the next run of this chat at `state`: what is known of the patient stays."""
        return Conversation(
            self.chat_id,
            state,
            revision=self.revision,
            run=self.run + 1,
            locale=self.locale,
            campaign=self.campaign,
            first_name=self.first_name,
            rated=self.rated,
            described=self.described,
            declined=self.declined,
        )
