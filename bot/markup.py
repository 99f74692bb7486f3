"""What a message looks like before Telegram: buttons, screens, escaping and Telegram's limits."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.callback_data import Press

TEXT_LIMIT = 4096  # characters of a message, after its markup is parsed
CAPTION_LIMIT = 1024
LABEL_LIMIT = 40  # characters of a button's label; more is cut off on a phone
PAIR_LIMIT = 18  # labels this short stand two in a row

_TAG = re.compile(r"</?(?:b|i|a|u|s|code)(?: [^>]*)?>")


@dataclass(frozen=True, slots=True)
class Button:
    """One button under a message: it presses, copies a text, or opens an address."""

    label: str
    press: Press | None = None
    copy_text: str = ""
    url: str = ""
    data: str = ""  # a payload that is none of the dialogue's


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class ContactRequest:
    """A button under the writing field that shares the patient's own phone number."""

    html: str
    label: str
    placeholder: str


@dataclass(frozen=True, slots=True)
class Screen:
    """One message with its inline keyboard. Buttons carry `revision`."""

    html: str
    rows: Rows = ()
    revision: int = 0
    picture: str | None = None  # name of the drawing that belongs above this screen
    contact: ContactRequest | None = None
    aside: bool = False  # the screen itself stands above and stays


def escaped(value: object) -> str:
    """Return a value as text that is safe inside a message."""
    return html.escape(str(value), quote=False)


def plain(marked: str) -> str:
    """Return the text a reader sees: markup parsed away."""
    return html.unescape(_TAG.sub("", marked))


def paired(buttons: Iterable[Button]) -> Rows:
    """Lay buttons out, two in a row only where both labels are short."""
    rows: list[tuple[Button, ...]] = []
    for button in buttons:
        last = rows[-1] if rows else ()
        if len(last) == 1 and _is_short(last[0]) and _is_short(button):
            rows[-1] = (*last, button)
        else:
            rows.append((button,))
    return tuple(rows)


def stacked(buttons: Iterable[Button]) -> Rows:
    """Lay buttons out one below the other."""
    return tuple((button,) for button in buttons)


def joined(parts: Sequence[str], *, ending: str, limit: int = TEXT_LIMIT) -> str:
    """Join paragraphs; when they pass the limit, leave out the last but one and say so.

    The first and the last paragraph always stay: they say what this is and what to do.
    """
    kept = [part for part in parts if part]
    text = "\n\n".join(kept)
    if len(plain(text)) <= limit:
        return text
    while len(kept) > 2 and len(plain("\n\n".join([*kept, ending]))) > limit:
        del kept[-2]
    text = "\n\n".join([*kept[:-1], ending, kept[-1]])
    return text if len(plain(text)) <= limit else cut(text, limit)


def cut(marked: str, limit: int) -> str:
    """Return the text shortened to the limit, without markup, ending in an ellipsis."""
    text = plain(marked)
    return escaped(text if len(text) <= limit else text[: limit - 1].rstrip() + "…")


def label(text: str) -> str:
    """Return a label that fits on a button."""
    return text if len(text) <= LABEL_LIMIT else text[: LABEL_LIMIT - 1].rstrip() + "…"


def _is_short(button: Button) -> bool:
    return len(button.label) <= PAIR_LIMIT
