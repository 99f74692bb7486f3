"""Six kinds of acne marks, drawn as skin seen from the side."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, exp, pi, sin, tanh

from bot.canvas import SOFT_INK, Canvas, Point

#: How far the surface lies below the level of healthy skin, at `x` from 0 to 1; in pixels.
Depth = Callable[[float], float]

WIDTH, HEIGHT = 304.0, 150.0  # of one drawing
SKIN_TOP = 46.0  # healthy skin lies so far below the top of a drawing

_EPIDERMIS, _DERMIS, _FAT = "#d99a78", "#f3cdb4", "#f7e3b0"
_RIM = "#8a4b32"
_BROWN, _RED = "#7a4226", "#b8433a"
_EPIDERMIS_PX, _FAT_TOP = 11.0, 118.0
_STEPS = 240


def draw_flat(canvas: Canvas, at: Point) -> None:
    """Draw smooth skin with patches of another colour."""
    _skin(canvas, at, lambda x: 0.0)
    _patch(canvas, at, 0.3, 0.13, _BROWN)
    _patch(canvas, at, 0.7, 0.1, _RED)


def draw_rolling(canvas: Canvas, at: Point) -> None:
    """Draw wide soft waves, held down from below."""
    _skin(canvas, at, lambda x: 15 * (1 - cos(4 * pi * x)) / 2)
    for x in (0.25, 0.75):
        for shift in (-0.03, 0.0, 0.03):
            top = _point(at, x + shift / 2, SKIN_TOP + 15 + _EPIDERMIS_PX)
            canvas.line([top, _point(at, x + shift, _FAT_TOP + 4)], _RIM, 1.6)


def draw_shallow(canvas: Canvas, at: Point) -> None:
    """Draw shallow dents with a clear edge and a flat floor."""
    _skin(canvas, at, lambda x: _box(x, 0.3, 0.1, 17) + _box(x, 0.7, 0.1, 17))


def draw_deep(canvas: Canvas, at: Point) -> None:
    """Draw the same dents, steep and deep."""
    _skin(canvas, at, lambda x: _box(x, 0.3, 0.1, 50) + _box(x, 0.7, 0.1, 50))


def draw_holes(canvas: Canvas, at: Point) -> None:
    """Draw narrow holes that end in a point."""
    _skin(canvas, at, lambda x: sum(_hole(x, middle) for middle in (0.22, 0.5, 0.78)))


def draw_raised(canvas: Canvas, at: Point) -> None:
    """Draw firm bumps that stand out."""
    _skin(canvas, at, lambda x: -_bump(x, 0.32, 0.1, 30) - _bump(x, 0.72, 0.07, 22))


def _skin(canvas: Canvas, at: Point, depth: Depth) -> None:
    surface = _curve(at, depth, SKIN_TOP)
    below = _curve(at, depth, SKIN_TOP + _EPIDERMIS_PX)
    floor = [_point(at, 1, HEIGHT), _point(at, 0, HEIGHT)]
    canvas.shape([*surface, *floor], _EPIDERMIS)
    canvas.shape([*below, *floor], _DERMIS)
    fat = _curve(at, lambda x: 3 * cos(9 * pi * x), _FAT_TOP)
    canvas.shape([*fat, *floor], _FAT)
    level = [_point(at, step / _STEPS, SKIN_TOP) for step in range(0, _STEPS + 1, 3)]
    canvas.dashes(level, SOFT_INK, 1.2)
    canvas.line(surface, _RIM, 2.6)


def _patch(canvas: Canvas, at: Point, middle: float, half: float, colour: str) -> None:
    turns = [pi * step / 40 for step in range(41)]
    edge = [(middle + half * cos(turn), SKIN_TOP + 1 + 17 * sin(turn) ** 0.7) for turn in turns]
    canvas.shape([_point(at, x, y) for x, y in edge], colour)


def _curve(at: Point, depth: Depth, level: float) -> list[Point]:
    steps = (step / _STEPS for step in range(_STEPS + 1))
    return [_point(at, x, level + depth(x)) for x in steps]


def _point(at: Point, x: float, y: float) -> Point:
    return at[0] + x * WIDTH, at[1] + y


def _box(x: float, middle: float, half: float, depth: float) -> float:
    return depth * (tanh((x - middle + half) * 90) - tanh((x - middle - half) * 90)) / 2


def _hole(x: float, middle: float) -> float:
    return max(0.0, 1 - abs(x - middle) / 0.026) * 66


def _bump(x: float, middle: float, half: float, height: float) -> float:
    return height * exp(-(((x - middle) / half) ** 4))
