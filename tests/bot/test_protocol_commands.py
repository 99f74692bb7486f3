from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.protocol_commands import app
from storage.protocol_files import load_catalogues, load_protocol
from tests.flows.small_protocol import TEXT

OVERRIDES = 'overrides = "microneedling"\n[weeks]\n"recent.filler" = 6\n'


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner(env={"COLUMNS": "100", "NO_COLOR": "1"})


def own_file(folder: Path, text: str) -> str:
    file = folder / "own.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_the_packaged_protocol_has_no_faults(runner: CliRunner) -> None:
    result = runner.invoke(app, ["check"])

    assert result.exit_code == 0
    assert result.stdout == "no faults: 33 steps, 75 rules\n"


def test_good_overrides_have_no_faults(runner: CliRunner, tmp_path: Path) -> None:
    result = runner.invoke(app, ["check", own_file(tmp_path, OVERRIDES)])

    assert (result.exit_code, result.stderr) == (0, "")


def test_every_fault_is_printed_with_its_line(runner: CliRunner, tmp_path: Path) -> None:
    file = own_file(tmp_path, f"{OVERRIDES}[spacing]\nmin_days = 7\nfloor_days = 7\n")

    result = runner.invoke(app, ["check", file])

    assert result.exit_code == 2
    assert f"{file}:5: P050 min_days must not be below floor_days 21, got 7\n" in result.stderr
    assert f"{file}:4: P070 spacing.floor_days must not be changed" in result.stderr
    assert result.stderr.endswith("\n2 faults\n")


def test_a_clinics_own_protocol_is_checked_against_the_words(
    runner: CliRunner, tmp_path: Path
) -> None:
    result = runner.invoke(app, ["check", own_file(tmp_path, TEXT)])

    assert result.exit_code == 2
    assert "P060 step.skin.question in en is missing" in result.stderr


def test_a_file_that_is_not_toml_is_one_fault(runner: CliRunner, tmp_path: Path) -> None:
    result = runner.invoke(app, ["check", own_file(tmp_path, "# Notes\nno toml")])

    assert result.exit_code == 2
    assert ":2: P001 this must be TOML" in result.stderr
    assert result.stderr.endswith("\n1 fault\n")


@pytest.mark.parametrize("command", ["check", "show"])
def test_a_missing_file_is_one_sentence(runner: CliRunner, command: str) -> None:
    result = runner.invoke(app, [command, "none.toml"])

    assert result.exit_code == 2
    assert result.stderr == "cannot read none.toml: no such file or directory\n"


def test_a_clinician_sees_version_digest_and_lines_to_sign(runner: CliRunner) -> None:
    protocol = load_protocol(load_catalogues())

    page = runner.invoke(app, ["show", "--markdown"]).stdout

    assert f"Version {protocol.version}" in page
    assert f"Digest `{protocol.digest}`" in page
    assert "Signature: ____" in page


def test_a_clinician_sees_every_question_answer_reason_and_source(runner: CliRunner) -> None:
    catalogues = load_catalogues()
    protocol, texts = load_protocol(catalogues), catalogues["en"].texts

    page = runner.invoke(app, ["show", "--markdown"]).stdout

    for step in protocol.steps:
        for option in step.options:
            key = f"step.{step.id}.{option.code}"
            assert f"**{texts[f'{key}.label']}**" in page
            assert str(texts.get(f"{key}.reason", "")) in page
    assert all(f"**{key}** {citation}" in page for key, citation in protocol.sources.items())


def test_a_clinician_reads_what_an_answer_does(runner: CliRunner) -> None:
    page = runner.invoke(app, ["show", "--markdown"]).stdout

    assert "**Several red or pus-filled spots**: not now; ready again after 4 weeks." in page
    assert "**I am pregnant**: not now, until it has passed; asked again after 52 weeks." in page
    assert "readiness (fit) 30 of 30" in page
    assert "**Cold sores**: no effect on the verdict; asks “Cold sores”." in page
    assert "confidential: no readiness score, no marketing" in page
    assert "Between two sessions: 28 to 42 days, 28 preferred; never below 21." in page


def test_a_clinician_reads_when_a_question_is_asked(runner: CliRunner) -> None:
    page = runner.invoke(app, ["show", "--markdown"]).stdout

    assert "No question is asked once the outcome is: declined, urgent." in page
    assert "Asked only when “Start” has “Before a special day”." in page
    assert "Not asked either once the outcome is: not now." in page
    assert "“True right now” has “Infection, cold sore or broken skin”; or “Acne now” has" in page


def test_the_page_for_the_terminal_has_no_marks(runner: CliRunner) -> None:
    page = runner.invoke(app, ["show"]).stdout

    assert "Protocol: microneedling" in page
    assert "**" not in page


def test_a_clinic_can_sign_its_own_numbers(runner: CliRunner, tmp_path: Path) -> None:
    file = own_file(tmp_path, OVERRIDES)

    page = runner.invoke(app, ["show", file, "--markdown"]).stdout

    assert "**Filler, last 4 weeks**: not now; ready again after 6 weeks." in page


def test_an_unknown_language_is_told_with_the_known_ones(runner: CliRunner) -> None:
    result = runner.invoke(app, ["show", "--locale", "xx"])

    assert result.exit_code == 2
    assert "--locale must be one of en" in result.stderr
    assert "'xx'" in result.stderr


def test_help_says_what_can_be_checked(runner: CliRunner) -> None:
    page = runner.invoke(app, ["check", "--help"]).stdout

    assert "overrides" in page
