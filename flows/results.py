"""The result of a finished course in the patient's own words: asked for after the rating, once.

Nothing depends on it. Whoever rates again is asked again only while there are no words.
"""

from __future__ import annotations

from flows.conversation import Overlay, Stage
from flows.effects import DescribeResult
from flows.position import Position
from flows.talking import LONGEST
from flows.turn import Turn

#: Where nothing about health is asked.
_NOT_ASKED = frozenset(
    {Stage.CHOOSE_CLINIC, Stage.NO_CONSENT, Stage.DECLINED, Stage.URGENT, Stage.STOPPED}
)


def ask(here: Position, series_id: str) -> Position:
    """Ask how the patient sees the result of a series, unless they have said it already."""
    conversation = here.conversation
    has_agreed = conversation.state not in _NOT_ASKED and bool(conversation.answers)
    if not has_agreed or series_id == conversation.described:
        return here
    return here.with_(overlay=Overlay.RESULT, rated=series_id, misses=0, suggested="")


def describe(here: Position, text: str) -> Turn:
    """Keep what the patient wrote, and give the place back."""
    series_id = here.conversation.rated
    told = here.with_(overlay=None, described=series_id)
    kept = DescribeResult(series_id, text[:LONGEST])
    note = here.note("note.result_kept")
    return Turn(told.conversation, effects=(kept,), notes=(note,))
