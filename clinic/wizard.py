"""The questions of `resurface clinic init`: one answer at a time, each checked at once.

Asking is somebody else's: a terminal, a file of answers, or both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import holidays

from clinic import countries, opening_words
from clinic.console.setting_forms import FormFault, begun, short_name
from flows.clinics import BookingMode
from storage import clinic_file
from storage.clinic_document import Document
from storage.clinic_faults import ClinicFileFaults, Path

HOURS = "Mon-Fri 9-13, 14-17:30"
MOST_PEOPLE = 20

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


@dataclass(frozen=True, slots=True)
class Described:
    """A clinic as it was described, and its first owner."""

    document: Document
    owner: str  # empty: nobody


class Wizard:
    """Asks for one clinic; `before` is what is known of it already."""

    def __init__(self, asker: Asker, before: Mapping[str, Any] | None, zone: str) -> None:
        """`zone` is suggested when nothing is known."""
        self._asker = asker
        self._zone = zone
        self._known = before is not None
        self._document: Document = {**_BLANK, **(before or {})}

    def run(self) -> Described:
        """Ask everything."""
        self._profile()
        self._country()
        self._people()
        self._services()
        self._booking()
        owner = self._asker.ask("owner", "Who owns it? They get the first invitation", "", _plain)
        return Described(self._document, owner)

    def _profile(self) -> None:
        self._field("name", "What is the clinic called?")
        if not self._known:
            self._document["slug"] = short_name(self._document["name"], set())
        self._field("slug", "Its short name, for links", keep=True)
        zone = self._before("zone") or self._zone
        self._put("zone", self._asker.ask("zone", "Its time zone, or city", zone, self._zone_of))
        self._field("address", "Where is it?")
        self._field("phone", "Its telephone number")

    def _country(self) -> None:
        held = self._document["holidays"]
        suggested = held.get("country") or countries.country_of(self._document["zone"])
        country = self._asker.ask(
            "country", "Country, two letters, for public holidays; - for none", suggested, _country
        )
        regions = holidays.list_supported_countries(include_aliases=True).get(country, [])
        region = ""
        if regions:
            before = held.get("subdivision", "") if held.get("country") == country else ""
            words = f"Region, for its own holidays ({', '.join(regions[:12])}…); - for none"
            region = self._asker.ask("region", words, before or "-", _one_of(regions))
        self._put("holidays", {"country": country, "subdivision": region})
        number = countries.EMERGENCIES.get(country, countries.EMERGENCY)
        self._field("emergency", "What should patients call in danger?", number)
        line = countries.CRISIS_LINES.get(country, "-")
        self._field("crisis_line", "A line for somebody in despair; - for none", line)

    def _people(self) -> None:
        before = {person["slug"]: person for person in self._document["practitioners"]}
        people: list[Document] = []
        for number, person in enumerate([*before.values(), *([{}] * MOST_PEOPLE)]):
            key = f"people.{number}"
            words = "Who treats?" if not number else "Who else treats? - for nobody else"
            name = self._asker.ask(
                f"{key}.name", words, person.get("name", "" if not number else "-"), _plain
            )
            if not name:
                if people:
                    break
                continue
            said = opening_words.say_week(person.get("hours", {})) or HOURS
            hours = self._asker.ask(f"{key}.hours", f"When does {name} work?", said, self._hours)
            slug = person.get("slug") or short_name(name, {each["slug"] for each in people})
            people.append({"days": [], **person, "slug": slug, "name": name, "hours": hours})
        self._put("practitioners", people)

    def _services(self) -> None:
        for code, words in (("treatment", "A session"), ("consultation", "A consultation")):
            service = {**self._document["services"][code]}
            for name, question in (
                ("minutes", f"{words} lasts how many minutes?"),
                ("after_minutes", f"{words}: minutes kept free after it"),
                ("price", f"{words}: its price as patients read it; - for none"),
            ):
                before = service.get(name, "-" if name == "price" else 0)
                service[name] = self._asker.ask(
                    f"{code}.{name}", question, str(before) or "-", self._of(code, name, service)
                )
            self._put("services", {**self._document["services"], code: service})

    def _of(self, code: str, name: str, service: Document) -> Callable[[str], str]:
        """Return the check of one value of a service, as far as the service is known."""

        def check(typed: str) -> str:
            value = _plain(typed)
            services = {**self._document["services"], code: {**service, name: value}}
            return str(self._checked(("services", code, name), {"services": services}, value))

        return check

    def _booking(self) -> None:
        modes = [mode.value for mode in BookingMode]
        mode = self._asker.ask(
            "mode",
            "How is a time booked? hold: it waits while contact details are given; instant: with "
            "one tap; request: your team confirms",
            self._document["booking"]["mode"],
            _one_of(modes, needed=True),
        )
        self._put("booking", {**self._document["booking"], "mode": mode})

    def _field(self, name: str, question: str, default: str = "", *, keep: bool = False) -> None:
        before = self._document[name] if keep else self._before(name) or default
        self._put(
            name,
            self._asker.ask(
                name,
                question,
                before,
                lambda typed: self._checked((name,), {name: _plain(typed)}, _plain(typed)),
            ),
        )

    def _before(self, name: str) -> str:
        return str(self._document.get(name, "")) if self._known else ""

    def _put(self, name: str, value: Any) -> None:
        self._document = {**self._document, name: value}

    def _hours(self, typed: str) -> dict[str, list[str]]:
        hours = opening_words.week(_plain(typed))
        if not hours:
            raise ValueError("at least one day needs hours")
        person = {"slug": "aa", "name": "A", "hours": hours}
        self._checked(
            ("practitioners", 0), {"practitioners": [person, _SOMEBODY]}, typed, whole=True
        )
        return hours

    def _zone_of(self, typed: str) -> str:
        found, wanted = countries.zones_like(typed), typed.strip().replace(" ", "_").casefold()
        if wanted == "utc":
            return "UTC"
        if found and wanted in (found[0].casefold(), found[0].rpartition("/")[2].casefold()):
            return found[0]
        meant = f"; did you mean {', '.join(found)}?" if found else ""
        raise ValueError(f"that is no time zone such as Europe/London{meant}")

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


def settled(check: Callable[[str], Any], typed: str) -> tuple[Any, str]:
    """Return the value and no sentence, or the sentence that says what to write instead."""
    try:
        return check(typed), ""
    except ValueError as fault:
        return None, begun(str(fault))
    except FormFault as fault:
        return None, str(fault)


def _plain(typed: str) -> str:
    """A dash alone stands for nothing: a terminal cannot tell Enter from the default."""
    text = typed.strip()
    return "" if text == "-" else text


def _country(typed: str) -> str:
    country = _plain(typed).upper()
    known = holidays.list_supported_countries(include_aliases=False)
    if country and country not in known:
        raise ValueError("that is no two-letter country such as GB; - for none")
    return country


def _one_of(known: Sequence[str], *, needed: bool = False) -> Callable[[str], str]:
    def check(typed: str) -> str:
        value = _plain(typed)
        by_name = {each.casefold(): each for each in known}
        if value.casefold() in by_name:
            return by_name[value.casefold()]
        if value or needed:
            raise ValueError(f"it must be one of {', '.join(known)}")
        return ""

    return check
