"""A drawing surface with smooth edges: shapes and words in the pixels of the finished picture.

Everything is drawn larger and scaled down once at the end. The font comes with Pillow, so that a
picture has the same bytes on every machine.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from functools import cache

from PIL import Image, ImageDraw, ImageFont

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom

INK = "#2b2a33"
SOFT_INK = "#5f5c6b"
PAPER = "#fbf8f4"
CARD = "#ffffff"
EDGE = "#e4dcd2"

_SCALE = 2
_LINE_HEIGHT = 1.22
_NEAR_LETTERS = (("–", "-"), ("—", "-"), ("ß", "ss"), ("ı", "i"), ("ø", "o"), ("ł", "l"))


class Canvas:
    """One picture in the making."""

    def __init__(self, width: int, height: int) -> None:
        """Start with an empty light page of `width` by `height` pixels."""
        self.width = width
        self.height = height
        self._image = Image.new("RGB", (width * _SCALE, height * _SCALE), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def png(self) -> bytes:
        """Return the finished picture."""
        file = io.BytesIO()
        # Plain averages leave even areas even, which packs to half the size of a finer filter.
        self._image.reduce(_SCALE).save(file, "PNG")
        return file.getvalue()

    def box(self, box: Box, fill: str | None, *, edge: str = "", radius: float = 0) -> None:
        """Draw a box with round corners."""
        self._draw.rounded_rectangle(
            _scaled(box), radius * _SCALE, fill, edge or None, 2 * _SCALE if edge else 0
        )

    def disc(self, centre: Point, radius: float, fill: str, *, edge: str = "") -> None:
        """Draw a filled circle, with a bold rim when `edge` names its colour."""
        x, y = centre
        box = (x - radius, y - radius, x + radius, y + radius)
        self._draw.ellipse(_scaled(box), fill, edge or None, 4 * _SCALE if edge else 0)

    def shape(self, points: Sequence[Point], fill: str) -> None:
        """Fill the area inside `points`."""
        self._draw.polygon([(x * _SCALE, y * _SCALE) for x, y in points], fill)

    def line(self, points: Sequence[Point], colour: str, width: float) -> None:
        """Draw a line through `points`."""
        scaled = [(x * _SCALE, y * _SCALE) for x, y in points]
        self._draw.line(scaled, colour, round(width * _SCALE), joint="curve")

    def dashes(self, points: Sequence[Point], colour: str, width: float) -> None:
        """Draw every other piece of a line through many near `points`."""
        for start in range(0, len(points) - 2, 4):
            self.line(points[start : start + 3], colour, width)

    def words(
        self,
        at: Point,
        words: str,
        size: float,
        *,
        colour: str = INK,
        anchor: str = "mm",
        bold: bool = False,
    ) -> None:
        """Write one line; `anchor` is Pillow's code for the place of `at` within the words."""
        spot = (at[0] * _SCALE, at[1] * _SCALE)
        # The font has one weight: a thin rim in the same colour makes it bold.
        rim = 0.4 * _SCALE if bold else 0
        self._draw.text(spot, plain(words), colour, _font(size), anchor, stroke_width=rim)

    def paragraph(
        self,
        at: Point,
        words: str,
        size: float,
        width: float,
    ) -> None:
        """Write centred lines below `at`, none wider than `width`."""
        x, y = at
        for line in wrap(words, size, width):
            self.words((x, y + size * _LINE_HEIGHT / 2), line, size)
            y += size * _LINE_HEIGHT


def plain(words: str) -> str:
    """Return words without what the bundled font cannot draw: accents and long dashes."""
    for missing, near in _NEAR_LETTERS:
        words = words.replace(missing, near)
    apart = unicodedata.normalize("NFKD", words)
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def text_width(words: str, size: float) -> float:
    """Return how wide one line of words is."""
    return _font(size).getlength(plain(words)) / _SCALE


def wrap(words: str, size: float, width: float) -> list[str]:
    """Break words into lines no wider than `width`; a single long word may still stand out."""
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@cache
def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size * _SCALE)
    if isinstance(font, ImageFont.FreeTypeFont):
        return font
    raise RuntimeError("pictures need Pillow with FreeType support; install Pillow from a wheel")


def _scaled(box: Box) -> Box:
    left, top, right, bottom = box
    return left * _SCALE, top * _SCALE, right * _SCALE, bottom * _SCALE
