"""The rules of the house hold, and each of them can fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.architecture import house

Rule = Callable[[Path], Iterator[str]]

RULES: dict[str, tuple[Rule, tuple[str, ...]]] = {
    "too long": (house.too_long, house.FOLDERS),
    "undescribed": (house.undescribed, house.PACKAGES),
    "vaguely named": (house.vaguely_named, house.FOLDERS),
    "asynchronous": (house.asynchronous, ("flows",)),
    "hidden import": (house.hidden_imports, house.FOLDERS),
    "naive time": (house.naive_times, house.FOLDERS),
}

OFFENCES = [
    (house.too_long, "long.py", "x = 1\n" * 401),
    (house.undescribed, "silent.py", "x = 1\n"),
    (house.vaguely_named, "utils.py", ""),
    (house.vaguely_named, "helpers/dates.py", ""),
    (house.asynchronous, "waiting.py", "async def wait():\n    pass\n"),
    (house.hidden_imports, "hiding.py", "def hide():\n    import os\n"),
    (house.hidden_imports, "hiding.py", "async def hide():\n    from os import path\n"),
    (house.naive_times, "naive.py", "import datetime\ndatetime.datetime.now()\n"),
    (house.naive_times, "naive.py", "from datetime import datetime\ndatetime.utcnow()\n"),
    (house.naive_times, "naive.py", "from datetime import date\ndate.today()\n"),
]

BORDERS = [
    (house.too_long, "fitting.py", "x = 1\n" * 400),
    (house.vaguely_named, "timetable.py", ""),
    (house.hidden_imports, "guarded.py", "if x:\n    import os\n"),
    (house.naive_times, "aware.py", "from datetime import datetime\ndatetime.now(zone)\n"),
    (house.naive_times, "clock.py", "clock.now()\n"),
]


@pytest.mark.parametrize("name", RULES)
def test_every_module_keeps_the_rule(name: str) -> None:
    rule, folders = RULES[name]

    faults = [fault for path in house.modules(*folders) for fault in rule(path)]

    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(("rule", "name", "source"), OFFENCES)
def test_a_module_that_breaks_the_rule_is_named(
    rule: Rule, name: str, source: str, tmp_path: Path
) -> None:
    assert name in "".join(rule(_module(tmp_path, name, source)))


@pytest.mark.parametrize(("rule", "name", "source"), BORDERS)
def test_a_module_at_the_border_is_left_alone(
    rule: Rule, name: str, source: str, tmp_path: Path
) -> None:
    assert list(rule(_module(tmp_path, name, source))) == []


@pytest.mark.parametrize("package", house.PACKAGES)
def test_the_rules_look_at_every_package(package: str) -> None:
    assert house.modules(package)


def _module(folder: Path, name: str, source: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(source, encoding="utf-8")
    return path
