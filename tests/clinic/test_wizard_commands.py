"""`resurface clinic init`: questions at a terminal, or answers in a file."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from clinic.clinic_commands import clinic_app
from storage import clinic_file
from storage.clinic_file import ClinicEntry
from tests.builders import NOW

ANSWERS = """
name = "Oak & Elm Skin"
zone = "london"
address = "1 High Street, London"
phone = "+44 20 7946 0001"
owner = "Ada Oak"

[[people]]
name = "Dr Ada Oak"
hours = "Mon-Wed 9-13, 14-18; Sat 10-14"

[[people]]
name = "Ben Elm"

[treatment]
minutes = 75
price = "£160"
"""


def run(folder: Path, *arguments: str, typed: str | None = None, bot: str = "oak_bot") -> Result:
    app = typer.Typer()
    app.add_typer(clinic_app(lambda: NOW, lambda: bot), name="clinic")
    words = ("clinic", *arguments, "--database-url", f"sqlite:///{folder}/resurface.db")
    return CliRunner().invoke(app, words, input=typed, env={"TZ": "", "COLUMNS": "160"})


def init(folder: Path, answers: str, *more: str, typed: str | None = None) -> Result:
    (folder / "answers.toml").write_text(answers, "utf-8")
    file, told = folder / "clinic.toml", folder / "answers.toml"
    return run(folder, "init", "--file", str(file), "--answers", str(told), *more, typed=typed)


def written(folder: Path) -> ClinicEntry:
    text = (folder / "clinic.toml").read_text("utf-8")
    return clinic_file.parse(text, "clinic.toml")[0]


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


def test_it_can_be_run_again_and_keeps_what_was_not_asked(tmp_path: Path) -> None:
    init(tmp_path, ANSWERS, "--yes")
    file = tmp_path / "clinic.toml"
    extra = '[[clinics.closures]]\nfrom = 2026-12-27\nuntil = 2026-12-30\nnote = "Rest"\n'
    file.write_text(file.read_text("utf-8") + extra, "utf-8")
    first = written(tmp_path)

    again = init(tmp_path, 'phone = "+44 20 7946 0009"\n', "--yes")

    assert (again.exit_code, "?start=staff_" in again.output) == (0, False)
    assert written(tmp_path) == first.model_copy(update={"phone": "+44 20 7946 0009"})


def test_without_its_file_a_known_clinic_keeps_its_closures(tmp_path: Path) -> None:
    init(tmp_path, ANSWERS, "--yes")
    text = (tmp_path / "clinic.toml").read_text("utf-8")
    extra = "[[clinics.closures]]\nfrom = 2026-12-27\nuntil = 2026-12-30\n"
    (tmp_path / "clinic.toml").write_text(text + extra, "utf-8")
    run(tmp_path, "import", str(tmp_path / "clinic.toml"))
    (tmp_path / "clinic.toml").unlink()

    init(tmp_path, ANSWERS, "--yes")

    assert len(written(tmp_path).closures) == 1


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"london"', '"Londres"', "answers.toml: zone: That is no time zone such as Europe/London"),
        ('"london"', '"land"', "did you mean"),
        ('"+44 20 7946 0001"', '"call us"', "answers.toml: phone: Must be a telephone number"),
        ("minutes = 75", "minutes = 900", "treatment.minutes: Must be at most 480"),
        ("minutes = 75", "minutes = 400", "treatment.minutes: Must have hours long enough for"),
        ("Mon-Wed 9-13, 14-18", "Mon-Wed 9-15, 14-18", "people.0.hours: Must not overlap"),
        ("Mon-Wed 9-13, 14-18", "late", "people.0.hours: A line must begin with its days"),
        ('name = "Oak & Elm Skin"', "", "name: Must not be empty."),
        ('owner = "Ada Oak"', 'country = "XX"', "country: That is no two-letter country"),
        ('owner = "Ada Oak"', 'mode = "maybe"', "mode: It must be one of request, hold, instant"),
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
    typed = "\n".join(("", "Atlantis", "Lisbon")) + "\n" * 20 + "\n"

    result = init(
        tmp_path, answers.replace("[treatment]\nminutes = 75\n", "[treatment]\n"), typed=typed
    )

    assert "That is no time zone such as Europe/London" in result.output
    assert result.exit_code == 0, result.output
    assert written(tmp_path).zone == "Europe/Lisbon"


def test_a_no_at_the_end_writes_nothing(tmp_path: Path) -> None:
    everything = {
        "slug": "oak",
        "country": "GB",
        "region": "ENG",
        "emergency": "999",
        "mode": "hold",
    }
    lines = "\n".join(f'{key} = "{value}"' for key, value in everything.items())
    result = init(tmp_path, lines + ANSWERS, typed="\n" * 6 + "n\n" * 3)

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
