"""One action, one transaction: what is loaded, advanced, committed and shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from bot.callback_data import Press
from bot.scenery import Place, Scenery
from bot.turns import Overtaken, Reply, TurnLost, Turns, logged
from bot.updates import Arrival
from flows.clinics import Clinic
from flows.conversation import Answer, Conversation, Offer, Stage
from flows.effects import ConfirmSeries, HoldSeries
from flows.events import (
    Action,
    Answered,
    AskedHelp,
    CalendarSeen,
    Chose,
    Event,
    Media,
    SentMedia,
    SlotWasTaken,
    Started,
)
from flows.slots import CalendarView
from flows.turn import Look, Scene
from storage.turns import Committed, Duplicate, SlotTaken, Stale, TurnWrites
from tests.flows.chat import CLEAR, a_clinic, a_view, catalogues, protocol
from tests.standin import StoppedClock

Outcome = Committed | Duplicate | Stale | SlotTaken


@dataclass
class Shelf:
    """A store in memory that gives the outcomes it is told to."""

    places: dict[int, Place] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    written: list[TurnWrites] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    view: CalendarView = field(default_factory=a_view)

    async def place(self, chat_id: int) -> Place | None:
        return self.places.get(chat_id)

    async def look(self, look: Look, scene: Scene, chat_id: int) -> CalendarView:
        self.looks.append(look)
        return self.view

    async def commit(self, writes: TurnWrites) -> Outcome:
        outcome = self.outcomes.pop(0) if self.outcomes else Committed()
        self.written.append(writes)
        if isinstance(outcome, Committed):
            old = self.places.get(writes.chat_id)
            shown = old.conversation.revision if old else None
            self.places[writes.chat_id] = Place(writes.conversation, 50, shown)
        return outcome


class Sam:
    """A patient whose arrivals go straight to the turns."""

    def __init__(self, shelf: Shelf | None = None) -> None:
        async def clinics(_held: Conversation | None) -> Mapping[str, Clinic]:
            return {"willow": a_clinic()}

        known = {protocol().key: protocol()}
        scenery = Scenery(
            StoppedClock(), lambda: "0f3a9c5be1d24786aa01", known, catalogues(), clinics
        )
        self.shelf = shelf or Shelf()
        self.turns = Turns(self.shelf, scenery, bot_id=42)
        self.stale: list[bool] = []
        self.updates = 0

    @property
    def conversation(self) -> Conversation:
        return self.shelf.places[7].conversation

    async def types(self, event: Event) -> Reply | None:
        return await self._take(event, typed=True, revision=None)

    async def presses(self, press: Press, *, late: int = 0) -> Reply | None:
        revision = self.conversation.revision - late
        return await self._take(press, typed=False, revision=revision)

    async def answers_all(self) -> None:
        await self.types(Started("willow", "Sam"))
        for step, codes in CLEAR.items():
            await self.presses(Answered(step, codes))

    async def _take(self, event: Event, *, typed: bool, revision: int | None) -> Reply | None:
        self.updates += 1
        arrival = Arrival(self.updates, 7, event, typed, None, 50, revision)
        return await self.turns.take(arrival, self.stale.append)


async def test_a_new_patient_is_greeted_and_the_turn_is_kept_whole() -> None:
    sam = Sam()

    reply = await sam.types(Started("willow-poster", "Sam"))

    written = sam.shelf.written[0]
    assert (written.before_revision, written.bot_id, written.update_id) == (None, 42, 1)
    assert json.loads(written.event_log[0]) == {
        "event": "Started",
        "payload": "willow-poster",
        "first_name": "Sam",
        "locale": "en",
    }
    assert reply is not None
    assert reply.turn.conversation.state == "consent"


async def test_a_button_of_an_older_screen_changes_no_answer() -> None:
    sam = Sam()
    await sam.types(Started("willow"))
    await sam.presses(Answered("consent", ("agree",)))

    reply = await sam.presses(Answered("consent", ("decline",)), late=1)

    assert sam.stale == [False, False, True]
    assert reply is not None
    assert [note.key for note in reply.turn.notes] == ["note.stale"]
    assert sam.conversation.state == "age"


async def test_done_means_every_code_that_was_ticked() -> None:
    sam = Sam()
    await sam.answers_all()
    ticked = replace(sam.conversation, state="today", ticks=("sun", "creams"), answers={})
    sam.shelf.places[7] = Place(ticked, 50, 1)

    await sam.presses(Answered("today", ()))

    assert sam.conversation.answers["today"] == Answer(("sun", "creams"))


async def test_the_calendar_is_read_when_the_turn_asks_and_files_are_kept() -> None:
    sam = Sam()
    await sam.answers_all()

    reply = await sam.presses(Chose(Action.CONFIRM))

    assert [look.service for look in sam.shelf.looks] == ["treatment"]
    assert reply is not None
    assert reply.turn.files == ("timeline",)
    assert reply.turn.conversation.booking.offers


async def test_when_somebody_was_faster_the_nearest_times_are_offered() -> None:
    sam = Sam()
    await sam.answers_all()
    await sam.presses(Chose(Action.CONFIRM))
    sam.shelf.outcomes.append(SlotTaken(()))

    reply = await sam.presses(Chose(Action.BOOK, "0"))

    assert reply is not None
    assert reply.turn.notes[0].key.startswith("note.slot_taken")
    refused, kept = sam.shelf.written[-2:]
    assert any(isinstance(effect, HoldSeries) for effect in refused.effects)
    assert not kept.effects
    assert kept.before_revision == refused.before_revision


async def test_times_lost_between_hold_and_contact_are_offered_again() -> None:
    sam = Sam()
    await sam.answers_all()
    await sam.presses(Chose(Action.CONFIRM))
    await sam.presses(Chose(Action.BOOK, "0"))
    sam.shelf.outcomes.append(SlotTaken(()))

    await sam.presses(Chose(Action.REACH_HERE))

    assert any(isinstance(effect, ConfirmSeries) for effect in sam.shelf.written[-2].effects)
    assert sam.conversation.state == Stage.PLAN


async def test_a_refusal_without_a_wish_is_our_fault() -> None:
    sam = Sam()
    sam.shelf.outcomes.append(SlotTaken(()))

    with pytest.raises(TurnLost, match="not asked for"):
        await sam.types(Started("willow"))


async def test_a_turn_that_was_overtaken_is_taken_again() -> None:
    sam = Sam()
    await sam.types(Started("willow"))
    sam.shelf.outcomes += [Stale(), Stale()]

    reply = await sam.presses(Answered("consent", ("agree",)))

    assert reply is not None
    assert sam.conversation.state == "age"
    assert sam.stale == [False, False]


async def test_a_turn_that_is_always_overtaken_gives_up() -> None:
    sam = Sam()
    sam.shelf.outcomes += [Stale()] * 5

    with pytest.raises(Overtaken, match="changed 5 times"):
        await sam.types(Started("willow"))


async def test_a_repeated_update_shows_the_screen_only_to_who_has_not_seen_it() -> None:
    sam = Sam()
    await sam.types(Started("willow"))
    sam.shelf.outcomes += [Duplicate(), Duplicate()]

    unseen = await sam.types(Started("willow"))
    seen = replace(sam.shelf.places[7], shown_revision=sam.conversation.revision)
    sam.shelf.places[7] = seen

    assert unseen is not None
    assert unseen.arrival is None
    assert unseen.turn.conversation == sam.conversation
    assert await sam.types(Started("willow")) is None


async def test_who_was_booked_gets_the_calendar_file_again_too() -> None:
    sam = Sam()
    await sam.types(Started("willow"))
    booked = replace(sam.conversation, state=Stage.BOOKED)
    sam.shelf.places[7] = Place(booked, None, None)

    reply = await sam.turns.again(7)

    assert reply is not None
    assert reply.turn.files == ("calendar",)


async def test_nobody_is_shown_anything_again_without_a_conversation() -> None:
    assert await Sam().turns.again(7) is None


def test_the_audit_trail_has_what_was_given_and_no_calendar() -> None:
    view = a_view()

    assert logged(AskedHelp()) == '{"event": "AskedHelp"}'
    assert json.loads(logged(SentMedia(Media.PHOTO))) == {"event": "SentMedia", "media": "photo"}
    assert logged(CalendarSeen(view)) == '{"event": "CalendarSeen"}'
    assert logged(SlotWasTaken(Offer(()), view)) == '{"event": "SlotWasTaken"}'


async def test_a_second_press_on_yes_delete_everything_begins_no_chat_anew() -> None:
    sam = Sam()

    assert await sam._take(Chose(Action.ERASE_YES), typed=False, revision=9) is None

    assert (sam.shelf.written, sam.shelf.places) == ([], {})
