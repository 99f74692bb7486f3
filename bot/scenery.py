"""What surrounds a turn: the clock, the clinics, the words, and the store behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.clock import Clock
from flows.clinics import Clinic
from flows.conversation import Conversation
from flows.protocol import Protocol as ClinicalProtocol
from flows.slots import CalendarView
from flows.texts import Catalogue
from flows.turn import Look, Scene
from storage.turns import Committed, Duplicate, SlotTaken, Stale, TurnWrites


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chat stands, and the message that shows it."""

    conversation: Conversation
    message_id: int | None
    shown_revision: int | None
    is_talking: bool = False  # the clinic's people and this patient have an open thread
    is_interrupted: bool = False  # a message came by itself after the chat's last turn


class Store(Protocol):
    """What a turn needs from storage."""

    async def place(self, chat_id: int) -> Place | None:
        """Return where the chat stands; None for one never seen."""
        ...

    async def look(self, look: Look, scene: Scene, chat_id: int) -> CalendarView:
        """Read the calendar."""
        ...

    async def commit(self, writes: TurnWrites) -> Committed | Duplicate | Stale | SlotTaken:
        """Make the turn durable, all of it or nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Scenery:
    """Everything a turn may know, apart from the chat itself."""

    clock: Clock
    new_token: Callable[[], str]
    protocols: Mapping[str, ClinicalProtocol]
    catalogues: Mapping[str, Catalogue]
    clinics: Callable[[Conversation | None], Awaitable[Mapping[str, Clinic]]]

    async def scene(self, held: Conversation | None) -> Scene:
        """Return what is known at this moment, with a fresh token.

        The clinic and the protocol that the conversation is held with are looked for first.
        """
        clinics = await self.clinics(held)
        return Scene(
            now=self.clock.now(),
            token=self.new_token(),
            protocols=self.protocols,
            clinics=clinics,
            catalogues=self.catalogues,
        )
