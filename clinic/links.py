"""The links by which patients come, and posters with a code to scan."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

import segno
from markupsafe import escape

from flows.texts import Catalogue
from storage.faults import StorageError

#: What stands for the bot's name while nobody knows it.
UNNAMED = "YOUR_BOT"

_CAMPAIGN = re.compile(r"[A-Za-z0-9_-]{1,40}")

#: A5 upright, in millimetres.
_WIDTH, _HEIGHT = 148, 210
_CODE = 84  # side of the code

_INK, _ACCENT, _PAPER = "#16211d", "#0f6d63", "#ffffff"


class LinkFault(StorageError):
    """A link that Telegram would not open."""


@dataclass(frozen=True, slots=True)
class Poster:
    """What a poster says."""

    clinic: str  # name
    phone: str
    link: str
    words: Catalogue
    campaign: str = ""  # in small print, so that printed sheets can be told apart


def address(bot: str, slug: str, campaign: str = "") -> str:
    """Return the link to a clinic; a campaign is shown with each lead. Raises LinkFault."""
    if campaign and not _CAMPAIGN.fullmatch(campaign):
        raise LinkFault(f"a campaign must be 1 to 40 of a-z, A-Z, 0-9, _ and -, got {campaign!r}")
    return f"https://t.me/{bot or UNNAMED}?start={slug}{f'-{campaign}' if campaign else ''}"


def write(folder: Path, name: str, poster: Poster) -> tuple[Path, Path]:
    """Write NAME.png, the code alone, and NAME.svg, the poster; return both. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    alone, sheet = folder / f"{name}.png", folder / f"{name}.svg"
    alone.write_bytes(code(poster.link))
    sheet.write_text(drawing(poster), encoding="utf-8")
    return alone, sheet


def code(link: str) -> bytes:
    """Return the code alone as PNG."""
    drawn = io.BytesIO()
    _code(link).save(drawn, kind="png", scale=16, border=4, dark=_INK, light=_PAPER)
    return drawn.getvalue()


def drawing(poster: Poster) -> str:
    """Return a poster as SVG: it prints sharp at any size."""
    text = poster.words.text
    title = wrap(text("poster.title"), 22)
    at = 30 + 11 * len(title)
    code_at = at + 5
    below = code_at + _CODE + 13
    left = (_WIDTH - _CODE) / 2
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}mm" height="{_HEIGHT}mm" '
            f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="Helvetica, Arial, sans-serif" '
            f'text-anchor="middle" fill="{_INK}">',
            f"<title>{escape(poster.clinic)}</title>",
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="{_PAPER}"/>',
            f'<rect width="{_WIDTH}" height="4" fill="{_ACCENT}"/>',
            *_lines([poster.clinic], 20, 5.2, f'fill="{_ACCENT}" font-weight="600"', 40),
            *_lines(title, 36, 9.6, 'font-weight="700"', 22),
            f'<g transform="translate({left} {code_at})">{_square(poster.link)}</g>',
            *_lines([text("poster.how")], below, 5.4, 'font-weight="600"', 46),
            *_lines([text("poster.what")], below + 9, 4.6, "", 52),
            *_lines([text("poster.small"), poster.phone], _HEIGHT - 16, 3.6, 'fill="#56655f"', 80),
            *_lines([poster.campaign], _HEIGHT - 4, 2.6, 'fill="#56655f"', 80),
            "</svg>\n",
        )
    )


def _lines(texts: Sequence[str], top: float, size: float, style: str, width: int) -> list[str]:
    lines = [line for text in texts for line in wrap(text, width)]
    return [
        f'<text x="{_WIDTH / 2}" y="{top + number * size * 1.25:.2f}" font-size="{size}" {style}>'
        f"{escape(line)}</text>"
        for number, line in enumerate(lines)
    ]


def _square(link: str) -> str:
    code = _code(link)
    side = code.symbol_size(border=0)[0]
    drawn = io.BytesIO()
    code.save(
        drawn,
        kind="svg",
        scale=_CODE / side,
        border=0,
        dark=_INK,
        xmldecl=False,
        svgns=False,
        nl=False,
    )
    return drawn.getvalue().decode()


def _code(link: str) -> segno.QRCode:
    return segno.make_qr(link, error="q")
