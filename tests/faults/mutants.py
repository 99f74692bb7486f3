"""Guards of the project taken away one at a time, each with the tests that must notice.

A mutant is a change of one place in a scratch copy of the tree. It is caught when its tests fail;
the same tests pass on the unchanged copy. What a mutant replaces must stand in its file exactly
once, so that a mutant cannot quietly stop being one when the code changes.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.faults.mutants_checked import MIGRATIONS, PROTOCOL, cases_notice, models_notice

ROOT = Path(__file__).parents[2]
VERSIONS = f"{MIGRATIONS}/versions"
COPIED = ("bot", "clinic", "flows", "storage", "tests", "pyproject.toml")

#: Tests of what the protocol says: every rule speaks in a case of its own.
CASES = ("tests/flows/test_eligibility.py", "-k", "case")
SCHEMA = ("tests/storage/test_constraints.py", "-k", "promised")

PASSED, FAILED = 0, 1
_SECONDS = 300

#: Most of such a short run would be the loading of plugins that these tests do not need.
_QUICKLY = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
_PLUGINS = ("-p", "no:cacheprovider", "-p", "pytest_asyncio.plugin", "-p", "pytest_timeout")
_PYTEST = ("-m", "pytest", "-x", "-q", *_PLUGINS)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One guard less."""

    name: str
    file: str  # from the root of the tree; a folder: in whichever module of it the guard is
    old: str
    new: str
    tests: tuple[str, ...]  # arguments of pytest
    check: Callable[[Path], bool] | None = None  # what these tests ask, without a run of pytest


class DoesNotApply(AssertionError):
    """What a mutant replaces is not there, or there more than once."""


def place(mutant: Mutant, root: Path = ROOT) -> Path:
    """Return the one file in which the guard stands. Raises DoesNotApply."""
    named = root / mutant.file
    files = [named] if named.is_file() else sorted(named.glob("*.py"))
    counts = {file: file.read_text(encoding="utf-8").count(mutant.old) for file in files}
    found = [file for file, count in counts.items() for _ in range(count)]
    if len(found) != 1 or mutant.old == mutant.new:
        raise DoesNotApply(f"{mutant.name}: its place is in {mutant.file} {len(found)} times")
    return found[0]


def applied(mutant: Mutant, root: Path = ROOT) -> str:
    """Return the file's text with the guard taken away. Raises DoesNotApply."""
    return place(mutant, root).read_text(encoding="utf-8").replace(mutant.old, mutant.new)


# The rules of the protocol -------------------------------------------------------------------


def rule_mutants(root: Path = ROOT) -> list[Mutant]:
    """Return one mutant for each answer with a severity, and one for each red flag."""
    text = (root / PROTOCOL).read_text(encoding="utf-8")
    read = tomllib.loads(text)
    return [
        *(
            _without_severity(text, step["id"], code)
            for step in read["step"]
            for code in _rules(step)
        ),
        *(_without_flag(text, flag["id"]) for flag in read["red_flag"]),
    ]


def _rules(step: dict[str, list[dict[str, str]]]) -> list[str]:
    return [each["code"] for each in step.get("options", []) if each.get("severity")]


def _without_severity(text: str, step: str, code: str) -> Mutant:
    """Let an answer mean nothing: neither what it does nor how long it lasts."""
    begins = text.index(f'\nid = "{step}"')
    ends = text.find("\n[", begins)
    block = text[begins : ends if ends > 0 else len(text)]
    begun = block.index(f'{{ code = "{code}"')
    option = block[begun : block.index("}", begun) + 1]
    less = re.sub(r', (?:severity = "\w+"|(?:defer|recheck)_weeks = \d+)', "", option)
    without = block.replace(option, less)
    return Mutant(f"rule {step}.{code}", PROTOCOL, block, without, CASES, cases_notice)


def _without_flag(text: str, flag: str) -> Mutant:
    begins = text.rindex("[[red_flag]]", 0, text.index(f'id = "{flag}"'))
    ends = text.find("\n[", begins)
    block = text[begins : ends if ends > 0 else len(text)]
    tests = ("tests/flows/test_microneedling.py", "-k", "red_flag")
    return Mutant(f"red flag {flag}", PROTOCOL, block, "", tests)


# The constraints of the database -------------------------------------------------------------


def constraint_mutants(root: Path = ROOT) -> list[Mutant]:
    """Return one mutant for each check, unique and foreign key that an upgrade makes.

    A table that a later migration makes anew counts where it was made last.
    """
    texts = {
        f"{VERSIONS}/{path.name}": path.read_text(encoding="utf-8")
        for path in sorted((root / VERSIONS).glob("0*.py"))
    }
    last = {_name(call): file for file, text in texts.items() for call in _tables(text)}
    return [
        mutant
        for file, text in texts.items()
        for mutant in _of_migration(file, text, {name for name in last if last[name] == file})
    ]


def _tables(text: str) -> Iterator[ast.Call]:
    return _calls(ast.parse(text), "create_table")


def _name(table: ast.Call) -> str:
    return ast.unparse(table.args[0])


def _of_migration(file: str, text: str, tables: set[str]) -> Iterator[Mutant]:
    for table in _tables(text):
        for made in table.args if _name(table) in tables else ():
            kind = made.func.attr if _is_attribute_call(made) else ""
            if kind in ("CheckConstraint", "UniqueConstraint", "ForeignKeyConstraint"):
                yield _without_constraint(file, text, table, made)
    yield from _added_later(file, text)
    yield from _of_columns(file, text)


def _of_columns(file: str, text: str) -> Iterator[Mutant]:
    """Yield the foreign keys that are written into a column."""
    for made in _calls(ast.parse(text), "ForeignKey"):
        part = ast.get_source_segment(text, made) or ""
        name = f"foreign key to {ast.unparse(made.args[0])} of {Path(file).name[:4]}"
        yield Mutant(name, file, f"{part},", "", SCHEMA, models_notice)


def _added_later(file: str, text: str) -> Iterator[Mutant]:
    """Yield the checks that are put on tables made by earlier migrations."""
    for batch in _batches(ast.parse(text)):
        for each in batch.body:
            part = ast.get_source_segment(text, each) or ""
            if "create_check_constraint" not in part:
                continue
            whole = ast.get_source_segment(text, batch) or ""
            name = re.search(r"\bck_\w+", part)
            yield Mutant(
                f"added constraint {name[0] if name else part} of {Path(file).name[:4]}",
                file,
                whole,
                whole.replace(part, "pass"),
                SCHEMA,
                models_notice,
            )


def _batches(tree: ast.AST) -> Iterator[ast.With]:
    upgrades = (
        part
        for part in ast.walk(tree)
        if isinstance(part, ast.FunctionDef) and part.name != "downgrade"
    )
    for upgrade in upgrades:
        for part in ast.walk(upgrade):
            if isinstance(part, ast.With) and "batch_alter_table" in ast.unparse(part.items[0]):
                yield part


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    """Yield the calls that an upgrade makes, and not those of its undoing."""
    for part in ast.iter_child_nodes(tree):
        if isinstance(part, ast.FunctionDef) and part.name == "downgrade":
            continue
        if _is_attribute_call(part) and part.func.attr == name:
            yield part
        yield from _calls(part, name)


def _is_attribute_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)


def _without_constraint(file: str, text: str, table: ast.Call, made: ast.AST) -> Mutant:
    whole = ast.get_source_segment(text, table) or ""
    part = ast.get_source_segment(text, made) or ""
    name = re.search(r"((?:ck|uq|fk)_\w+)", part)
    without = whole.replace(part + ",", "").replace(part, "")
    made_in = Path(file).name[:4]
    named = f"constraint {name[1] if name else part} of {made_in}"
    return Mutant(named, file, whole, without, SCHEMA, models_notice)


# Trying them ---------------------------------------------------------------------------------


class Scratch:
    """A copy of the tree in which guards are taken away and put back."""

    def __init__(self, folder: Path, postgres_url: str = "") -> None:
        self.root = folder
        self._environment = {**os.environ, "PYTHONPATH": str(folder), **_QUICKLY}
        if postgres_url:
            self._environment["TEST_DATABASE_URL"] = postgres_url
        self._sound: dict[tuple[str, ...], bool] = {}
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)

    def catches(self, mutant: Mutant) -> bool:
        """Take a guard away and say whether it is noticed. Raises when its tests fail with it."""
        if not self.is_sound(mutant):
            raise RuntimeError(f"{mutant.name}: its tests fail on the unchanged tree")
        path = place(mutant, self.root)
        before = path.read_text(encoding="utf-8")
        path.write_text(applied(mutant, self.root), encoding="utf-8")
        try:
            return self._notices(mutant)
        finally:
            path.write_text(before, encoding="utf-8")

    def is_sound(self, mutant: Mutant) -> bool:
        """Say whether its tests pass on the unchanged copy; asked once for each choice of tests."""
        if mutant.tests not in self._sound:
            self._sound[mutant.tests] = not self._notices(mutant)
        return self._sound[mutant.tests]

    def _notices(self, mutant: Mutant) -> bool:
        if mutant.check is None:
            return self._run(mutant.tests) != PASSED
        try:
            return mutant.check(self.root)
        except Exception:  # noqa: BLE001 - a tree that no longer works is noticed
            return True

    def _run(self, tests: tuple[str, ...]) -> int:
        command = [sys.executable, *_PYTEST, *tests]
        try:
            done = subprocess.run(
                command,
                cwd=self.root,
                env=self._environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired:  # a lock or a loop that never ends is noticed too
            return FAILED
        return done.returncode
