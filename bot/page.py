"""What a screen is drawn from: one conversation in its scene, in the patient's language."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_location

from bot.callback_data import Press
from bot.markup import Button, escaped, label
from flows import wording
from flows.clinics import Clinic
from flows.conversation import Conversation, Stage
from flows.eligibility import Verdict
from flows.position import Position
from flows.protocol import Protocol, Step
from flows.slots import Slot
from flows.texts import Catalogue
from flows.turn import Note, Scene

Value = str | int | date


class Page:
    """Words, dates and values for the screens of one conversation. Changes nothing."""

    def __init__(self, conversation: Conversation, scene: Scene) -> None:
        self.conversation = conversation
        self.scene = scene
        self.catalogue: Catalogue = scene.catalogues.get(
            conversation.locale, scene.catalogues["en"]
        )
        self.clinic: Clinic | None = scene.clinics.get(conversation.clinic or "")
        self.position = Position(conversation, scene)

    @property
    def locale(self) -> str:
        """The locale that dates are written in."""
        return self.catalogue.locale

    @property
    def zone(self) -> ZoneInfo:
        """The clinic's time zone."""
        return ZoneInfo(self.clinic.zone if self.clinic else "UTC")

    @property
    def protocol(self) -> Protocol:
        """The protocol of the run; KeyError before a clinic is chosen."""
        return self.scene.protocols[self.conversation.protocol]

    @property
    def step(self) -> Step | None:
        """The question on the screen, None on the other screens."""
        if self.conversation.state in set(Stage):
            return None
        return self.protocol.step(self.conversation.state)

    @property
    def verdict(self) -> Verdict:
        """The verdict over the answers that count."""
        return self.position.verdict()

    def say(self, key: str, **values: Value) -> str:
        """Return a text with the clinic's values and `values` filled in, escaped."""
        filled: dict[str, Value] = {**wording.values_of(self.clinic), **values}
        return self.catalogue.text(
            key, **{name: escaped(self._shown(value)) for name, value in filled.items()}
        )

    def has(self, key: str) -> bool:
        """Say whether the catalogue holds the key."""
        return self.catalogue.has(key)

    def points(self, key: str) -> str:
        """Return a list of the catalogue, one point a line."""
        return "\n".join(f"• {escaped(point)}" for point in self.catalogue.words(key))

    def note(self, note: Note) -> str:
        """Return the words of a note: a text, or a list under its title."""
        if not isinstance(self.catalogue.texts[note.key], tuple):
            return self.say(note.key, **note.values)
        title = f"title.{note.key}"
        points = self.points(note.key)
        return f"{self.say(title)}\n{points}" if self.has(title) else points

    def label_of(self, step: str, code: str) -> str:
        """Return the label of an option, as plain words."""
        return self.catalogue.text(f"step.{step}.{code}.label")

    def button(self, name: str, press: Press, **values: Value) -> Button:
        """Return a button with the catalogue's label `button.<name>`."""
        shown = {key: self._shown(value) for key, value in values.items()}
        return Button(label(self.catalogue.text(f"button.{name}", **shown)), press)

    def day(self, on: date) -> str:
        """Write a day in full: Tuesday 1 December 2026."""
        return self._date(on, "full")

    def short_day(self, on: date) -> str:
        """Write a day for a button: Tue 1 Dec."""
        return self._date(on, "button")

    def clock(self, at: datetime) -> str:
        """Write the clinic's wall-clock time of an instant: 10:00."""
        pattern = self.catalogue.text("screen.date.clock")
        return str(format_time(at.astimezone(self.zone), pattern, locale=self.locale))

    def local_day(self, slot: Slot) -> date:
        """Return the clinic's local day of a slot."""
        return slot.starts_at.astimezone(self.zone).date()

    def when(self, slot: Slot) -> str:
        """Write the local day and time of a slot: Tue 1 Dec 2026, 10:00."""
        return f"{self._date(self.local_day(slot), 'line')}, {self.clock(slot.starts_at)}"

    def short_when(self, slot: Slot) -> str:
        """Write day and time for a button: Tue 1 Dec 10:00."""
        return f"{self.short_day(self.local_day(slot))} {self.clock(slot.starts_at)}"

    def place(self) -> str:
        """Name the city of the clinic's time zone: London."""
        return str(get_timezone_location(self.zone, locale=self.locale, return_city=True))

    def _shown(self, value: Value) -> str:
        return self.day(value) if isinstance(value, date) else str(value)

    def _date(self, on: date, width: str) -> str:
        pattern = self.catalogue.text(f"screen.date.{width}")
        return str(format_date(on, pattern, locale=self.locale))
