"""What the wizard suggests for a country and a time zone; nobody has to take it."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from zoneinfo import available_timezones

from babel.core import get_global

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


def country_of(zone: str) -> str:
    """Return the two-letter country of a time zone; empty when it is of none."""
    return str(get_global("zone_territories").get(zone, ""))


def zones_like(typed: str) -> list[str]:
    """Return the time zones that may be meant, the likeliest first: "london" is Europe/London."""
    known = sorted(zone for zone in available_timezones() if "/" in zone and "Etc" not in zone)
    wanted = typed.strip().replace(" ", "_").casefold()
    exact = [zone for zone in known if zone.casefold() == wanted]
    city = [zone for zone in known if zone.rpartition("/")[2].casefold() == wanted]
    if exact or city or not wanted:
        return exact or city
    within = [zone for zone in known if wanted in zone.casefold()]
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in known}
    near = [cities[name] for name in get_close_matches(wanted, cities, n=3, cutoff=0.7)]
    return [*within, *(zone for zone in near if zone not in within)][:5]
