"""Every first pass through the questions, driven through the real dialogue.

Runs that look alike from here on are merged (`proof_model.Node`), so that every set of ticks is
covered although no machine could try each by itself. Two runs are kept of each merged place:
the first and the last that came there. All answers are given from the first one, by the smallest
set of ticks of each kind; then again from the last one, by the largest. Both must go on alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from flows.conversation import Answer, Conversation, Stage
from flows.events import Started
from flows.graph import refuses
from flows.proof_model import Node, Reply
from flows.proof_world import Claim, Ledger, Refuted, Told, World, must
from flows.protocol import Step
from flows.turn import Turn


class Arrival(NamedTuple):
    """One answer given: from where, what, and what came of it."""

    before: Conversation
    step: Step
    reply: Reply
    turn: Turn

    @property
    def after(self) -> Conversation:
        """The conversation with the answer in it."""
        return self.turn.conversation

    @property
    def where(self) -> str:
        """Name the case, in codes."""
        return f"{path(self.before)}, {self.reply.named(self.step)}".removeprefix(", ")


@dataclass(slots=True)
class Visit:
    """The runs that came to one merged place."""

    first: Conversation
    last: Conversation
    count: int = 0  # combinations of answers that lead here


@dataclass(slots=True)
class Walk:
    """What was walked over."""

    nodes: dict[Node, Visit] = field(default_factory=dict)
    edges: int = 0
    combinations: int = 0  # of answers, from the first question to an end
    arrivals: list[Arrival] = field(default_factory=list)

    def ends(self, world: World) -> Iterator[Arrival]:
        """Yield the answers that ended the questions."""
        return (each for each in self.arrivals if each.after.state not in world.model.place)


def walk(world: World, ledger: Ledger, each: Callable[[Arrival], None], told: Told) -> Walk:
    """Give every answer everywhere, and hand each arrival to `each`."""
    walked = Walk()
    with ledger.case(Claim.LEADS_ON, "start"):
        start = world.does(None, Started()).conversation
        must(start.state == world.protocol.steps[0].id, f"begins at {start.state}")
        walked.nodes[world.model.node({}, 0)] = Visit(start, start, 1)
    for place, step in enumerate(world.protocol.steps):
        told("answers", place, len(world.protocol.steps))
        for node in [node for node in walked.nodes if node.place == place]:
            _leave(world, ledger, walked, node, each)
        with ledger.case(Claim.LEADS_ON, step.id):
            must(any(node.place == place for node in walked.nodes), "nobody is asked this")
    return walked


def _leave(
    world: World, ledger: Ledger, walked: Walk, node: Node, each: Callable[[Arrival], None]
) -> None:
    """Give every answer at one merged place."""
    step, visit = world.protocol.steps[node.place], walked.nodes[node]
    for alike in world.model.alike[world.model.place[step.id]]:
        walked.edges += 1
        for arrival in _arrive(world, ledger, visit.first, step, alike.first):
            each(arrival)
            walked.arrivals.append(arrival)
            last = arrival.after
            if visit.last is not visit.first or alike.last != alike.first:
                last = _same_from_last(world, ledger, visit, arrival, alike.last)
            count = visit.count * alike.count
            if arrival.after.state not in world.model.place:
                walked.combinations += count
                continue
            known = walked.nodes.setdefault(
                node_of(world, arrival.after), Visit(arrival.after, last)
            )
            known.last, known.count = last, known.count + count


def _arrive(
    world: World, ledger: Ledger, before: Conversation, step: Step, reply: Reply
) -> Iterator[Arrival]:
    """Give one answer; nothing arrives when it leads elsewhere than it must."""
    where = f"{path(before)}, {reply.named(step)}"
    with ledger.case(Claim.LEADS_ON, where):
        turn = world.replies(before, step, reply)
        answer = reply.answer(step, world.today)
        wanted = world.model.next_place({**before.answers, step.id: answer})
        if refuses(step, answer.codes):
            wanted = Stage.NO_CONSENT
        must(turn.conversation.state == wanted, f"leads to {turn.conversation.state}, not {wanted}")
        yield Arrival(before, step, reply, turn)


def _same_from_last(
    world: World, ledger: Ledger, visit: Visit, arrival: Arrival, reply: Reply
) -> Conversation:
    """Give the like of an answer from the other run, and compare where the two now stand.

    Return where it stands; where the first run stands when the two differ.
    """
    where = f"{path(visit.last)}, {reply.named(arrival.step)}"
    with ledger.case(Claim.ALIKE, where):
        after = world.replies(visit.last, arrival.step, reply).conversation
        must(
            node_of(world, after) == node_of(world, arrival.after)
            and after.state == arrival.after.state,
            f"goes on to {after.state}, unlike {arrival.where}",
        )
        return after
    return arrival.after


def node_of(world: World, conversation: Conversation) -> Node:
    """Return which runs a conversation looks like."""
    behind = len(world.protocol.steps)
    place = world.model.place.get(conversation.state, behind)
    return world.model.node(conversation.answers, place)


def follow(
    world: World, conversation: Conversation, choose: Callable[[Step], Answer]
) -> Conversation:
    """Answer question after question until an end; Refuted when a question stays."""
    while conversation.state in world.model.place:
        step = world.protocol.step(conversation.state)
        after = world.does(conversation, world.event(step, choose(step))).conversation
        if after.state == conversation.state:
            raise Refuted(f"{step.id} is asked again and again")
        conversation = after
    return conversation


def path(conversation: Conversation) -> str:
    """Name a run by the answers in it that say something, in codes."""
    said = [
        f"{name}={'+'.join(answer.codes) or 'typed or skipped'}"
        for name, answer in conversation.answers.items()
    ]
    return ", ".join(said) or "start"
