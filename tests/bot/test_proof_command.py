"""`resurface prove`: a table of what holds, the failures, and the exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from bot import proof_command
from flows.proof import Proof
from flows.proof_world import Check

app = typer.Typer()
app.command("prove")(proof_command.prove_command)

#: The whole proof, in a program of its own: measuring lines would make it six times slower.
PROGRAM = "import typer; from bot.proof_command import prove_command; typer.run(prove_command)"


def a_proof(*failures: str, in_pairs: tuple[str, ...] = ()) -> Proof:
    checks = (
        Check("Skies are blue", "every sky", 1234, ()),
        Check("Grass is green", "every lawn", 5, failures),
    )
    return Proof(10, 20, 30, 10**21, checks, in_pairs)


def printed(proof: Proof) -> str:
    console = Console(file=StringIO(), width=100)
    proof_command.report(proof, console, 1.25)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_the_shipped_protocol_proves() -> None:
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=Path(__file__).parents[2],
        env={**quiet, "COLUMNS": "160"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "everything holds" in result.stdout, result.stdout + result.stderr
    assert "combinations of answers" in result.stdout
    assert (result.returncode, result.stderr) == (0, "")


def test_a_proof_that_holds_says_what_it_covered() -> None:
    text = printed(a_proof())

    assert "10 states, 20 edges, 30 screens, 1,000,000,000,000,000,000,000 combinations" in text
    assert "1,239 cases in 1.2 s" in text
    assert text.endswith("everything holds\n")


def test_each_failure_is_listed_up_to_ten() -> None:
    text = printed(a_proof(*(f"lawn {number}: brown" for number in range(12))))

    assert "Grass is green: 12 failures" in text
    assert "lawn 9: brown" in text
    assert "lawn 10: brown" not in text
    assert "and 2 more" in text
    assert text.endswith("1 of 2 checks fail\n")


def test_what_was_tried_in_pairs_only_is_said() -> None:
    assert "ticked alone and in pairs only: history" in printed(a_proof(in_pairs=("history",)))


def test_a_file_with_faults_is_not_proved(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('overrides = "microneedling"\n[spacing]\nmin_days = 7\n', encoding="utf-8")
    result = CliRunner().invoke(app, [str(file)])

    assert result.exit_code == 2
    assert "P050 min_days must not be below floor_days 21, got 7" in result.stderr


@pytest.mark.parametrize(("failures", "code"), [((), 0), (("lawn: brown",), 2)])
def test_a_clinics_own_file_is_proved(
    failures: tuple[str, ...], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proved: list[int] = []

    def prove(protocol, words, told):
        told("answers", 1, 2)
        proved.append(protocol.spacing.max_days)
        return a_proof(*failures)

    monkeypatch.setattr(proof_command, "prove", prove)
    file = tmp_path / "own.toml"
    file.write_text('overrides = "microneedling"\n[spacing]\nmax_days = 49\n', encoding="utf-8")

    assert CliRunner().invoke(app, [str(file)]).exit_code == code
    assert proved == [49]
