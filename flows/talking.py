"""A patient and the clinic's people: asking for one, and what the patient then writes to them.

Whoever asks for a person is asked what about; what they write next goes to the clinic. The place
in the questions waits underneath.
"""

from __future__ import annotations

from flows.conversation import Overlay, Stage
from flows.effects import HandOffLead, LeadKind, MessageToClinic
from flows.position import Position
from flows.turn import Turn

LONGEST = 4096  # characters of one message in Telegram


def call_person(here: Position) -> Turn:
    """Tell the clinic that the patient wants a person, and ask what it is about.

    Where help is needed at once nothing is asked: writing would be too slow a way.
    """
    if here.conversation.clinic is None:
        return Turn(here.conversation, notes=(here.note("note.choose_first"),))
    asked = here
    if here.conversation.state != Stage.URGENT:
        asked = here.with_(overlay=Overlay.ASK, misses=0, suggested="")
    return Turn(
        asked.conversation,
        effects=(HandOffLead(LeadKind.PERSON),),
        notes=() if here.scene.is_talking else (here.note("note.person"),),
    )


def send(here: Position, text: str) -> Turn:
    """Pass on what the patient wrote after asking for a person."""
    return _passed_on(here, text, "note.message_sent")


def send_unasked(here: Position, text: str) -> Turn:
    """Pass on words that mean nothing here, from a patient whom the clinic is talking with."""
    question = here.step is not None and here.conversation.overlay is None
    return _passed_on(here, text, "note.message_passed_on" if question else "note.message_sent_too")


def _passed_on(here: Position, text: str, note: str) -> Turn:
    return Turn(
        here.conversation,
        effects=(MessageToClinic(text[:LONGEST]),),
        notes=(here.note(note),),
    )
