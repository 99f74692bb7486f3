"""Every guard that the torture takes away stands where it is looked for, exactly once."""

from __future__ import annotations

import pytest

from tests.faults import mutants
from tests.faults.mutants import DoesNotApply, Mutant
from tests.faults.torture.mutants import QUICK, groups

ALL = [mutant for found in groups().values() for mutant in found]


@pytest.mark.parametrize("what", groups())
def test_every_mutant_applies_in_one_place(what: str) -> None:
    for mutant in groups()[what]:
        assert mutants.applied(mutant)


def test_every_mutant_has_a_name_of_its_own_and_tests() -> None:
    names = [mutant.name for mutant in ALL]

    assert len(names) == len(set(names))
    assert all((mutants.ROOT / mutant.tests[0].partition("::")[0]).exists() for mutant in ALL)
    assert set(QUICK) <= set(names)


def test_every_rule_of_the_protocol_has_its_mutant() -> None:
    rules = [mutant for mutant in ALL if mutant.name.startswith("rule ")]

    assert len(rules) >= 75


def test_a_guard_that_is_gone_is_told() -> None:
    with pytest.raises(DoesNotApply, match="0 times"):
        mutants.applied(Mutant("none", "flows/graph.py", "no such line", "", ()))
