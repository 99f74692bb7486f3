"""The questions of `resurface clinic init`: one answer at a time, each checked at once.

Asking is somebody else's: a terminal, a file of answers, or both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from clinic import answers, countries, opening_words, summary
from clinic.booking_modes import MODES
from clinic.console.setting_forms import short_name
from flows.clinics import BookingMode
from storage import clinic_file
from storage.clinic_document import Document
from storage.clinic_faults import ClinicFileFaults, Path

HOURS = "Mon-Fri 9-13, 14-17:30"
MOST_PEOPLE = 20
MOST_REGIONS = 5  # are suggested at once

#: What stands in for what was not asked yet, so that each answer can be checked by itself.
_BLANK: Document = {
    "slug": "clinic",
    "name": "Clinic",
    "zone": "UTC",
    "address": "-",
    "phone": "00000",
    "emergency": "112",
    "booking": {"mode": BookingMode.HOLD.value},
    "holidays": {},
    "services": {
        "treatment": {"name": "Micro-needling session", "minutes": 60, "after_minutes": 15},
        "consultation": {"name": "Skin consultation", "minutes": 30},
    },
    "practitioners": [],
    "closures": [],
}
_SOMEBODY = {"slug": "zz", "name": "Zz", "hours": {"mon": ["00:00-23:59"]}}


class Asker(Protocol):
    """Asks a person, or looks answers up."""

    def ask(self, key: str, question: str, default: str, check: Callable[[str], Any]) -> Any:
        """Return what `check` makes of the answer; it raises ValueError with a sentence."""
        ...

    def told(self, key: str) -> str:
        """Return an answer that is known before it is asked for; empty when none is."""
        ...

    def without_asking(self) -> Asker:
        """Return one that asks nobody: it takes the default of what is not told."""
        ...


@dataclass(frozen=True, slots=True)
class Described:
    """A clinic as it was described, and its first owner."""

    document: Document
    owner: str  # empty: nobody


@dataclass(frozen=True, slots=True)
class Held:
    """What the database holds, by the clinics' short names."""

    clinics: Mapping[str, Document] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)  # who owns it, by name


class Wizard:
    """Asks for one clinic; `before` is what is known of it already."""

    def __init__(
        self,
        asker: Asker,
        before: Mapping[str, Any] | None,
        held: Held,
        zone: str,
        owner: str | None = None,
    ) -> None:
        """`zone` is suggested when nothing is known; `owner` when who owns it was said before."""
        self._asker = asker
        self._held = held
        self._zone = zone
        self._said_owner = owner
        self._known = before is not None
        # Where other clinics are held, a short name says which of them is meant.
        self._has_usual_slug = not self._known and not held.clinics
        self._document: Document = {**_BLANK, **(before or {})}

    def run(self) -> Described:
        """Ask everything; of a new clinic what is usual only where somebody wants it otherwise."""
        self._profile()
        before = str(self._document["holidays"].get("country", ""))
        self._country(before)
        if not (is_usual := self._has_usual_zone()):
            self._time_zone(before)
        self._field("address", "Where is it?")
        self._field("phone", "Its telephone number")
        self._people()
        self._service("treatment", "minutes", "A session lasts how many minutes?")
        self._service("treatment", "price", "Its price as patients read it; - for none")
        owner = self._owner()
        if self._known or not self._keeps_usual(before, zone=is_usual):
            self._usual(before, zone=is_usual)
        return Described(self._document, owner)

    def _profile(self) -> None:
        self._field("name", "What is the clinic called?")
        if not self._known:
            self._put("slug", self._short_name())
        begun_with = self._document["slug"] if self._known else ""
        if not self._has_usual_slug:
            self._slug()
        self._go_on_with(self._document["slug"], begun_with)

    def _slug(self) -> None:
        self._field("slug", "Its short name, for links", keep=True)

    def _usual(self, before: str, *, zone: bool) -> None:
        """Ask what is usually left as it is suggested; `zone` when it was not asked before."""
        if zone:
            self._time_zone(before)
        self._dangers(before)
        for code, name, question in (
            ("treatment", "after_minutes", "A session: minutes kept free after it"),
            ("consultation", "minutes", "A consultation lasts how many minutes?"),
            ("consultation", "after_minutes", "A consultation: minutes kept free after it"),
            ("consultation", "price", "A consultation: its price as patients read it; - for none"),
        ):
            self._service(code, name, question)
        self._booking()
        if self._has_usual_slug:
            self._slug()

    def _keeps_usual(self, before: str, *, zone: bool) -> bool:
        """Fill in what is usual, show it, and ask whether it stays.

        After a no its questions begin from what was shown.
        """
        asker, self._asker = self._asker, self._asker.without_asking()
        self._usual(before, zone=zone)
        self._asker, self._known = asker, True
        lines = "\n  ".join(("Usual values:", *summary.usual(self._document)))
        words = f"{lines}\nKeep these usual values, y or n?"
        return bool(self._asker.ask("usual", words, "y", answers.yes_or_no) == "yes")

    def _short_name(self) -> str:
        """Return the clinic's own when it is held already; another's is not taken over."""
        name = self._document["name"]
        others = {slug for slug, each in self._held.clinics.items() if each["name"] != name}
        return short_name(name, others)

    def _go_on_with(self, slug: str, begun_with: str) -> None:
        """Begin from what is held of the clinic that was just named."""
        if slug in self._held.clinics and slug != begun_with:
            name = self._document["name"]
            self._document = {**_BLANK, **self._held.clinics[slug], "name": name}
            self._known = True

    def _country(self, before: str) -> None:
        """Ask for the country, by which all that follows is suggested, and for its region."""
        zone = countries.zone_of(self._asker.told("zone")) or self._zone
        suggested = "" if self._known else countries.country_of(zone)
        country, meant = self._asker.ask(
            "country",
            "Country, for public holidays and the time zone, such as GB or Ireland; - for none",
            before or suggested or "-",
            lambda typed: answers.country(typed, before),
        )
        if not meant and country == before:
            meant = self._document["holidays"].get("subdivision", "")
        regions = countries.regions_of(country)
        region = ""
        if regions:
            some = dict(list(regions.items())[:MOST_REGIONS])
            more = ", ..." if len(regions) > len(some) else ""
            words = f"Region, for its own holidays, such as {answers.said(some)}{more}; - for none"
            region = self._asker.ask("region", words, meant or "-", answers.region(regions))
        self._put("holidays", {"country": country, "subdivision": region})

    def _time_zone(self, before: str) -> None:
        country = self._document["holidays"]["country"]
        zone = self._before("zone")
        if not self._known or country != before:
            zone = countries.zone_in(country, zone or self._zone)
        words = "Its time zone, or a big city in it"
        self._put("zone", self._asker.ask("zone", words, zone, answers.zone(zone, country)))

    def _has_usual_zone(self) -> bool:
        """Say whether a new clinic's country tells its time zone."""
        country = self._document["holidays"]["country"]
        return bool(country) and not self._known and bool(countries.zone_in(country, self._zone))

    def _dangers(self, before: str) -> None:
        """A country's numbers are not kept for another country."""
        country = self._document["holidays"]["country"]
        for name, question, numbers, other in (
            (
                "emergency",
                "What should patients call in danger?",
                countries.EMERGENCIES,
                countries.EMERGENCY,
            ),
            (
                "crisis_line",
                "A line for somebody in despair; - for none",
                countries.CRISIS_LINES,
                "-",
            ),
        ):
            default = self._before(name) or "-"
            is_old = country != before and default == numbers.get(before, other)
            if is_old or not self._known:
                default = numbers.get(country, other)
            self._put(name, self._asker.ask(name, question, default, self._call(name)))

    def _call(self, name: str) -> Callable[[str], str]:
        """Return the check of whom to call; what is held may stay as it is."""
        held = self._before(name)

        def check(typed: str) -> str:
            value = answers.plain(typed)
            if value != held:
                answers.to_call(value)
            return str(self._checked((name,), {name: value}, value))

        return check

    def _people(self) -> None:
        before: list[Document] = list(self._document["practitioners"])
        people: list[Document] = []
        for number in range(len(before) + MOST_PEOPLE):
            key, suggested = f"people.{number}", before[0] if before else {}
            words = "Who else treats? - for nobody else" if number else "Who treats?"
            default = suggested.get("name", "-" if number else "")
            name = self._asker.ask(
                f"{key}.name", words, default, answers.plain if people else answers.somebody
            )
            if not name:
                break
            person = self._person(key, name, before)
            before = [each for each in before if each is not person]
            said = opening_words.say_week(person.get("hours", {})) or ("-" if person else HOURS)
            hours = self._asker.ask(
                f"{key}.hours", f"When does {name} work?", said, self._hours_of(person)
            )
            taken = {each["slug"] for each in (*people, *before)}
            slug = person.get("slug") or short_name(name, taken)
            people.append({"days": [], **person, "slug": slug, "name": name, "hours": hours})
        self._put("practitioners", people)

    def _person(self, key: str, name: str, before: Sequence[Document]) -> Document:
        """Return whom of those before the name means; nothing for somebody new.

        Visits stay with the person, so a name in another's place is not taken for a new name
        unless it is said to be.
        """
        by_name = {each["name"].casefold(): each for each in before}
        by_slug = {each["slug"]: each for each in before}
        if not before or name.casefold() in by_name:
            return by_name.get(name.casefold(), {})
        like = by_slug.get(short_name(name, set()))
        meant = like or before[0]
        words = f"Is that a new name of {meant['name']}, with the same visits? yes or no"
        default = "yes" if like else "no"
        same = self._asker.ask(f"{key}.same", words, default, answers.yes_or_no)
        return meant if same == "yes" else {}

    def _service(self, code: str, name: str, question: str) -> None:
        services = self._document["services"]
        before = services[code].get(name, "-" if name == "price" else 0)
        value = self._asker.ask(
            f"{code}.{name}", question, str(before) or "-", self._of(code, name)
        )
        self._put("services", {**services, code: {**services[code], name: value}})

    def _of(self, code: str, name: str) -> Callable[[str], str]:
        """Return the check of one value of a service, as far as the service is known."""

        def check(typed: str) -> str:
            value = answers.plain(typed)
            if name != "price":
                value = answers.minutes(value)
            services = self._document["services"]
            services = {**services, code: {**services[code], name: value}}
            return str(self._checked(("services", code, name), {"services": services}, value))

        return check

    def _booking(self) -> None:
        ways = (f"\n  {mode.value}: {'. '.join(MODES[mode])}" for mode in MODES)
        mode = self._asker.ask(
            "mode",
            f"How do patients book a time?{''.join(ways)}\nhold, instant or request",
            self._document["booking"]["mode"],
            answers.one_of([mode.value for mode in MODES], needed=True),
        )
        self._put("booking", {**self._document["booking"], "mode": mode})

    def _owner(self) -> str:
        known = self._said_owner
        if known is None:
            known = self._held.owners.get(self._document["slug"], "")
        words = (
            "Who owns it? An owner may change its settings and people, in the console; "
            "- for nobody yet"
        )
        return str(self._asker.ask("owner", words, known or "-", answers.plain))

    def _field(self, name: str, question: str, *, keep: bool = False) -> None:
        before = self._document[name] if keep else self._before(name)

        def check(typed: str) -> str:
            value = answers.plain(typed)
            return str(self._checked((name,), {name: value}, value))

        self._put(name, self._asker.ask(name, question, before, check))

    def _before(self, name: str) -> str:
        return str(self._document.get(name, "")) if self._known else ""

    def _put(self, name: str, value: Any) -> None:
        self._document = {**self._document, name: value}

    def _hours_of(self, before: Document) -> Callable[[str], dict[str, list[str]]]:
        def check(typed: str) -> dict[str, list[str]]:
            hours = opening_words.week(answers.plain(typed))
            if not hours and (not before or before["hours"]):
                raise ValueError("at least one day needs hours")
            person = {"slug": "aa", "name": "A", "hours": hours}
            self._checked(
                ("practitioners", 0), {"practitioners": [person, _SOMEBODY]}, typed, whole=True
            )
            return hours

        return check

    def _checked(
        self, path: Path, values: Mapping[str, Any], typed: Any, *, whole: bool = False
    ) -> Any:
        """Return what was typed when the clinic file may say so at this place."""
        people = self._document["practitioners"] or [_SOMEBODY]
        try:
            clinic_file.checked({**self._document, "practitioners": people, **values})
        except ClinicFileFaults as fault:
            own = [
                each
                for each in fault.faults
                if each.path[: len(path)] == path
                or (path[0] == "services" and each.path == ("practitioners",))
            ]
            if own:
                raise ValueError(own[0].message) from None
        return typed
