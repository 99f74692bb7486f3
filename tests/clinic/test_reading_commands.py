"""What is called safe beside the bot does not write: a damaged SQLite library cannot be met."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.__main__ import app
from storage import clinics, sqlite_versions
from storage.database import parse_url


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def writes(*words: str) -> bool:
    """Run a command beside somebody who has the file open; say whether they see a change."""
    with closing(sqlite3.connect("var/resurface.db")) as beside:
        before = beside.execute("PRAGMA data_version").fetchone()
        done = run(*words)
        assert done.exit_code in {0, 1}, done.output  # `check` ends with 1 when there is work left
        return bool(beside.execute("PRAGMA data_version").fetchone() != before)


@pytest.fixture(autouse=True)
def _clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.toml").write_text(clinics.demo_text(), encoding="utf-8")
    assert run("clinic", "import", "two.toml").exit_code == 0


def test_commands_that_are_safe_beside_the_bot_write_nothing() -> None:
    reading = (
        *(
            ("check",),
            ("backup", "first.backup"),
            ("leads",),
            ("clinic", "links", "--out", "posters"),
        ),
        *(("clinic", "export"), ("staff", "list"), ("channel", "list", "--clinic", "willow")),
        *(("calendar", "list"), ("inbox", "parked"), ("outbox", "dead"), ("upgrade",)),
    )

    assert [words for words in reading if writes(*words)] == []


def test_commands_that_need_care_do_write() -> None:
    writing = (
        ("clinic", "import", "two.toml"),
        ("staff", "add", "Noor", "--clinic", "willow", "--role", "owner"),
        ("staff", "invite", "1"),
        ("console-link", "--clinic", "willow"),
    )

    assert [words for words in writing if not writes(*words)] == []


def test_the_warning_names_both() -> None:
    words = sqlite_versions.warning(parse_url("sqlite:///var/resurface.db"), (3, 40, 1))

    needs_care, _, is_safe = words.partition("The console")
    assert "`staff`" in needs_care
    assert all(f"`{name}`" in is_safe for name in ("check", "backup", "clinic links"))
