"""What a proof needs of the world: a clinic, a small free calendar, and a record of its cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import TracebackType

from flows import dialogue, eligibility
from flows.clinics import BookingMode, Clinic, Service
from flows.conversation import Answer, Conversation
from flows.eligibility import Verdict
from flows.events import Answered, CalendarSeen, Event, Skipped, Typed
from flows.proof_model import Model, Reply
from flows.protocol import Protocol, Step
from flows.slots import CalendarView, OpeningHours, Timetable
from flows.texts import Catalogue
from flows.turn import Scene, Turn

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # any day will do; plans are tried from seven

_ZONE = "UTC"
_OPEN_ON = (1, 3, 4)  # Thursday and Friday too, for those who heal over a weekend
_AHEAD = timedelta(days=330)

#: Tells how far the proof is: what it is at, how much is done, and of how much.
Told = Callable[[str, int, int], None]


class Claim(StrEnum):
    """What is proved. The words are what a reader of the table sees."""

    BOOKED = "Only what the verdict allows can be booked"
    NEAR = "A person and an end are near everywhere"
    LEADS_ON = "Every answer leads to the right next place"
    ALIKE = "Runs that look alike go on alike"
    BACK = "Back and the same answer change nothing"
    EDITED = "Changing an answer and changing it back change nothing"
    STRONGER = "A further worry never makes the verdict milder"
    ORDER = "The order of ticks does not matter"
    STRONGEST = "The verdict is the strongest of the answers"
    TRACE = "Answers that no longer count leave no trace"
    CONSENT = "Nothing is asked before consent"
    MINOR = "A minor is asked nothing more"
    WAITING = "Whoever must wait is asked nothing practical"
    SPEAKS = "Every rule speaks, and is missed when it does not"
    FOLLOWED = "Every tick is followed up"
    SKIPPED = "No rule can be skipped"
    FLAGGED = "A red flag ends the run everywhere"
    EXPLAINED = "Every verdict is explained"
    PLANNED = "Every plan keeps its limits"


class Refuted(Exception):
    """A case does not hold; the message says what was found, in codes."""


@dataclass(frozen=True, slots=True)
class Check:
    """One claim: how many cases were tried, and those that do not hold."""

    name: str
    scope: str  # over what it was tried
    cases: int
    failures: tuple[str, ...]


class _Case:
    """One case being tried."""

    __slots__ = ("_failures", "_where")

    def __init__(self, failures: dict[str, None], where: str) -> None:
        self._failures = failures
        self._where = where

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Keep what refuted the case; let everything else through."""
        if isinstance(error, Refuted):
            self._failures.setdefault(f"{self._where}: {error}")
            return True
        return False


class Ledger:
    """Counts cases and keeps each different failure once."""

    def __init__(self) -> None:
        self.cases: Counter[Claim] = Counter()
        self._failures: dict[Claim, dict[str, None]] = {claim: {} for claim in Claim}

    def case(self, claim: Claim, where: str) -> _Case:
        """Count one case; what refutes it inside the block becomes a failure."""
        self.cases[claim] += 1
        return _Case(self._failures[claim], where)

    def failures(self, claim: Claim) -> tuple[str, ...]:
        """Return the failures of one claim, in the order found."""
        return tuple(self._failures[claim])


@dataclass(frozen=True, slots=True)
class World:
    """A protocol in the only clinic of a small world."""

    model: Model
    scene: Scene
    view: CalendarView

    @property
    def protocol(self) -> Protocol:
        """The protocol that is proved."""
        return self.model.protocol

    @property
    def today(self) -> date:
        """The local day on which everything happens."""
        return self.scene.now.date()

    @property
    def clinic(self) -> Clinic:
        """The clinic."""
        return next(iter(self.scene.clinics.values()))

    def judged(self, answers: Mapping[str, Answer]) -> Verdict:
        """Return the product's own verdict on answers that matter."""
        return eligibility.assess(self.protocol, answers, self.today)

    def does(self, conversation: Conversation | None, event: Event) -> Turn:
        """Let the real dialogue take an event, reading the calendar as often as it asks.

        Raises `Refuted` when the dialogue breaks: no event may do that.
        """
        turn = whole = self.begins(conversation, event)
        while turn.look:
            turn = self.begins(turn.conversation, CalendarSeen(self.view))
            whole = replace(turn, effects=(*whole.effects, *turn.effects))
        return whole

    def begins(self, conversation: Conversation | None, event: Event) -> Turn:
        """Let the dialogue take an event, without the calendar that it may ask for."""
        try:
            return dialogue.advance(conversation, event, self.scene, chat_id=1)
        except Exception as error:
            raise Refuted(f"the dialogue broke with {type(error).__name__}: {error}") from error

    def replies(self, conversation: Conversation, step: Step, reply: Reply) -> Turn:
        """Give a reply to the question on the screen."""
        return self.does(conversation, self.event(step, reply.answer(step, self.today)))

    def event(self, step: Step, answer: Answer) -> Event:
        """Return what a patient does to give this answer."""
        if answer.on is not None:
            return Typed(answer.on.isoformat())
        if answer.text is not None:
            return Typed(answer.text)
        return Answered(step.id, answer.codes) if answer.codes else Skipped()


def build(
    protocol: Protocol,
    catalogues: Mapping[str, Catalogue],
    mode: BookingMode = BookingMode.HOLD,
) -> World:
    """Return a world with one clinic that is open an hour on some days."""
    clinic = Clinic(
        slug="clinic",
        name="Clinic",
        zone=_ZONE,
        locale=next(iter(catalogues)),
        address="",
        phone="",
        protocol=protocol.key,
        booking_mode=mode,
        services=(
            Service("treatment", "Treatment", timedelta(hours=1)),
            Service("consultation", "Consultation", timedelta(hours=1)),
        ),
    )
    scene = Scene(
        now=NOW,
        token="0123456789abcdef0123",  # noqa: S106 - any text will do
        protocols={protocol.key: protocol},
        clinics={clinic.slug: clinic},
        catalogues=catalogues,
    )
    return World(Model(protocol), scene, _calendar())


def must(holds: object, found: str) -> None:
    """Refute the case unless it holds; `found` says what was found instead."""
    if not holds:
        raise Refuted(found)


def place_of(conversation: Conversation) -> Conversation:
    """Return the conversation without what may differ between two visits to one place."""
    booking = replace(conversation.booking, just_booked=False)
    return replace(
        conversation,
        revision=0,
        heard=(),
        ticks=(),
        ticking=False,
        decided_on=None,
        booking=booking,
    )


def _calendar() -> CalendarView:
    hours = tuple(OpeningHours(weekday, time(9), time(10)) for weekday in _OPEN_ON)
    return CalendarView(
        zone=_ZONE,
        timetables=(Timetable("practitioner", hours),),
        closed_on=frozenset(),
        duration=timedelta(hours=1),
        buffer_before=timedelta(),
        buffer_after=timedelta(),
        step=timedelta(hours=1),
        opens_at=NOW + timedelta(days=1),
        closes_at=NOW + _AHEAD,
    )
