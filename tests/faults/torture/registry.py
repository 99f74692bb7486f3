"""Finds the pieces: every module of this package that has some."""

from __future__ import annotations

import importlib
import pkgutil

from tests.faults import torture
from tests.faults.torture.figures import Piece


def pieces() -> list[Piece]:
    """Return every piece, by name. Raises ValueError when two have the same name."""
    found: dict[str, Piece] = {}
    for module in sorted(pkgutil.iter_modules(torture.__path__), key=lambda module: module.name):
        if module.name.startswith("__"):
            continue
        for piece in _of(f"{torture.__name__}.{module.name}"):
            if piece.name in found:
                raise ValueError(f"every piece needs a name of its own, got {piece.name!r} twice")
            found[piece.name] = piece
    return list(found.values())


def _of(name: str) -> tuple[Piece, ...]:
    pieces: tuple[Piece, ...] = getattr(importlib.import_module(name), "PIECES", ())
    return pieces
