"""What the wizard suggests for a country and a time zone; nobody has to take it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import resources
from zoneinfo import available_timezones

import holidays
from babel.core import Locale, get_global

#: Where nothing else is known: it works in the whole European Union and on most mobile phones.
EMERGENCY = "112"

#: Numbers to call in danger, by country.
EMERGENCIES: Mapping[str, str] = {
    "AU": "000",
    "BR": "192",
    "CA": "911",
    "CH": "144 or 112",
    "GB": "999, or 111 for urgent advice",
    "IE": "999 or 112",
    "IL": "101",
    "IN": "112",
    "JP": "119",
    "KR": "119",
    "MX": "911",
    "NO": "113 or 112",
    "NZ": "111",
    "SG": "995",
    "US": "911",
    "ZA": "10177 or 112",
}

#: Lines for somebody in despair, by country; empty where none is known for sure.
CRISIS_LINES: Mapping[str, str] = {
    "AU": "Lifeline, 13 11 14",
    "CA": "988",
    "DE": "TelefonSeelsorge, 0800 111 0 111",
    "GB": "Samaritans, 116 123",
    "IE": "Samaritans, 116 123",
    "NZ": "1737",
    "US": "988",
}


#: Other names of one state, and which region of its holidays they mean.
_UNITED_KINGDOM: Mapping[str, str] = {
    "uk": "",
    "england": "ENG",
    "scotland": "SCT",
    "wales": "WLS",
    "northern ireland": "NIR",
}

#: Where nearly everybody lives, of countries with several zones.
_MAIN_ZONES: Mapping[str, str] = {
    "CN": "Asia/Shanghai",
    "DE": "Europe/Berlin",
    "ES": "Europe/Madrid",
    "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon",
}

_FEWEST = 3  # letters of a word from which zones are suggested
_ALIKE = 0.85  # 1 is the same word


def country_of(zone: str) -> str:
    """Return the two-letter country of a time zone; empty when it is of none."""
    return str(get_global("zone_territories").get(zone, ""))


def zone_in(country: str, nearby: str) -> str:
    """Return a country's time zone; where it has several `nearby` or none, unless one is main."""
    zones = _zones_of(country)
    if not zones or nearby in zones:
        return nearby
    return zones[0] if len(zones) == 1 else _MAIN_ZONES.get(country, "")


def region_like(typed: str) -> str:
    """Return the region that the name of a country means, such as SCT; empty when it is none."""
    return _UNITED_KINGDOM.get(" ".join(typed.split()).casefold(), "")


def country_like(typed: str) -> str:
    """Return the two-letter country of a code or an English name; empty when it is neither."""
    wanted = " ".join(typed.split())
    if wanted.casefold() in _UNITED_KINGDOM:
        return "GB"
    if wanted.upper() in holidays.list_supported_countries(include_aliases=True):
        return str(holidays.country_holidays(wanted.upper()).country)
    names: dict[str, str] = {
        name.casefold(): code for code, name in Locale("en").territories.items() if code.isalpha()
    }
    return names.get(wanted.casefold(), "")


def named(country: str) -> str:
    """Return what a two-letter country is called."""
    return str(Locale("en").territories.get(country, country))


def has_holidays(country: str) -> bool:
    """Say whether its public holidays are known."""
    return country in holidays.list_supported_countries(include_aliases=False)


def regions_of(country: str) -> dict[str, str]:
    """Return what a country's regions with holidays of their own are called, by code."""
    codes = holidays.list_supported_countries(include_aliases=True).get(country, [])
    if not codes:
        return {}
    aliases = holidays.country_holidays(country).subdivisions_aliases
    names = {code: name for name, code in reversed(list(aliases.items()))}
    return {code: names.get(code, code) for code in codes}


def zone_of(typed: str) -> str:
    """Return the time zone of a name, a city or a country of one zone; empty when unclear.

    "Europe/London", "london" and "UK" are all Europe/London.
    """
    wanted, known = _folded(typed), _known_zones()
    exact = [zone for zone in known if zone.casefold() == wanted]
    city = [zone for zone in known if zone.rpartition("/")[2].casefold() == wanted]
    if wanted == "utc":
        return "UTC"
    if exact or city:
        return (exact or city)[0]
    zones = _zones_of(country_like(typed))
    return zones[0] if len(zones) == 1 else ""


def zones_like(typed: str) -> list[str]:
    """Return the time zones that may be meant, the likeliest first."""
    if country := country_like(typed):
        return _zones_of(country)
    wanted, known = _folded(typed), _known_zones()
    word = re.compile(rf"(?:^|[/_]){re.escape(wanted)}")
    within = [z for z in known if len(wanted) >= _FEWEST and word.search(z.casefold())]
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in known}
    near = [cities[name] for name in get_close_matches(wanted, cities, n=3, cutoff=_ALIKE)]
    return [*within, *(zone for zone in near if zone not in within)]


def _folded(typed: str) -> str:
    return typed.strip().replace(" ", "_").casefold()


def _known_zones() -> list[str]:
    return sorted(zone for zone in available_timezones() if "/" in zone and "Etc" not in zone)


def _zones_of(country: str) -> list[str]:
    """Return a country's time zones, roughly the most populous first."""
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return [row[2] for row in rows if country and row[0] == country]
