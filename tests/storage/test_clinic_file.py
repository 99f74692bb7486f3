"""A clinic file is checked whole: every fault with its field and what to write instead."""

from __future__ import annotations

from datetime import date, time

import pytest

from storage import clinic_file, clinics
from storage.clinic_faults import ClinicFileFaults

GOOD = clinics.demo_text()


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(ClinicFileFaults) as refused:
        clinic_file.parse(text, "mine.toml")
    return tuple(str(fault) for fault in refused.value.faults)


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def test_the_demo_describes_two_clinics() -> None:
    willow, harbour = clinic_file.parse(GOOD, "demo.toml")

    assert (willow.slug, willow.zone, willow.booking.horizon_days) == (
        "willow",
        "Europe/London",
        300,
    )
    assert (harbour.slug, harbour.booking.mode) == ("harbour", "request")


def test_weekly_hours_are_read_by_weekday() -> None:
    amara = clinic_file.parse(GOOD, "demo.toml")[0].practitioners[0]

    assert amara.weekly()[5] == ((time(9, 30), time(14, 30)),)
    assert amara.longest_minutes() == 300


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("Europe/London", "Europe/Londres", "clinics[0].zone: must be a time zone such as Europe"),
        ('"willow"', '"Willow!"', "clinics[0].slug: must be 2 to 20 of a-z and 0-9"),
        ('"willow"', '"w"', "clinics[0].slug: must be 2 to 20"),
        ('slug = "harbour"', 'slug = "willow"', "clinics: must name each clinic once, got willow"),
        ('country = "GB"', 'country = "UKX"', "clinics[0].holidays: country must be a two-letter"),
        ('"ENG"', '"TX"', "clinics[0].holidays: subdivision must be one of GB (ENG"),
        (
            "notice_hours = 24 ",
            "notice_hours = -1",
            "booking.notice_hours: must be at least 0, got -1",
        ),
        (
            "horizon_days = 300",
            "horizon_days = 9000",
            "booking.horizon_days: must be at most 730, got 9000",
        ),
        ('mode = "hold"', 'mode = "maybe"', "clinics[0].booking.mode: must be one of 'request'"),
        (
            'phone = "+44 20 7946 0000"',
            'phone = "call us"',
            "clinics[0].phone: must be a telephone number such",
        ),
        ("[clinics.services.consultation]", "[clinics.services.chat]", "services: must be consul"),
        ("minutes = 60", "minutes = 300", "practitioners: must have hours long enough for the tr"),
        ('"09:00-13:00"', '"13:00-09:00"', "hours.mon: must open before it closes, got 13:00-09"),
        ('"09:00-13:00"', '"09:00-15:00"', "must not overlap: one ends at 15:00, the next starts"),
        ('"09:00-13:00"', '"9 to 13"', "must look like \"09:00-17:00\", got '9 to 13'"),
        ('"09:00-13:00"', '"25:00-26:00"', 'must look like "09:00-17:00"'),
        ('["09:30-14:30"]', '"closed"', 'hours.sat: must be a list such as ["09:00-17:00"]'),
        ("\nmon =", "\nmonday =", "practitioners[0].hours: must name days mon tue wed"),
        ('slug = "rowan"', 'slug = "amara"', "practitioners: must name each practitioner once"),
        ("notice_hours = 24 ", "horizon_days = 7\nnotice_hours = 300 #", "is not TOML"),
        ('name = "Willow Skin Clinic"', 'name = ""', "clinics[0].name: must not be empty"),
        ('name = "Willow Skin Clinic"', 'name = "a\\nb"', "name: must be one line of printable"),
        (
            'name = "Willow Skin Clinic"',
            "name = 7",
            "clinics[0].name: must be words in quotes, got 7",
        ),
        (
            "minutes = 60",
            'minutes = "long"',
            "treatment.minutes: must be a whole number, got 'long'",
        ),
        ('price = "£180"', f'price = "{"x" * 41}"', "price: must be at most 40 letters long"),
        (
            'crisis_line = "S',
            'map_url = "map"\ncrisis_line = "S',
            "map_url: must be an address that",
        ),
        ("address =", "adress =", "clinics[0].adress: is no setting of a clinic"),
    ],
)
def test_each_fault_names_its_field_and_the_cure(old: str, new: str, fault: str) -> None:
    assert any(fault in line for line in faults(changed(old, new)))


def test_a_notice_longer_than_the_horizon_is_refused() -> None:
    text = changed("notice_hours = 24 ", "notice_hours = 200 ").replace("days = 300", "days = 8")

    assert "clinics[0].booking: the notice must be shorter than" in faults(text)[0]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("Europe/Lisbon", "Nowhere", 'zone = "Nowhere"'),
        ("minutes = 75", "minutes = 0", "minutes = 0"),
        ('"10:00-15:00"', '"soon"', 'sat = ["soon"]'),
        ('country = "PT"', 'country = "QQ"', "[clinics.holidays]"),
    ],
)
def test_a_fault_names_its_line(old: str, new: str, line: str) -> None:
    text = GOOD.replace(old, new)
    wanted = text.splitlines().index(line, text.splitlines().index('name = "Amara Osei"')) + 1

    with pytest.raises(ClinicFileFaults, match=rf"^mine\.toml:{wanted}: clinics\["):
        clinic_file.parse(text, "mine.toml")


def test_all_faults_are_told_at_once() -> None:
    text = changed("Europe/London", "Mars/Base")
    text = text.replace("minutes = 75", "minutes = 0").replace('"ENG"', '"TX"')

    fields = [fault.split(":")[0] for fault in faults(text)]

    assert fields == [
        "clinics[0].zone",
        "clinics[0].holidays",
        "clinics[1].services.treatment.minutes",
    ]


def test_the_file_is_named_in_every_line() -> None:
    with pytest.raises(ClinicFileFaults, match=r"^mine\.toml:1: is not TOML: "):
        clinic_file.parse("[[clinics", "mine.toml")


def test_a_file_without_a_clinic_is_no_clinic_file() -> None:
    assert faults("") == ("clinics: is missing",)
    assert faults("clinics = []") == ("clinics: must hold at least one [[clinics]], got none",)


EXTRAS = """
[[clinics.practitioners.days]]
on = 2026-12-24
hours = ["09:00-12:00"]
[[clinics.practitioners.days]]
on = 2026-12-31
[[clinics.closures]]
from = 2026-12-27
until = 2026-12-30
note = "Winter break"
"""


def test_single_days_and_closures_are_read() -> None:
    harbour = clinic_file.parse(GOOD + EXTRAS, "mine.toml")[1]

    short, closed = harbour.practitioners[0].days
    assert (short.hours, closed.hours) == (((time(9), time(12)),), ())
    assert harbour.closures[0].until_on == date(2026, 12, 30)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("2026-12-31", "2026-12-24", "must name each day once, got 2026-12-24"),
        ("until = 2026-12-30", "until = 2026-12-01", "must end on or after its first day"),
        ("from = 2026-12-27", 'from = "soon"', "closures[0].from: must be a date such as 2026"),
    ],
)
def test_faults_of_single_days_are_told(old: str, new: str, fault: str) -> None:
    assert any(fault in line for line in faults(GOOD + EXTRAS.replace(old, new)))
