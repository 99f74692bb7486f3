"""What one turn did on the way through the questions: shown, answered, changed, gone back from.

The funnel counts these. Nothing of an answer is in here, only which question it was about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flows import relevance
from flows.conversation import Answer, Conversation, Stage
from flows.events import Edited, Event
from flows.protocol import Protocol

#: The last question of all: is everything right?
REVIEW = Stage.REVIEW.value

_JUDGED = frozenset({Stage.PLAN, Stage.CONSULT, Stage.DEFERRED, Stage.DECLINED, Stage.URGENT})


@dataclass(frozen=True, slots=True)
class Passage:
    """One turn's part of a run, as ids of steps."""

    begins: bool = False  # the first question of a run came up
    agrees: bool = False  # the consent was given
    reached: tuple[str, ...] = ()  # came on the screen, or was answered from elsewhere
    answered: tuple[str, ...] = ()  # had no answer before
    changed: tuple[str, ...] = ()  # had another answer before
    back_from: str = ""
    passed_over: tuple[str, ...] = ()  # had no answer, and needs none any more


NOWHERE = Passage()


def passage(
    before: Conversation | None, event: Event, after: Conversation, protocol: Protocol | None
) -> Passage:
    """Return what the turn from `before` to `after` did; `protocol` is the run's afterwards."""
    if protocol is None or after.clinic is None:
        return NOWHERE
    before = before if before is not None and _same_run(before, after) else None
    old: Mapping[str, Answer] = before.answers if before else {}
    first, new = protocol.steps[0].id, after.answers
    answered = [name for name in new if name not in old]
    if before and before.state == first != after.state and after.state == Stage.NO_CONSENT:
        answered.append(first)
    if before and before.state == REVIEW and after.state in _JUDGED and not after.red_flag:
        answered.append(REVIEW)
    reached = [*([first] if before is None else []), *answered]
    if _is_question(protocol, after.state) and (before is None or before.state != after.state):
        reached.append(after.state)
    return Passage(
        begins=before is None,
        agrees=first in new and first not in old,
        reached=tuple(dict.fromkeys(reached)),
        answered=tuple(answered),
        changed=tuple(name for name in new if name in old and old[name] != new[name]),
        back_from=_back_from(before, event, after, protocol),
        passed_over=_passed_over(protocol, old, after),
    )


def _same_run(before: Conversation, after: Conversation) -> bool:
    return (before.run, before.clinic, before.protocol) == (after.run, after.clinic, after.protocol)


def _is_question(protocol: Protocol, state: str) -> bool:
    return state == REVIEW or any(step.id == state for step in protocol.steps)


def _back_from(
    before: Conversation | None, event: Event, after: Conversation, protocol: Protocol
) -> str:
    """Tell a step back, pressed or typed, from a leap to an answer that is to be changed."""
    if before is None or isinstance(event, Edited) or before.answers != after.answers:
        return ""
    if before.state == after.state or not _is_question(protocol, before.state):
        return ""
    previous = relevance.previous_step(protocol, before.answers, before.state)
    return before.state if previous and previous.id == after.state else ""


def _passed_over(
    protocol: Protocol, old: Mapping[str, Answer], after: Conversation
) -> tuple[str, ...]:
    """A change elsewhere may take away a question that was shown and not answered."""
    if not old or old == after.answers or after.state == Stage.NO_CONSENT:
        return ()
    matters = {step.id for step in relevance.relevant_steps(protocol, after.answers)}
    return tuple(
        step.id
        for step in relevance.relevant_steps(protocol, old)
        if step.id not in old and step.id not in matters
    )
