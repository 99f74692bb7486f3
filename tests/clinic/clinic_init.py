"""`resurface clinic init` in a folder of its own."""

from __future__ import annotations

from pathlib import Path

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


def commands(bot: str = "oak_bot") -> typer.Typer:
    app = typer.Typer()
    app.add_typer(clinic_app(lambda: NOW, lambda: bot), name="clinic")
    return app


def run(folder: Path, *arguments: str, typed: str | None = None, bot: str = "oak_bot") -> Result:
    words = ("clinic", *arguments, "--database-url", f"sqlite:///{folder}/resurface.db")
    place = {"TZ": "", "COLUMNS": "160"}
    return CliRunner().invoke(commands(bot), words, input=typed, env=place)


def init(folder: Path, answers: str, *more: str, typed: str | None = None) -> Result:
    (folder / "answers.toml").write_text(answers, "utf-8")
    file, told = folder / "clinic.toml", folder / "answers.toml"
    return run(folder, "init", "--file", str(file), "--answers", str(told), *more, typed=typed)


def written(folder: Path) -> ClinicEntry:
    text = (folder / "clinic.toml").read_text("utf-8")
    return clinic_file.parse(text, "clinic.toml")[0]
