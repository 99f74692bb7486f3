"""The map of docs/security.md: each test that it names exists, each requirement stands once."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture import house

PAGE = (house.ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([\d., ]+) \| (.+) \| (.+) \|$", PAGE, flags=re.MULTILINE)
NAMED = sorted(set(re.findall(r"`([\w/]+\.py(?:::\w+)?)`", PAGE)))

#: Level 1 of ASVS 5.0 where it applies to a console without passwords, OAuth, XML or uploads.
LEVEL_1 = """
    1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.3.2 2.2.1 2.2.2 2.3.1 3.2.1 3.2.2 3.3.1 3.4.1 3.4.2 3.5.1
    3.5.2 3.5.3 4.1.1 5.2.1 5.3.2 6.1.1 6.3.1 6.3.2 6.4.1 7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2
    8.1.1 8.2.1 8.2.2 8.3.1 11.3.1 11.3.2 12.2.1 13.4.1 14.3.1 15.1.1 15.2.1
"""
#: What health data ask for beyond that.
LEVEL_2 = """
    2.3.3 2.3.4 2.4.1 3.3.2 3.3.4 3.4.3 3.4.4 3.4.5 3.4.6 6.3.3 6.3.8 6.5.1 6.5.5 6.6.3 7.3.1
    7.3.2 7.4.5 8.4.1 13.3.1 13.4.2 13.4.5 14.2.4 14.3.2 16.2.5 16.3.1 16.3.2 16.4.1 16.5.1
    16.5.4
"""


@pytest.mark.parametrize("name", NAMED)
def test_every_test_that_the_map_names_exists(name: str) -> None:
    file, _, test = name.partition("::")
    tree = ast.parse((house.ROOT / "tests" / file).read_text(encoding="utf-8"))

    functions = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert not test or test in functions


def test_every_row_names_a_test() -> None:
    assert len(ROWS) > 40
    assert [items for items, _, shown in ROWS if ".py" not in shown] == []


def test_every_requirement_has_its_row() -> None:
    items = {item for row, _, _ in ROWS for item in row.split(", ")}

    assert set(f"{LEVEL_1} {LEVEL_2}".split()) - items == set()
