"""Write the state diagram of docs/dialogue.md from the code.

Run as `python -m tests.architecture.diagram`. With `--check` nothing is written, and a page that
differs ends with exit code 1.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from flows import diagram
from storage import protocol_files
from tests.architecture import house

PAGE = house.ROOT / "docs" / "dialogue.md"
_BLOCK = re.compile(r"(?<=^```mermaid\n).*?(?=^```$)", flags=re.MULTILINE | re.DOTALL)


def current(page: str) -> str:
    """Return the page with the diagram that the shipped protocol has now."""
    protocol = protocol_files.load_protocol(protocol_files.load_catalogues())
    drawn = diagram.mermaid(protocol).rstrip("\n") + "\n"
    changed, count = _BLOCK.subn(lambda _: drawn, page)
    if count != 1:
        raise SystemExit(f"{PAGE.name} must hold exactly one mermaid block, found {count}")
    return changed


def main(page: Path, *, check: bool) -> None:
    """Write the page, or say that it is out of date."""
    before = page.read_text(encoding="utf-8")
    after = current(before)
    if check and after != before:
        raise SystemExit(f"{page.name} is out of date: run `make diagram`")
    page.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main(PAGE, check="--check" in sys.argv[1:])
