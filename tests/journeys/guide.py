"""Leads a patient through whole conversations by the words on the buttons, and notes the way.

The guide knows the protocol, so that a journey can say what is special about its patient and
leave the rest to be answered as the clear patient would. `Tour` collects the states, moves and
texts that all journeys together have visited.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from flows.conversation import Conversation, Stage
from flows.events import Media
from flows.graph import Walk
from flows.machine import Edge, edges, states
from flows.protocol import Kind, Protocol, Step
from flows.texts import Catalogue
from storage import conversations
from storage.database import Database
from tests.flows.chat import CLEAR
from tests.patient import Button, Patient

_TURN_WITHIN = 60.0  # seconds in which a turn must be committed, however busy the machine
_LOOK_EVERY = 0.004


@dataclass
class Tour:
    """What the journeys have visited."""

    states: set[str] = field(default_factory=set)
    moves: set[tuple[str, str]] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)

    def covers(self, edge: Edge) -> bool:
        """Say whether some journey made this move."""
        return (str(edge.source), str(edge.dest)) in self.moves

    def summary(self, protocol: Protocol, catalogue: Catalogue) -> str:
        """Return in one line how many states, moves and texts were visited."""
        all_states, all_moves = states(protocol), edges(protocol)
        seen = len((self.states | {Stage.CHOOSE_CLINIC.value}) & set(all_states))
        made = sum(self.covers(edge) for edge in all_moves)
        texts = {key for key, words in catalogue.texts.items() if isinstance(words, str)}
        return (
            f"{seen} of {len(all_states)} states, {made} of {len(all_moves)} moves and "
            f"{len(self.texts & texts)} of {len(texts)} texts visited"
        )


class TouredCatalogue(Catalogue):
    """A catalogue that notes which texts were read."""

    tour: Tour

    def text(self, key: str, **values: object) -> str:
        """Return the words, noting their key."""
        self.tour.texts.add(key)
        return super().text(key, **values)


def toured(catalogue: Catalogue, tour: Tour) -> TouredCatalogue:
    """Return a catalogue like this one that notes what is read into `tour`."""
    noted = TouredCatalogue(catalogue.locale, catalogue.name, catalogue.texts)
    object.__setattr__(noted, "tour", tour)
    return noted


class Guide:
    """One patient's guide."""

    def __init__(
        self, patient: Patient, database: Database, protocol: Protocol, catalogue: Catalogue
    ) -> None:
        self.patient = patient
        self._database = database
        self._protocol = protocol
        self._catalogue = catalogue
        self.tour = Tour()
        self.within = _TURN_WITHIN

    async def conversation(self) -> Conversation:
        """Return the conversation as it is stored."""
        loaded = await self._database.read(conversations.load, self.patient.chat_id)
        assert loaded is not None, "the bot has not met this patient"
        return loaded.conversation

    async def starts(self, payload: str = "willow") -> None:
        """Press Start and wait for the first screen."""
        await self.patient.starts(payload)
        await self._arrived(None)

    async def starts_again(self, payload: str = "willow") -> str:
        """Press Start once more and return the state it led to."""
        before = await self.conversation()
        await self.patient.starts(payload)
        return await self._arrived(before)

    async def arrives(self) -> str:
        """Wait for the answer to something done while nobody looked; return the state."""
        return await self._arrived(await self.conversation())

    async def taps(self, label: str) -> str:
        """Tap a button, wait for its turn, and return the state it led to."""
        before = await self.conversation()
        await self.patient.taps(label)
        return await self._arrived(before)

    async def follows(self, *labels: str) -> None:
        """Tap one button after the other."""
        for label in labels:
            await self.taps(label)

    async def says(self, text: str) -> str:
        """Type words, wait for their turn, and return the state they led to."""
        before = await self.conversation()
        await self.patient.says(text)
        return await self._arrived(before)

    async def presses(self, button: Button) -> str:
        """Press a button kept from earlier, and return the state it led to."""
        before = await self.conversation()
        await self.patient.presses(button)
        return await self._arrived(before)

    async def sends(self, media: Media) -> str:
        """Send something that is not words, and return the state it led to."""
        before = await self.conversation()
        await self.patient.sends(media)
        return await self._arrived(before)

    async def answers(self, **given: str | tuple[str, ...]) -> str:
        """Answer the questions as they come, like the clear patient but for `given`."""
        wanted = {**CLEAR, **{k: (v,) if isinstance(v, str) else v for k, v in given.items()}}
        state = (await self.conversation()).state
        while state in wanted:
            state = await self.gives(self._protocol.step(state), wanted[state])
        return state

    async def walks(self, walk: Walk) -> str:
        """Answer exactly as the walk says."""
        state = (await self.conversation()).state
        for step_id, codes in walk:
            assert state == step_id, f"{state} is asked, the walk answers {step_id}"
            state = await self.gives(self._protocol.step(step_id), codes)
        return state

    async def gives(self, step: Step, codes: tuple[str, ...]) -> str:
        """Answer one question with its buttons; a date or own words are typed."""
        if not codes:
            return await self._gives_nothing(step)
        alone = step.kind is not Kind.MULTI or step.option(codes[0]).exclusive
        if alone or (step.quick and len(codes) == 1):
            return await self.taps(self.label(step.id, codes[0]))
        if step.quick:
            await self.taps(self._catalogue.text("button.several"))
        for code in codes:
            await self.taps(self.label(step.id, code))
        return await self.taps("Done")

    def label(self, step_id: str, code: str) -> str:
        """Return the words on an option's button."""
        return self._catalogue.text(f"step.{step_id}.{code}.label")

    async def _gives_nothing(self, step: Step) -> str:
        if step.kind is Kind.DATE:
            return await self.says("12 June")
        if step.kind is Kind.TEXT:
            return await self.says("mild asthma")
        skip = "button.private" if step.sensitive else "button.skip"
        return await self.taps(self._catalogue.text(skip))

    async def _arrived(self, before: Conversation | None) -> str:
        deadline = asyncio.get_running_loop().time() + self.within
        while True:
            loaded = await self._database.read(conversations.load, self.patient.chat_id)
            moved = loaded and (before is None or loaded.conversation.revision > before.revision)
            if loaded and moved and loaded.shown_revision == loaded.conversation.revision:
                break
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"no answer to:\n{self.patient.transcript()}")
            await asyncio.sleep(_LOOK_EVERY)
        state = loaded.conversation.state
        source = before.state if before else Stage.CHOOSE_CLINIC.value
        self.tour.states.add(state)
        self.tour.moves.add((source, state))
        return state
