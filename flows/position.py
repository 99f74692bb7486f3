"""Where a conversation stands in its scene: protocol, clinic, day, answers, and how to move on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flows import eligibility, machine, plan, relevance, wording
from flows.clinics import Clinic
from flows.conversation import (
    Answer,
    BookedSession,
    Booking,
    Conversation,
    Stage,
    treating,
)
from flows.protocol import Protocol, Step
from flows.turn import Note, Scene

#: Fields that belong to one screen and are forgotten when the patient moves on.
_FRESH = {
    "ticks": (),
    "ticking": False,
    "overlay": None,
    "beneath": None,
    "misses": 0,
    "suggested": "",
}


@dataclass(frozen=True, slots=True)
class Position:
    """A conversation in its scene. Values only; every method returns something new."""

    conversation: Conversation
    scene: Scene

    @property
    def protocol(self) -> Protocol:
        """The protocol this run is held with."""
        return self.scene.protocols[self.conversation.protocol]

    @property
    def clinic(self) -> Clinic:
        """The clinic of this run; KeyError before one is chosen."""
        return self.scene.clinics[self.conversation.clinic or ""]

    @property
    def step(self) -> Step | None:
        """The question being asked, None on the other screens."""
        if self.conversation.state in set(Stage) or not self.conversation.protocol:
            return None
        return self.protocol.step(self.conversation.state)

    @property
    def answers(self) -> dict[str, Answer]:
        """The answers that count now."""
        return relevance.current_answers(self.protocol, self.conversation.answers)

    @property
    def local_now(self) -> datetime:
        """Now in the clinic's zone."""
        return self.scene.now.astimezone(ZoneInfo(self.clinic.zone))

    @property
    def today(self) -> date:
        """The clinic's local day."""
        return self.local_now.date()

    @property
    def booking(self) -> Booking:
        """Where the patient stands with times."""
        return self.conversation.booking

    @property
    def ahead(self) -> tuple[BookedSession, ...]:
        """The booked appointments that have not begun, in order; held times do not count."""
        now = self.scene.now
        return tuple(each for each in self.booking.booked if each.slot.starts_at > now)

    def readiness(self) -> int | None:
        """Return the readiness score, None when it must not be used."""
        score = eligibility.score(self.protocol, self.answers)
        return score.total if score.usable else None

    def verdict(self) -> eligibility.Verdict:
        """Judge the current answers on the day of the decision, or today before it."""
        return eligibility.assess(
            self.protocol,
            self.answers,
            self.conversation.decided_on or self.today,
            red_flag=self.conversation.red_flag,
        )

    def plan(self) -> plan.Plan | None:
        """Propose the course for the current answers, or its rest; None unless eligible."""
        today = self.conversation.decided_on or self.today
        whole = plan.propose(self.protocol, self.answers, self.verdict(), today)
        if whole is None:
            return None
        if self.conversation.is_refresher:
            whole = plan.refresher(whole)
        done = treating(self.booking.done)
        if not done:
            return whole
        last_at = max(each.slot.starts_at for each in done)
        last_on = last_at.astimezone(ZoneInfo(self.clinic.zone)).date()
        return plan.rest(whole, len(done), last_on, self.today)

    def note(self, key: str, **values: str | int | date) -> Note:
        """Return a note whose text may name the clinic, its phone, price and so on."""
        clinic = self.scene.clinics.get(self.conversation.clinic or "")
        return Note(key, {**wording.values_of(clinic), **values})

    def go(self, trigger: str, dest: str, **changes: object) -> Position:
        """Move along the table of moves and forget what belonged to the old screen."""
        state = machine.move(self.protocol, self.conversation.state, trigger, dest)
        return self.with_(state=state, **{**_FRESH, **changes})

    def with_(self, **changes: object) -> Position:
        """Return the position with some of the conversation's fields changed."""
        return replace(self, conversation=replace(self.conversation, **changes))  # type: ignore[arg-type]  # field names are checked by the tests

    def with_visits(self) -> Position:
        """Return the position with only what is booked left of the booking."""
        booking = self.booking
        kept = Booking(service=booking.service)
        if booking.booked:
            kept = replace(
                kept,
                series_id=booking.series_id,
                code=booking.code,
                sessions=booking.booked,
                pending=booking.pending,
                waiting=booking.waiting,
            )
        return self.with_(booking=kept)

    def with_booking(self, **changes: object) -> Position:
        """Return the position with some of the booking's fields changed."""
        return self.with_(booking=replace(self.booking, **changes))  # type: ignore[arg-type]  # as above
