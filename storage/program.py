"""How this program is called: advice that is printed must work where it is read."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

NAME = "resurface"


def command(words: str) -> str:
    """Return a command to type: "clinic init" is `.venv/bin/resurface clinic init` where it is."""
    return f"{called(sys.argv[0], Path.cwd())} {words}"


def which_clinic(known: Iterable[str], given: str | None, name: str = "--clinic") -> str:
    """Say which clinics may be named, or how the first one is made."""
    names = ", ".join(sorted(known))
    if not names:
        return f"there is no clinic yet: run `{command('clinic init')}` to describe yours"
    return f"{name} must be one of {names}" + ("" if given is None else f", got {given!r}")


def called(started: str, folder: Path) -> str:
    """Return what to type in this folder to call the program that was started by this path.

    Outside the folder, as in the container, it is on the search path.
    """
    place = Path(started)
    if place.stem == NAME and place.absolute().is_relative_to(folder):
        return str(place.absolute().relative_to(folder))
    return NAME
