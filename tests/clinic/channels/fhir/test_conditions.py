"""When a question is asked is the same in FHIR's form and in the protocol's."""

from __future__ import annotations

from itertools import chain, combinations, product

import pytest

from clinic.channels.fhir.conditions import demands
from flows import relevance
from flows.conversation import Answer
from flows.protocol import AskIf


def clause(**codes: str) -> dict[str, frozenset[str]]:
    return {step: frozenset(wanted.split()) for step, wanted in codes.items()}


CONDITIONS: list[AskIf] = [
    (),
    (clause(a="x"),),
    (clause(a="x y"),),
    (clause(a="x"), clause(b="x")),
    (clause(a="x", b="x y"),),
    (clause(a="x", b="x"), clause(c="y")),
    (clause(a="x", b="x"), clause(a="y", c="x")),
    (clause(a="x"), clause(a="x", b="y")),
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=range(len(CONDITIONS)))
def test_both_forms_ask_in_the_same_cases(condition: AskIf) -> None:
    choices = list(chain.from_iterable(combinations("xy", size) for size in range(3)))
    for a, b, c in product(choices, repeat=3):
        given = {"a": Answer(a), "b": Answer(b), "c": Answer(c)}
        chosen = {(step, code) for step, answer in given.items() for code in answer.codes}

        asked = all(demand & chosen for demand in demands(condition))

        assert asked == relevance.holds(condition, given)


def test_a_demand_that_another_one_covers_is_left_out() -> None:
    assert demands((clause(a="x"), clause(a="x", b="y"))) == (frozenset({("a", "x")}),)
