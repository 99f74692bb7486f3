"""The rules of the house that no linter of ours knows, each as a function that names faults."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "clinic", "flows", "storage")
FOLDERS = (*PACKAGES, "tests", "bench")

MAX_LINES = 400
VAGUE_NAMES = frozenset(
    name + plural
    for name in ("util", "helper", "common", "manager", "base", "misc")
    for plural in ("", "s")
)
NAIVE_CALLS = frozenset({"utcnow", "utcfromtimestamp"})


def modules(*folders: str, root: Path = ROOT) -> list[Path]:
    """Return the Python files of these folders, sorted."""
    return sorted(path for folder in folders for path in (root / folder).rglob("*.py"))


def too_long(path: Path) -> Iterator[str]:
    """Yield a fault when the module has more lines than a reader should have to hold."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    if lines > MAX_LINES:
        yield f"{path}: {lines} lines, at most {MAX_LINES}: split it by idea"


def undescribed(path: Path) -> Iterator[str]:
    """Yield a fault when the module does not say what it is for."""
    if not ast.get_docstring(_tree(path)):
        yield f"{path}: no module docstring"


def vaguely_named(path: Path) -> Iterator[str]:
    """Yield a fault when the module is named after nothing of the domain."""
    if path.stem in VAGUE_NAMES or path.parent.name in VAGUE_NAMES:
        yield f"{path}: name it after what it is about, not {path.stem!r}"


def asynchronous(path: Path) -> Iterator[str]:
    """Yield every coroutine, asynchronous loop or context of a module that must stay pure."""
    kinds = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
    for node in ast.walk(_tree(path)):
        if isinstance(node, kinds):
            yield f"{path}:{node.lineno}: flows is synchronous"


def hidden_imports(path: Path) -> Iterator[str]:
    """Yield every import inside a function, where neither a reader nor a contract looks for it."""
    for function in ast.walk(_tree(path)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield f"{path}:{node.lineno}: import at the top of the module"


def naive_times(path: Path) -> Iterator[str]:
    """Yield every call that makes a datetime without a time zone from the clock."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            bare = not node.args and not node.keywords
            if name in NAIVE_CALLS or (
                bare and name in {"now", "today"} and _is_datetime(node.func.value)
            ):
                yield f"{path}:{node.lineno}: {name}() without a time zone"


def _is_datetime(node: ast.expr) -> bool:
    """Tell whether the expression names the class: `datetime`, `datetime.datetime`, `date`."""
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name in {"datetime", "date"}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
