"""What must hold for every screen a patient ever sees."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from bot.callback_data import pack
from bot.markup import LABEL_LIMIT, TEXT_LIMIT, Button, Screen, plain
from flows.conversation import Conversation, Overlay, Stage
from flows.events import (
    Action,
    AskedForPerson,
    AskedHelp,
    AskedToStartOver,
    Chose,
    WentBack,
)

#: Screens that begin something: there is nothing before them.
FIRST = {"consent", Stage.CHOOSE_CLINIC.value, Stage.URGENT.value, Stage.BOOKED.value}

_BACK = (WentBack(), Chose(Action.KEEP), Chose(Action.CONTINUE), AskedToStartOver())
_OUT = (AskedHelp(), AskedForPerson())
_ALLOWED_TAGS = {"b", "i", "code"}


class _Tags(HTMLParser):
    """Follows the tags of a message and remembers what Telegram would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        if tag not in _ALLOWED_TAGS:
            self.faults.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"/{tag}")


def presses(screen: Screen) -> list[object]:
    """Return what the buttons press."""
    return [button.press for row in screen.rows for button in row if button.press]


def labels(screen: Screen) -> list[str]:
    """Return the words on the buttons."""
    return [button.label for row in screen.rows for button in row]


def faults_of(screen: Screen, conversation: Conversation) -> list[str]:
    """Return every rule that the screen breaks."""
    buttons = [button for row in screen.rows for button in row]
    found = [
        *_faults_of_text(screen),
        *(f"label {b.label!r}" for b in buttons if not 0 < len(b.label) <= LABEL_LIMIT),
        *(f"data of {b.label!r}" for b in buttons if _is_bad(b, screen.revision)),
    ]
    if len(buttons) > 100 or any(not 0 < len(row) <= 3 for row in screen.rows):
        found.append("too many buttons, or a row of none or more than three")
    if len(set(labels(screen))) != len(buttons):
        found.append("two buttons with the same words")
    if conversation.state not in FIRST and not any(p in _BACK for p in presses(screen)):
        found.append("no way back")
    is_last = conversation.overlay is Overlay.ERASED  # nobody knows the patient: all begins anew
    if not is_last and not any(p in _OUT for p in presses(screen)):
        found.append("no way out")
    if screen.revision != conversation.revision:
        found.append("buttons of another revision")
    return found


def _faults_of_text(screen: Screen) -> list[str]:
    found = [] if 0 < len(plain(screen.html)) <= TEXT_LIMIT else ["text too short or too long"]
    tags = _Tags()
    tags.feed(screen.html)
    if tags.open or tags.faults:
        found.append(f"markup {tags.open or tags.faults}")
    if re.search(r"\{\w*\}", screen.html):
        found.append("a placeholder that was not filled in")
    return found


def _is_bad(button: Button, revision: int) -> bool:
    if button.press is None:
        return not (button.url.startswith("https://") or 0 < len(button.copy_text) <= 256)
    return len(pack(revision, button.press)) > 64
