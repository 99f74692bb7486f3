"""Every move that a first pass through the questions can make, each with answers that make it.

The walk merges runs that look alike from here on (same question, same facts that later
questions look at, same strongest severity), so it stays small although the combinations of
ticks do not. Ticks are tried alone and in pairs: a move between two questions depends on the
tick that asks for the one and the tick that asks for the other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

from flows.conversation import Answer, Stage
from flows.protocol import Kind, Outcome, Protocol, Severity, Step
from flows.relevance import OUTCOMES, severity_of

#: Answers in the order given: (step, chosen codes). No code: a date, own words or a skip.
Walk = tuple[tuple[str, tuple[str, ...]], ...]


class Edge(NamedTuple):
    """One allowed move: `trigger` takes the conversation from `source` to `dest`."""

    trigger: str
    source: str
    dest: str


class _Node(NamedTuple):
    place: int  # of the step in the protocol
    facts: frozenset[tuple[str, str]]
    strongest: Severity


def answer_edges(protocol: Protocol) -> tuple[Edge, ...]:
    """Return the moves that first answers can make, in the protocol's order."""
    return tuple(witnesses(protocol))


@lru_cache(maxsize=64)
def witnesses(protocol: Protocol) -> dict[Edge, Walk]:
    """Return for each move the shortest run of answers found that ends with it."""
    found: dict[Edge, Walk] = {}
    start = _Node(0, frozenset(), Severity.NONE)
    seen = {start}
    queue: deque[tuple[_Node, Walk]] = deque([(start, ())])
    while queue:
        node, walk = queue.popleft()
        step = protocol.steps[node.place]
        for codes in _choices(step):
            dest, after = _after(protocol, node, codes)
            longer = (*walk, (step.id, codes))
            found.setdefault(Edge("answer", step.id, dest), longer)
            if after is not None and after not in seen:
                seen.add(after)
                queue.append((after, longer))
    order = {step.id: number for number, step in enumerate(protocol.steps)}
    return dict(
        sorted(found.items(), key=lambda item: (order[item[0].source], order.get(item[0].dest, -1)))
    )


def refuses(step: Step, codes: tuple[str, ...]) -> bool:
    """Say whether this answer refuses consent, after which nothing is asked."""
    return step.group == "consent" and "decline" in codes


def given(step: Step, codes: tuple[str, ...]) -> Answer:
    """Return the answer that a walk's codes stand for."""
    typed = not codes and not step.skippable
    return Answer(codes, text="..." if typed and step.kind is Kind.TEXT else None)


def _choices(step: Step) -> Iterator[tuple[str, ...]]:
    """Yield the answers worth trying at a step."""
    if step.skippable or step.kind in (Kind.DATE, Kind.TEXT):
        yield ()
    yield from ((option.code,) for option in step.options)
    if step.kind is Kind.MULTI:
        several = [option.code for option in step.options if not option.exclusive]
        yield from combinations(several, 2)


def _after(protocol: Protocol, node: _Node, codes: tuple[str, ...]) -> tuple[str, _Node | None]:
    """Return where answering with `codes` leads, and the node there unless the run ended."""
    step = protocol.steps[node.place]
    if refuses(step, codes):
        return Stage.NO_CONSENT, None
    strongest = max(node.strongest, severity_of(step, given(step, codes)))
    if OUTCOMES[strongest] is Outcome.URGENT:
        return Stage.URGENT, None
    if OUTCOMES[strongest] is Outcome.DECLINED:
        return Stage.DECLINED, None
    facts = node.facts | {(step.id, code) for code in codes}
    for index in range(node.place + 1, len(protocol.steps)):
        later = protocol.steps[index]
        if OUTCOMES[strongest] not in later.unless and _holds(later, facts):
            return later.id, _Node(index, facts & _wanted(protocol, index), strongest)
    return Stage.REVIEW, None


def _holds(step: Step, facts: frozenset[tuple[str, str]]) -> bool:
    return not step.ask_if or any(
        all(any((name, code) in facts for code in codes) for name, codes in each.items())
        for each in step.ask_if
    )


@lru_cache(maxsize=512)
def _wanted(protocol: Protocol, index: int) -> frozenset[tuple[str, str]]:
    """Return the facts that steps from `index` on look at."""
    return frozenset(
        (name, code)
        for step in protocol.steps[index:]
        for each in step.ask_if
        for name, codes in each.items()
        for code in codes
    )
