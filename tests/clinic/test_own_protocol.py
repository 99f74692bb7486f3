"""A clinic's own numbers are used once they are compiled and proved, and never before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from clinic import own_protocol
from clinic.clinic_commands import clinic_app
from clinic.commands import with_database
from flows.proof import Proof
from flows.proof_world import Check, Told
from flows.protocol import Protocol
from flows.texts import Catalogue
from storage import clinic_protocols, clinics
from tests.builders import NOW

OVERRIDES = 'overrides = "microneedling"\n[spacing]\npreferred_days = 35\n'


class Prover:
    """Says what a proof of each protocol finds; the real one is tried in tests/flows."""

    def __init__(self, *failures: str) -> None:
        self.failures = failures
        self.tried: list[str] = []

    def __call__(
        self, protocol: Protocol, _catalogues: Mapping[str, Catalogue], _told: Told
    ) -> Proof:
        """Return a proof with these failures."""
        self.tried.append(protocol.key)
        return Proof(1, 1, 1, 1, (Check("no way round", "all", 1, self.failures),))


def run(url: str, prove: Prover, *arguments: str) -> Result:
    app = typer.Typer()
    app.command("use")(own_protocol.use_command(lambda: NOW, prove))
    app.add_typer(clinic_app(lambda: NOW, str, prove), name="clinic")
    return CliRunner().invoke(app, arguments, env={"DATABASE_URL": url})


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path}/resurface.db"
    (tmp_path / "own.toml").write_text(OVERRIDES, "utf-8")
    (tmp_path / "demo.toml").write_text(clinics.demo_text(), "utf-8")
    assert run(address, Prover(), "clinic", "demo").exit_code == 0
    return address


def used(url: str) -> dict[str, str]:
    return with_database(url, lambda database: database.read(clinic_protocols.overrides))


def test_proved_numbers_are_used_by_their_clinic_alone(url: str, tmp_path: Path) -> None:
    prove = Prover()
    result = run(url, prove, "use", str(tmp_path / "own.toml"), "--clinic", "willow")
    again = run(url, prove, "use", str(tmp_path / "own.toml"), "--clinic", "willow")

    assert (result.exit_code, again.exit_code) == (0, 0), result.output
    assert used(url) == {"willow": OVERRIDES}
    assert len(prove.tried) == 1


def test_numbers_that_do_not_hold_are_not_used(url: str, tmp_path: Path) -> None:
    prove = Prover("a minor is booked")
    result = run(url, prove, "use", str(tmp_path / "own.toml"), "--clinic", "willow")

    assert (result.exit_code, used(url)) == (2, {})
    assert "own.toml: no way round: a minor is booked" in result.output
    assert "is not used, because patients could come to harm by it" in result.output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (OVERRIDES + '[severity]\n"age.young" = "none"\n', "severity must not be changed"),
        ("[spacing]\npreferred_days = 35\n", "must name the protocol that it changes"),
        (OVERRIDES.replace("35", "2"), "own.toml"),
        ("overrides = ", "must name the protocol that it changes"),
    ],
)
def test_faulty_numbers_are_not_even_proved(
    url: str, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "own.toml").write_text(text, "utf-8")
    prove = Prover()
    result = run(url, prove, "use", str(tmp_path / "own.toml"), "--clinic", "willow")

    assert (result.exit_code, words in result.output) == (2, True), result.output
    assert (used(url), prove.tried) == ({}, [])


def test_the_packaged_protocol_can_be_taken_again(url: str, tmp_path: Path) -> None:
    run(url, Prover(), "use", str(tmp_path / "own.toml"), "--clinic", "willow")

    assert run(url, Prover(), "use", "--packaged", "--clinic", "willow").exit_code == 0
    assert used(url) == {}


@pytest.mark.parametrize("words", [(), ("own.toml", "--packaged")])
def test_a_file_or_the_packaged_one_must_be_named(url: str, words: tuple[str, ...]) -> None:
    result = run(url, Prover(), "use", *words, "--clinic", "willow")

    assert "name a FILE with the clinic's overrides, or give --packaged" in result.output


def test_a_clinic_that_does_not_exist_or_a_file_that_is_not_there(url: str, tmp_path: Path) -> None:
    unknown = run(url, Prover(), "use", str(tmp_path / "own.toml"), "--clinic", "oak")
    missing = run(url, Prover(), "use", str(tmp_path / "no.toml"), "--clinic", "willow")

    assert "must be one of harbour, willow, got 'oak'" in unknown.output
    assert "no.toml: No such file" in missing.output


def test_a_clinic_file_names_its_numbers_and_an_export_takes_them_along(
    url: str, tmp_path: Path
) -> None:
    text = clinics.demo_text().replace('locale = "en"', 'locale = "en"\nprotocol = "own.toml"', 1)
    (tmp_path / "demo.toml").write_text(text, "utf-8")
    assert run(url, Prover(), "clinic", "import", str(tmp_path / "demo.toml")).exit_code == 0
    out = tmp_path / "out"
    out.mkdir()
    run(url, Prover(), "clinic", "export", "willow", "--out", str(out / "willow.toml"))

    run(url, Prover(), "use", "--packaged", "--clinic", "willow")
    again = run(url, Prover(), "clinic", "import", str(out / "willow.toml"))

    assert (out / "willow-overrides.toml").read_text("utf-8") == OVERRIDES
    assert (again.exit_code, used(url)) == (0, {"willow": OVERRIDES})


def test_a_file_that_says_nothing_of_numbers_leaves_them(url: str, tmp_path: Path) -> None:
    run(url, Prover(), "use", str(tmp_path / "own.toml"), "--clinic", "willow")
    run(url, Prover(), "clinic", "import", str(tmp_path / "demo.toml"))
    assert used(url) == {"willow": OVERRIDES}

    text = clinics.demo_text().replace('locale = "en"', 'locale = "en"\nprotocol = ""', 1)
    (tmp_path / "demo.toml").write_text(text, "utf-8")
    run(url, Prover(), "clinic", "import", str(tmp_path / "demo.toml"))
    assert used(url) == {}


def test_an_import_with_unproved_numbers_changes_nothing(url: str, tmp_path: Path) -> None:
    text = clinics.demo_text().replace('locale = "en"', 'locale = "en"\nprotocol = "own.toml"', 1)
    (tmp_path / "demo.toml").write_text(text.replace("£180", "£999"), "utf-8")
    result = run(url, Prover("no"), "clinic", "import", str(tmp_path / "demo.toml"))

    assert (result.exit_code, used(url)) == (2, {})
    assert "£999" not in run(url, Prover(), "clinic", "export", "willow").output
