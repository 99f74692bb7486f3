"""How this program is called: advice that is printed must work where it is read."""

from __future__ import annotations

import sys
from pathlib import Path

NAME = "resurface"


def command(words: str) -> str:
    """Return a command to type: "clinic init" is `.venv/bin/resurface clinic init` where it is."""
    return f"{called(sys.argv[0], Path.cwd())} {words}"


def called(started: str, folder: Path) -> str:
    """Return what to type in this folder to call the program that was started by this path.

    Outside the folder, as in the container, it is on the search path.
    """
    place = Path(started)
    if place.stem == NAME and place.absolute().is_relative_to(folder):
        return str(place.absolute().relative_to(folder))
    return NAME
