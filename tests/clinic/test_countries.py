"""What is suggested for a country and a time zone."""

from __future__ import annotations

import pytest

from clinic import countries


@pytest.mark.parametrize(
    ("typed", "zones"),
    [
        ("Europe/London", ["Europe/London"]),
        ("london", ["Europe/London"]),
        ("new york", ["America/New_York"]),
        ("Londn", ["Europe/London"]),
        ("Mordor", []),
        ("", []),
    ],
)
def test_a_city_or_a_slip_of_the_pen_is_understood(typed: str, zones: list[str]) -> None:
    assert countries.zones_like(typed) == zones


def test_several_zones_are_offered_when_a_word_fits_them() -> None:
    assert set(countries.zones_like("indiana")) > {"America/Indiana/Knox"}


@pytest.mark.parametrize(("zone", "country"), [("Europe/Lisbon", "PT"), ("UTC", "")])
def test_a_zone_tells_its_country(zone: str, country: str) -> None:
    assert countries.country_of(zone) == country
