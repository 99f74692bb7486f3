"""Every import contract of pyproject.toml is kept, and each of them can break."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.architecture import house

LAYERS = "Edges sit on storage, storage sits on flows"
PURE = "flows does no I/O"
TELEGRAM = "Only bot talks to Telegram"
SQL = "Only storage writes SQL"
TRANSITIONS = "transitions is a detail of the dialogue"
CYCLES = "No cycles inside packages"

OFFENCES = [
    (LAYERS, {"clinic/offence.py": "import bot"}),
    (LAYERS, {"bot/offence.py": "import clinic"}),
    (LAYERS, {"storage/offence.py": "import bot"}),
    (LAYERS, {"flows/offence.py": "import storage"}),
    (PURE, {"flows/offence.py": "import os"}),
    (PURE, {"flows/offence.py": "from asyncio import sleep"}),
    (TELEGRAM, {"clinic/offence.py": "import telegram"}),
    (TELEGRAM, {"storage/offence.py": "from telegram.ext import Application"}),
    (SQL, {"bot/offence.py": "import sqlalchemy"}),
    (SQL, {"clinic/offence.py": "import sqlite3"}),
    (TRANSITIONS, {"flows/offence.py": "from transitions import Machine"}),
    (
        CYCLES,
        {"flows/one.py": "import flows.other", "flows/other.py": "import flows.one"},
    ),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the four packages with the contracts beside it."""
    for package in house.PACKAGES:
        shutil.copytree(
            house.ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(house.ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_house_keeps_every_contract(copy: Path) -> None:
    assert broken(copy) == dict.fromkeys(contracts(), False)


@pytest.mark.parametrize(("contract", "modules"), OFFENCES)
def test_one_offending_import_breaks_its_contract_alone(
    copy: Path, contract: str, modules: Mapping[str, str]
) -> None:
    for path, source in modules.items():
        (copy / path).write_text(source + "\n", encoding="utf-8")

    assert [name for name, is_broken in broken(copy).items() if is_broken] == [contract]


def test_every_contract_has_an_offence() -> None:
    assert {contract for contract, _ in OFFENCES} == set(contracts())


def contracts() -> list[str]:
    """Return the names of all contracts, as pyproject.toml gives them."""
    text = (house.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return [each["name"] for each in tomllib.loads(text)["tool"]["importlinter"]["contracts"]]


def broken(copy: Path) -> dict[str, bool]:
    """Run import-linter on the copy; say of each contract whether it is broken."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^(.+?) (KEPT|BROKEN)\b", done.stdout, flags=re.MULTILINE)
    assert found, done.stdout + done.stderr
    return {name.strip(): state == "BROKEN" for name, state in found}
