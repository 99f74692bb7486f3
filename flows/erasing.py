"""Deleting everything that is kept of a patient: asked for, said yes to, done."""

from __future__ import annotations

from flows import starting
from flows.conversation import Conversation, Overlay, Stage
from flows.effects import ErasePatient
from flows.position import Position
from flows.turn import Turn


def ask(here: Position) -> Turn:
    """Ask for a yes first; not on the day of a red flag, when somebody must be able to help."""
    if starting.must_rest(here):
        return Turn(here.conversation, notes=(here.note("note.erase_later"),))
    asked = here.with_(overlay=Overlay.ERASE, beneath=None, misses=0, suggested="")
    return Turn(asked.conversation)


def erase(here: Position) -> Turn:
    """Delete everything, on the screen that asks for it alone; the chat is as if it never was.

    What it begins from next is shown under the last screen, and stored nowhere.
    """
    old = here.conversation
    if old.overlay is not Overlay.ERASE:
        return ask(here)
    new = Conversation(
        old.chat_id, Stage.CHOOSE_CLINIC, revision=old.revision, run=old.run + 1, locale=old.locale
    )
    clinic = old.clinic if old.clinic in here.scene.clinics else None
    begun = starting.begin(Position(new, here.scene), clinic)
    return Turn(begun.with_(overlay=Overlay.ERASED).conversation, effects=(ErasePatient(),))
