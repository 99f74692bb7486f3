"""The pictures patients see: the plan as a timeline, and the kinds of acne marks. PNG bytes.

Shapes and words carry the meaning; colour only helps. Equal input gives equal bytes. A timeline
takes some tens of milliseconds of a processor, so call these from a thread.
"""

from __future__ import annotations

from bot import scar_drawings
from bot.canvas import CARD, EDGE, INK, SOFT_INK, Canvas
from bot.timeline_drawing import Timeline
from flows.plan import Plan
from flows.texts import Catalogue

#: Codes of the step `scar_type` in the order of its buttons, with their drawings.
_SCARS = (
    ("flat", scar_drawings.draw_flat),
    ("rolling", scar_drawings.draw_rolling),
    ("boxcar_shallow", scar_drawings.draw_shallow),
    ("boxcar_deep", scar_drawings.draw_deep),
    ("icepick", scar_drawings.draw_holes),
    ("raised", scar_drawings.draw_raised),
)

_COLUMNS = 3
_CARD_WIDTH, _CARD_HEIGHT = 336.0, 292.0
_GAP = 18.0


def timeline(plan: Plan, catalogue: Catalogue, locale: str) -> bytes:
    """Draw a plan: sessions with their days and downtime, the event, and what comes after.

    `locale` is one that Babel knows, for the way dates are written.
    """
    return Timeline(plan, catalogue, locale).png()


def scar_types(catalogue: Catalogue) -> bytes:
    """Draw the kinds of marks, numbered, with the words of the question's buttons."""
    canvas = Canvas(1080, 768)
    canvas.words((540, 52), catalogue.text("picture.scars_title"), 42, bold=True)
    canvas.words((540, 102), catalogue.text("picture.scars_subtitle"), 28, colour=SOFT_INK)
    for index, (code, draw) in enumerate(_SCARS):
        row, column = divmod(index, _COLUMNS)
        left = _GAP + column * (_CARD_WIDTH + _GAP)
        top = 142 + row * (_CARD_HEIGHT + _GAP)
        box = (left, top, left + _CARD_WIDTH, top + _CARD_HEIGHT)
        canvas.box(box, CARD, edge=EDGE, radius=20)
        draw(canvas, (left + (_CARD_WIDTH - scar_drawings.WIDTH) / 2, top + 52))
        canvas.disc((left + 38, top + 36), 23, INK)
        canvas.words((left + 38, top + 36), str(index + 1), 28, colour=CARD, bold=True)
        label = catalogue.text(f"step.scar_type.{code}.label")
        canvas.paragraph((left + _CARD_WIDTH / 2, top + 212), label, 27, _CARD_WIDTH - 32)
    return canvas.png()
