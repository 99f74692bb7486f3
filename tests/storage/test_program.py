"""Printed commands work where they are read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage import program


@pytest.mark.parametrize(
    ("started", "folder", "called"),
    [
        (".venv/bin/resurface", ".", ".venv/bin/resurface"),
        ("/srv/oak/.venv/bin/resurface", "/srv/oak", ".venv/bin/resurface"),
        ("/opt/resurface/bin/resurface", "/var/lib/resurface", "resurface"),
        ("/srv/oak/bot/__main__.py", "/srv/oak", "resurface"),
        ("-c", ".", "resurface"),
    ],
)
def test_the_program_is_called_as_it_was_started(started: str, folder: str, called: str) -> None:
    assert program.called(started, Path(folder).absolute()) == called


def test_advice_can_be_typed_as_it_is_printed(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/resurface").symlink_to(Path(sys.executable).with_name("resurface"))
    place = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/a.db"}

    told = subprocess.run(
        ["bin/resurface", "clinic", "export"],
        cwd=tmp_path,
        env=place,
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.stderr == "there is no clinic yet: run `bin/resurface clinic init`\n"
