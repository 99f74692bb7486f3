"""One patient action: load, advance, commit everything in one transaction, say what to show.

Nothing is sent from here. A turn that another process overtook is taken again from the start.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace

from bot.scenery import Place, Scenery, Store
from bot.updates import Arrival
from flows import dialogue
from flows.conversation import Conversation, Offer, Stage
from flows.effects import ConfirmSeries, HoldSeries, MoveAppointment
from flows.events import (
    Action,
    Answered,
    AnsweredNudge,
    AskedForPerson,
    CalendarSeen,
    Chose,
    Event,
    Repeated,
    SlotWasTaken,
)
from flows.passage import passage
from flows.turn import Scene, Turn
from storage.turns import Committed, Duplicate, SlotTaken, Stale, TurnWrites

_RACES = 5  # turns of other processes that one turn lets pass
_LOOKS = 4  # how often one turn may look at the calendar


class TurnLost(Exception):
    """The turn could not be committed although it was tried again."""


class Overtaken(Exception):
    """Other turns of the chat were committed each time in between; this one is not at fault."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a committed turn wants shown."""

    chat_id: int
    turn: Turn
    scene: Scene
    before: Conversation | None = None
    arrival: Arrival | None = None  # None: the current screen is shown again after a restart
    message_id: int | None = None  # the message that showed the screen before
    shown_revision: int | None = None  # the revision that message shows
    is_reminder: bool = False  # somebody may have shown it meanwhile


class Turns:
    """Takes arrivals, one at a time for each chat."""

    def __init__(self, store: Store, scenery: Scenery, bot_id: int = 0) -> None:
        self._store = store
        self._scenery = scenery
        self._bot_id = bot_id

    async def take(self, arrival: Arrival, noticed: Callable[[bool], None]) -> Reply | None:
        """Carry out one arrival; None when there is nothing to show.

        `noticed(stale)` is called once, as soon as it is known whether the button was an old one.
        Raises `TurnLost`, `Overtaken`, and whatever storage raises.
        """
        place = await self._store.place(arrival.chat_id)
        noticed(is_stale(arrival, place))
        for _ in range(_RACES):
            reply = await self._try(arrival, place)
            if not isinstance(reply, Stale):
                return reply
            place = await self._store.place(arrival.chat_id)
        raise Overtaken(f"the conversation changed {_RACES} times while the turn was taken")

    async def again(self, chat_id: int) -> Reply | None:
        """Return the current screen of a chat that was left without an answer."""
        place = await self._store.place(chat_id)
        if place is None or place.shown_revision == place.conversation.revision:
            return None
        scene = await self._scenery.scene(place.conversation)
        is_booked = place.conversation.state == Stage.BOOKED
        return Reply(
            chat_id,
            Turn(place.conversation, files=("calendar",) if is_booked else ()),
            scene,
            message_id=place.message_id,
            shown_revision=place.shown_revision,
            is_reminder=True,
        )

    async def _try(self, arrival: Arrival, place: Place | None) -> Reply | Stale | None:
        if place is None and arrival.event == Chose(Action.ERASE_YES):
            return None  # pressed twice: it is done, and no chat is to begin anew by it
        scene = await self._scenery.scene(place.conversation if place else None)
        if place is not None and (place.is_talking or place.is_interrupted):
            scene = replace(scene, is_talking=place.is_talking, is_interrupted=place.is_interrupted)
        before = place.conversation if place else None
        event = _event(arrival, place)
        turn = await self._advance(before, event, scene, arrival.chat_id)
        outcome = await self._store.commit(self._writes(arrival, before, turn, event, scene))
        if isinstance(outcome, SlotTaken) and before is not None:
            turn = await self._after_taken(before, turn, scene)
            outcome = await self._store.commit(self._writes(arrival, before, turn, event, scene))
        match outcome:
            case Committed():
                message_id, shown = (
                    (place.message_id, place.shown_revision) if place else (None, None)
                )
                return Reply(arrival.chat_id, turn, scene, before, arrival, message_id, shown)
            case Duplicate():
                return await self.again(arrival.chat_id)
            case Stale():
                return outcome
            case SlotTaken():
                raise TurnLost("the database refused a time that was not asked for")

    async def _after_taken(self, before: Conversation, turn: Turn, scene: Scene) -> Turn:
        look = dialogue.look_again(before, scene)
        view = await self._store.look(look, scene, before.chat_id)
        event = SlotWasTaken(_wanted(turn), view, was_offered=_was_offered(turn))
        return await self._advance(before, event, scene, before.chat_id)

    async def _advance(
        self, before: Conversation | None, event: Event, scene: Scene, chat_id: int
    ) -> Turn:
        turn = dialogue.advance(before, event, scene, chat_id=chat_id)
        for _ in range(_LOOKS):
            if turn.look is None:
                return turn
            view = await self._store.look(turn.look, scene, chat_id)
            seen = dialogue.advance(turn.conversation, CalendarSeen(view), scene, chat_id=chat_id)
            turn = _after(turn, seen)
        raise TurnLost(f"the dialogue asked for the calendar more than {_LOOKS} times in one turn")

    def _writes(
        self,
        arrival: Arrival,
        before: Conversation | None,
        turn: Turn,
        event: Event,
        scene: Scene,
    ) -> TurnWrites:
        after = turn.conversation
        return TurnWrites(
            update_id=arrival.update_id,
            chat_id=arrival.chat_id,
            before_revision=before.revision if before else None,
            conversation=after,
            event_log=(logged(event),),
            effects=turn.effects,
            now=scene.now,
            bot_id=self._bot_id,
            passage=passage(before, event, after, scene.protocols.get(after.protocol)),
        )


_NEVER_STALE = (AskedForPerson, AnsweredNudge)


def is_stale(arrival: Arrival, place: Place | None) -> bool:
    """Say whether a button belongs to a screen that is not the current one.

    Those under messages that came by themselves are never too old, nor is the one that asks for a
    person, which stands under what the clinic wrote, too.
    """
    if arrival.typed or (place is not None and isinstance(arrival.event, _NEVER_STALE)):
        return False
    return place is None or arrival.revision != place.conversation.revision


def _event(arrival: Arrival, place: Place | None) -> Event:
    if is_stale(arrival, place):
        return Repeated(stale=True)
    if isinstance(arrival.event, Answered) and not arrival.event.codes and place:
        return replace(arrival.event, codes=place.conversation.ticks)
    return arrival.event


def _after(first: Turn, then: Turn) -> Turn:
    return replace(
        then,
        effects=(*first.effects, *then.effects),
        notes=(*first.notes, *then.notes),
        files=tuple(dict.fromkeys((*first.files, *then.files))),
        receipt=first.receipt or then.receipt,
        silent=first.silent and then.silent,
    )


def _wanted(turn: Turn) -> Offer:
    """Return the times that the refused turn asked for."""
    slots = []
    for effect in turn.effects:
        match effect:
            case HoldSeries() | ConfirmSeries():
                slots += [session.slot for session in effect.sessions]
            case MoveAppointment():
                slots.append(effect.slot)
    return Offer(tuple(dict.fromkeys(slots)))


def _was_offered(turn: Turn) -> bool:
    moves = (effect for effect in turn.effects if isinstance(effect, MoveAppointment))
    return any(move.is_offered for move in moves)


def logged(event: Event) -> str:
    """Return an event as one line of JSON for the audit trail."""
    return json.dumps({"event": type(event).__name__, **dict(_plain(event))}, ensure_ascii=False)


def _plain(event: Event) -> Iterator[tuple[str, object]]:
    for field in fields(event):
        value = getattr(event, field.name)
        if field.repr and not is_dataclass(value) and value:
            yield field.name, value
