"""What a typed answer means, or the sentence that says what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clinic import countries
from clinic.console.setting_forms import FormFault, begun

MOST_ZONES = 5  # are suggested at once
_LENGTH = re.compile(r"(\d+)\s*(h|hours?|m|mins?|minutes?)\.?", flags=re.IGNORECASE)


def settled(check: Callable[[str], Any], typed: str) -> tuple[Any, str]:
    """Return the value and no sentence, or the sentence that says what to write instead."""
    try:
        return check(typed), ""
    except ValueError as fault:
        return None, begun(str(fault))
    except FormFault as fault:
        return None, str(fault)


def plain(typed: str) -> str:
    """A dash alone stands for nothing: a terminal cannot tell Enter from the default."""
    text = typed.strip()
    return "" if text == "-" else text


def somebody(typed: str) -> str:
    """Return a name. Raises ValueError when there is none."""
    name = plain(typed)
    if not name:
        raise ValueError("a clinic needs somebody who treats")
    return name


def zone(held: str, country: str) -> Callable[[str], str]:
    """Return the check of a time zone; nothing typed names those of the country."""

    def check(typed: str) -> str:
        meant = held if typed.strip() == held else countries.zone_of(typed)
        if meant:
            return meant
        if found := countries.zones_like(typed.strip() or country)[:MOST_ZONES]:
            raise ValueError(
                f"write one of these, or a big city in the same zone: {', '.join(found)}"
            )
        raise ValueError(
            "that is not known here: write a big city in the same zone, such as London"
        )

    return check


def to_call(value: str) -> None:
    """Raise ValueError for what nobody can call; a clinic may have no such line."""
    if value and not any(sign.isdigit() for sign in value):
        raise ValueError("it must have a number to call in it, such as 112 or Samaritans, 116 123")


def country(typed: str, held: str) -> tuple[str, str]:
    """Return the country, and the region that its name means, such as Scotland's.

    Raises ValueError for a country whose holidays are not known, unless it is held.
    """
    if plain(typed) in ("", held):
        return plain(typed), ""
    meant = countries.country_like(typed)
    if not countries.has_holidays(meant):
        raise ValueError("that is no country with known holidays, such as GB; - for none")
    return meant, countries.region_like(typed)


def region(regions: Mapping[str, str]) -> Callable[[str], str]:
    """Return the check of a region; regions go by their codes and by their names."""
    by_name = {name.casefold(): code for code, name in regions.items()}
    by_code = {code.casefold(): code for code in regions}

    def check(typed: str) -> str:
        wanted = plain(typed).casefold()
        if wanted and wanted not in by_code | by_name:
            raise ValueError(f"it must be one of {said(regions)}; - for the whole country")
        return (by_name | by_code).get(wanted, "")

    return check


def said(regions: Mapping[str, str]) -> str:
    """Return regions as they may be typed."""
    return ", ".join(code if code == name else f"{name} ({code})" for code, name in regions.items())


def minutes(typed: str) -> str:
    """Return "60 min" and "1 h" as "60"; what is neither stays as it is."""
    found = _LENGTH.fullmatch(typed)
    if not found:
        return typed
    return str(int(found[1]) * (60 if found[2].lower().startswith("h") else 1))


def one_of(known: Sequence[str], *, needed: bool = False) -> Callable[[str], str]:
    """Return the check of one of several words, in small letters or capitals."""

    def check(typed: str) -> str:
        value = plain(typed)
        by_name = {each.casefold(): each for each in known}
        if value.casefold() in by_name:
            return by_name[value.casefold()]
        if value or needed:
            raise ValueError(f"it must be one of {', '.join(known)}")
        return ""

    return check


def yes_or_no(typed: str) -> str:
    """Return "yes" or "no". Raises ValueError for anything else."""
    said = {"y": "yes", "n": "no"}.get(typed.strip().casefold(), typed)
    return one_of(("yes", "no"), needed=True)(said)
