"""What the documents say and where they point, as values to compare with the code."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.architecture import house

LEFT_OUT = {".git", ".venv", ".env", "var", "node_modules", "htmlcov", "dist"}
CACHES = {"__pycache__", ".hypothesis", ".coverage"}

_FENCE = re.compile(r"^```.*?^```$", flags=re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
_IMAGE_TAG = re.compile(r"<img\b[^>]*\bsrc=\"([^\"]+)\"")
_CODE = re.compile(r"^```[a-z]*\n(.*?)^```$|`([^`\n]+)`", flags=re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"(?:^|[\s/(])resurface((?: [a-z][a-z-]*)+)", flags=re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", flags=re.MULTILINE)


def tracked_files(root: Path = house.ROOT) -> list[Path]:
    """Return the files that git tracks; without git, all that the project is made of."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0 and listed.stdout:
        names = listed.stdout.split("\0")
        return sorted(root / name for name in names if name and (root / name).is_file())
    return sorted(_walk(root))


def text_files(root: Path = house.ROOT) -> list[Path]:
    """Return the tracked files that hold text."""
    return [path for path in tracked_files(root) if b"\0" not in path.read_bytes()]


def pages(root: Path = house.ROOT) -> list[Path]:
    """Return every Markdown page."""
    return [path for path in tracked_files(root) if path.suffix == ".md"]


def prose(page: Path) -> str:
    """Return the page without its code blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> list[str]:
    """Return where the page points to inside the project: links and pictures."""
    text = prose(page)
    found = [target for _, target in _LINK.findall(text)] + _IMAGE_TAG.findall(text)
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def pictures(page: Path) -> list[str]:
    """Return the pictures that the page shows."""
    text = prose(page)
    return [target for mark, target in _LINK.findall(text) if mark] + _IMAGE_TAG.findall(text)


def is_broken(page: Path, target: str) -> bool:
    """Tell whether the link leads to no file, or to no heading of that file."""
    name, _, anchor = target.partition("#")
    path = (page.parent / name) if name else page
    if not path.exists():
        return True
    return bool(anchor) and path.suffix == ".md" and anchor not in anchors(path)


def anchors(page: Path) -> set[str]:
    """Return the anchors that readers of Markdown make of the page's headings."""
    kept = (re.sub(r"[^\w\- ]", "", title.lower()) for title in _HEADING.findall(prose(page)))
    return {title.replace(" ", "-") for title in kept}


def commands(page: Path) -> list[tuple[str, ...]]:
    """Return the words after each `resurface` that stands in code on the page."""
    code = "\n".join(block or span for block, span in _CODE.findall(page.read_text("utf-8")))
    return [tuple(words.split()) for words in _COMMAND.findall(code)]


def _walk(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if _belongs(name)]
        yield from (Path(folder) / name for name in files if _belongs(name))


def _belongs(name: str) -> bool:
    return name not in LEFT_OUT and name not in CACHES and not name.endswith("_cache")
