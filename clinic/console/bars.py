"""Horizontal bars as numbers for an SVG: the template only writes them down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 360  # of the drawing, in its own units
_ROW = 40  # a bar with its name above it
_TOP = 4
_INDENT = 14


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar before it is drawn."""

    name: str
    length: int
    words: str  # of its length
    inner: int | None = None  # a second, shorter one over it
    is_part: bool = False  # of the bar above it


@dataclass(frozen=True, slots=True)
class Drawn:
    """One bar in the units of the drawing."""

    name: str
    words: str
    x: int
    y: int  # of the name's base line
    width: float
    inner: float | None
    is_part: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """All bars, and how large the drawing is."""

    bars: tuple[Drawn, ...]
    height: int
    width: int = WIDTH


def chart(bars: Sequence[Bar], most: int) -> Chart:
    """Lay bars out below each other; one of length `most` is as long as there is room."""

    def drawn(place: int, bar: Bar) -> Drawn:
        x = _INDENT if bar.is_part else 0
        room = (WIDTH - x) / max(most, 1)
        inner = None if bar.inner is None else round(bar.inner * room, 1)
        y = _TOP + place * _ROW + 14
        return Drawn(bar.name, bar.words, x, y, round(bar.length * room, 1), inner, bar.is_part)

    return Chart(
        tuple(drawn(place, bar) for place, bar in enumerate(bars)), _TOP + _ROW * len(bars)
    )
