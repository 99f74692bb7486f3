"""What staff read in Telegram, as screens. Pure. Nothing here names a patient or an answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time

from bot.markup import Button, Rows, Screen, escaped, joined, label, plain
from bot.staff_time_off import Person
from bot.updates import STAFF_MARK
from flows.effects import LeadKind
from flows.texts import Catalogue
from storage.calendar_store import AgendaRow
from storage.clashes import ClashCard
from storage.staff_cards import CardFacts
from storage.time_off import Clash

COMMANDS = ("today", "week", "off", "console", "cards", "leave", "help")

_STATES = ("pending", "booked", "arrived", "fulfilled", "noshow", "blocked", "held")


@dataclass(frozen=True, slots=True)
class StaffWords:
    """Words in a clinic's language and on its clock."""

    catalogues: Mapping[str, Catalogue]
    locale: str
    zone: str  # IANA name

    @property
    def catalogue(self) -> Catalogue:
        """Return the clinic's language, or English."""
        return self.catalogues.get(self.locale, self.catalogues["en"])

    def say(self, key: str, **values: object) -> str:
        """Return a text of `staff.*`, its values escaped."""
        shown = {name: escaped(value) for name, value in values.items()}
        return self.catalogue.text(f"staff.{key}", **shown)

    def clock(self, at: datetime) -> str:
        """Write the clinic's wall-clock time: 14:30."""
        return str(format_time(self._local(at), "HH:mm", locale=self.catalogue.locale))

    def day(self, at: datetime) -> str:
        """Write a local day: Tue 24 Nov."""
        return self._day(self._local(at).date())

    def span(self, starts_at: datetime, ends_at: datetime) -> str:
        """Write from when until when; a whole day is just the day."""
        start, end = self._local(starts_at), self._local(ends_at)
        midnight = end.hour == end.minute == 0
        if midnight and start.hour == start.minute == 0 and (end.date() - start.date()).days == 1:
            return self._day(start.date())
        same = start.date() == end.date() or (midnight and (end.date() - start.date()).days == 1)
        until = "24:00" if midnight and same else self.clock(ends_at)
        ends = until if same else f"{self._day(end.date())}, {until}"
        return f"{self._day(start.date())}, {self.clock(starts_at)}–{ends}"

    def card(self, facts: CardFacts, console_url: str, kind: str = "") -> Screen:
        """Return the card of a lead, with the buttons that still mean something."""
        lines = []
        if LeadKind.URGENT in (kind, facts.kind):
            lines.append(self.say("card.urgent"))
        elif facts.wants_person:
            lines.append(self.say("card.person"))
        if facts.has_paused:
            lines.append(self.say("card.paused"))
        lines.append(self.say("card.new", lead=facts.lead_id, clinic=facts.clinic))
        verdict = self.say(f"verdict.{facts.verdict or 'none'}")
        lines.append(self.say("card.verdict", verdict=verdict))
        if facts.band:
            lines.append(self.say("card.readiness", band=self.say(f"band.{facts.band}")))
        lines += [*self._visits(facts), *self._standing(facts)]
        rows = self._card_rows(facts)
        path = f"leads/{facts.lead_id}"
        if facts.wants_person and not facts.has_paused:
            lines.append(self.say("card.answer"))
            path = f"{path}/messages"
        return self._with_link(lines, rows, console_url, path)

    def done(self, facts: CardFacts) -> str:
        """Say that a press counts, and what else there is to do."""
        if facts.status != "declined" or facts.next_booked is None:
            return self.say("card.done")
        return self.say("card.done_booked", when=self._when(facts.next_booked))

    def overtaken(self, facts: CardFacts, now: datetime) -> str:
        """Say why a press does not count: who has done what meanwhile, and when."""
        if facts.at is None or not facts.by:
            return self.say("card.changed")
        today = self._local(facts.at).date() == self._local(now).date()
        at = self.clock(facts.at) if today else self._when(facts.at)
        return plain(self.say(f"card.faster.{facts.status}", name=facts.by, at=at))

    def outside_change(self, card: ClashCard) -> str:
        """Return what was done in a practitioner's own calendar to a visit of a patient."""
        booked = f"{self.day(card.booked_at)}, {self.clock(card.booked_at)}"
        key = f"outside.{card.kind.value}"
        span = self.span(card.starts_at, card.ends_at)
        return self.say(key, who=card.practitioner, when=booked, code=card.code, span=span)

    def agenda(
        self, clinic: str, title: str, rows: Sequence[AgendaRow], names: Mapping[str, str]
    ) -> str:
        """Return one clinic's day: times, practitioners, codes and states."""
        head = self.say("today", clinic=clinic, day=title)
        return "\n".join((head, *(self.lines(rows, names) or [self.say("nobody")])))

    def week(
        self,
        clinic: str,
        days: Iterable[tuple[datetime, Sequence[AgendaRow]]],
        names: Mapping[str, str],
    ) -> str:
        """Return one clinic's week, a paragraph a day."""
        parts = []
        for midnight, rows in days:
            lines = self.lines(rows, names) or [self.say("free_day")]
            head = self.say("today", clinic=clinic, day=self.day(midnight))
            parts.append("\n".join((head, *lines)))
        return joined(parts, ending="…")

    def lines(self, rows: Sequence[AgendaRow], names: Mapping[str, str]) -> list[str]:
        """Return a line for each appointment that is worth one."""
        return [
            f"{self.clock(row.starts_at)}–{self.clock(row.ends_at)} "
            + " · ".join(
                escaped(part)
                for part in (
                    names.get(row.practitioner, row.practitioner),
                    row.code,
                    self.say(f"state.{row.state}"),
                )
                if part
            )
            for row in rows
            if row.state in _STATES
        ]

    def clashes(self, when: str, found: Sequence[Clash]) -> str:
        """Return what is in the way of time off."""
        lines = [
            f"{self.day(each.starts_at)}, {self.clock(each.starts_at)} "
            f"{escaped(each.code)} {self.say(f'state.{each.state}')}"
            for each in found[:20]
        ]
        return self.catalogue.text("staff.off.clash", when=when, clashes="\n".join(lines))

    def ask_when(self) -> Screen:
        """Ask when somebody is off."""
        buttons = tuple(
            Button(self.say(f"off.{name}"), data=f"{STAFF_MARK}when.{name}")
            for name in ("afternoon", "today", "tomorrow")
        )
        return Screen(self.say("off.ask"), (buttons[:2], buttons[2:]))

    def ask_who(self, people: Sequence[Person], starts_at: datetime, ends_at: datetime) -> Screen:
        """Ask who is off."""
        span = f"{int(starts_at.timestamp())}.{int(ends_at.timestamp())}"
        rows = [
            (Button(label(each.name), data=f"{STAFF_MARK}off.{each.clinic_id}.{each.slug}.{span}"),)
            for each in people
        ]
        for clinic_id in sorted({each.clinic_id for each in people}):
            everyone = f"{STAFF_MARK}off.{clinic_id}.*.{span}"
            rows.append((Button(self.say("off.everyone"), data=everyone),))
        return Screen(self.say("off.who", when=self.span(starts_at, ends_at)), tuple(rows))

    def off_done(self, people: Sequence[Person], when: str, undo: str) -> Screen:
        """Say that the time is kept free, with a way to take it back."""
        who = ", ".join(each.name for each in people)
        button = Button(self.say("button.undo"), data=f"{STAFF_MARK}back.{undo}")
        return Screen(self.say("off.done", who=who, when=when), ((button,),))

    def help(self) -> Screen:
        """Return what each command does."""
        lines = [f"/{name}: {self.say(f'command.{name}')}" for name in COMMANDS if name != "help"]
        return Screen(self.catalogue.text("staff.help", commands="\n".join(lines)))

    def sign_in(self, clinic: str, link: str) -> Screen:
        """Return a link into the console, and where it opens when that is one machine only."""
        parts = [self.say("console", clinic=clinic, link=link)]
        if not link.startswith("https://"):  # such addresses are the machine's own: see CONSOLE_URL
            parts.append(self.say("console_here"))
        return Screen("\n\n".join(parts))

    def _visits(self, facts: CardFacts) -> list[str]:
        if not facts.booked:
            return []
        starts_at, code, state = facts.booked[0]
        key = "card.requested" if state == "pending" else "card.booked"
        first = self.say(key, when=self._when(starts_at), code=code)
        more = len(facts.booked) - 1
        return [first, self.say("card.more", count=more)] if more else [first]

    def _standing(self, facts: CardFacts) -> list[str]:
        if facts.status == "new":
            return []
        said = [self.say(f"card.{facts.status}", name=facts.by)]
        if facts.status == "declined" and facts.next_booked is not None:
            said.append(self.say("card.still_booked", when=self._when(facts.next_booked)))
        return said

    def _card_rows(self, facts: CardFacts) -> Rows:
        wanted = {
            "new": ("contacted", "declined")
            if facts.asked  # to accept somebody who asked for visits is to confirm these
            else ("accepted", "contacted", "declined"),
            "accepted": ("contacted", "declined"),
            "contacted": ("declined",),
        }.get(facts.status, ())
        names = {"accepted": "accept"}
        buttons = tuple(
            Button(
                self.say(f"button.{names.get(status, status)}"),
                data=f"{STAFF_MARK}lead.{status}.{facts.lead_id}.{facts.status}",
            )
            for status in wanted
        )
        rows = tuple(row for row in (buttons[:2], buttons[2:]) if row)
        return (self._confirm_row(facts), *rows) if facts.asked else rows

    def _confirm_row(self, facts: CardFacts) -> tuple[Button, ...]:
        """A card holds for the visits that it shows: the button names how they stood."""
        count = sum(state == "pending" for _, _, state in facts.booked)
        words = self.say("button.confirm" if count == 1 else "button.confirm_all", count=count)
        data = f"{STAFF_MARK}lead.confirmed.{facts.lead_id}.{facts.asked}"
        return (Button(words, data=data),)

    def _with_link(self, lines: Sequence[str], rows: Rows, console_url: str, path: str) -> Screen:
        """Telegram opens buttons by https only; any other address is this machine's own."""
        address = f"{console_url.rstrip('/')}/{path}" if console_url else ""
        if address.startswith("https://"):
            button = Button(self.say("button.open"), url=address)
            return Screen("\n".join(lines), (*rows, (button,)))
        if address:
            lines = (*lines, self.say("card.here", address=address))
        return Screen("\n".join(lines), rows)

    def _when(self, at: datetime) -> str:
        return f"{self.day(at)}, {self.clock(at)}"

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.zone))

    def _day(self, on: date) -> str:
        return str(format_date(on, "EEE d MMM", locale=self.catalogue.locale))
