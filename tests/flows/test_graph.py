import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows import graph, relevance
from flows.conversation import Answer, Stage
from flows.protocol import Kind, Step
from tests.flows.chat import protocol


def follow(walk: graph.Walk) -> str:
    """Answer as the walk says, checking that each question is the one being asked."""
    answers: dict[str, Answer] = {}
    for step_id, codes in walk:
        assert relevance.next_place(protocol(), answers) == step_id
        answers[step_id] = graph.given(protocol().step(step_id), codes)
    if graph.refuses(protocol().step(walk[-1][0]), walk[-1][1]):
        return Stage.NO_CONSENT
    return relevance.next_place(protocol(), answers)


@pytest.mark.parametrize(
    ("edge", "walk"), graph.witnesses(protocol()).items(), ids=lambda value: str(value)[:60]
)
def test_each_move_is_made_by_its_own_answers(edge, walk):
    assert walk[-1][0] == edge.source
    assert follow(walk) == edge.dest


def test_every_question_is_reached_and_left():
    edges = graph.answer_edges(protocol())
    steps = {step.id for step in protocol().steps}

    assert {edge.source for edge in edges} == steps
    assert steps - {edge.dest for edge in edges} == {protocol().steps[0].id}


def some_codes(step: Step) -> st.SearchStrategy[tuple[str, ...]]:
    alone = [(option.code,) for option in step.options if option.severity < 4]
    if step.kind is not Kind.MULTI:
        return st.sampled_from(alone)
    several = [o.code for o in step.options if not o.exclusive and o.severity < 4]
    subsets = st.lists(st.sampled_from(several), min_size=1, unique=True).map(tuple)
    return st.one_of(st.sampled_from(alone), subsets)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_is_ticked_every_move_is_in_the_table(data):
    edges = set(graph.answer_edges(protocol()))
    answers: dict[str, Answer] = {}
    place = relevance.next_place(protocol(), answers)
    while place not in set(Stage):
        step = protocol().step(place)
        codes = data.draw(some_codes(step))
        if graph.refuses(step, codes):
            return
        answers[place] = Answer(codes)
        after = relevance.next_place(protocol(), answers)
        assert graph.Edge("answer", place, after) in edges
        place = after
