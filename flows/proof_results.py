"""What must hold of a rating, wherever its button is pressed: it stays in the chat for good."""

from __future__ import annotations

from dataclasses import replace

from flows.conversation import Conversation, Overlay
from flows.effects import DescribeResult, ReviewSeries
from flows.events import Action, AnsweredNudge, Chose, NudgeAnswer, Typed
from flows.follow_up import NudgeKind
from flows.proof_model import WORDS
from flows.proof_world import World, must, place_of

_SERIES = "series"

#: A button under a message that came by itself: it is never stale.
RATING = AnsweredNudge(NudgeKind.SERIES_REVIEW, NudgeAnswer.ONE, _SERIES)


def check_rated(world: World, before: Conversation) -> None:
    """Refute when a rating or the words after it are lost, or the place over them."""
    rated = world.does(before, RATING)
    must(ReviewSeries(_SERIES, 1) in rated.effects, "a rating is lost")
    ways = [rated]
    if rated.conversation.overlay is Overlay.RESULT:
        told = world.does(rated.conversation, Typed(WORDS))
        must(DescribeResult(_SERIES, WORDS) in told.effects, "words about the result are lost")
        ways = [told, world.does(rated.conversation, Chose(Action.CONTINUE))]
    for way in ways:
        must(_place(way.conversation) == _place(before), "a rating costs the place")


def check_not_asked(world: World, conversation: Conversation) -> None:
    """Refute when a rating leads to a question here."""
    rated = world.does(conversation, RATING).conversation
    must(rated.overlay is not Overlay.RESULT, "how the result is seen is asked")


def _place(conversation: Conversation) -> Conversation:
    return replace(
        place_of(conversation),
        overlay=None,
        beneath=None,
        misses=0,
        suggested="",
        last_media="",
        rated="",
        described="",
    )
