"""What is suggested for a country and a time zone."""

from __future__ import annotations

import pytest

from clinic import countries


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("Europe/London", "Europe/London"),
        ("london", "Europe/London"),
        ("new york", "America/New_York"),
        ("utc", "UTC"),
        ("UK", "Europe/London"),
        ("Northern  Ireland", "Europe/London"),
        ("Japan", "Asia/Tokyo"),
        ("it", "Europe/Rome"),
        ("Spain", ""),
        ("Londn", ""),
        ("Bath", ""),
        ("", ""),
    ],
)
def test_a_city_or_a_country_of_one_zone_is_understood(typed: str, zone: str) -> None:
    assert countries.zone_of(typed) == zone


@pytest.mark.parametrize(
    ("typed", "zones"),
    [
        ("Londn", ["Europe/London"]),
        ("york", ["America/New_York"]),
        ("spain", ["Europe/Madrid", "Africa/Ceuta", "Atlantic/Canary"]),
        ("Bath", []),
        ("Mordor", []),
        ("", []),
    ],
)
def test_only_zones_that_may_be_meant_are_suggested(typed: str, zones: list[str]) -> None:
    assert countries.zones_like(typed) == zones


def test_several_zones_are_offered_when_a_word_fits_them() -> None:
    assert set(countries.zones_like("indiana")) > {"America/Indiana/Knox"}


@pytest.mark.parametrize(
    ("typed", "country"),
    [
        ("gb", "GB"),
        ("UK", "GB"),
        ("England", "GB"),
        ("USA", "US"),
        ("south  korea", "KR"),
        ("XX", ""),
        ("", ""),
    ],
)
def test_a_country_is_known_by_code_and_by_name(typed: str, country: str) -> None:
    assert countries.country_like(typed) == country


@pytest.mark.parametrize(
    ("country", "nearby", "zone"),
    [
        ("GB", "UTC", "Europe/London"),
        ("DE", "UTC", "Europe/Berlin"),
        ("US", "America/Denver", "America/Denver"),
        ("US", "Europe/London", ""),
        ("", "UTC", "UTC"),
    ],
)
def test_a_country_suggests_its_time_zone(country: str, nearby: str, zone: str) -> None:
    assert countries.zone_in(country, nearby) == zone


@pytest.mark.parametrize(
    ("country", "regions"),
    [
        ("NZ", {"AUK": "Auckland"}),
        ("GB", {"ENG": "England", "SCT": "Scotland"}),
        ("NL", {"Zuid": "Zuid"}),
        ("JP", {}),
        ("", {}),
    ],
)
def test_regions_have_names_where_they_are_known(country: str, regions: dict[str, str]) -> None:
    assert countries.regions_of(country).items() >= regions.items()


@pytest.mark.parametrize(("zone", "country"), [("Europe/Lisbon", "PT"), ("UTC", "")])
def test_a_zone_tells_its_country(zone: str, country: str) -> None:
    assert countries.country_of(zone) == country
