"""`resurface clinic init`: questions at a terminal, or answers in a file."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from click.testing import Result

from clinic.booking_modes import MODES
from storage.clinic_file import ClinicEntry
from tests.clinic.clinic_init import ANSWERS, init, run, written


def test_answers_in_a_file_are_enough(tmp_path: Path) -> None:
    result = init(tmp_path, ANSWERS, "--yes")

    clinic = written(tmp_path)
    assert result.exit_code == 0, result.output
    assert (clinic.slug, clinic.zone, clinic.holidays.country) == ("oak", "Europe/London", "GB")
    assert clinic.emergency == "999, or 111 for urgent advice"
    assert [person.slug for person in clinic.practitioners] == ["ada", "ben"]
    assert (clinic.services["treatment"].minutes, clinic.services["treatment"].price) == (
        75,
        "£160",
    )
    assert "https://t.me/oak_bot?start=staff_" in result.output
    assert "oak: ready; patients arrive through https://t.me/oak_bot?start=oak" in result.output


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"london"', '"Londres"', "answers.toml: zone: That is not known here: write a big city"),
        (
            '"london"',
            '"Londn"',
            "zone: Write one of these, or a big city in the same zone: Europe/",
        ),
        ('"london"', '"usa"', "these, or a big city in the same zone: America/New_York, America/"),
        (
            'owner = "Ada Oak"',
            'region = "Kent"',
            "It must be one of England (ENG), Northern Ireland",
        ),
        ('name = "Dr Ada Oak"', 'name = ""', "people.0.name: A clinic needs somebody who treats."),
        ('"+44 20 7946 0001"', '"call us"', "answers.toml: phone: Must be a telephone number"),
        ("minutes = 75", "minutes = 900", "treatment.minutes: Must be at most 480"),
        ("minutes = 75", "minutes = 400", "treatment.minutes: Must have hours long enough for"),
        ("Mon-Wed 9-13, 14-18", "Mon-Wed 9-15, 14-18", "people.0.hours: Must not overlap"),
        ("Mon-Wed 9-13, 14-18", "late", "people.0.hours: A line must begin with its days"),
        ('name = "Oak & Elm Skin"', "", "name: Must not be empty."),
        ('owner = "Ada Oak"', 'country = "XX"', "country: That is no country with known"),
        ('owner = "Ada Oak"', 'mode = "maybe"', "mode: It must be one of hold, instant, request"),
        ('owner = "Ada Oak"', 'emergency = "Dr Reid"', "emergency: It must have a number to call"),
        ('owner = "Ada Oak"', 'crisis_line = "hello"', "crisis_line: It must have a number to"),
        ('zone = "london"', 'country = "USA"', "zone: Write one of these, or a big city in the"),
        ('owner = "Ada Oak"', "owner = ", "answers.toml: is not TOML"),
    ],
)
def test_a_wrong_answer_in_a_file_is_named_and_nothing_is_written(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    assert old in ANSWERS
    result = init(tmp_path, ANSWERS.replace(old, new), "--yes")

    assert (result.exit_code, words in result.output) == (2, True), result.output
    assert not (tmp_path / "clinic.toml").exists()


def test_a_terminal_asks_again_until_the_answer_fits(tmp_path: Path) -> None:
    answers = ANSWERS.replace('zone = "london"', "").replace(
        '"+44 20 7946 0001"', '"+44 20 7946 0002"'
    )
    typed = "\n".join(("", "-", "Camelot", "Lisbon")) + "\n" * 20 + "\n"

    result = init(
        tmp_path, answers.replace("[treatment]\nminutes = 75\n", "[treatment]\n"), typed=typed
    )

    assert (
        "That is not known here: write a big city in the same zone, such as London."
        in result.output
    )
    assert result.exit_code == 0, result.output
    assert written(tmp_path).zone == "Europe/Lisbon"


@pytest.mark.parametrize(
    ("key", "typed", "said"),
    [
        ("zone", "Scotland", 'zone = "Europe/London"'),
        ("country", "uk", 'country = "GB"'),
        ("country", "Ireland", 'country = "IE"'),
        ("country", "Scotland", 'country = "GB"\nsubdivision = "SCT"'),
        ("country", "northern ireland", 'country = "GB"\nsubdivision = "NIR"'),
        ("country", "-", "[clinics.holidays]\n\n"),
        ("region", "scotland", 'subdivision = "SCT"'),
        ("region", "wls", 'subdivision = "WLS"'),
        ("consultation.minutes", "60 min", "minutes = 60\nbefore_minutes = 0\nafter_minutes = 0"),
        ("consultation.minutes", "1 h", "minutes = 60\nbefore_minutes = 0\nafter_minutes = 0"),
        ("consultation.after_minutes", "5 minutes", "after_minutes = 5"),
        ("mode", "Request", 'mode = "request"'),
    ],
)
def test_an_answer_may_be_said_as_people_say_it(
    tmp_path: Path, key: str, typed: str, said: str
) -> None:
    table, _, name = key.rpartition(".")
    line = f'{name} = "{typed}"\n'
    answers = ANSWERS.replace('zone = "london"', "") if key == "zone" else ANSWERS
    init(tmp_path, f"{answers}\n[{table}]\n{line}" if table else line + answers, "--yes")

    assert said in (tmp_path / "clinic.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("country", "zone"),
    [("GB", "Europe/London"), ("Wales", "Europe/London"), ("Germany", "Europe/Berlin")],
)
def test_the_country_is_asked_first_and_suggests_the_time_zone(
    tmp_path: Path, country: str, zone: str
) -> None:
    answers = ANSWERS.replace('zone = "london"', "")

    asked = init(tmp_path, answers, typed=f"{country}\n" + "\n" * 30).output

    assert asked.index("Country, for public holidays") < asked.index(f"Time zone: {zone}.")
    assert written(tmp_path).zone == zone


def test_a_clinic_may_have_no_line_for_despair(tmp_path: Path) -> None:
    init(tmp_path, 'crisis_line = "-"\n' + ANSWERS, "--yes")

    assert (written(tmp_path).crisis_line, written(tmp_path).holidays.country) == ("", "GB")


def test_the_ways_of_booking_are_said_as_in_the_console(tmp_path: Path) -> None:
    answers = ANSWERS.replace('"Ben Elm"', '"-"')
    asked = init(tmp_path, answers, typed="\n\nn\n" + "\n" * 30).output

    for mode, (title, words) in MODES.items():
        assert f"  {mode.value}: {title}. {words}" in asked


USUAL = ("Oak", "GB", "", "1 High Street", "020 7946 0001", "Ada", "", "", "60", "£99", "")


def described(folder: Path, *typed: str) -> Result:
    """Type exactly these lines: with fewer than there are questions nothing is written."""
    words = "".join(f"{line}\n" for line in typed)
    return run(folder, "init", "--file", str(folder / "clinic.toml"), typed=words)


def test_what_is_usual_is_shown_and_kept_with_one_answer(tmp_path: Path) -> None:
    told = described(tmp_path, *USUAL, "", "")

    clinic = written(tmp_path)
    assert (told.exit_code, "?:" in told.output) == (0, False), told.output
    assert (clinic.slug, clinic.zone, clinic.crisis_line) == (
        "oak",
        "Europe/London",
        "Samaritans, 116 123",
    )
    assert "Keep these usual values, y or n? [y]" in told.output
    for line in (
        "Time zone: Europe/London. In danger: 999, or 111 for urgent advice; in despair: Samar",
        "15 minutes to tidy up after a session. Consultation: 30 min, no price told.",
        "Hold, then book: times wait while a patient gives contact details. Its name in links: oak",
    ):
        assert f"\n  {line}" in told.output


def test_a_no_asks_for_each_usual_value_from_what_was_shown(tmp_path: Path) -> None:
    told = described(tmp_path, *USUAL, "n", "", "911", "-", "5", "20", "0", "free", "", "elm", "")

    clinic = written(tmp_path)
    assert told.exit_code == 0, told.output
    assert "a big city in it [Europe/London]" in told.output
    assert (clinic.slug, clinic.emergency, clinic.crisis_line) == ("elm", "911", "")
    assert (clinic.services["treatment"].after_minutes, clinic.services["consultation"].price) == (
        5,
        "free",
    )


@pytest.mark.parametrize("country", ["US", "-"])
def test_a_time_zone_that_no_country_tells_is_asked_for(tmp_path: Path, country: str) -> None:
    places = (country, "", "New York") if country == "US" else (country, "New York")

    told = described(tmp_path, "Oak", *places, *USUAL[3:], "", "")

    assert (told.exit_code, written(tmp_path).zone) == (0, "America/New_York"), told.output


def test_usual_values_that_a_file_tells_are_shown(tmp_path: Path) -> None:
    answers = ANSWERS.replace('"Ben Elm"', '"-"') + "[consultation]\nminutes = 20\n"

    told = init(tmp_path, 'crisis_line = "-"\n' + answers, typed="\n" * 4)

    assert (told.exit_code, written(tmp_path).crisis_line) == (0, "")
    assert "Consultation: 20 min, no price told." in told.output


def test_the_end_shows_plain_lines_and_nothing_that_was_not_asked(tmp_path: Path) -> None:
    answers = ANSWERS.replace('\nname = "Ben Elm"', '\nname = "Ben Elm"\nhours = "Sat 9:30-1pm"')

    told = init(tmp_path, answers, typed="\n" * 4).output

    assert (
        "\nOak & Elm Skin, 1 High Street, London, +44 20 7946 0001\n"
        "Dr Ada Oak: Mon-Wed 09:00-13:00, 14:00-18:00; Sat 10:00-14:00\n"
        "Ben Elm: Sat 09:30-13:00\n"
        "Session: 75 min + 15 to tidy up, £160\n"
        "Consultation: 30 min, no price told\n"
    ) in told
    assert "Public holidays: United Kingdom; time zone Europe/London\nOwner: Ada Oak\n" in told
    assert f"This will be written to {tmp_path}/clinic.toml; n asks again. Right? [Y/n]" in told
    assert not {"\x1b", "step_minutes", "horizon_days"} & {*told, *told.split()}


def test_nothing_typed_where_something_is_needed_is_told(tmp_path: Path) -> None:
    asked = init(tmp_path, "", typed="\nOak\n" + "\n" * 30).output

    assert "What is the clinic called? \nMust not be empty.\n" in asked


def test_a_no_at_the_end_asks_again_from_the_answers_just_given(tmp_path: Path) -> None:
    begin = ("Oak", "GB", "SCT", "1 High Street", "020 7946 0001", "Ada", "", "")
    usual = ("n", "", "", "", "10", "20", "5", "-", "request", "")
    typed = (*begin, "50", "£99", "Ada", *usual, "n", "Elm")

    told = run(
        tmp_path,
        *("init", "--file", str(tmp_path / "clinic.toml")),
        typed="\n".join(typed) + "\n" * 30,
    )

    first, _, second = told.output.partition("Here are the questions again, with your answers")
    clinic = written(tmp_path)
    assert (told.exit_code, first.count("Session: 50 min + 10 to tidy up, £99")) == (0, 1), (
        told.output
    )
    assert (clinic.name, clinic.slug, clinic.holidays.subdivision) == ("Elm", "oak", "SCT")
    assert (clinic.services["treatment"].minutes, clinic.booking.mode) == (50, "request")
    assert "- for nobody yet [Ada]" in second
    assert "Ada opens this link in Telegram" in second


def test_stopping_says_that_everything_is_as_it_was(tmp_path: Path) -> None:
    init(tmp_path, ANSWERS, "--yes")
    before = (tmp_path / "clinic.toml").read_text("utf-8")

    told = run(tmp_path, "init", "--file", str(tmp_path / "clinic.toml"), typed="Elm\n")

    assert (told.exit_code, "Nothing is written: everything is as it was." in told.output) == (1, 1)
    assert (tmp_path / "clinic.toml").read_text("utf-8") == before


def test_a_no_at_the_end_writes_nothing(tmp_path: Path) -> None:
    everything = {
        "slug": "oak",
        "country": "GB",
        "region": "ENG",
        "emergency": "999",
        "mode": "hold",
    }
    lines = "\n".join(f'{key} = "{value}"' for key, value in everything.items())
    result = init(tmp_path, lines + ANSWERS, typed="\n\nn\n")

    assert result.exit_code == 1, result.output
    assert not (tmp_path / "clinic.toml").exists()


def test_what_the_wizard_writes_has_nothing_unknown_in_it(tmp_path: Path) -> None:
    init(tmp_path, ANSWERS, "--yes")

    (clinic,) = tomllib.loads((tmp_path / "clinic.toml").read_text("utf-8"))["clinics"]
    assert set(clinic) <= set(ClinicEntry.model_fields)


def test_links_are_printed_and_drawn(tmp_path: Path) -> None:
    init(tmp_path, ANSWERS, "--yes")
    out = tmp_path / "posters"

    result = run(tmp_path, "links", "oak", "--campaign", "spring", "--out", str(out), bot="")

    assert "https://t.me/YOUR_BOT?start=oak-spring" in result.output
    assert "Put your bot's name in the place of YOUR_BOT" in result.output
    assert sorted(path.name for path in out.iterdir()) == [
        "oak-spring.png",
        "oak-spring.svg",
        "oak.png",
        "oak.svg",
    ]


def test_links_of_an_unknown_clinic_are_refused(tmp_path: Path) -> None:
    init(tmp_path, ANSWERS, "--yes")

    assert "must be one of oak, got 'elm'" in run(tmp_path, "links", "elm").output
