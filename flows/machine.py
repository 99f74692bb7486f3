"""The table of moves, generated from the protocol and held by `transitions`.

The dialogue decides where to go; this table says whether one may. The machine keeps no model:
each move runs on a throw-away cursor through `machine.events[...]`, which is eight times
cheaper than `add_model` and leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from transitions import Machine

from flows.conversation import Stage
from flows.graph import Edge, answer_edges
from flows.protocol import Protocol


class IllegalMove(Exception):
    """The dialogue wanted a move that the table does not have: our fault, not the patient's."""


#: Moves between the screens that are not questions.
_STAGES = (
    Edge("confirm", Stage.REVIEW, Stage.PLAN),
    Edge("confirm", Stage.REVIEW, Stage.CONSULT),
    Edge("confirm", Stage.REVIEW, Stage.DEFERRED),
    Edge("hold", Stage.PLAN, Stage.CONTACT),
    Edge("hold", Stage.CONSULT, Stage.CONTACT),
    Edge("hold", Stage.PICK_TIME, Stage.CONTACT),
    Edge("other_times", Stage.PLAN, Stage.PICK_DAY),
    Edge("other_times", Stage.CONSULT, Stage.PICK_DAY),
    Edge("day", Stage.PICK_DAY, Stage.PICK_TIME),
    Edge("time", Stage.PICK_TIME, Stage.PLAN),
    Edge("book", Stage.CONTACT, Stage.BOOKED),
    Edge("book", Stage.PLAN, Stage.BOOKED),
    Edge("book", Stage.CONSULT, Stage.BOOKED),
    Edge("book", Stage.PICK_TIME, Stage.BOOKED),
    Edge("taken", Stage.CONTACT, Stage.PLAN),
    Edge("taken", Stage.CONTACT, Stage.CONSULT),
    Edge("change", Stage.BOOKED, Stage.CHANGE),
    Edge("move", Stage.CHANGE, Stage.PICK_DAY),
    Edge("move", Stage.BOOKED, Stage.PICK_DAY),
    Edge("moved", Stage.PICK_TIME, Stage.BOOKED),
    Edge("mend", Stage.PICK_TIME, Stage.MEND),
    Edge("moved", Stage.MEND, Stage.BOOKED),
    Edge("cancel", Stage.BOOKED, Stage.CANCEL),
    Edge("cancelled", Stage.CANCEL, Stage.BOOKED),
    Edge("cancelled", Stage.CANCEL, Stage.MEND),
    Edge("cancelled", Stage.CANCEL, Stage.PLAN),
    Edge("cancelled", Stage.CANCEL, Stage.CONSULT),
    Edge("back", Stage.PICK_DAY, Stage.PLAN),
    Edge("back", Stage.PICK_DAY, Stage.CONSULT),
    Edge("back", Stage.PICK_DAY, Stage.BOOKED),
    Edge("back", Stage.PICK_TIME, Stage.PICK_DAY),
    Edge("back", Stage.CONTACT, Stage.PLAN),
    Edge("back", Stage.CONTACT, Stage.CONSULT),
    Edge("back", Stage.MEND, Stage.PICK_DAY),
    Edge("back", Stage.MEND, Stage.BOOKED),
    Edge("back", Stage.CHANGE, Stage.BOOKED),
    Edge("back", Stage.CANCEL, Stage.BOOKED),
    Edge("back", Stage.PLAN, Stage.REVIEW),
    Edge("back", Stage.CONSULT, Stage.REVIEW),
    Edge("back", Stage.DEFERRED, Stage.REVIEW),
    Edge("back", Stage.DECLINED, Stage.REVIEW),
)

#: From anywhere: a red flag ends the run, /stop ends the messages.
_ANYWHERE = {"red_flag": Stage.URGENT, "stop": Stage.STOPPED}


def edges(protocol: Protocol) -> tuple[Edge, ...]:
    """Return every move of the diagram: first pass through the questions, then the screens.

    Back, edit and resume jump among the questions; they are one rule (`jump`), not edges.
    """
    first = protocol.steps[0]
    return (
        Edge("start", Stage.CHOOSE_CLINIC, first.id),
        *answer_edges(protocol),
        Edge("back", Stage.NO_CONSENT, first.id),
        *_STAGES,
    )


def move(protocol: Protocol, state: str, trigger: str, dest: str) -> str:
    """Return `dest` after checking that the table allows the move; IllegalMove otherwise."""
    cursor = _Cursor(str(state))  # `transitions` would look for an enum member by its name
    event = _machine(protocol).events.get(trigger)
    if event is None or cursor.state not in event.transitions or not event.trigger(cursor, dest):
        raise IllegalMove(f"{trigger!r} from {state!r} to {dest!r} is not in the table")
    return cursor.state


def states(protocol: Protocol) -> tuple[str, ...]:
    """Return every state: the steps in their order, then the stages."""
    return (*(step.id for step in protocol.steps), *(stage.value for stage in Stage))


class _Cursor:
    """Throw-away object that `transitions` moves; it never leaves this module."""

    __slots__ = ("state",)

    def __init__(self, state: str) -> None:
        self.state = state


@lru_cache(maxsize=64)
def _machine(protocol: Protocol) -> Machine:
    rows: list[dict[str, object]] = [
        {
            "trigger": edge.trigger,
            "source": str(edge.source),
            "dest": str(edge.dest),
            "conditions": _goes_to(edge.dest),
        }
        for edge in edges(protocol)
    ]
    everywhere = list(states(protocol))
    rows += [
        {"trigger": "jump", "source": everywhere, "dest": dest, "conditions": _goes_to(dest)}
        for dest in everywhere
    ]
    rows += [
        {"trigger": trigger, "source": everywhere, "dest": dest.value}
        for trigger, dest in _ANYWHERE.items()
    ]
    return Machine(
        model=None, states=everywhere, transitions=rows, initial=None, auto_transitions=False
    )


def _goes_to(dest: str) -> Callable[[str], bool]:
    def is_wanted(wanted: str) -> bool:
        return wanted == dest

    return is_wanted
