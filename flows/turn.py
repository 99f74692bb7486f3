"""What one event did: the conversation after it, what to do, and what to say besides the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from flows.clinics import Clinic
from flows.conversation import Conversation
from flows.effects import Effect
from flows.protocol import Protocol
from flows.texts import Catalogue


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a turn may know besides the conversation and the event."""

    now: datetime  # aware UTC
    token: str  # fresh random text of at least 16 letters and digits; ids and codes come from it
    protocols: Mapping[str, Protocol]  # by `Protocol.key`
    clinics: Mapping[str, Clinic]  # by slug
    catalogues: Mapping[str, Catalogue]  # by locale
    is_talking: bool = False  # the clinic's people and this patient have an open thread
    is_interrupted: bool = False  # a message came by itself after the screen


@dataclass(frozen=True, slots=True)
class Note:
    """Something said once before the screen: a catalogue key and its values."""

    key: str
    values: Mapping[str, str | int | date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    """The calendar that must be read before the turn is complete; answer with `CalendarSeen`."""

    clinic: str
    service: str
    from_on: date  # local day, inclusive
    until_on: date  # local day, inclusive
    ignore_series: str = ""  # the patient's own hold, which must not stand in their way
    ignore_uid: str = ""  # the appointment being moved


@dataclass(frozen=True, slots=True)
class Turn:
    """The result of `dialogue.advance`."""

    conversation: Conversation
    effects: tuple[Effect, ...] = ()
    notes: tuple[Note, ...] = ()
    receipt: str | None = None  # the step answered in this turn; its question becomes one line
    look: Look | None = None
    #: "timeline" goes before the screen; "calendar", and "cancelled" for its opposite, after it.
    files: tuple[str, ...] = ()
    silent: bool = False  # nothing new to say: the chat stays as it is
