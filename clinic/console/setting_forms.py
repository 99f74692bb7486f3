"""The forms of *Settings*: a part of the clinic's document as fields, and fields as its value."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import holidays

from clinic import opening_words
from storage import clinic_settings
from storage.clinic_document import Document
from storage.clinic_faults import ClinicFileFaults, Fault
from storage.clinic_file import WEEKDAYS

#: A form as a whole, where a fault belongs to no single field.
WHOLE = ""

Given = Mapping[str, str]

ODD_STEP = "Please take 5, 10, 15, 20, 30 or 60: with this, visits would start at odd minutes."


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it is shown: what stands in its fields, and what is wrong with them."""

    part: str
    seen: str  # mark of the part as it is stored
    values: Given
    faults: Given = field(default_factory=dict)  # by field


class FormFault(Exception):
    """Something typed that cannot become a value; `field` says where."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = name


def stored(document: Document, part: str) -> Form:
    """Return a part's form with what is stored. Raises NoSuchPart."""
    kind = part.partition(":")[0]
    value = clinic_settings.value(document, part)
    seen = clinic_settings.mark(document, part)
    if kind == "hours":
        return Form(part, seen, {day: opening_words.say(value.get(day, [])) for day in WEEKDAYS})
    if isinstance(value, list):  # a list is added to by a form that begins empty
        return Form(part, seen, {})
    return Form(part, seen, {name: str(each) for name, each in value.items()})


def value(document: Document, part: str, given: Given, today: date) -> Any:
    """Return the part's new value, shaped as in a clinic file.

    Numbers and dates are left as they were typed: the check of the document reads them. Raises
    NoSuchPart and FormFault.
    """
    old = clinic_settings.value(document, part)
    match part.partition(":")[0]:
        case "hours":
            times = {day: opening_words.spans(given.get(day, "")) for day in WEEKDAYS}
            return {day: each for day, each in times.items() if each}
        case "days":
            return _days(old, given, today)
        case "closures":
            return _closures(old, given, today)
        case "people":
            return _people(old, given)
        case "holidays":
            return _holidays(old, given)
        case "service" if _is_odd(given.get("step_minutes", "")):
            raise FormFault("step_minutes", ODD_STEP)
        case _:
            return {**old, **{name: given[name].strip() for name in _names(old, part, given)}}


def faults(fault: ClinicFileFaults, names: Mapping[str, object]) -> dict[str, str]:
    """Return the sentences by the field they stand at."""
    told: dict[str, str] = {}
    for each in fault.faults:
        known = [name for name in each.path if isinstance(name, str) and name in names]
        told.setdefault(known[-1] if known else WHOLE, sentence(each))
    return told


def sentence(fault: Fault) -> str:
    """Return a fault as a sentence for somebody at a form."""
    if fault.message.endswith("got ''") or fault.message == "must not be empty":
        return "Please fill this in."
    return begun(fault.message)


def begun(words: str) -> str:
    """Return words as a sentence."""
    return f"{words[0].upper()}{words[1:]}."


def short_name(name: str, taken: set[str]) -> str:
    """Return the name that stands in links and feeds, of a person's or a clinic's own."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = [word for word in re.findall(r"[a-z0-9]+", plain) if word not in {"dr", "mr", "ms"}]
    first = (words[0] if words else "")[:18]
    for made in (first, "".join(words)[:20], *(f"{first[:17] or 'p'}{n}" for n in range(2, 100))):
        if len(made) >= 2 and made not in taken:
            return made
    raise FormFault("name", "There are too many people of this name.")


def _is_odd(step: str) -> bool:
    """Say whether times so many minutes apart would fall on minutes that nobody can keep."""
    return step.strip().isdecimal() and int(step) % 5 != 0


def _is_over(on: str, today: date) -> bool:
    """Say whether a day is over; what is no date is not, and is told of later."""
    try:
        return date.fromisoformat(on) < today
    except ValueError:
        return False


def _names(old: Mapping[str, object], part: str, given: Given) -> list[str]:
    return [name for name in old if name in given]


def _days(old: list[Document], given: Given, today: date) -> list[Document]:
    on = given.get("on", "").strip()
    if given.get("act") == "remove":
        return [day for day in old if str(day["on"]) != on]
    hours = opening_words.spans(given.get("hours", ""))
    if _is_over(on, today):
        raise FormFault("on", "This day is over. Please choose one to come.")
    if any(str(day["on"]) == on for day in old):
        raise FormFault("on", "This day is in the list already. Remove it there first.")
    return [*old, {"on": on, "hours": hours}]


def _closures(old: list[Document], given: Given, today: date) -> list[Document]:
    first = given.get("from", "").strip()
    if given.get("act") == "remove":
        return [each for each in old if str(each["from"]) != first]
    if any(str(each["from"]) == first for each in old):
        raise FormFault("from", "A closure that begins on this day is in the list already.")
    until = given.get("until", "").strip() or first
    if _is_over(until, today):
        raise FormFault("from", "These days are over. Please choose days to come.")
    return [*old, {"from": first, "until": until, "note": given.get("note", "").strip()}]


def _people(old: list[Document], given: Given) -> list[Document]:
    slug, act = given.get("slug", ""), given.get("act", "add")
    known = [person["slug"] for person in old]
    if act == "add":
        name = given.get("name", "").strip()
        if not name:
            raise FormFault("name", "Please fill this in.")
        try:
            hours = opening_words.week(given.get("hours", ""))
        except ValueError as fault:
            raise FormFault("hours", begun(str(fault))) from None
        person = {"slug": short_name(name, set(known)), "name": name, "hours": hours, "days": []}
        return [*old, person]
    if slug not in known:
        raise clinic_settings.NoSuchPart("nobody who works at this clinic has this name")
    at = known.index(slug)
    if act == "remove":
        if len(old) == 1:
            raise FormFault(WHOLE, "A clinic needs somebody who treats: add somebody else first.")
        return [person for person in old if person["slug"] != slug]
    before = max(at - 1, 0)
    others = [person for person in old if person["slug"] != slug]
    return [*others[:before], old[at], *others[before:]]


def _holidays(old: Document, given: Given) -> Document:
    """A region of another country is forgotten with it."""
    country = given.get("country", "").strip()
    region = given.get("subdivision", "").strip()
    regions = holidays.list_supported_countries(include_aliases=True).get(country, [])
    if country != old.get("country", "") and region not in regions:
        region = ""
    return {"country": country, "subdivision": region}
