"""A patient talking to the pure dialogue: no bot, no database, a calendar that is a value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from flows import dialogue
from flows.clinics import BookingMode, Clinic, Service
from flows.conversation import Conversation, Offer, Stage
from flows.effects import ConfirmSeries, Effect, HoldSeries, MoveAppointment
from flows.events import (
    Action,
    Answered,
    CalendarSeen,
    Chose,
    Event,
    SlotWasTaken,
    Started,
    Typed,
)
from flows.protocol import Protocol
from flows.slots import CalendarView, OpeningHours, Timetable
from flows.texts import Catalogue
from flows.turn import Scene, Turn
from storage.protocol_files import load_catalogues, load_protocol

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday

#: The answers of a patient for whom nothing stands in the way, in the order asked.
CLEAR: dict[str, tuple[str, ...]] = {
    "consent": ("agree",),
    "age": ("22_plus",),
    "acne_now": ("clear",),
    "scar_type": ("rolling",),
    "visibility": ("flattens",),
    "area": ("face",),
    "today": ("none",),
    "history": ("none",),
    "goal": ("softer",),
    "practical": ("fine",),
    "timing": ("month",),
}


@lru_cache
def catalogues() -> dict[str, Catalogue]:
    return load_catalogues()


@lru_cache
def protocol() -> Protocol:
    return load_protocol(catalogues())


def a_clinic(slug: str = "willow", **changes: object) -> Clinic:
    clinic = Clinic(
        slug=slug,
        name="Willow Skin Clinic",
        zone="Europe/London",
        locale="en",
        address="1 Willow Road, London",
        phone="+44 20 7946 0000",
        protocol=protocol().key,
        emergency="999",
        crisis_line="116 123",
        services=(
            Service("treatment", "Micro-needling", timedelta(hours=1), "£180"),
            Service("consultation", "Consultation", timedelta(minutes=30)),
        ),
        practitioners=(("ana", "Ana Reyes"),),
    )
    return replace(clinic, **changes)


def a_scene(*clinics: Clinic, now: datetime = NOW) -> Scene:
    known = clinics or (a_clinic(),)
    return Scene(
        now=now,
        token="0f3a9c5be1d24786aa01",
        protocols={protocol().key: protocol()},
        clinics={clinic.slug: clinic for clinic in known},
        catalogues=catalogues(),
    )


def a_view(
    now: datetime = NOW, *, busy: tuple[tuple[datetime, datetime], ...] = (), minutes: int = 60
) -> CalendarView:
    """Weekdays nine to five, one practitioner, a time every half hour."""
    hours = tuple(OpeningHours(weekday, time(9), time(17)) for weekday in range(5))
    return CalendarView(
        zone="Europe/London",
        timetables=(Timetable("ana", hours, busy=busy),),
        closed_on=frozenset({date(2026, 12, 25)}),
        duration=timedelta(minutes=minutes),
        buffer_before=timedelta(),
        buffer_after=timedelta(),
        step=timedelta(minutes=30),
        opens_at=now + timedelta(hours=24),
        closes_at=now + timedelta(days=300),
    )


@dataclass
class Chat:
    """One patient: what they do, and what came of it."""

    scene: Scene = field(default_factory=a_scene)
    view: CalendarView = field(default_factory=a_view)
    conversation: Conversation | None = None
    effects: list[Effect] = field(default_factory=list)
    turn: Turn | None = None

    @property
    def state(self) -> str:
        assert self.conversation is not None
        return self.conversation.state

    @property
    def notes(self) -> list[str]:
        assert self.turn is not None
        return [note.key for note in self.turn.notes]

    def does(self, event: Event) -> Chat:
        """Let the event happen, reading the calendar as often as the turn asks for it."""
        turn = dialogue.advance(self.conversation, event, self.scene, chat_id=7)
        whole = turn
        while turn.look:
            seen = CalendarSeen(self.view)
            turn = dialogue.advance(turn.conversation, seen, self.scene, chat_id=7)
            whole = replace(
                turn,
                effects=(*whole.effects, *turn.effects),
                notes=(*whole.notes, *turn.notes),
                files=(*whole.files, *turn.files),
                receipt=whole.receipt or turn.receipt,
            )
        self.conversation, self.turn = whole.conversation, whole
        self.effects += whole.effects
        return self

    def says(self, text: str, message_id: int = 0) -> Chat:
        return self.does(Typed(text, message_id))

    def chooses(self, action: Action, arg: str = "") -> Chat:
        return self.does(Chose(action, arg))

    def starts(self, payload: str = "willow") -> Chat:
        return self.does(Started(payload, "Sam", "en"))

    def answers(self, **given: str | tuple[str, ...]) -> Chat:
        """Answer the questions as they come; `given` differs from the clear patient's answers."""
        wanted = {**CLEAR, **given}
        while self.state in wanted:
            codes = wanted[self.state]
            codes = (codes,) if isinstance(codes, str) else codes
            before = self.state
            self.does(Answered(before, codes))
            assert self.state != before, f"{before} was not answered"
        return self

    def comes_to(self, step: str, **given: str | tuple[str, ...]) -> Chat:
        """Start and answer until `step` is being asked."""
        self.starts()
        wanted = {**CLEAR, **given}
        while self.state != step:
            codes = wanted[self.state]
            self.does(Answered(self.state, (codes,) if isinstance(codes, str) else codes))
        return self

    def arrives_at(self, stage: Stage, **given: str | tuple[str, ...]) -> Chat:
        """Start, answer, confirm where a review stands, and check the screen reached."""
        self.starts().answers(**given)
        if self.state == Stage.REVIEW and stage is not Stage.REVIEW:
            self.chooses(Action.CONFIRM)
        assert self.state == stage
        return self

    def is_refused(self, event: Event) -> Chat:
        """Let the event happen while another patient takes the first of the times wanted."""
        before = self.conversation
        assert before is not None
        turn = dialogue.advance(before, event, self.scene, chat_id=7)
        wanted = next(
            effect
            for effect in turn.effects
            if isinstance(effect, HoldSeries | ConfirmSeries | MoveAppointment)
        )
        slots = (
            (wanted.slot,)
            if isinstance(wanted, MoveAppointment)
            else tuple(each.slot for each in wanted.sessions)
        )
        taken = (slots[0].starts_at, slots[0].ends_at)
        timetable = replace(self.view.timetables[0], busy=(*self.view.timetables[0].busy, taken))
        self.view = replace(self.view, timetables=(timetable,))
        return self.does(SlotWasTaken(Offer(slots), self.view))


def an_instant_clinic() -> Clinic:
    return a_clinic(booking_mode=BookingMode.INSTANT)
