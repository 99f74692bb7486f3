"""The dialogue's state diagram as Mermaid text, drawn from the table of moves."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from flows.conversation import Stage
from flows.machine import edges
from flows.protocol import Protocol


def mermaid(protocol: Protocol) -> str:
    """Return a `stateDiagram-v2` with every move of `flows.machine.edges`, one line each.

    Each of the protocol's groups of questions is a composite state.
    """
    return "\n".join(["stateDiagram-v2", *(f"    {line}" for line in _lines(protocol)), ""])


def _lines(protocol: Protocol) -> Iterator[str]:
    yield f"[*] --> {Stage.CHOOSE_CLINIC.value}: start"
    yield f"[*] --> {protocol.steps[0].id}: start with the clinic's link"
    for number, (group, steps) in enumerate(groupby(protocol.steps, lambda step: step.group)):
        yield f'state "{group}" as group_{number} {{'
        yield from (f"    {step.id}" for step in steps)
        yield "}"
    for edge in edges(protocol):
        yield f"{edge.source} --> {edge.dest}: {edge.trigger}"
    for stage in (Stage.URGENT, Stage.STOPPED):
        yield f"{stage.value} --> [*]"
