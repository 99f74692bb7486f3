from flows.diagram import mermaid
from flows.machine import edges
from tests.flows.chat import protocol


def test_the_diagram_draws_every_move_once():
    lines = [line.strip() for line in mermaid(protocol()).splitlines()]

    for edge in edges(protocol()):
        assert lines.count(f"{edge.source} --> {edge.dest}: {edge.trigger}") == 1


def test_each_question_stands_in_its_group():
    text = mermaid(protocol())

    assert text.startswith("stateDiagram-v2\n")
    assert 'state "safety" as' in text
